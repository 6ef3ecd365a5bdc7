//! Lists, page by page or as a whole: the common part of the lists of accounts, users, assets and sensors. Each begins with the rows
//! that the caller may read, so it counts those alone.

use std::{any::TypeId, io};

use auth_core::{
    Accessible, Scoped, Visible, VisibleBits,
    permission::{CreateChildren, Delete, Read, Update},
};
use diesel::{
    Expression, ExpressionMethods, RunQueryDsl, Selectable,
    dsl::{AsSelect, Asc, CountStar, Desc, Select},
    query_dsl::{
        LoadQuery,
        methods::{LimitDsl, OffsetDsl, OrderDsl, SelectDsl},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        RefOr, Required, Schema,
        path::{Parameter, ParameterBuilder, ParameterIn},
    },
};

use super::{
    bounds,
    input::{valid_filter, within},
};
use crate::{
    database::{Connection, Database},
    error::ServiceError,
};

/// The rows of one page, if the client does not say how many.
pub(super) const PER_PAGE: u32 = 20;

/// The page that the client selects; all rows, if it selects none. `C` are the columns that the list may be ordered by; `A` and
/// `S` are the ids of an account and of an asset, in lists that are narrowed down to the objects of one; `T` is the text of the
/// parameters of the list of assets, which [`Narrowing`](super::narrowing::Narrowing) reads.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery<C, A = Never, S = Never, T = Never> {
    /// From 1.
    page: Option<u32>,
    per_page: Option<u32>,
    /// A text that the name contains.
    filter: Option<String>,
    sort_by: Option<C>,
    sort_dir: Option<Direction>,
    account_id: Option<A>,
    asset_id: Option<S>,
    pub(super) all_accessible: Option<T>,
    pub(super) include_public: Option<T>,
    pub(super) root: Option<T>,
    pub(super) depth: Option<T>,
    pub(super) fields: Option<T>,
}

/// For a parameter that a list does not take: there is no value of it.
#[derive(Clone, Copy, Deserialize)]
pub(super) enum Never {}

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Direction {
    #[default]
    Asc,
    Desc,
}

/// The permissions that a reader of a row learns to have: the buttons of a user interface.
pub(super) type Buttons = (CreateChildren, Update, Delete);

/// A row with these. For `utoipa`, which describes each parameter of a type.
pub(super) type Shown<T> = Visible<T, Buttons>;

/// The columns of which a [`Shown`] row is made.
type ShownColumns<T> = (AsSelect<T, <T as Scoped>::Backend>, VisibleBits<T>);

/// A page, and how many rows there are.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Listed<T> {
    pub(super) data: Vec<T>,
    /// All that the caller may read.
    pub(super) num_records: i64,
    /// Those among them that match the client's filters, on all pages.
    pub(super) filtered_records: i64,
}

/// The answer of a list: a page if the client selected one, and else all rows, as FlexMeasures has it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Rows<T> {
    /// All that match the client's filters.
    All(Vec<T>),
    /// A page.
    Page(Listed<T>),
}

impl<T> Rows<T> {
    pub(super) fn of(listed: Listed<T>, is_page: bool) -> Self {
        if is_page { Self::Page(listed) } else { Self::All(listed.data) }
    }

    /// The same rows, each in another form.
    pub(super) fn try_map<U, E>(self, form: impl FnMut(T) -> Result<U, E>) -> Result<Rows<U>, E> {
        Ok(match self {
            Self::All(rows) => Rows::All(rows.into_iter().map(form).collect::<Result<_, _>>()?),
            Self::Page(Listed { data, num_records, filtered_records }) => Rows::Page(Listed {
                data: data.into_iter().map(form).collect::<Result<_, _>>()?,
                num_records,
                filtered_records,
            }),
        })
    }
}

