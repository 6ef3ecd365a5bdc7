//! The mistakes that a careless engineer could make with an attribute.

use std::ops::Range;

use crate::mutants::{
    Routes,
    sources::{Argument, Attribute, Handler, Item, Source},
};

/// A change of one attribute.
pub(crate) struct Mutant {
    pub(crate) operator: &'static str,
    /// The handlers that it changes: several where the attribute is in the body of a macro.
    pub(crate) handlers: Vec<String>,
    /// Whether they stand for one mutant, or for one each.
    pub(crate) is_whole: bool,
    /// Whether the compiler would refuse it, so that more has to be changed.
    pub(crate) is_refused: bool,
    /// The file, as an index.
    pub(crate) source: usize,
    /// The replaced ranges of the file, with the new texts.
    pub(crate) edits: Vec<(Range<usize>, String)>,
}

pub(crate) fn mutants(sources: &[Source], routes: &Routes) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        for handler in &source.handlers {
            let made = Made { source, handler };
            let handlers = made.handlers(routes);
            // It is not registered: the feature that it belongs to is off.
            if handlers.is_empty() {
                continue;
            }
            for change in made.changes() {
                let Change { operator, is_refused, edits } = change;
                let handlers = handlers.clone();
                mutants.push(Mutant {
                    operator,
                    handlers,
                    is_whole: false,
                    is_refused,
                    source: index,
                    edits,
                });
            }
        }
        for invocation in &source.invocations {
            let Some(other) = another(source.at(&invocation.context)) else { continue };
            let module = format!("{}::{}::", source.module, invocation.module);
            let handlers = routes.keys().filter(|handler| handler.starts_with(&module)).cloned().collect();
            mutants.push(Mutant {
                operator: ANOTHER_OBJECT,
                handlers,
                is_whole: true,
                is_refused: false,
                source: index,
                edits: vec![(invocation.context.clone(), other.to_owned())],
            });
        }
    }
    mutants
}

const DELETED: &str = "deleted";
const ANOTHER_PERMISSION: &str = "asks for another permission";
const OTHER_ROLES: &str = "asks for other roles";
const ANOTHER_MECHANISM: &str = "asks for another mechanism";
const ANOTHER_OBJECT: &str = "asks about another object";

struct Change {
    operator: &'static str,
    is_refused: bool,
    edits: Vec<(Range<usize>, String)>,
}

/// A handler where it is.
struct Made<'a> {
    source: &'a Source,
    handler: &'a Handler,
}

