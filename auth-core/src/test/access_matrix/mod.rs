//! The access matrix: the access of subjects to routes, observed by requests and compared with a file that people review.

mod difference;
mod file;
mod observe;
mod request;

use std::path::Path;

pub use self::{
    difference::Difference,
    observe::{AccessMatrixBuilder, ObserveError},
    request::RouteRequest,
};
use super::reviewed::{ReviewError, Reviewed, is_updated};
use crate::report::Registered;

/// The access of subjects to routes and objects, as it was observed or as it was reviewed.
///
/// The routes come from the registration of the application, so none can be forgotten. Requests find out which subjects
/// are let in, and a file that people review has the expected answers: a missing attribute, or one with the wrong
/// requirement, is a difference between the two.
///
/// ```standalone_crate
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use actix_web::{App, HttpRequest, Responder, get, test::init_service, web::ServiceConfig};
/// use auth_core::{
///     Auth, ProtectedConfig, User, auth_required, public, report, roles_required,
///     mechanism::{Authenticated, Mechanism, Rejection},
///     test::AccessMatrix,
/// };
///
/// /// For the example: a header with a role.
/// struct Role;
///
/// impl Mechanism for Role {
///     fn name(&self) -> &'static str {
///         "role"
///     }
///
///     async fn authenticate(&self, request: &HttpRequest) -> Result<Option<Authenticated>, Rejection> {
///         let role = request.headers().get("role").and_then(|role| role.to_str().ok());
///         Ok(role.map(|role| User::new(2).with_roles([role]).into()))
///     }
/// }
///
/// #[public(reason = "probes have no credentials")]
/// #[get("/health")]
/// async fn health() -> impl Responder {
///     "ok"
/// }
///
/// #[roles_required("account-admin")]
/// #[get("/invoices/{invoice_id}")]
/// async fn invoice() -> impl Responder {
///     "paid"
/// }
///
/// fn configure(config: &mut ServiceConfig) {
///     ProtectedConfig::new(config).service(health).service(invoice);
/// }
///
/// let auth = Auth::builder().mechanism(Role).build()?;
/// let app = init_service(App::new().app_data(auth).configure(configure)).await;
/// let matrix = AccessMatrix::builder(&report().registered_by(configure).await)
///     .subject("nobody", |request| request)
///     .subject("member", |request| request.insert_header(("role", "member")))
///     .subject("account-admin", |request| request.insert_header(("role", "account-admin")))
///     .objects("invoice_id", [("paid", 1)])
///     .observe(&app)
///     .await?;
/// assert!(matrix.to_markdown().ends_with(
///     "
/// ### `/`
///
/// | method | path      | object | nobody | member | account-admin |
/// | ------ | --------- | ------ | ------ | ------ | ------------- |
/// | GET    | `/health` |        | yes    | yes    | yes           |
///
/// ### `/invoices`
///
/// | method | path                     | object | nobody | member | account-admin |
/// | ------ | ------------------------ | ------ | ------ | ------ | ------------- |
/// | GET    | `/invoices/{invoice_id}` | paid   | 401    | 403    | yes           |
/// "
/// ));
/// # Ok(())
/// # }
/// ```
///
/// In a test, the last step is [`matrix.assert_matches("access-matrix.md")`](Self::assert_matches).
///
/// # The cells
///
/// `yes` where the guard has let the request in, also where the handler itself refuses the request; for a handler without
/// a guard, every answer that is no denial. Else the status of the denial: `401`, `403` or `404`, or the status with
/// which the application renders it. So a row of a missing object shows which subjects learn that it is missing.
///
/// `not reached` where the guard has not decided: it needs an argument of the handler, such as the body, and the request
/// has no valid one. Then the cell says nothing about access; a [`RouteRequest`] with a valid body shows it. An answer of
/// something in front of the guard, such as a middleware, is no cell.
///
/// # The requests
///
/// `GET` and the other methods that only read are sent as they are. After a denial, the request is sent once more with a
/// query that no handler knows, for a guard decides before any part of a request is parsed: `401/yes` says that here a
/// part is parsed first.
///
/// With a method that changes something, the matrix sends a request that the handler refuses: with a malformed body and
/// with that query. So no request changes anything, whichever subjects are let in. A handler that carries this out is an
/// error of the observation, as are a 5xx and a 429: they are no cells, so `assert_matches` fails, and an update writes
/// nothing. A [`RouteRequest`] replaces this request for a route, or adds one.
///
/// The routes of a `public_service` are unknown, so they have no rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessMatrix {
    subjects: Vec<String>,
    /// By path, in the order of the file.
    rows: Vec<Row>,
}

