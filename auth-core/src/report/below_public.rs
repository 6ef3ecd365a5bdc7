//! Guarded routes whose paths a public service matches, too.

use std::{fmt, iter::repeat_n};

use actix_web::dev::ResourceDef;

use super::ReportEntry;
use crate::report::recording::UNKNOWN;

/// A guarded route that lies below the path of a public service. [`Registered::below_public`](super::Registered::below_public)
/// lists them.
///
/// [`Display`](fmt::Display) says it in a line.
#[derive(Debug, Clone)]
pub struct BelowPublic {
    route: ReportEntry,
    service: String,
    is_shadowed: bool,
}

impl BelowPublic {
    /// The guarded route.
    #[must_use]
    pub fn route(&self) -> &ReportEntry {
        &self.route
    }

    /// The path of the public service.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Whether the public service answers in its place, because it was registered first.
    #[must_use]
    pub fn is_shadowed(&self) -> bool {
        self.is_shadowed
    }
}

impl fmt::Display for BelowPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { route, service, is_shadowed } = self;
        let route = format_args!("{} {}", route.written_methods(), route.path());
        if *is_shadowed {
            write!(f, "{route} is answered by the public service {service}, without its guard")
        } else {
            write!(f, "{route} lies below the public service {service}")
        }
    }
}

/// All of them, given all entries in the order in which they are registered, each with the patterns of its path.
pub(super) fn all(registered: &[(ReportEntry, Vec<String>)]) -> Vec<BelowPublic> {
    let services = registered.iter().enumerate().filter(|(_, (entry, _))| entry.is_service);
    let below = services.flat_map(|(at, (service, service_pieces))| {
        let guarded = registered.iter().enumerate().filter(|(_, (entry, _))| !entry.is_public());
        let below = guarded.filter(|(_, (_, pieces))| overlap(service_pieces, pieces));
        below.map(move |(other, (route, _))| BelowPublic {
            route: route.clone(),
            service: service.path.clone(),
            is_shadowed: at < other,
        })
    });
    below.collect()
}

/// Whether a path that the patterns of a route match is one that those of a service match. actix-web's own patterns say so
/// of paths that are made for it: with the text between two slashes of the service's patterns for each parameter, and
/// with other texts. A pattern that fits none of these counts as it is written, so that the report lists too many routes
/// rather than too few.
fn overlap(service: &[String], route: &[String]) -> bool {
    let is_unknown = |pieces: &[String]| pieces.first().is_some_and(|piece| piece == UNKNOWN);
    if is_unknown(service) != is_unknown(route) {
        return false;
    }
    let names = service.iter().flat_map(|piece| piece.split('/'));
    let values: Vec<&str> = names.filter(|name| !name.is_empty()).chain(["0", "x"]).collect();
    let mut paths = vec![String::new()];
    for piece in route {
        let pattern = ResourceDef::root_prefix(piece);
        let parameters = (0..=MAX_PARAMETERS)
            .find(|count| pattern.resource_path_from_iter(&mut String::new(), repeat_n("x", *count)));
        let written = || vec![piece.clone()];
        let made = parameters.map_or_else(written, |parameters| made(&pattern, parameters, &values));
        let made = if made.is_empty() { written() } else { made };
        paths = paths.iter().flat_map(|path| made.iter().map(move |made| format!("{path}{made}"))).collect();
        paths.truncate(MAX_PATHS);
    }
    paths.iter().any(|path| is_below(service, path))
}

/// No more are tried. Patterns have few parameters.
const MAX_PARAMETERS: usize = 8;
const MAX_PATHS: usize = 10_000;

/// Paths that the pattern matches, with all combinations of these values.
fn made(pattern: &ResourceDef, parameters: usize, values: &[&str]) -> Vec<String> {
    let mut combinations: Vec<Vec<&str>> = vec![Vec::new()];
    for _ in 0..parameters {
        let longer = combinations.iter().flat_map(|combination| {
            values.iter().map(move |value| combination.iter().copied().chain([*value]).collect())
        });
        combinations = longer.take(MAX_PATHS).collect();
    }
    let paths = combinations.into_iter().filter_map(|combination| {
        let mut path = String::new();
        let is_whole = pattern.resource_path_from_iter(&mut path, combination);
        (is_whole && pattern.find_match(&path) == Some(path.len())).then_some(path)
    });
    paths.collect()
}

/// Whether the patterns match the beginning of the path, one after the other.
fn is_below(service: &[String], path: &str) -> bool {
    let mut rest = path;
    service.iter().filter(|piece| *piece != UNKNOWN).all(|piece| {
        let ends = |behind: &str| behind.is_empty() || behind.starts_with('/');
        let as_written =
            || rest.strip_prefix(piece.as_str()).filter(|behind| ends(behind)).map(|_| piece.len());
        let matched = ResourceDef::root_prefix(piece).find_match(rest).or_else(as_written);
        matched.and_then(|length| rest.get(length..)).is_some_and(|behind| {
            rest = behind;
            true
        })
    })
}
