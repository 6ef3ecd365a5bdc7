//! A handler that is open on purpose, and the same without an attribute. Neither needs the database, so that no thread
//! takes part and the counts repeat.

use std::sync::Arc;

use actix_web::{Responder, get};
use auth_core::{Auth, ProtectedScope, mechanism::BearerToken, public};

use super::Configure;
use crate::{Error, database::Pool, rule::Caller};

pub(super) fn configure_without(pool: &Pool) -> Result<Configure, Error> {
    let auth = registered(pool)?;
    Ok(Arc::new(move |config| {
        config.app_data(auth.clone()).service(without);
    }))
}

pub(super) fn configure(pool: &Pool) -> Result<Configure, Error> {
    let auth = registered(pool)?;
    Ok(Arc::new(move |config| {
        config.app_data(auth.clone()).service(view);
    }))
}

pub(super) fn configure_in_scope(pool: &Pool) -> Result<Configure, Error> {
    let auth = registered(pool)?;
    Ok(Arc::new(move |config| {
        config.app_data(auth.clone()).service(ProtectedScope::new("").service(view));
    }))
}

fn registered(pool: &Pool) -> Result<Auth, Error> {
    Ok(Auth::builder()
        .mechanism(BearerToken::<Caller>::new(pool.clone()))
        .connections(pool.clone())
        .build()?)
}

#[get("/assets/{asset_id}")]
async fn without() -> impl Responder {
    "open"
}

#[public(reason = "what an open handler costs")]
#[get("/assets/{asset_id}")]
async fn view() -> impl Responder {
    "open"
}
