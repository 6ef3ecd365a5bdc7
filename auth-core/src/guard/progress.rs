//! How far the guard of a request's handler has come. A test distinguishes by it the decision of a guard from an answer
//! that came before. Without the feature `test`, nothing is noted.

#[cfg(feature = "test")]
pub(crate) use noted::{Progress, begins, passes};
#[cfg(not(feature = "test"))]
pub(crate) use unnoted::{begins, passes};

#[cfg(feature = "test")]
mod noted {
    use std::{cell::Cell, rc::Rc};

    use actix_web::{HttpMessage as _, HttpRequest};

    use crate::guard::GuardedHandler;

    /// A test adds it to a request, and reads it afterwards.
    #[derive(Debug, Clone, Default)]
    pub(crate) struct Progress(Rc<Cell<Option<usize>>>);

    impl Progress {
        /// Whether the guard has begun, and whether it has let the request in.
        pub(crate) fn has_begun(&self) -> bool {
            self.0.get().is_some()
        }

        pub(crate) fn has_admitted(&self) -> bool {
            self.0.get() == Some(0)
        }
    }

    /// The guard of this handler begins: it has to know the caller, and to decide about each context.
    pub(crate) fn begins(request: &HttpRequest, handler: &GuardedHandler) {
        change(request, |left| {
            left.unwrap_or_default().saturating_add(1 + handler.requirements.contexts.len())
        });
    }

    /// One of these is done, and the request may go on.
    pub(crate) fn passes(request: &HttpRequest) {
        change(request, |left| left.unwrap_or_default().saturating_sub(1));
    }

    fn change(request: &HttpRequest, left: impl FnOnce(Option<usize>) -> usize) {
        let progress = request.extensions().get::<Progress>().cloned();
        if let Some(Progress(cell)) = progress {
            cell.set(Some(left(cell.get())));
        }
    }
}

#[cfg(not(feature = "test"))]
mod unnoted {
    use actix_web::HttpRequest;

    use crate::guard::GuardedHandler;

    pub(crate) fn begins(_: &HttpRequest, _: &GuardedHandler) {}

    pub(crate) fn passes(_: &HttpRequest) {}
}
