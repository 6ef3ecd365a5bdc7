//! `actix-web-grants`: its middleware gets the caller's grants from an extractor, its attribute compares, and the handler
//! checks the object by hand.

use std::{collections::HashSet, sync::Arc};

use actix_web::{
    HttpMessage, Responder,
    dev::ServiceRequest,
    get,
    web::{self, ReqData},
};
use actix_web_grants::{GrantsMiddleware, authorities::AuthDetails, protect};

use super::{Configure, Refused, authenticate, load};
use crate::{database::Pool, peers::grants::may_read, rule::Caller};

pub(super) fn configure(pool: Pool) -> Configure {
    let pool = web::Data::new(pool);
    Arc::new(move |config| {
        let guarded = web::scope("").wrap(GrantsMiddleware::with_extractor(extract)).service(view);
        config.app_data(pool.clone()).service(guarded);
    })
}

async fn extract(request: &ServiceRequest) -> Result<HashSet<String>, actix_web::Error> {
    let pool = request.app_data::<web::Data<Pool>>().ok_or(Refused::Unavailable)?;
    let caller = authenticate(request.request(), pool).await?;
    let mut granted: HashSet<_> = caller.roles.iter().cloned().collect();
    granted.insert("logged-in".to_owned());
    request.extensions_mut().insert(caller);
    Ok(granted)
}

#[protect("logged-in")]
#[get("/assets/{asset_id}")]
async fn view(
    granted: AuthDetails,
    caller: ReqData<Caller>,
    id: Option<web::Path<i32>>,
    pool: web::Data<Pool>,
) -> Result<impl Responder, Refused> {
    let asset = load(&pool, *id.ok_or(Refused::NotFound)?).await?;
    if !may_read(&granted, &caller, &asset) {
        return Err(Refused::Forbidden);
    }
    Ok(web::Json(asset))
}
