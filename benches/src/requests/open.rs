//! No auth: the row of this id, for every caller.

use std::sync::Arc;

use actix_web::{Responder, get, web};

use super::{Configure, Refused, load};
use crate::database::Pool;

pub(super) fn configure(pool: Pool) -> Configure {
    let pool = web::Data::new(pool);
    Arc::new(move |config| {
        config.app_data(pool.clone()).service(view);
    })
}

#[get("/assets/{asset_id}")]
async fn view(id: web::Path<i32>, pool: web::Data<Pool>) -> Result<impl Responder, Refused> {
    Ok(web::Json(load(&pool, *id).await?))
}
