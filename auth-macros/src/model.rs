//! The model of a guard: the outcome of parsing and validation, the input of expansion. It keeps the user's syntax nodes, so
//! that rustc's errors about them point at the user's code.

use proc_macro2::Ident;
use quote::ToTokens as _;
use syn::{Expr, ExprPath, LitStr, Type};

use crate::handler::Handler;
use crate::nearest::one_of;

mod kind;

pub(crate) use kind::{Arguments, Kind, Quantifier, SubjectAttribute};

/// One guard: the requirements of all attributes on one handler.
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

/// The place of a guard: the handler, the guard's name, and what surrounds it.
pub(crate) struct Place {
    pub(crate) handler: Handler,
    pub(crate) name: Ident,
    /// A route attribute below will turn the handler into a struct of the same name.
    pub(crate) routed: bool,
    /// Another of our attributes has already put its guard on the handler.
    pub(crate) wrapped: bool,
}

/// The callers that a guard lets through to its other checks.
pub(crate) enum Caller {
    Anonymous,
    Authenticated(LogInRequirement),
}

/// The requirement on how a caller was authenticated.
pub(crate) struct LogInRequirement {
    /// None: any mechanism that the application accepts by default.
    pub(crate) mechanisms: Option<Vec<Name>>,
    /// In seconds.
    pub(crate) within: Option<u32>,
    /// In seconds.
    pub(crate) grace: Option<u32>,
    pub(crate) realm: Option<LitStr>,
}

impl LogInRequirement {
    /// Whether every authenticated caller meets it.
    pub(crate) fn is_any(&self) -> bool {
        let Self { mechanisms, within, grace, realm } = self;
        mechanisms.is_none() && within.is_none() && grace.is_none() && realm.is_none()
    }
}

/// The check of one attribute that names roles or permissions of the subject.
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
    /// Whether both are written alike. A macro cannot know the constant at a path.
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

/// The kind of thing that a name names.
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

/// The place of a context's id: in the request, or an expression; or the function that makes the context.
pub(crate) enum IdPlace {
    /// Path parameters, of which the first that a request has counts.
    Path(Vec<String>),
    Query(String),
    Header(String),
    /// Several of the places above, or none.
    Parts(Vec<Self>),
    /// An expression makes the id of these other arguments, counted from 0.
    Arguments {
        expression: Box<Expr>,
        arguments: Vec<usize>,
    },
    /// A function makes the context of its arguments.
    Loader {
        path: ExprPath,
        arguments: Vec<LoaderArgument>,
    },
}

pub(crate) enum LoaderArgument {
    /// An argument of the handler, counted from 0.
    Of(usize, Ident),
    /// A connection to the database.
    Connection,
}

impl IdPlace {
    /// The text in the attribute, for messages and comparisons.
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

    /// Whether the id is in the request, and not made of the handler's arguments.
    pub(crate) fn is_in_request(&self) -> bool {
        !matches!(self, Self::Arguments { .. } | Self::Loader { .. })
    }

    /// The arguments of the handler from which the id or the context is made.
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
            // `written` is for people: it removes spaces, which matter inside a string literal.
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

/// One context to load, or a list, and every permission that it must grant.
pub(crate) struct Context {
    /// The handler's argument that receives it, counted from 0.
    pub(crate) argument: Option<usize>,
    /// The type of that argument, or of `ctx`. None: only the loader's signature has it.
    pub(crate) ty: Option<Type>,
    pub(crate) id_place: IdPlace,
    pub(crate) permissions: Vec<Permission>,
    pub(crate) allow_empty: bool,
    /// Made of arguments that are extracted from the request.
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
