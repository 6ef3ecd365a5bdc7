//! The common part of the pages with lists: a filter, the number of rows, and the way to the other pages.

use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::layout::Done;
use crate::routes::page::{ListQuery, Listed, PER_PAGE};

/// Filters the rows of a page.
pub(super) fn filter_form(path: &str, label: &str, filter: Option<&str>) -> Markup {
    html! {
        form.search method="get" action=(path) role="search" {
            label for="filter" { (label) }
            div.beside {
                input id="filter" name="filter" type="search" autocomplete="off"
                    value=(filter.unwrap_or_default());
                button.quiet type="submit" { "Filter" }
            }
        }
    }
}

/// The page of a list that a person selects.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    page: Option<u32>,
    filter: Option<String>,
    pub(super) done: Option<Done>,
}

impl Wanted {
    pub(super) fn query<C: Copy, A: Copy, S: Copy>(&self, sort_by: C) -> ListQuery<C, A, S> {
        ListQuery::new(self.page, self.filter.clone(), sort_by)
    }

    fn filter(&self) -> Option<&str> {
        self.filter.as_deref().filter(|filter| !filter.is_empty())
    }

    /// The filter above the list, the list with the columns of `table`, and the way to other pages.
    pub(super) fn show<T>(&self, path: &str, listed: &Listed<T>, table: &Markup) -> Markup {
        html! {
            (filter_form(path, "Name contains", self.filter()))
            p.count {
                @match (listed.filtered_records, self.filter()) {
                    (0, None) => "There is nothing here that you may see.",
                    (0, Some(_)) => "Nothing of what you may see has such a name.",
                    (1, None) => "One in all.",
                    (all, None) => { (all) " in all." },
                    (some, Some(_)) => { (some) " of " (listed.num_records) "." },
                }
                @if self.filter().is_some() {
                    " " a href=(path) { "Show all" }
                }
            }
            @if !listed.data.is_empty() {
                (table)
            }
            (self.pager(path, listed.filtered_records))
        }
    }

    fn pager(&self, path: &str, records: i64) -> Markup {
        let page = i64::from(self.page.unwrap_or(1));
        let pages = (records + i64::from(PER_PAGE) - 1) / i64::from(PER_PAGE);
        let link = |page: i64| match self.filter() {
            Some(filter) => {
                format!("{path}?page={page}&filter={}", utf8_percent_encode(filter, NON_ALPHANUMERIC))
            }
            None => format!("{path}?page={page}"),
        };
        html! {
            @if pages > 1 || page > 1 {
                nav.pager aria-label="Pages" {
                    @if page > 1 {
                        // A reader beyond the last page comes back to it.
                        a rel="prev" href=(link((page - 1).min(pages.max(1)))) { "Previous" }
                    }
                    span { "Page " (page) " of " (pages.max(1)) }
                    @if page < pages {
                        a rel="next" href=(link(page + 1)) { "Next" }
                    }
                }
            }
        }
    }
}