/// As the fields are written; a parameter that the list does not take is left out.
impl<C: ToSchema, A: 'static, S: 'static, T: 'static> IntoParams for ListQuery<C, A, S, T> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let id = |taken: bool| taken.then(i32::schema);
        let of_assets = is_taken::<T>();
        let parameters: [(_, _, Option<RefOr<Schema>>); 12] = [
            (
                "page",
                "From 1. Without this and `per_page`, the answer is an array of all rows.",
                Some(bounds::page().into()),
            ),
            ("per_page", "The rows of a page.", Some(bounds::per_page().into())),
            ("filter", "A text that the name contains.", Some(bounds::filter().into())),
            ("sort_by", "The column that the list is ordered by.", Some(C::schema())),
            ("sort_dir", "The direction of the order.", Some(Direction::schema())),
            ("account_id", "Only what belongs to this account.", id(is_taken::<A>())),
            ("asset_id", "Only what belongs to this asset.", id(is_taken::<S>())),
            (
                "all_accessible",
                "If `false`, only the assets of the caller's account, or of `account_id`.",
                of_assets.then(bool::schema),
            ),
            ("include_public", "Whether public assets are shown, too.", of_assets.then(bool::schema)),
            ("root", "Only this asset, its parts, and theirs.", id(of_assets)),
            (
                "depth",
                "How far below `root`, or below assets that are no parts, parts are shown.",
                of_assets.then(|| bounds::depth().into()),
            ),
            ("fields", "The fields that are shown, with `|` between them.", of_assets.then(String::schema)),
        ];
        let parameter = |(name, description, schema): (&str, &str, Option<_>)| {
            schema.map(|schema| {
                ParameterBuilder::new()
                    .name(name)
                    .parameter_in(ParameterIn::Query)
                    .required(Required::False)
                    .description(Some(description))
                    .schema(Some(schema))
                    .build()
            })
        };
        parameters.into_iter().filter_map(parameter).collect()
    }
}

fn is_taken<T: 'static>() -> bool {
    TypeId::of::<T>() != TypeId::of::<Never>()
}

