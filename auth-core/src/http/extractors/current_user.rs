//! The extractors that give a handler its caller.

use std::{any::Any, any::type_name, fmt, ops::Deref, sync::Arc, time::SystemTime};

use actix_web::{FromRequest, HttpRequest, dev::Payload};

use super::{Extraction, extract};
use crate::{
    context::AccessError,
    error::AuthError,
    event::{Check, Origin, check::clock},
    http::{
        again::missing,
        auth::{Auth, Identity},
        denial::Denial,
        deny::{Decider, OwnRule},
    },
    vocabulary::{AdminRoles, IdRef, Subject, User},
};

/// The caller, as the type that the application's mechanism makes.
///
/// In a handler without a guard it authenticates the request itself and answers 401 to anonymous callers. It
/// checks nothing else. For a handler that is open to everybody there is [`MaybeUser`].
///
/// ```
/// use actix_web::{Responder, get};
/// use auth_core::{CurrentUser, Subject, auth_required};
///
/// #[auth_required]
/// #[get("/whoami")]
/// async fn whoami(user: CurrentUser) -> impl Responder {
///     user.id().to_string()
/// }
/// ```
pub struct CurrentUser<U: Subject = User> {
    subject: Arc<U>,
    /// None where a test made it.
    decider: Option<Decider>,
    origin: Option<Origin>,
}

impl<U: Subject> CurrentUser<U> {
    /// The caller, to be moved to another thread or task.
    #[must_use]
    pub fn into_inner(self) -> Arc<U> {
        self.subject
    }

    /// Denies what a handler's own rule does not allow to the caller: as the denial of a guard, it reaches the observers and
    /// the log, with the caller, method and route. The error is the answer, a 403 that tells the client nothing of the
    /// rule.
    ///
    /// A caller can be moved to another thread, where a transaction decides.
    ///
    /// ```
    /// use actix_web::{Error, HttpResponse, post, web};
    /// use auth_core::{AuthError, CurrentUser, Subject, auth_required};
    ///
    /// #[auth_required]
    /// #[post("/night-shift")]
    /// async fn begin(user: CurrentUser) -> Result<HttpResponse, Error> {
    ///     web::block(move || if user.has_role("night") { Ok(()) } else { Err(user.deny("night shift")) }).await??;
    ///     Ok(HttpResponse::NoContent().finish())
    /// }
    /// ```
    #[must_use = "nothing is denied until the handler returns the error"]
    pub fn deny<'r>(&self, rule: impl Into<OwnRule<'r>>) -> AuthError {
        let rule = rule.into();
        match &self.decider {
            Some(decider) => decider.deny(rule),
            None => rule.deny(Check::begun(clock(), rule.name(), Some(&*self.subject))),
        }
    }

    /// Finds the caller once more, over the connection of a transaction: by the credentials of the request, as the guard did,
    /// with the limits of the mechanism. It returns the subject as it is now, by which the change is to be decided: a
    /// guard decides before the body is read, and a client may send that as slowly as the server lets it.
    ///
    /// [`BearerToken`](crate::mechanism::BearerToken) finds it by the token, `SessionCookie` by the id in the session, and
    /// `BasicAuth` by the name, while the password is the same. Other mechanisms say how by
    /// [`found_again_by`](crate::mechanism::Authenticated::found_again_by); where one does not, as `Jwt`, this is an error, and
    /// never the caller of before.
    ///
    /// ```
    /// # mod service {
    /// use auth_core::{AccessError, CurrentUser, Permission, Stored};
    /// # use auth_core::{AuthModel, LoadContext, User};
    /// use diesel::prelude::*;
    ///
    /// # diesel::table! { notes (id) { id -> Integer, account_id -> Integer, text -> Text } }
    /// # #[derive(Queryable, Selectable, AuthModel, LoadContext)]
    /// # #[diesel(table_name = notes, check_for_backend(diesel::sqlite::Sqlite))]
    /// # #[acl(update = account(account_id))]
    /// # struct Note { id: i32, account_id: i32 }
    /// fn rename(user: &CurrentUser, id: i32, text: &str, connection: &mut SqliteConnection) -> Result<(), AccessError> {
    ///     connection.immediate_transaction(|connection| {
    ///         let user = user.again(connection)?;
    ///         Note::authorize_for_update(connection, &user, id, Permission::UPDATE)?;
    ///         diesel::update(notes::table.find(id)).set(notes::text.eq(text)).execute(connection)?;
    ///         Ok(())
    ///     })
    /// }
    /// # }
    /// ```
    ///
    /// A denial and a failure are events, of the guard `authenticate`. The mechanism's connection is of one type, which is
    /// compared when this runs.
    ///
    /// # Errors
    ///
    /// [`AccessError::Denied`], a 401, if the credentials do not count any more, or are another user's; a 500, with a line
    /// of the log, if the connection is of another type than the mechanism's or the mechanism has no store.
    /// [`AccessError::Unavailable`] if the store failed.
    pub fn again<C: 'static>(&self, connection: &mut C) -> Result<Self, AccessError> {
        match &self.decider {
            Some(decider) => {
                let subject = decider.again(&*self.subject, connection)?;
                Ok(Self { subject: Arc::new(subject), ..self.clone() })
            }
            None => Err(missing(&Check::begun(clock(), "authenticate", Some(&*self.subject)))),
        }
    }

    #[cfg(feature = "test")]
    pub(crate) fn without_request(user: U) -> Self {
        Self { subject: Arc::new(user), decider: None, origin: None }
    }
}

