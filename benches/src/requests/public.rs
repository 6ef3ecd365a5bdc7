//! The row that is asked for, whoever asks, and the handler says so.

use std::sync::Arc;

use actix_web::{Responder, get, web};
use auth_core::{Auth, ProtectedScope, mechanism::BearerToken, public};

use super::{Configure, Refused, load};
use crate::{Error, database::Pool, rule::Caller};

pub(super) fn configure(pool: Pool) -> Result<Configure, Error> {
    let auth = registered(&pool)?;
    let pool = web::Data::new(pool);
    Ok(Arc::new(move |config| {
        config.app_data(pool.clone()).app_data(auth.clone()).service(view);
    }))
}

pub(super) fn configure_in_scope(pool: Pool) -> Result<Configure, Error> {
    let auth = registered(&pool)?;
    let pool = web::Data::new(pool);
    Ok(Arc::new(move |config| {
        config.app_data(pool.clone()).app_data(auth.clone()).service(ProtectedScope::new("").service(view));
    }))
}

fn registered(pool: &Pool) -> Result<Auth, Error> {
    Ok(Auth::builder()
        .mechanism(BearerToken::<Caller>::new(pool.clone()))
        .connections(pool.clone())
        .build()?)
}

#[public(reason = "what an open handler costs")]
#[get("/assets/{asset_id}")]
async fn view(id: web::Path<i32>, pool: web::Data<Pool>) -> Result<impl Responder, Refused> {
    Ok(web::Json(load(&pool, *id).await?))
}
