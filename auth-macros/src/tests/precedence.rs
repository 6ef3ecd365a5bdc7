//! `&` binds more tightly than `|`, and parentheses say all else: whatever is written down is read as it was meant.

use syn::DeriveInput;
use syn::ext::IdentExt as _;

use crate::acl::{self, Column, Leaf, RelationRef, Rule};
use crate::errors::Errors;
use crate::model::Name;
use crate::row::Row;

/// A rule as somebody means it.
enum Meant {
    Term(usize),
    Any(Vec<Self>),
    All(Vec<Self>),
}

/// Each kind of term, and how it is shown.
const TERMS: [(&str, &str); 10] = [
    ("every_logged_in_user", "EveryLoggedInUser"),
    ("nobody", "nobody"),
    ("user(owner_id)", "User owner_id"),
    ("account(asset.account_id)", "Account 0.account_id"),
    ("role(\"editor\")", "Role editor"),
    ("account_role(\"Auditor\")", "AccountRole Auditor"),
    ("is_null(owner_id)", "IsNull owner_id"),
    ("is_public", "Flag is_public"),
    ("site.is_public", "Flag 1.is_public"),
    ("asset.read", "granted 0"),
];

/// The same numbers in each run: a generator after Lehmer.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        usize::try_from(self.0).unwrap() % bound
    }

    fn rule(&mut self, depth: usize) -> Meant {
        if depth == 0 || self.below(4) == 0 {
            return Meant::Term(self.below(TERMS.len()));
        }
        let count = 2 + self.below(3);
        let rules = (0..count).map(|_| self.rule(depth - 1)).collect();
        if self.below(2) == 0 { Meant::Any(rules) } else { Meant::All(rules) }
    }
}

impl Meant {
    /// With the parentheses that it takes, and some that it does not, if there are numbers to draw.
    fn written(&self, numbers: &mut Option<Numbers>) -> String {
        let mut text = match self {
            Self::Term(index) => TERMS[*index].0.to_owned(),
            Self::Any(rules) => self.joined(rules, " | ", numbers),
            Self::All(rules) => self.joined(rules, " & ", numbers),
        };
        if let Some(numbers) = numbers {
            for _ in 0..numbers.below(3) {
                text = format!("({text})");
            }
        }
        text
    }

    fn joined(&self, rules: &[Self], operator: &str, numbers: &mut Option<Numbers>) -> String {
        let inner = |rule: &Self| {
            let text = rule.written(numbers);
            match (self, rule) {
                (Self::All(_), Self::Any(_) | Self::All(_)) | (Self::Any(_), Self::Any(_)) => {
                    format!("({text})")
                }
                _ => text,
            }
        };
        rules.iter().map(inner).collect::<Vec<_>>().join(operator)
    }

    fn shown(&self) -> String {
        let all = |rules: &[Self]| rules.iter().map(Self::shown).collect::<Vec<_>>().join(", ");
        match self {
            Self::Term(index) => TERMS[*index].1.to_owned(),
            Self::Any(rules) => format!("any[{}]", all(rules)),
            Self::All(rules) => format!("all[{}]", all(rules)),
        }
    }
}

/// Which of the context's relations it is, or the name of one of another row.
fn place(RelationRef { name, index }: &RelationRef) -> String {
    index.map_or_else(|| name.to_string(), |index| index.to_string())
}

const fn variant(leaf: Leaf) -> &'static str {
    match leaf {
        Leaf::Principal(variant) | Leaf::Plain(variant) => variant,
    }
}

/// A rule as it was read.
fn shown(rule: &Rule) -> String {
    let column = |Column { relation, name }: &Column| match relation {
        Some(relation) => format!("{}.{}", place(relation), name.unraw()),
        None => name.unraw().to_string(),
    };
    let name = |name: &Name| match name {
        Name::Literal(literal) => literal.value(),
        Name::Path(_) => "a path".to_owned(),
    };
    let all = |rules: &[Rule]| rules.iter().map(shown).collect::<Vec<_>>().join(", ");
    match rule {
        Rule::Nobody => "nobody".to_owned(),
        Rule::Subject(term, None) => variant(term.leaf).to_owned(),
        Rule::Subject(term, Some(of)) => format!("{} {}", variant(term.leaf), name(of)),
        Rule::Column(term, of, values) if values.is_empty() => {
            format!("{} {}", variant(term.leaf), column(of))
        }
        Rule::Column(term, of, values) => {
            format!("{} {} of {}", variant(term.leaf), column(of), values.len())
        }
        Rule::Granted(Some(relation), ..) => format!("granted {}", place(relation)),
        Rule::Granted(None, granted, _) => format!("granted {}", acl::written(granted)),
        Rule::AnyRow(relation, rule) => format!("any row of {}: {}", place(relation), shown(rule)),
        Rule::Any(rules) => format!("any[{}]", all(rules)),
        Rule::All(rules) => format!("all[{}]", all(rules)),
    }
}

fn read(rule: &str) -> String {
    let text = format!(
        "#[diesel(check_for_backend(diesel::sqlite::Sqlite))]
         #[auth(belongs_to(asset: Asset, asset_id), belongs_to(site: Site, site_id), has_many(shares: Share, sensor_id))]
         #[acl(read = {rule}, update = nobody)]
         struct Sensor {{ id: i32 }}"
    );
    let input: DeriveInput = syn::parse_str(&text).unwrap();
    let mut errors = Errors::new();
    let row = Row::of(&input, "AuthModel", &mut crate::runtime::Runtime::unnamed(), &mut errors).unwrap();
    let grants = acl::policy(&input, &row, &mut errors).grants;
    assert!(errors.is_empty(), "{rule}: {}", errors.finish());
    errors.finish();
    assert_eq!(grants.len(), 2, "{rule}");
    shown(&grants[0].rule)
}

#[test]
fn a_rule_is_read_as_it_was_meant_with_few_parentheses_and_with_many() {
    for seed in 1..=500 {
        let meant = Numbers(seed).rule(4);
        for numbers in [None, Some(Numbers(seed + 1000))] {
            let written = meant.written(&mut { numbers });
            assert_eq!(read(&written), meant.shown(), "{written}");
        }
    }
}

#[test]
fn and_binds_more_tightly_than_or() {
    for (written, meant) in [
        ("is_public | nobody & asset.read", "any[Flag is_public, all[nobody, granted 0]]"),
        ("is_public & nobody | asset.read", "any[all[Flag is_public, nobody], granted 0]"),
        ("is_public & (nobody | asset.read)", "all[Flag is_public, any[nobody, granted 0]]"),
        ("(is_public | nobody) & asset.read", "all[any[Flag is_public, nobody], granted 0]"),
        ("((is_public))", "Flag is_public"),
        (
            "any(shares: user(user_id) | team.read & until(ends_at)) & is_public | everyone",
            "any[all[any row of 2: any[User user_id, all[granted team, Until ends_at]], Flag is_public], Everyone]",
        ),
        (
            "any(shares: any(teams: read) & is(level, 1, -2, \"x\", path::X))",
            "any row of 2: all[any row of teams: granted read, Is level of 4]",
        ),
    ] {
        assert_eq!(read(written), meant, "{written}");
    }
}
