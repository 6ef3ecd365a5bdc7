//! What a guard is: the outcome of parsing and validation, the input of expansion. Keeps the
//! user's syntax nodes, so that what rustc reports about them points at the user's code.

use proc_macro2::Ident;
use quote::ToTokens as _;
use syn::{Expr, ExprPath, LitStr, Type};

use crate::handler::Handler;
use crate::nearest::one_of;

mod kind;

pub(crate) use kind::{Arguments, Kind, Quantifier, SubjectAttribute};

/// One guard: everything that the attributes on one handler ask for.
pub(crate) struct Guard {
    /// Phase 1.
    pub(crate) caller: Caller,
    /// Phase 2, in the order written.
    pub(crate) checks: Vec<Check>,
    /// Phase 3, in the order written.
    pub(crate) contexts: Vec<Context>,
    /// The function that renders denials.
    pub(crate) on_denied: Option<ExprPath>,
}

/// Where a guard goes: the handler, what the guard is called, and what the handler becomes.
pub(crate) struct Place {
    pub(crate) handler: Handler,
    pub(crate) name: Ident,
    /// A route attribute below will turn the handler into a struct of the same name.
    pub(crate) routed: bool,
    /// Another of our attributes has already put its guard on the handler.
    pub(crate) wrapped: bool,
}

/// Whom a guard lets through to its other checks.
pub(crate) enum Caller {
    Anonymous,
    Authenticated(LogInRequirement),
}

/// How a caller may have been authenticated.
pub(crate) struct LogInRequirement {
    /// None: by any mechanism that the application accepts where nothing is said.
    pub(crate) mechanisms: Option<Vec<Name>>,
    /// In seconds.
    pub(crate) within: Option<u32>,
    /// In seconds.
    pub(crate) grace: Option<u32>,
    pub(crate) realm: Option<LitStr>,
}

impl LogInRequirement {
    /// Whether nothing is said.
    pub(crate) fn is_any(&self) -> bool {
        let Self { mechanisms, within, grace, realm } = self;
        mechanisms.is_none() && within.is_none() && grace.is_none() && realm.is_none()
    }
}

/// One attribute that asks the subject for what it names.
pub(crate) struct Check {
    pub(crate) attribute: SubjectAttribute,
    pub(crate) quantifier: Quantifier,
    pub(crate) names: Vec<Name>,
}

#[derive(Clone)]
pub(crate) enum Name {
    Literal(LitStr),
    Path(ExprPath),
}

impl Name {
    /// Whether both are written alike. What a path stands for, a macro cannot know.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(_), Self::Literal(_)) | (Self::Path(_), Self::Path(_)) => {
                self.written() == other.written()
            }
            _ => false,
        }
    }

    /// The name, as a message shows it.
    pub(crate) fn written(&self) -> String {
        match self {
            Self::Literal(literal) => literal.value(),
            Self::Path(path) => path.to_token_stream().to_string(),
        }
    }
}

/// What a name is the name of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Noun {
    Role,
    Permission,
    Mechanism,
}

impl Noun {
    /// The word for one of them; with an `s`, for several.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Permission => "permission",
            Self::Mechanism => "mechanism",
        }
    }
}

/// Where a request names a context.
pub(crate) enum IdPlace {
    /// Path parameters; the first that a request has.
    Path(Vec<String>),
    Query(String),
    Header(String),
    /// Several of the places above, or none.
    Parts(Vec<Self>),
    /// The id is what an expression makes of these other arguments, counted from 0.
    Arguments {
        expression: Box<Expr>,
        arguments: Vec<usize>,
    },
    /// The context is what a function makes of its arguments.
    Loader {
        path: ExprPath,
        arguments: Vec<LoaderArgument>,
    },
}

pub(crate) enum LoaderArgument {
    /// An argument of the handler, counted from 0.
    Of(usize, Ident),
    /// The connection that the function asks for.
    Connection,
}