diesel::define_sql_function! {
    /// In lower case, as far as the database knows letters: all of them know those of ASCII.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// Not a backslash, which has a meaning of its own in `MariaDB`'s texts.
pub(super) const ESCAPE: char = '!';

/// The pattern of texts that contain this one: `lower(name).like(lower(pattern(text))).escape(ESCAPE)`.
pub(super) fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.chars() {
        if matches!(character, '%' | '_' | ESCAPE) {
            pattern.push(ESCAPE);
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

impl<C: Copy, A: Copy, S: Copy, T> ListQuery<C, A, S, T> {
    /// A page of [`PER_PAGE`] rows, whose names contain the text, in the order of this column.
    pub(super) fn new(page: Option<u32>, filter: Option<String>, sort_by: C) -> Self {
        Self {
            page: page.or(Some(bounds::FIRST_PAGE)),
            per_page: None,
            filter,
            sort_by: Some(sort_by),
            sort_dir: None,
            account_id: None,
            asset_id: None,
            all_accessible: None,
            include_public: None,
            root: None,
            depth: None,
            fields: None,
        }
    }

    /// Whether the client selects a page, and no list of all rows.
    pub(super) fn is_page(&self) -> bool {
        self.page.is_some() || self.per_page.is_some()
    }

    pub(super) fn filter(&self) -> Option<&str> {
        self.filter.as_deref()
    }

    pub(super) fn sort_by(&self) -> Option<C> {
        self.sort_by
    }

    pub(super) fn account_id(&self) -> Option<A> {
        self.account_id
    }

    pub(super) fn asset_id(&self) -> Option<S> {
        self.asset_id
    }

    /// The query in the order of this column, in the direction of the client's choice.
    pub(super) fn sorted<Q, E>(&self, query: Q, column: E) -> Q
    where
        Q: OrderDsl<Asc<E>, Output = Q> + OrderDsl<Desc<E>, Output = Q>,
        E: ExpressionMethods + diesel::Expression,
    {
        match self.sort_dir.unwrap_or_default() {
            Direction::Asc => OrderDsl::order(query, column.asc()),
            Direction::Desc => OrderDsl::order(query, column.desc()),
        }
    }

    /// Reads the page and counts the rows, as of one moment. `narrowed` keeps the rows that match the client's filters,
    /// and `ordered` puts them in an order in which each has its own place.
    ///
    /// # Errors
    ///
    /// 400 if there is no such page.
    pub(super) async fn read<M>(
        self,
        rows: Accessible<M, Read>,
        narrowed: impl Fn(&Self, M::Query) -> M::Query + Send + 'static,
        ordered: impl Fn(&Self, M::Query) -> M::Query + Send + 'static,
        database: &Database,
    ) -> Result<Listed<Shown<M>>, ServiceError>
    where
        M: Scoped + Selectable<M::Backend> + Send,
        Shown<M>: Serialize,
        ShownColumns<M>: Expression,
        M::Query: LimitDsl<Output = M::Query>
            + OffsetDsl<Output = M::Query>
            + SelectDsl<CountStar>
            + SelectDsl<ShownColumns<M>>,
        <M::Query as SelectDsl<CountStar>>::Output: LoadQuery<'static, Connection, i64>,
        Select<M::Query, ShownColumns<M>>: LoadQuery<'static, Connection, Shown<M>>,
        Self: Send + 'static,
    {
        let (limit, offset) = self.bounds()?;
        database
            .run(move |connection| {
                connection.read_transaction(|connection| {
                    let wanted = || narrowed(&self, rows.query());
                    let count = |query| SelectDsl::select(query, diesel::dsl::count_star());
                    let filtered_records = count(wanted()).get_result(connection)?;
                    if !self.is_page() && filtered_records > bounds::ROWS {
                        return Err(ServiceError::invalid(format!(
                            "there are more than {} of them; select pages by `page`",
                            bounds::ROWS
                        )));
                    }
                    let (mut data, mut length, mut read) = (Vec::new(), Length(0), 0);
                    while read < limit {
                        let at_once = bounds::ROWS_AT_ONCE.min(limit - read);
                        let part = ordered(&self, wanted());
                        let part = OffsetDsl::offset(LimitDsl::limit(part, at_once), offset + read);
                        let part: Vec<Shown<M>> = rows.select_visible::<Buttons>(part).load(connection)?;
                        serde_json::to_writer(&mut length, &part).map_err(ServiceError::internal)?;
                        if length.0 > bounds::ANSWER {
                            return Err(ServiceError::invalid(format!(
                                "the rows have more than {} bytes; select fewer by `per_page`",
                                bounds::ANSWER
                            )));
                        }
                        let is_last = part.len() < usize::try_from(at_once).unwrap_or(usize::MAX);
                        data.extend(part);
                        read += at_once;
                        if is_last {
                            break;
                        }
                    }
                    let num_records = count(rows.query()).get_result(connection)?;
                    Ok(Listed { data, num_records, filtered_records })
                })
            })
            .await
    }

    /// The number of rows of the page, and of those before it.
    fn bounds(&self) -> Result<(i64, i64), ServiceError> {
        let (page, per_page) = (self.page.unwrap_or(1), self.per_page.unwrap_or(PER_PAGE));
        within("page", page, &bounds::PAGES)?;
        within("per_page", per_page, &bounds::PER_PAGE)?;
        if let Some(filter) = self.filter() {
            valid_filter(filter)?;
        }
        if !self.is_page() {
            return Ok((bounds::ROWS, 0));
        }
        Ok((per_page.into(), i64::from(per_page) * i64::from(page - bounds::FIRST_PAGE)))
    }
}

/// Counts what is written.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn what_a_pattern_means_something_by_is_escaped() {
        assert_eq!(pattern("100 %_!\\"), "%100 !%!_!!\\%");
        assert_eq!(pattern(""), "%%");
    }
}