impl<U: Subject> Deref for CurrentUser<U> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.subject
    }
}

/// As the subject that it is. A decision that it takes part in, as of [`Stored::change`](crate::Stored::change), is an event
/// of its request, and reaches the observers.
impl<U: Subject> Subject for CurrentUser<U> {
    fn id(&self) -> IdRef<'_> {
        self.subject.id()
    }

    fn account_id(&self) -> Option<IdRef<'_>> {
        self.subject.account_id()
    }

    fn has_role(&self, role: &str) -> bool {
        self.subject.has_role(role)
    }

    fn account_has_role(&self, role: &str) -> bool {
        self.subject.account_has_role(role)
    }

    fn has_permission(&self, permission: &str) -> bool {
        self.subject.has_permission(permission)
    }

    fn now(&self) -> SystemTime {
        self.subject.now()
    }

    fn admin_roles(&self) -> AdminRoles {
        self.subject.admin_roles()
    }

    fn origin(&self) -> Option<&dyn Any> {
        self.origin.as_ref().map(|origin| origin as &dyn Any)
    }
}

impl<U: Subject> Clone for CurrentUser<U> {
    fn clone(&self) -> Self {
        Self {
            subject: Arc::clone(&self.subject),
            decider: self.decider.clone(),
            origin: self.origin.clone(),
        }
    }
}

impl<U: Subject + fmt::Debug> fmt::Debug for CurrentUser<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CurrentUser").field(&self.subject).finish()
    }
}

impl<U: Subject> FromRequest for CurrentUser<U> {
    type Error = Denial;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        extract(request, async |auth, request| {
            let identity = auth.current_or_refused(request).await?;
            let subject = downcast(&identity, auth, request)?;
            let decider = Decider::new(auth, request, Some(identity));
            Ok(Self { subject, origin: Some(decider.origin()), decider: Some(decider) })
        })
    }
}

/// The caller, if one is logged in; for handlers that are open to everybody and show more to some.
///
/// `Option<CurrentUser>` is different: actix-web makes `None` of every error, of wrong credentials and of a store that
/// failed as well. Here a request is anonymous only if it has no credentials: neither for a mechanism that is
/// accepted by default, nor for the one by which its guard let it in.
///
/// ```
/// use actix_web::{Responder, get};
/// use auth_core::{MaybeUser, Subject, public};
///
/// #[public]
/// #[get("/greeting")]
/// async fn greeting(user: MaybeUser) -> impl Responder {
///     match &*user {
///         Some(user) => format!("Hello, {}!", user.id()),
///         None => "Hello!".to_owned(),
///     }
/// }
/// ```
pub struct MaybeUser<U: Subject = User>(Option<Arc<U>>);

impl<U: Subject> Deref for MaybeUser<U> {
    type Target = Option<Arc<U>>;

    fn deref(&self) -> &Option<Arc<U>> {
        &self.0
    }
}

impl<U: Subject> FromRequest for MaybeUser<U> {
    type Error = Denial;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        extract(request, async |auth, request| {
            let identity = auth.current(request).await?;
            identity.map(|identity| downcast(&identity, auth, request)).transpose().map(Self)
        })
    }
}

fn downcast<U: Subject>(
    identity: &Identity,
    auth: &Auth,
    request: &HttpRequest,
) -> Result<Arc<U>, AuthError> {
    let subject: Arc<dyn Any + Send + Sync> = identity.subject();
    subject.downcast().map_err(|_| {
        tracing::error!(
            target: "auth",
            extracted = type_name::<U>(),
            "a handler extracts a caller of a type that the mechanism which authenticated the request does not make"
        );
        identity.checked(auth.check("authenticate", request)).misconfigured()
    })
}
