//! Ours.

use std::sync::Arc;

use actix_web::{Responder, get, web};
use auth_core::{Auth, mechanism::BearerToken, permission_required_for_context};

use super::Configure;
use crate::{
    Error,
    database::Pool,
    rule::{Asset, Caller},
};

pub(super) fn configure(pool: Pool) -> Result<Configure, Error> {
    let tokens = BearerToken::<Caller>::new(pool.clone());
    let auth = Auth::builder().mechanism(tokens).connections(pool).build()?;
    Ok(Arc::new(move |config| {
        config.app_data(auth.clone()).service(view);
    }))
}

#[permission_required_for_context("read", ctx_arg = "asset")]
#[get("/assets/{asset_id}")]
async fn view(asset: Asset) -> impl Responder {
    web::Json(asset)
}
