//! Merges the requirements of several attributes on how the caller is authenticated. A caller has to pass each attribute, so
//! the outcome is never less strict than any of them. An attribute that names no mechanism does not restrict mechanisms.

use syn::LitStr;

use crate::args::AuthenticationArgs;
use crate::errors::Errors;
use crate::model::{LogInRequirement, Name};
use crate::nearest::one_of;

/// The requirement that a caller meets if it passes all of these attributes.
pub(super) fn log_in_requirement(attributes: &[AuthenticationArgs], errors: &mut Errors) -> LogInRequirement {
    for args in attributes {
        grace_needs_within(args, errors);
    }
    // An attribute with `within` alone grants no grace, which is the smallest.
    let limited = attributes.iter().filter(|args| args.within.given.is_some());
    LogInRequirement {
        mechanisms: mechanisms(attributes, errors),
        within: attributes.iter().filter_map(|args| args.within.value).min(),
        grace: limited.map(|args| args.grace.value).min().flatten(),
        realm: realm(attributes, errors),
    }
}

fn grace_needs_within(args: &AuthenticationArgs, errors: &mut Errors) {
    if let (Some(grace), None) = (args.grace.given, args.within.given) {
        errors.push(
            grace,
            "without `within` nothing becomes stale; \
             add `within`, as in `within = \"15 min\"`, or remove `grace`",
        );
    }
}

/// The mechanisms that all attributes with mechanisms have in common, in the order of the first.
fn mechanisms(attributes: &[AuthenticationArgs], errors: &mut Errors) -> Option<Vec<Name>> {
    let naming: Vec<&AuthenticationArgs> =
        attributes.iter().filter(|args| !args.mechanisms.is_empty()).collect();
    let (first, others) = naming.split_first()?;
    let mut common = first.mechanisms.clone();
    for args in others {
        let left: Vec<Name> = common.iter().filter(|name| names(args, name)).cloned().collect();
        if left.is_empty() {
            let other = naming.iter().find(|other| !other.mechanisms.iter().any(|name| names(args, name)));
            let other = other.map_or_else(
                || format!("the attributes before it together ({})", listed(&common)),
                |other| described(other),
            );
            errors.push(
                args.span,
                format_args!(
                    "no mechanism is accepted both by {} and by {other}, so nobody could pass; \
                     remove one of them",
                    described(args)
                ),
            );
            break;
        }
        common = left;
    }
    Some(common)
}

fn names(args: &AuthenticationArgs, name: &Name) -> bool {
    args.mechanisms.iter().any(|other| other.is(name))
}

/// The attribute with its mechanisms: `` `http_auth_required` (`basic`) ``.
fn described(args: &AuthenticationArgs) -> String {
    format!("`{}` ({})", args.kind.name(), listed(&args.mechanisms))
}

fn listed(names: &[Name]) -> String {
    one_of(&names.iter().map(Name::written).collect::<Vec<_>>())
}

/// The one realm of all attributes that have a realm.
fn realm(attributes: &[AuthenticationArgs], errors: &mut Errors) -> Option<LitStr> {
    let mut realms = attributes.iter().filter_map(|args| args.realm.value.as_ref());
    let first = realms.next()?;
    for other in realms.filter(|other| other.value() != first.value()) {
        errors.push(
            other.span(),
            format_args!(
                "another attribute names the realm `{}`; one challenge has one realm, remove one",
                first.value()
            ),
        );
    }
    Some(first.clone())
}