impl IdPlace {
    /// As it is written in an attribute, to be shown and compared.
    pub(crate) fn written(&self) -> String {
        match self {
            Self::Path(names) => one_of(names),
            Self::Query(name) => format!("`query(\"{name}\")`"),
            Self::Header(name) => format!("`header(\"{name}\")`"),
            Self::Parts(parts) => {
                let parts: Vec<String> = parts.iter().map(Self::written).collect();
                format!("({})", parts.join(", "))
            }
            Self::Arguments { expression, .. } => {
                format!("`{}`", expression.to_token_stream().to_string().replace(" . ", "."))
            }
            Self::Loader { path, arguments } => {
                let arguments: Vec<String> = arguments.iter().map(LoaderArgument::written).collect();
                let path = path.to_token_stream().to_string().replace(' ', "");
                format!("`{path}({})`", arguments.join(", "))
            }
        }
    }

    /// Whether the request names it, and nothing is made of the handler's arguments.
    pub(crate) fn is_named(&self) -> bool {
        !matches!(self, Self::Arguments { .. } | Self::Loader { .. })
    }

    /// The arguments of the handler that it is made of.
    pub(crate) fn arguments(&self) -> Vec<usize> {
        match self {
            Self::Path(_) | Self::Query(_) | Self::Header(_) | Self::Parts(_) => Vec::new(),
            Self::Arguments { arguments, .. } => arguments.clone(),
            Self::Loader { arguments, .. } => arguments.iter().filter_map(LoaderArgument::index).collect(),
        }
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        let tokens = |tokens: &dyn quote::ToTokens| tokens.to_token_stream().to_string();
        match (self, other) {
            // `written` is for people: in a text, it takes away spaces that mean something.
            (Self::Arguments { expression: one, .. }, Self::Arguments { expression: other, .. }) => {
                tokens(one) == tokens(other)
            }
            (
                Self::Loader { path: one, arguments },
                Self::Loader { path: other, arguments: other_arguments },
            ) => {
                tokens(one) == tokens(other)
                    && arguments
                        .iter()
                        .map(LoaderArgument::index)
                        .eq(other_arguments.iter().map(LoaderArgument::index))
            }
            _ => self.written() == other.written(),
        }
    }
}

impl LoaderArgument {
    fn written(&self) -> String {
        match self {
            Self::Of(_, name) => name.to_string(),
            Self::Connection => "connection".to_owned(),
        }
    }

    fn index(&self) -> Option<usize> {
        match self {
            Self::Of(index, _) => Some(*index),
            Self::Connection => None,
        }
    }
}

/// One context to load, or several, and every permission that is asked of it.
pub(crate) struct Context {
    /// The handler's argument that receives it, counted from 0.
    pub(crate) argument: Option<usize>,
    /// The type of that argument, or what `ctx` says. Without both, it is what a loader makes.
    pub(crate) ty: Option<Type>,
    pub(crate) source: IdPlace,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) allow_empty: bool,
    /// Made of arguments which are extracted from the request.
    pub(crate) late: bool,
}

#[derive(Clone)]
pub(crate) enum Permission {
    Known(KnownPermission),
    Path(ExprPath),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum KnownPermission {
    CreateChildren,
    Read,
    Update,
    Delete,
}

impl KnownPermission {
    pub(crate) const ALL: [Self; 4] = [Self::CreateChildren, Self::Read, Self::Update, Self::Delete];
    pub(crate) const NAMES: [&'static str; 4] = ["create-children", "read", "update", "delete"];

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        let [create_children, read, update, delete] = Self::NAMES;
        match self {
            Self::CreateChildren => create_children,
            Self::Read => read,
            Self::Update => update,
            Self::Delete => delete,
        }
    }

    /// The constant of `auth_core::Permission`.
    pub(crate) fn constant(self) -> &'static str {
        match self {
            Self::CreateChildren => "CREATE_CHILDREN",
            Self::Read => "READ",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}