/// An object at a route, and the answer to each subject.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    place: Place,
    cells: Vec<Cell>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    method: String,
    path: String,
    /// The objects that the path and the request name; empty where they name none.
    object: String,
}

/// As the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cell {
    text: String,
    /// Whether this was no observation of a guard.
    failed: bool,
}

impl AccessMatrix {
    /// Begins an observation of all routes that are registered.
    pub fn builder(registered: &Registered) -> AccessMatrixBuilder {
        AccessMatrixBuilder::new(registered)
    }

    /// The names of the subjects.
    pub fn subjects(&self) -> impl Iterator<Item = &str> {
        self.subjects.iter().map(String::as_str)
    }

    /// The text of a cell; `None` where there is none.
    #[must_use]
    pub fn access(&self, method: &str, path: &str, object: &str, subject: &str) -> Option<&str> {
        let is_asked =
            |place: &Place| (&*place.method, &*place.path, &*place.object) == (method, path, object);
        let column = self.subjects.iter().position(|name| name == subject)?;
        let row = self.rows.iter().find(|row| is_asked(&row.place))?;
        row.cells.get(column).map(|cell| &*cell.text)
    }

    /// The differences between this matrix, which was observed, and a reviewed one. A failed observation always differs.
    #[must_use]
    pub fn differences(&self, reviewed: &Self) -> Vec<Difference> {
        difference::differences(self, reviewed)
    }

    /// Compares the matrix with a reviewed file: Markdown, or JSON if its name ends in `.json`. The path is relative to
    /// the folder of the package, where `cargo test` runs.
    ///
    /// Where the environment variable `UPDATE_REVIEWED` is set, the file is rewritten instead, and a person reviews the
    /// change. In Markdown, the text before the first heading of the second level stays: it is for notes.
    ///
    /// # Errors
    ///
    /// The differences, or the reason why the two cannot be compared: there is no such file, for example, or a request
    /// failed while the matrix was observed.
    pub fn compare_with(&self, path: impl AsRef<Path>) -> Result<(), ReviewError> {
        let file = Reviewed::at(path.as_ref());
        let is_json = path.as_ref().extension().is_some_and(|extension| extension == "json");
        if is_updated() {
            let failed: Vec<String> = self.failed().collect();
            if !failed.is_empty() {
                return Err(ReviewError::NotObserved { failed: failed.join("\n") });
            }
            return if is_json {
                file.write(&(self.to_json() + "\n"))
            } else {
                file.write(&file::with_notes_of(&file.read().unwrap_or_default(), &self.to_markdown()))
            };
        }
        let text = file.read()?;
        let reviewed = if is_json { Self::from_json(&text) } else { Self::from_markdown(&text) };
        let differences = self.differences(&reviewed.map_err(|reason| file.malformed(&reason))?);
        if differences.is_empty() {
            return Ok(());
        }
        Err(file.differs(&difference::listed(&differences)))
    }

    /// Compares the matrix with a reviewed file in a test: [`compare_with`](Self::compare_with) that panics.
    ///
    /// # Panics
    ///
    /// With the error of [`compare_with`](Self::compare_with), if there is one.
    #[track_caller]
    #[expect(clippy::panic, reason = "a test fails by a panic")]
    pub fn assert_matches(&self, path: impl AsRef<Path>) {
        if let Err(error) = self.compare_with(path) {
            panic!("{error}");
        }
    }

    /// The failed observations, a line each.
    fn failed(&self) -> impl Iterator<Item = String> {
        self.rows.iter().flat_map(|Row { place, cells }| {
            let failed = cells.iter().zip(&self.subjects).filter(|(cell, _)| cell.failed);
            failed.map(move |(cell, subject)| format!("{place}: as {subject}: {}", cell.text))
        })
    }
}
