//! A POST that is denied, with bodies of several sizes.

use std::{
    io::{self, Read as _, Write as _},
    sync::Arc,
};

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
    counting,
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
    /// By the same checks by hand, in a handler that takes no body. So this is the cost of actix-web itself for a body
    /// that no handler reads.
    Bodiless,
}

impl Way {
    pub const ALL: [Self; 3] = [Self::ByHand, Self::Guarded, Self::Bodiless];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ByHand => "by-hand",
            Self::Guarded => "guarded",
            Self::Bodiless => "by-hand-without-body",
        }
    }

    /// Registers the handler, and its data.
    ///
    /// # Errors
    ///
    /// If a part of its data cannot be made.
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
            Self::Bodiless => {
                let pool = web::Data::new(pool);
                Ok(Arc::new(move |config| {
                    config.app_data(pool.clone()).service(update_without_body);
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

#[post("/assets/{asset_id}")]
async fn update_without_body(
    request: HttpRequest,
    id: Option<web::Path<i32>>,
    pool: web::Data<Pool>,
) -> Result<impl Responder, Refused> {
    let caller = authenticate(&request, &pool).await?;
    let asset = load(&pool, *id.ok_or(Refused::NotFound)?).await?;
    if may_update(&caller, &asset) { Ok(HttpResponse::Ok()) } else { Err(Refused::Forbidden) }
}

/// Where a request is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In an application without a socket.
    Service,
    /// In a whole server, over a connection for each request.
    Server,
}

impl Place {
    pub const ALL: [Self; 2] = [Self::Service, Self::Server];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Server => "server",
        }
    }
}

/// The instructions of a denied request with a body of this size.
///
/// # Errors
///
/// If they cannot be counted, or a request is not denied.
pub fn instructions(place: Place, way: Way, size: usize) -> Result<f64, Error> {
    const TIMES: u32 = 200;

    let work = format!("bodies/{}/{}/{size}", place.name(), way.name());
    match place {
        Place::Service => counting::instructions(&work, TIMES),
        Place::Server => {
            let (head, body) = (denied_head(size), vec![b'x'; size]);
            counting::instructions_of_server(&work, TIMES, |address| denied(send(address, &head, &body)?))
        }
    }
}

/// `place/way/size`: a service handles as many requests; a server those that come until its input ends.
pub(crate) fn repeat(work: &str, times: u32) -> Result<(), Error> {
    let mut words = work.split('/');
    let (Some(place), Some(way), Some(size)) = (words.next(), words.next(), words.next()) else {
        return Err("a place, a way and a size".into());
    };
    let place = Place::ALL.into_iter().find(|known| known.name() == place).ok_or("no such place")?;
    let way = Way::ALL.into_iter().find(|known| known.name() == way).ok_or("no such way")?;
    let configure = way.configure(database::filled()?)?;
    match place {
        Place::Service => System::new().block_on(async {
            let app = init_service(App::new().configure(|config| configure(config))).await;
            let body = Bytes::from(vec![b'x'; size.parse()?]);
            for _ in 0..times {
                denied(call(&app, request(body.clone())).await?.0)?;
            }
            Ok(())
        }),
        Place::Server => {
            let server = Server::start(move |config| configure(config))?;
            writeln!(io::stdout(), "{}", server.address)?;
            io::stdin().read_to_end(&mut Vec::new())?;
            Ok(())
        }
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
