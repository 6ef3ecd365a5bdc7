//! A POST that is denied, with bodies of several sizes.

use std::sync::Arc;

use actix_web::{
    App, HttpRequest, HttpResponse, Responder,
    http::header,
    post,
    rt::System,
    test::{TestRequest, init_service},
    web::{self, Bytes, PayloadConfig},
};
use auth_core::{Auth, mechanism::BearerToken, permission_required_for_context};

use crate::{
    Error,
    client::{Server, head, send},
    database::{self, Pool},
    requests::{Configure, Refused, authenticate, call, load},
    rule::{Asset, Caller, Case, may_update},
};

pub const SIZES: [usize; 3] = [0, 64 * 1024, MIB];

const MIB: usize = 1024 * 1024;

/// How the handler is guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By checks in its body, whose arguments have been extracted by then.
    ByHand,
    Guarded,
}

impl Way {
    pub const ALL: [Self; 2] = [Self::ByHand, Self::Guarded];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ByHand => "by-hand",
            Self::Guarded => "guarded",
        }
    }

    /// Registers the handler, and what it needs.
    ///
    /// # Errors
    ///
    /// If something that it needs cannot be made.
    pub fn configure(self, pool: Pool) -> Result<Configure, Error> {
        let limit = PayloadConfig::new(2 * MIB);
        match self {
            Self::ByHand => {
                let pool = web::Data::new(pool);
                Ok(Arc::new(move |config| {
                    config.app_data(limit.clone()).app_data(pool.clone()).service(update_by_hand);
                }))
            }
            Self::Guarded => {
                let tokens = BearerToken::<Caller>::new(pool.clone());
                let auth = Auth::builder().mechanism(tokens).connections(pool).build()?;
                Ok(Arc::new(move |config| {
                    config.app_data(limit.clone()).app_data(auth.clone()).service(update);
                }))
            }
        }
    }
}

#[post("/assets/{asset_id}")]
async fn update_by_hand(
    request: HttpRequest,
    id: Option<web::Path<i32>>,
    pool: web::Data<Pool>,
    body: Bytes,
) -> Result<impl Responder, Refused> {
    let caller = authenticate(&request, &pool).await?;
    let asset = load(&pool, *id.ok_or(Refused::NotFound)?).await?;
    if !may_update(&caller, &asset) {
        return Err(Refused::Forbidden);
    }
    Ok(HttpResponse::Ok().body(body.len().to_string()))
}

#[permission_required_for_context("update", ctx_arg = "_asset")]
#[post("/assets/{asset_id}")]
async fn update(_asset: Asset, body: Bytes) -> impl Responder {
    HttpResponse::Ok().body(body.len().to_string())
}

/// `place/way/size`, as often. `service` is an application without a socket; `socket` is a whole server, and a
/// connection for each request, whose client is counted as well.
pub(crate) fn repeat(work: &str, times: u32) -> Result<(), Error> {
    let mut words = work.split('/');
    let (Some(place), Some(way), Some(size)) = (words.next(), words.next(), words.next()) else {
        return Err("a place, a way and a size".into());
    };
    let way = Way::ALL.into_iter().find(|known| known.name() == way).ok_or("no such way")?;
    let body = vec![b'x'; size.parse()?];
    let configure = way.configure(database::filled()?)?;
    match place {
        "service" => System::new().block_on(async {
            let app = init_service(App::new().configure(|config| configure(config))).await;
            let body = Bytes::from(body);
            for _ in 0..times {
                denied(call(&app, request(body.clone())).await?.0)?;
            }
            Ok(())
        }),
        "socket" => {
            let server = Server::start(move |config| configure(config))?;
            let head = denied_head(body.len());
            for _ in 0..times {
                denied(send(server.address, &head, &body)?)?;
            }
            Ok(())
        }
        _ => Err(format!("a request is sent to no `{place}`").into()),
    }
}

/// A request that is denied, without a socket.
fn request(body: Bytes) -> TestRequest {
    let token = database::token(Case::Stranger);
    TestRequest::post()
        .uri(&path())
        .insert_header((header::AUTHORIZATION, format!("Bearer {token}")))
        .set_payload(body)
}

/// The head of a request that is denied.
#[must_use]
pub fn denied_head(body: usize) -> Vec<u8> {
    head("POST", &path(), Some(&database::token(Case::Stranger)), body)
}

fn path() -> String {
    format!("/assets/{}", database::asset_id(Case::Stranger))
}

/// # Errors
///
/// If a request was not denied.
pub fn denied(status: u16) -> Result<(), Error> {
    if status == 403 { Ok(()) } else { Err(format!("not denied, but answered with {status}").into()) }
}
