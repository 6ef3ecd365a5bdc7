//! Records where each handler is registered. While a service runs, no recording is active, and nothing is recorded.

use std::{borrow::Cow, cell::RefCell};

use actix_web::http::Method;

use crate::guard::{GuardedHandler, ScopeGuard};

/// A handler, where it is registered.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) handler: GuardedHandler,
    pub(crate) methods: Vec<Cow<'static, str>>,
    pub(crate) path: String,
    /// The patterns that make the path, as each is registered: those of the scopes, and its own.
    pub(crate) pieces: Vec<String>,
    pub(crate) scopes: Vec<ScopeGuard>,
    /// Whether a protected scope is around it.
    pub(crate) in_scope: bool,
    /// Whether it is a service with many routes below the path.
    pub(crate) is_service: bool,
}

/// The path of scopes which are not protected, and so not known.
pub(crate) const UNKNOWN: &str = "…";

#[derive(Default)]
struct Recording {
    /// The scopes that are being registered, the outermost first.
    scopes: Vec<Around>,
    found: Vec<Recorded>,
}

/// A scope, and its path with the unknown part before it.
struct Around {
    path: String,
    guards: Vec<ScopeGuard>,
}

thread_local! {
    static RECORDING: RefCell<Option<Recording>> = const { RefCell::new(None) };
}

/// Records the registrations that `work` makes on this thread.
pub(crate) fn recording<T>(work: impl FnOnce() -> T) -> (T, Vec<Recorded>) {
    let outer = RECORDING.replace(Some(Recording::default()));
    let done = work();
    let recording = RECORDING.replace(outer);
    (done, recording.map(|recording| recording.found).unwrap_or_default())
}

/// Registers the content of a scope, itself in another one or at the root.
pub(crate) fn scope<T>(path: &str, guards: &[ScopeGuard], at_root: bool, work: impl FnOnce() -> T) -> T {
    if_recording(|recording| {
        let path = format!("{}{}", recording.unknown(at_root), with_slash(path, false));
        recording.scopes.push(Around { path, guards: guards.to_vec() });
    });
    let done = work();
    if_recording(|recording| drop(recording.scopes.pop()));
    done
}

/// Records a handler with the routes of its attributes.
pub(crate) fn handler(handler: &GuardedHandler, at_root: bool) {
    for route in handler.routes() {
        let methods = route.methods().iter().copied().map(Cow::Borrowed).collect();
        found(handler, methods, route.pattern(), at_root, false);
    }
}

/// Records a handler with a route that its attributes do not know.
pub(crate) fn route(handler: &GuardedHandler, method: &Method, path: &str, at_root: bool) {
    found(handler, vec![Cow::Owned(method.to_string())], path, at_root, false);
}

/// Records a whole service below a path. Its routes are unknown.
pub(crate) fn service(handler: &GuardedHandler, path: &str, at_root: bool) {
    found(handler, Vec::new(), path, at_root, true);
}

fn found(
    handler: &GuardedHandler,
    methods: Vec<Cow<'static, str>>,
    pattern: &str,
    at_root: bool,
    is_service: bool,
) {
    if_recording(|recording| {
        let around = &recording.scopes;
        let own = [recording.unknown(at_root).to_owned(), with_slash(pattern, at_root).into_owned()];
        let pieces: Vec<String> = around.iter().map(|scope| scope.path.clone()).chain(own).collect();
        let (path, in_scope) = (pieces.concat(), !around.is_empty());
        let scopes = around.iter().flat_map(|scope| scope.guards.iter().cloned()).collect();
        let pieces = pieces.iter().flat_map(|piece| known(piece)).collect();
        recording.found.push(Recorded {
            handler: *handler,
            methods,
            path,
            pieces,
            scopes,
            in_scope,
            is_service,
        });
    });
}

impl Recording {
    /// The text in place of the scopes around, where none of them is protected.
    fn unknown(&self, at_root: bool) -> &'static str {
        if at_root || !self.scopes.is_empty() { "" } else { UNKNOWN }
    }
}

/// As actix-web joins patterns: one that is not empty begins with a slash; at the root even the empty one.
pub(crate) fn with_slash(pattern: &str, even_empty: bool) -> Cow<'_, str> {
    if pattern.starts_with('/') || pattern.is_empty() && !even_empty {
        Cow::Borrowed(pattern)
    } else {
        Cow::Owned(format!("/{pattern}"))
    }
}

/// The unknown part of a path, and the known part.
fn known(piece: &str) -> impl Iterator<Item = String> {
    let known = piece.strip_prefix(UNKNOWN);
    let unknown = known.map(|_| UNKNOWN.to_owned());
    let known = known.unwrap_or(piece);
    unknown.into_iter().chain((!known.is_empty()).then(|| known.to_owned()))
}

fn if_recording(work: impl FnOnce(&mut Recording)) {
    RECORDING.with_borrow_mut(|recording| {
        if let Some(recording) = recording {
            work(recording);
        }
    });
}
