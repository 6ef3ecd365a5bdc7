//! Cedar in the body of the handler; all else is done by hand.

use std::sync::Arc;

use actix_web::{HttpRequest, Responder, get, web};
use auth_core::Permission;

use super::{Configure, Refused, authenticate, load};
use crate::{Error, database::Pool, peers::cedar::Cedar};

pub(super) fn configure(pool: Pool) -> Result<Configure, Error> {
    let pool = web::Data::new(pool);
    let cedar = web::Data::new(Cedar::new()?);
    Ok(Arc::new(move |config| {
        config.app_data(pool.clone()).app_data(cedar.clone()).service(view);
    }))
}

#[get("/assets/{asset_id}")]
async fn view(
    request: HttpRequest,
    id: Option<web::Path<i32>>,
    pool: web::Data<Pool>,
    cedar: web::Data<Cedar>,
) -> Result<impl Responder, Refused> {
    let caller = authenticate(&request, &pool).await?;
    let asset = load(&pool, *id.ok_or(Refused::NotFound)?).await?;
    let allowed = cedar.may(&caller, &asset, Permission::READ).map_err(|_| Refused::Unavailable)?;
    if !allowed {
        return Err(Refused::Forbidden);
    }
    Ok(web::Json(asset))
}
