//! Denials that a handler decides by a rule of its own.

use std::{any::type_name, fmt, sync::Arc};

use actix_web::HttpRequest;

use super::auth::{Auth, Identity};
use crate::{
    error::AuthError,
    event::{BeginsChecks, Check, NotedRequest, Origin},
    mechanism::FindAgain,
    vocabulary::{Decision, DenyReason, Permission},
};

/// A rule that a handler applies itself, and what it denies: for the observers and the log, and not for the client. A
/// name alone is such a rule, too.
///
/// ```
/// use auth_core::{AuthError, CurrentUser, OwnRule, Permission};
///
/// struct Account;
///
/// fn deny(user: &CurrentUser, account_id: i32) -> AuthError {
///     user.deny(OwnRule::new("only by night").on::<Account>(Permission::UPDATE, &account_id))
/// }
/// ```
#[derive(Clone, Copy)]
pub struct OwnRule<'a> {
    name: &'static str,
    roles: Option<&'a [&'a str]>,
    context: Option<(Permission, &'static str, &'a dyn fmt::Debug)>,
}

impl<'a> OwnRule<'a> {
    /// The rule of this name, which is the `guard` of its [event](crate::event#the-schema).
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, roles: None, context: None }
    }

    /// Says that it denies this permission on the context with this id.
    #[must_use]
    pub fn on<C: ?Sized>(self, permission: Permission, id: &'a dyn fmt::Debug) -> Self {
        Self { context: Some((permission, type_name::<C>(), id)), ..self }
    }

    /// Says which roles it is about: the field `required` of its event.
    #[must_use]
    pub const fn roles(self, roles: &'a [&'a str]) -> Self {
        Self { roles: Some(roles), ..self }
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// Emits the denial of this check.
    pub(crate) fn deny(self, check: Check<'_>) -> AuthError {
        let (permission, context) =
            self.context.map(|(permission, context, _)| (permission, (context, ""))).unzip();
        let check = Check { required: self.roles, permission, context, ..check };
        let denied = Decision::Deny(DenyReason::NoMatch);
        match self.context {
            Some((.., id)) if check.is_observed() => check.of(&format!("{id:?}")).decided(denied),
            _ => check.decided(denied),
        }
        AuthError::Forbidden
    }
}

impl From<&'static str> for OwnRule<'_> {
    fn from(name: &'static str) -> Self {
        Self::new(name)
    }
}

impl fmt::Debug for OwnRule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnRule")
            .field("name", &self.name)
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

impl Auth {
    /// Denies what a handler's own rule does not allow to the caller of this request: as the denial of a guard, it reaches
    /// the observers and the log, with the subject if the guard or an extractor has found one. The error is the answer, a
    /// 403 that tells the client nothing of the rule. It is a 500 where the application registers no `Auth`, as in a guard.
    ///
    /// [`CurrentUser::deny`](crate::CurrentUser::deny) is for code on another thread, and [`Decider`] is where no user need
    /// be logged in.
    ///
    /// ```
    /// use actix_web::{HttpRequest, HttpResponse, post, web::Json};
    /// use auth_core::{Auth, AuthError, auth_required};
    ///
    /// #[auth_required]
    /// #[post("/bids")]
    /// async fn bid(request: HttpRequest, amount: Json<u32>) -> Result<HttpResponse, AuthError> {
    ///     if *amount > 1_000 {
    ///         return Err(Auth::deny(&request, "a bid beyond the limit"));
    ///     }
    ///     Ok(HttpResponse::NoContent().finish())
    /// }
    /// ```
    #[must_use = "nothing is denied until the handler returns the error"]
    pub fn deny<'r>(request: &HttpRequest, rule: impl Into<OwnRule<'r>>) -> AuthError {
        let rule = rule.into();
        match Self::of(request) {
            Ok(auth) => {
                let (identity, check) = (auth.cached_identity(request), auth.check(rule.name, request));
                rule.deny(identity.as_ref().map_or(check, |identity| identity.checked(check)))
            }
            Err(error) => error,
        }
    }
}

/// Denies by a handler's own rules on another thread, to which its request cannot go.
///
/// A handler with a [`CurrentUser`](crate::CurrentUser) needs none: that one [denies](crate::CurrentUser::deny) itself.
///
/// ```
/// use actix_web::{Error, HttpRequest, HttpResponse, post, web};
/// use auth_core::{Decider, public};
///
/// #[public]
/// #[post("/sign-up")]
/// async fn sign_up(request: HttpRequest) -> Result<HttpResponse, Error> {
///     let decider = Decider::of(&request)?;
///     let is_open = || false; // … asks the database
///     web::block(move || if is_open() { Ok(()) } else { Err(decider.deny("open for sign-ups")) }).await??;
///     Ok(HttpResponse::NoContent().finish())
/// }
/// ```
#[derive(Clone)]
pub struct Decider(Arc<Parts>);

struct Parts {
    auth: Auth,
    /// None if nothing observed decisions when the request came.
    request: Option<NotedRequest>,
    identity: Option<Identity>,
}

impl Decider {
    /// Denies to the caller of this request: to the subject that the guard or an extractor has found before, if there is
    /// one.
    ///
    /// # Errors
    ///
    /// [`AuthError::Misconfigured`] if the application registers no [`Auth`], with a log line that says what to add.
    pub fn of(request: &HttpRequest) -> Result<Self, AuthError> {
        let auth = Auth::of(request)?;
        Ok(Self::new(auth, request, auth.cached_identity(request)))
    }

    pub(crate) fn new(auth: &Auth, request: &HttpRequest, identity: Option<Identity>) -> Self {
        let request = auth.is_observed().then(|| NotedRequest::of(request));
        Self(Arc::new(Parts { auth: auth.clone(), request, identity }))
    }

    /// Denies, as [`Auth::deny`] does.
    #[must_use = "nothing is denied until the handler returns the error"]
    pub fn deny<'r>(&self, rule: impl Into<OwnRule<'r>>) -> AuthError {
        let rule = rule.into();
        rule.deny(self.check(rule.name))
    }

    /// How the caller is found once more, if its mechanism can do that.
    pub(super) fn find_again(&self) -> Option<&dyn FindAgain> {
        self.0.identity.as_ref()?.find_again()
    }

    /// A check of its caller that begins now.
    pub(super) fn check(&self, guard: &'static str) -> Check<'_> {
        self.0.begin(guard)
    }

    /// The request, for checks that its caller takes with it.
    pub(crate) fn origin(&self) -> Origin {
        Origin(Arc::clone(&self.0) as Arc<dyn BeginsChecks>)
    }
}

impl BeginsChecks for Parts {
    fn begin(&self, guard: &'static str) -> Check<'_> {
        let check = match &self.request {
            Some(request) => self.auth.check_of(guard, request),
            None => Check::begun(self.auth.clock(), guard, None),
        };
        self.identity.as_ref().map_or(check, |identity| identity.checked(check))
    }
}

impl fmt::Debug for Decider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decider").finish_non_exhaustive()
    }
}
