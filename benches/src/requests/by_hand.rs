//! Checks by hand in the body of the handler: the same checks as those of a guard, in the same order.

use std::{fmt, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse, Responder, ResponseError, error::BlockingError, get, http::StatusCode,
    http::header, web,
};
use auth_core::mechanism::TokenHash;
use diesel::{SqliteConnection, result::QueryResult};

use super::Configure;
use crate::{
    database::{self, Pool},
    rule::{Asset, Caller, may_read},
};

pub(super) fn configure(pool: Pool) -> Configure {
    let pool = web::Data::new(pool);
    Arc::new(move |config| {
        config.app_data(pool.clone()).service(view);
    })
}

#[get("/assets/{asset_id}")]
async fn view(
    request: HttpRequest,
    // An anonymous caller does not learn whether the id is valid.
    id: Option<web::Path<i32>>,
    pool: web::Data<Pool>,
) -> Result<impl Responder, Refused> {
    let caller = authenticate(&request, &pool).await?;
    let asset = load(&pool, *id.ok_or(Refused::NotFound)?).await?;
    if !may_read(&caller, &asset) {
        return Err(Refused::Forbidden);
    }
    Ok(web::Json(asset))
}

/// The user whose token the request carries.
///
/// # Errors
///
/// If no user has it, or the request has none, or the database fails.
pub async fn authenticate(request: &HttpRequest, pool: &Pool) -> Result<Caller, Refused> {
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .ok_or(Refused::Unauthenticated)?;
    let hash = TokenHash::of(token);
    match blocking(pool, move |connection| database::caller(&hash, connection)).await {
        Err(Refused::NotFound) => Err(Refused::Unauthenticated),
        other => other,
    }
}

/// The row of this id.
///
/// # Errors
///
/// If there is none, or the database fails.
pub async fn load(pool: &Pool, id: i32) -> Result<Asset, Refused> {
    blocking(pool, move |connection| database::asset(id, connection)).await
}

async fn blocking<T: Send + 'static>(
    pool: &Pool,
    work: impl FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
) -> Result<T, Refused> {
    let pool = pool.clone();
    web::block(move || Ok(work(&mut *pool.get()?)?)).await?
}

/// Why a request is not answered with an asset.
#[derive(Debug)]
pub enum Refused {
    Unauthenticated,
    Forbidden,
    NotFound,
    Unavailable,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl From<diesel::result::Error> for Refused {
    fn from(error: diesel::result::Error) -> Self {
        match error {
            diesel::result::Error::NotFound => Self::NotFound,
            _ => Self::Unavailable,
        }
    }
}

impl From<diesel::r2d2::PoolError> for Refused {
    fn from(_: diesel::r2d2::PoolError) -> Self {
        Self::Unavailable
    }
}

impl From<BlockingError> for Refused {
    fn from(_: BlockingError) -> Self {
        Self::Unavailable
    }
}

/// A problem document, as ours are.
impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        if let Self::Unauthenticated = self {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        response.content_type("application/problem+json").body(format!(
            r#"{{"title":"{}","status":{}}}"#,
            status.canonical_reason().unwrap_or_default(),
            status.as_u16()
        ))
    }
}
