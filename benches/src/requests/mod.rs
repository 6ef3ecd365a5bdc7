//! A handler that answers with one asset, guarded in several ways.

mod by_hand;
#[cfg(feature = "peers")]
mod cedar;
#[cfg(feature = "peers")]
mod grants;
mod guarded;
mod open;
mod public;

use actix_web::{
    App,
    body::MessageBody,
    dev::{Service, ServiceResponse},
    http::header,
    rt::System,
    test::{TestRequest, init_service},
    web::ServiceConfig,
};

pub use self::by_hand::{Refused, authenticate, load};
use crate::{
    Error,
    database::{self, Pool},
    rule::Case,
};

/// How the handler is guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Not at all.
    Open,
    /// By checks in its body.
    ByHand,
    Guarded,
    /// Not at all, and it needs no database.
    WithoutAttribute,
    /// Likewise, and it says so.
    Public,
    /// Likewise, in a protected scope.
    PublicInScope,
    #[cfg(feature = "peers")]
    Grants,
    #[cfg(feature = "peers")]
    Cedar,
}

impl Way {
    /// Those that decide, and what they are compared with.
    pub const ALL: &[Self] = &[
        Self::Open,
        Self::ByHand,
        Self::Guarded,
        #[cfg(feature = "peers")]
        Self::Grants,
        #[cfg(feature = "peers")]
        Self::Cedar,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::ByHand => "by-hand",
            Self::Guarded => "guarded",
            Self::WithoutAttribute => "without-attribute",
            Self::Public => "public",
            Self::PublicInScope => "public-in-scope",
            #[cfg(feature = "peers")]
            Self::Grants => "actix-web-grants",
            #[cfg(feature = "peers")]
            Self::Cedar => "cedar",
        }
    }

    /// The name of a way, for a table.
    #[must_use]
    pub fn described(self) -> &'static str {
        match self {
            Self::Open => "no auth",
            Self::ByHand => "checks by hand in the body",
            Self::Guarded => "ours: `#[permission_required_for_context(…)]`",
            Self::WithoutAttribute => "no attribute, and no database",
            Self::Public => "ours: `#[public]`",
            Self::PublicInScope => "ours: `#[public]`, in a `ProtectedScope`",
            #[cfg(feature = "peers")]
            Self::Grants => "actix-web-grants, the object by hand",
            #[cfg(feature = "peers")]
            Self::Cedar => "cedar-policy in the body",
        }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let others = [Self::WithoutAttribute, Self::Public, Self::PublicInScope];
        Self::ALL.iter().copied().chain(others).find(|way| way.name() == name)
    }

    /// Registers the handler, and its data.
    ///
    /// # Errors
    ///
    /// If a part of its data cannot be made.
    pub fn configure(self, pool: Pool) -> Result<Configure, Error> {
        match self {
            Self::Open => Ok(open::configure(pool)),
            Self::ByHand => Ok(by_hand::configure(pool)),
            Self::Guarded => guarded::configure(pool),
            Self::WithoutAttribute => public::configure_without(&pool),
            Self::Public => public::configure(&pool),
            Self::PublicInScope => public::configure_in_scope(&pool),
            #[cfg(feature = "peers")]
            Self::Grants => Ok(grants::configure(pool)),
            #[cfg(feature = "peers")]
            Self::Cedar => cedar::configure(pool),
        }
    }
}

/// Registers a handler, in each worker of a server.
pub type Configure = std::sync::Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;

/// A request for the asset of a case.
#[must_use]
pub fn request(case: Case) -> TestRequest {
    TestRequest::get()
        .uri(&path(case))
        .insert_header((header::AUTHORIZATION, format!("Bearer {}", database::token(case))))
}

#[must_use]
pub fn path(case: Case) -> String {
    format!("/assets/{}", database::asset_id(case))
}

/// Calls an application without a socket, so that only the handling of the request is counted.
///
/// # Errors
///
/// If the answer has no whole body.
pub async fn call<S, B>(app: &S, request: TestRequest) -> Result<(u16, Vec<u8>), Error>
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    let answer = app.call(request.to_request()).await.map_err(|error| error.to_string())?;
    let status = answer.status().as_u16();
    let body = actix_web::body::to_bytes(answer.into_body()).await.map_err(|_| "no whole body")?;
    Ok((status, body.to_vec()))
}

/// The statements of one request.
///
/// # Errors
///
/// If it gets no answer.
pub fn statements(way: Way, case: Case) -> Result<Vec<String>, Error> {
    let (pool, statements) = database::recorded()?;
    let configure = way.configure(pool)?;
    System::new().block_on(async {
        let app = init_service(App::new().configure(|config| configure(config))).await;
        call(&app, request(case)).await?;
        Ok(statements.taken())
    })
}

/// `way/case`, as often, in one application.
pub(crate) fn repeat(work: &str, times: u32) -> Result<(), Error> {
    let (way, case) = work.split_once('/').ok_or("a way and a case")?;
    let way = Way::named(way).ok_or("no such way")?;
    let case = Case::named(case).ok_or("no such case")?;
    let configure = way.configure(database::filled()?)?;
    System::new().block_on(async {
        let app = init_service(App::new().configure(|config| configure(config))).await;
        let decides = !matches!(way, Way::Open | Way::WithoutAttribute | Way::Public | Way::PublicInScope);
        let expected = if case == Case::Stranger && decides { 403 } else { 200 };
        for _ in 0..times {
            let (status, _) = call(&app, request(case)).await?;
            if status != expected {
                return Err(format!("{way:?} answers a {case:?} with {status}").into());
            }
        }
        Ok(())
    })
}
