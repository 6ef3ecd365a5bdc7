//! Contexts for handlers whose guard is taken away: loaded by the id in the path, and not checked.

use std::{future::Future, pin::Pin};

use actix_web::{Error, FromRequest, HttpRequest, dev::Payload, web::Data};
use auth_core::LoadContext;

use crate::{
    database::{Connection, Database},
    error::ServiceError,
};

pub(crate) struct Unchecked<M>(pub(crate) M);

impl<M> FromRequest for Unchecked<M>
where
    M: LoadContext<Id: FromPath + Send, Connection = Connection> + Send + 'static,
{
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let database = request.app_data::<Data<Database>>().cloned();
        let values: Vec<&str> = request.match_info().iter().map(|(_, value)| value).collect();
        let id = M::Id::from_path(&values);
        Box::pin(async move {
            let (Some(database), Some(id)) = (database, id) else { return Err(ServiceError::NotFound.into()) };
            Ok(Self(database.run(move |connection| Ok(M::load(id, connection)?)).await?))
        })
    }
}

/// The last parameters of the path.
pub(crate) trait FromPath: Sized {
    fn from_path(values: &[&str]) -> Option<Self>;
}

impl FromPath for i32 {
    fn from_path(values: &[&str]) -> Option<Self> {
        values.last()?.parse().ok()
    }
}

impl FromPath for (i32, i32) {
    fn from_path(values: &[&str]) -> Option<Self> {
        let [.., first, last] = values else { return None };
        Some((first.parse().ok()?, last.parse().ok()?))
    }
}
