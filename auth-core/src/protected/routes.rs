//! Which methods the paths of one scope take, for HEAD and for 405.

use std::{borrow::Cow, cell::RefCell, collections::BTreeSet, rc::Rc};

use actix_web::dev::ResourceDef;

use crate::guard::{Guarded, GuardedHandler};
use crate::report::recording::with_slash;

/// The routes that stand directly in a scope or an application, in the order in which they are tried. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Routes(Rc<RefCell<Vec<Entry>>>);

struct Entry {
    pattern: ResourceDef,
    /// None for a service that takes every path below the pattern, with any method.
    methods: Option<Vec<Cow<'static, str>>>,
}

impl Routes {
    /// Adds the routes of a handler or of a scope.
    pub(super) fn add<H: Guarded>(&self, handler: &H, at_root: bool) {
        if let Some(prefix) = handler.prefix() {
            return self.add_service(prefix);
        }
        for route in H::handler().into_iter().flat_map(GuardedHandler::routes) {
            let methods = route.methods().iter().copied().map(Cow::Borrowed).collect();
            self.add_route(route.pattern(), methods, at_root);
        }
    }

    pub(super) fn add_route(&self, pattern: &str, methods: Vec<Cow<'static, str>>, at_root: bool) {
        let pattern = ResourceDef::new(&*with_slash(pattern, at_root));
        self.0.borrow_mut().push(Entry { pattern, methods: Some(methods) });
    }

    /// Adds a service that takes every path below this one.
    pub(super) fn add_service(&self, path: &str) {
        self.0.borrow_mut().push(Entry { pattern: ResourceDef::root_prefix(path), methods: None });
    }

    /// Whether a handler of GET answers HEAD of this path: one has the path, and no handler of HEAD has it.
    pub(super) fn answers_head_by_get(&self, path: &str) -> bool {
        let mut by_get = false;
        for entry in self.0.borrow().iter().filter(|entry| entry.pattern.is_match(path)) {
            if entry.takes("HEAD") {
                return false;
            }
            if entry.methods.is_none() {
                break;
            }
            by_get |= entry.takes("GET");
        }
        by_get
    }

    /// The methods that handlers of this path take, as `Allow` lists them; empty where there is no such path.
    pub(super) fn allowed(&self, path: &str) -> String {
        let entries = self.0.borrow();
        let of_path = entries.iter().filter(|entry| entry.pattern.is_match(path));
        let mut methods: BTreeSet<&str> =
            of_path.flat_map(|entry| entry.methods.iter().flatten()).map(AsRef::as_ref).collect();
        if methods.contains("GET") {
            methods.insert("HEAD");
        }
        methods.into_iter().collect::<Vec<_>>().join(", ")
    }
}

impl Entry {
    fn takes(&self, method: &str) -> bool {
        self.methods.iter().flatten().any(|other| other == method)
    }
}
