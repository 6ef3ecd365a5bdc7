//! What is registered where. Nobody asks while a service runs, and then nothing is recorded.

use std::cell::RefCell;

use actix_web::http::Method;

use super::ScopeGuard;
use crate::report::GuardedHandler;

/// A handler, where it is registered.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) handler: GuardedHandler,
    pub(crate) methods: Vec<&'static str>,
    pub(crate) path: String,
    pub(crate) scopes: Vec<ScopeGuard>,
}

#[derive(Default)]
struct Recording {
    /// The scopes that are being registered, the outermost first.
    scopes: Vec<(String, Vec<ScopeGuard>)>,
    found: Vec<Recorded>,
}

thread_local! {
    static RECORDING: RefCell<Option<Recording>> = const { RefCell::new(None) };
}

/// Records what `work` registers on this thread.
pub(crate) fn recording<T>(work: impl FnOnce() -> T) -> (T, Vec<Recorded>) {
    let outer = RECORDING.replace(Some(Recording::default()));
    let done = work();
    let recording = RECORDING.replace(outer);
    (done, recording.map(|recording| recording.found).unwrap_or_default())
}

/// Registers what is in a scope.
pub(super) fn scope<T>(path: &str, guards: &[ScopeGuard], work: impl FnOnce() -> T) -> T {
    if_recording(|recording| recording.scopes.push((path.to_owned(), guards.to_vec())));
    let done = work();
    if_recording(|recording| drop(recording.scopes.pop()));
    done
}

/// A handler is registered with the routes that its attributes say.
pub(super) fn handler(handler: &GuardedHandler) {
    for route in handler.routes() {
        found(handler, route.methods().to_vec(), route.pattern());
    }
}

/// A handler is registered with a route that its attributes do not know.
pub(super) fn route(handler: &GuardedHandler, method: &Method, path: &str) {
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE"];
    let method = known.into_iter().find(|known| *known == method.as_str());
    found(handler, method.into_iter().collect(), path);
}

/// A whole service is registered below a path. Its routes nobody knows.
pub(super) fn service(handler: &GuardedHandler, path: &str) {
    found(handler, Vec::new(), path);
}

fn found(handler: &GuardedHandler, methods: Vec<&'static str>, pattern: &str) {
    if_recording(|recording| {
        let prefixes = recording.scopes.iter().map(|(path, _)| path.as_str());
        let path = prefixes.chain([pattern]).collect();
        let scopes = recording.scopes.iter().flat_map(|(_, guards)| guards.iter().cloned()).collect();
        recording.found.push(Recorded { handler: *handler, methods, path, scopes });
    });
}

fn if_recording(work: impl FnOnce(&mut Recording)) {
    RECORDING.with_borrow_mut(|recording| {
        if let Some(recording) = recording {
            work(recording);
        }
    });
}
