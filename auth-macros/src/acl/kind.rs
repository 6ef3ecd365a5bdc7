//! The terms of policies, in one table: how each is written and generated, and what decides it.

/// A term with what stands in its parentheses.
pub(super) enum Kind {
    Column(ColumnTerm),
    Subject(SubjectTerm),
    /// `any(relation: RULE)`
    AnyRow,
    Nobody,
}

/// A term about a column of the row.
pub(crate) struct ColumnTerm {
    pub(crate) leaf: Leaf,
    pub(crate) check: &'static ColumnCheck,
    /// Whether the policy has the values that the column is compared with.
    pub(crate) has_values: bool,
    /// The function that decides it over a field. Without one the database decides.
    pub(crate) in_memory: Option<&'static str>,
}

/// A term about the subject alone.
pub(crate) struct SubjectTerm {
    pub(crate) leaf: Leaf,
    /// The noun for the name that it takes.
    pub(super) takes: Option<&'static str>,
    pub(crate) in_memory: &'static str,
}

/// The variant of the runtime's `Leaf`, or of the `Principal` in it.
#[derive(Clone, Copy)]
pub(crate) enum Leaf {
    Principal(&'static str),
    Plain(&'static str),
}

/// A term's requirement on its column: the function that checks a column of the context, the one that finds a column of
/// related rows, and the error for a column of another type.
pub(crate) struct ColumnCheck {
    pub(crate) own: &'static str,
    pub(crate) of_related: &'static str,
    pub(crate) mistyped: &'static str,
    /// Whether more than the absence of a value decides.
    pub(crate) reads_value: bool,
}

/// All terms with a name, in the order in which messages list them.
pub(super) static TERMS: [(&str, Kind); 13] = [
    ("user", of_id("User", "user_of")),
    ("account", of_id("Account", "account_of")),
    ("role", named(Leaf::Principal("Role"), "role", "of_role")),
    ("account_role", named(Leaf::Principal("AccountRole"), "role", "of_account_role")),
    ("permission", named(Leaf::Plain("Permission"), "permission", "of_permission")),
    ("is_null", Kind::Column(ColumnTerm::of_row("IsNull", &NULL).in_memory("is_null"))),
    (
        "is",
        Kind::Column(ColumnTerm { has_values: true, ..ColumnTerm::of_row("Is", &COMPARED).in_memory("is") }),
    ),
    ("until", Kind::Column(ColumnTerm::of_row("Until", &TIME))),
    ("since", Kind::Column(ColumnTerm::of_row("Since", &TIME))),
    ("any", Kind::AnyRow),
    ("every_logged_in_user", alone(Leaf::Principal("EveryLoggedInUser"), "of_every_logged_in_user")),
    ("everyone", alone(Leaf::Plain("Everyone"), "of_everyone")),
    ("nobody", Kind::Nobody),
];

/// A boolean column by itself.
pub(super) static FLAG: ColumnTerm = ColumnTerm::of_row("Flag", &BOOLEAN).in_memory("flag");

pub(super) fn names() -> [&'static str; TERMS.len()] {
    TERMS.each_ref().map(|(name, _)| *name)
}

const fn of_id(principal: &'static str, in_memory: &'static str) -> Kind {
    let leaf = Leaf::Principal(principal);
    Kind::Column(ColumnTerm { leaf, check: &ID, has_values: false, in_memory: Some(in_memory) })
}

const fn named(leaf: Leaf, takes: &'static str, in_memory: &'static str) -> Kind {
    Kind::Subject(SubjectTerm { leaf, takes: Some(takes), in_memory })
}

const fn alone(leaf: Leaf, in_memory: &'static str) -> Kind {
    Kind::Subject(SubjectTerm { leaf, takes: None, in_memory })
}

impl ColumnTerm {
    const fn of_row(leaf: &'static str, check: &'static ColumnCheck) -> Self {
        Self { leaf: Leaf::Plain(leaf), check, has_values: false, in_memory: None }
    }

    const fn in_memory(self, function: &'static str) -> Self {
        Self { in_memory: Some(function), ..self }
    }

    /// A boolean column by itself, where a permission may stand as well.
    pub(crate) fn is_flag(&self) -> bool {
        std::ptr::eq(self, &raw const FLAG)
    }

    /// Whether it is true or false for everybody.
    pub(crate) const fn is_about_row(&self) -> bool {
        matches!(self.leaf, Leaf::Plain(_))
    }
}

impl SubjectTerm {
    /// The word of the term may be that of a column as well.
    pub(crate) const fn is_everyone(&self) -> bool {
        matches!(self.leaf, Leaf::Plain(_)) && self.takes.is_none()
    }
}

static ID: ColumnCheck = ColumnCheck {
    own: "id_column",
    of_related: "id_column_of",
    mistyped: "does not hold ids",
    reads_value: true,
};
static NULL: ColumnCheck = ColumnCheck {
    own: "null_column",
    of_related: "null_column_of",
    mistyped: "is never null",
    reads_value: false,
};
static BOOLEAN: ColumnCheck = ColumnCheck {
    own: "flag_column",
    of_related: "flag_column_of",
    mistyped: "is not true or false; compare it",
    reads_value: true,
};
static COMPARED: ColumnCheck = ColumnCheck {
    own: "compared_column",
    of_related: "compared_column_of",
    mistyped: "cannot have one of these values; a boolean column has `true` and `false`, an integer column the \
               integers of its size, and a text column texts",
    reads_value: true,
};
static TIME: ColumnCheck = ColumnCheck {
    own: "time_column",
    of_related: "time_column_of",
    mistyped: "does not hold a time; `until` and `since` compare a `Timestamp`",
    reads_value: true,
};