impl Made<'_> {
    fn handlers(&self, routes: &Routes) -> Vec<String> {
        let Self { source, handler } = self;
        let is_it = |name: &&String| {
            let Some((module, function)) = name.rsplit_once("::") else { return false };
            let below = module.strip_prefix(source.module.as_str());
            let is_there =
                below.is_some_and(|below| below.is_empty() || handler.in_macro && below.starts_with("::"));
            is_there && function == handler.name
        };
        routes.keys().filter(is_it).cloned().collect()
    }

    fn changes(&self) -> Vec<Change> {
        self.handler
            .attributes
            .iter()
            .filter(|attribute| attribute.name != "public")
            .flat_map(|attribute| {
                let mut changes = vec![self.deleted(attribute)];
                changes.extend(match attribute.name.as_str() {
                    "permission_required_for_context" => self.about_contexts(attribute),
                    "auth_required" | "auth_token_required" | "http_auth_required" => {
                        self.about_mechanisms(attribute)
                    }
                    "anonymous_user_required" => Vec::new(),
                    _ => self.about_roles(attribute),
                });
                changes
            })
            .collect()
    }

    /// Without any attribute, a handler cannot be registered, so it is public.
    fn deleted(&self, attribute: &Attribute) -> Change {
        let is_only = self.handler.attributes.len() == 1;
        let rest = if is_only { r#"#[auth_core::public(reason = "a mutant")]"# } else { "" };
        let loaded = self.loaded(attribute);
        let is_refused = is_only || loaded.is_some();
        let made = loaded.as_ref().and_then(|_| self.made(attribute).or_else(|| self.wrapped(attribute)));
        let edits = [Some((attribute.range.clone(), rest.to_owned())), loaded, made].into_iter().flatten();
        Change { operator: DELETED, is_refused, edits: edits.collect() }
    }

    fn about_contexts(&self, attribute: &Attribute) -> Vec<Change> {
        let mut changes = Vec::new();
        let permission = &attribute.items[0].range;
        let other = if self.source.at(permission) == r#""read""# { r#""update""# } else { r#""read""# };
        // A proof names its permission.
        let unproved = self.argument(attribute).and_then(|argument| {
            let kind = self.source.at(&argument.kind);
            kind.starts_with("Authorized<").then(|| (argument.kind.clone(), context_of(kind).to_owned()))
        });
        let is_refused = unproved.is_some();
        let proof = unproved.as_ref().and_then(|_| self.wrapped(attribute));
        let edits = [Some((permission.clone(), other.to_owned())), unproved, proof].into_iter().flatten();
        changes.push(Change { operator: ANOTHER_PERMISSION, is_refused, edits: edits.collect() });

        if let Some(id) = value(attribute, "id")
            && let Some(wrong) = self.wrong_id(self.source.at(&id.value))
        {
            let edits = vec![(id.value.clone(), wrong)];
            changes.push(Change { operator: ANOTHER_OBJECT, is_refused: false, edits });
        }
        if let Some(argument) = self.argument(attribute)
            && let Some(other) = another(context_of(self.source.at(&argument.kind)))
            && let Some(context) = value(attribute, "ctx_arg")
        {
            let id = match value(attribute, "id") {
                Some(_) => String::new(),
                None => format!(", id = {:?}", self.id_of(&argument.name)),
            };
            let checked = (context.range.clone(), format!("ctx = crate::models::{other}{id}"));
            let loaded = self.loaded(attribute);
            let wrapped = loaded.as_ref().and_then(|_| self.wrapped(attribute));
            let edits = [Some(checked), loaded, wrapped].into_iter().flatten();
            changes.push(Change { operator: ANOTHER_OBJECT, is_refused: false, edits: edits.collect() });
        }
        changes
    }

    fn about_mechanisms(&self, attribute: &Attribute) -> Vec<Change> {
        let named = attribute.items.iter().find(|item| item.key.is_none());
        match (attribute.name.as_str(), named) {
            ("auth_required", None) => Vec::new(),
            ("auth_required", Some(named)) => {
                let other = if self.source.at(&named.range) == r#""token""# { "session" } else { "token" };
                vec![
                    instead(ANOTHER_MECHANISM, attribute, "auth_core::auth_required"),
                    instead(ANOTHER_MECHANISM, attribute, &format!("auth_core::auth_required({other:?})")),
                ]
            }
            _ => vec![
                instead(ANOTHER_MECHANISM, attribute, "auth_core::auth_required"),
                instead(ANOTHER_MECHANISM, attribute, r#"auth_core::auth_required("session")"#),
            ],
        }
    }

    /// Each left out in turn, one more, and all instead of one.
    fn about_roles(&self, attribute: &Attribute) -> Vec<Change> {
        let roles: Vec<&str> = attribute
            .items
            .iter()
            .filter(|item| item.key.is_none())
            .map(|item| self.source.at(&item.range))
            .collect();
        let (kind, _) = attribute.name.rsplit_once('_').unwrap();
        let with = |quantity: &str, roles: &[&str]| {
            let changed = format!("auth_core::{kind}_{quantity}({})", roles.join(", "));
            instead(OTHER_ROLES, attribute, &changed)
        };
        let mut changes = Vec::new();
        if roles.len() > 1 {
            let quantity = if attribute.name.ends_with("_accepted") { "accepted" } else { "required" };
            let other = if quantity == "accepted" { "required" } else { "accepted" };
            for left_out in &roles {
                let rest: Vec<&str> = roles.iter().copied().filter(|role| role != left_out).collect();
                changes.push(with(quantity, &rest));
            }
            changes.push(with(other, &roles));
        }
        let others = if kind.starts_with("roles") {
            [r#""admin-reader""#, r#""account-admin""#]
        } else {
            [r#""Consultancy""#, r#""Prosumer""#]
        };
        for more in others {
            // A constant is named after its role.
            let is = |role: &&str| role.replace('_', "-").eq_ignore_ascii_case(more.trim_matches('"'));
            if !roles.iter().any(is) {
                changes.push(with("accepted", &[roles.as_slice(), &[more]].concat()));
                break;
            }
        }
        changes
    }

    /// The argument that this attribute hands a context to.
    fn argument(&self, attribute: &Attribute) -> Option<&Argument> {
        let name = self.source.at(&value(attribute, "ctx_arg")?.value).trim_matches('"');
        self.handler.arguments.iter().find(|argument| argument.name == name)
    }

    /// Loads the context without the attribute, unless another one hands it over.
    fn loaded(&self, attribute: &Attribute) -> Option<(Range<usize>, String)> {
        let argument = self.argument(attribute)?;
        let is_handed_over = |other: &&Attribute| {
            other.range != attribute.range
                && self.argument(other).is_some_and(|other| other.name == argument.name)
        };
        if self.handler.attributes.iter().any(|other| is_handed_over(&other)) {
            return None;
        }
        if value(attribute, "ctx_loader").is_some() {
            return Some((argument.range.clone(), "_: actix_web::HttpRequest".to_owned()));
        }
        let context = context_of(self.source.at(&argument.kind));
        let unchecked = "crate::unchecked::Unchecked";
        Some((argument.range.clone(), format!("{unchecked}({}): {unchecked}<{context}>", argument.name)))
    }

    /// The call of the function that makes the context, which no guard checks then.
    fn made(&self, attribute: &Attribute) -> Option<(Range<usize>, String)> {
        let call = self.source.at(&value(attribute, "ctx_loader")?.value);
        let (function, arguments) = call.strip_suffix(')')?.split_once('(')?;
        let argument = |name: &str| match name.trim() {
            "connection" => "&mut *database.connection()?".to_owned(),
            name => format!("&{name}"),
        };
        let arguments: Vec<String> = arguments.split(',').map(argument).collect();
        let name = &self.argument(attribute)?.name;
        let made = format!(" let {name} = {function}({})?;", arguments.join(", "));
        Some((self.handler.body..self.handler.body, made))
    }

    /// Makes up what the body has around its context, where it takes that and a mutant gives it the context alone: the
    /// proof of a check, or what the caller may see.
    fn wrapped(&self, attribute: &Attribute) -> Option<(Range<usize>, String)> {
        let Argument { name, kind, .. } = self.argument(attribute)?;
        let kind = self.source.at(kind);
        let made_up = match kind.split_once('<')?.0 {
            "Authorized" => format!("auth_core::test::authorized({name})"),
            "Visible" => format!("{name}.into()"),
            _ => return None,
        };
        let made_up = format!(" let {name}: {kind} = {made_up};");
        Some((self.handler.body..self.handler.body, made_up))
    }

    /// The path parameter that names the context, where the attribute does not say it.
    fn id_of(&self, argument: &str) -> &str {
        let wanted = format!("{argument}_id");
        let parameters = &self.handler.parameters;
        parameters.iter().find(|name| **name == wanted).or(parameters.last()).map_or("id", String::as_str)
    }

    /// Another path parameter, or the same ones the other way round.
    fn wrong_id(&self, id: &str) -> Option<String> {
        if let Some(names) = id.strip_prefix('(').and_then(|names| names.strip_suffix(')')) {
            let mut names: Vec<&str> =
                names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
            names.reverse();
            return (names.len() > 1).then(|| format!("({})", names.join(", ")));
        }
        let own = id.strip_prefix('"')?.strip_suffix('"')?;
        let other = self.handler.parameters.iter().find(|name| *name != own)?;
        Some(format!("{other:?}"))
    }
}

fn instead(operator: &'static str, attribute: &Attribute, other: &str) -> Change {
    Change { operator, is_refused: false, edits: vec![(attribute.range.clone(), format!("#[{other}]"))] }
}

fn value<'a>(attribute: &'a Attribute, key: &str) -> Option<&'a Item> {
    attribute.items.iter().find(|item| item.key.as_deref() == Some(key))
}

/// Without the proof, or what the caller may see, around it.
fn context_of(kind: &str) -> &str {
    let wrapped = ["Authorized<", "Visible<"].iter().find_map(|wrapper| kind.strip_prefix(wrapper));
    wrapped.and_then(|rest| rest.split_once(',')).map_or(kind, |(context, _)| context.trim())
}

/// Another context with which this one could be confused, with the same id.
fn another(context: &str) -> Option<&'static str> {
    match context {
        "Account" | "User" | "Sensor" | "AssetAuditLog" => Some("Asset"),
        "Asset" | "AuditLog" | "AccountAuditLog" => Some("Account"),
        "UserAuditLog" => Some("User"),
        _ => None,
    }
}
