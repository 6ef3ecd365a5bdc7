//! The indexes that rules of each form want.

use auth_core::{AuthModel, Permission, Scoped};
use diesel::{prelude::*, sqlite::Sqlite};

diesel::table! {
    archive.order (id) {
        id -> Integer,
        author_id -> Integer,
        account_id -> Nullable<Integer>,
        Shop -> Integer,
        kind -> Text,
        is_open -> Bool,
        ends_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    shops (id) { id -> Integer, owner_id -> Integer, order_id -> Integer, ends_at -> Nullable<Timestamp> }
}

diesel::table! {
    clerks (shop_id, user_id) { shop_id -> Integer, user_id -> Integer, account_id -> Integer }
}

const SHOP: Permission = Permission::new("shop");

/// The permissions are forms of rules.
macro_rules! order {
    ($name:ident = $($rule:tt)+) => {
        #[derive(Queryable, Selectable, AuthModel)]
        #[diesel(table_name = order, check_for_backend(Sqlite))]
        #[auth(belongs_to(shop: Shop, Shop), has_many(shops: Shop, order_id))]
        #[acl(read = $($rule)+)]
        #[allow(non_snake_case, dead_code, reason = "a column has such a name; nobody loads a row")]
        struct $name {
            id: i32,
            author_id: i32,
            account_id: Option<i32>,
            Shop: i32,
            kind: String,
            is_open: bool,
            ends_at: Option<time::PrimitiveDateTime>,
        }
    };
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = shops, check_for_backend(Sqlite))]
#[auth(belongs_to(order: ByShop, order_id), has_many(clerks: Clerk, shop_id))]
#[acl(SHOP = any(clerks: user(user_id) | account(account_id)), read = order.read | user(owner_id))]
#[allow(dead_code, reason = "nobody loads a row")]
struct Shop {
    id: i32,
    owner_id: i32,
    order_id: i32,
    ends_at: Option<time::PrimitiveDateTime>,
}

#[derive(Queryable, Selectable, AuthModel)]
#[diesel(table_name = clerks, primary_key(shop_id, user_id), check_for_backend(Sqlite))]
#[acl()]
#[allow(
    dead_code,
    clippy::struct_field_names,
    reason = "nobody loads a row, and its columns have these names"
)]
struct Clerk {
    shop_id: i32,
    user_id: i32,
    account_id: i32,
}

order!(ByShop = shop.SHOP);
order!(ByAuthor = user(author_id) & is(kind, "a") & until(ends_at) & account(account_id));
order!(ByKey = user(id) | user(id) & until(ends_at) | nobody | everyone & is_open);
order!(ByOne = (role("a") | user(author_id)) & (role("b") | account(account_id)) & until(ends_at));
order!(ByBoth = (user(author_id) | account(account_id)) & shop.SHOP);
order!(ByFirst = user(author_id) & shop.SHOP);
order!(ByEnd = any(shops: until(ends_at) & everyone));
order!(ByOwner = any(shops: user(owner_id) & role("a") & until(ends_at)));

/// The tables with the columns.
fn indexes<M: Scoped>() -> Vec<String> {
    let indexes = M::POLICY.indexes();
    indexes.iter().map(|index| format!("{} {}", index.table(), index.columns().join(" "))).collect()
}

#[test]
fn an_index_has_what_is_equal_before_times() {
    assert_eq!(indexes::<ByAuthor>(), ["order author_id account_id ends_at"]);
}

#[test]
fn keys_have_an_index_and_what_concerns_all_rows_needs_none() {
    assert_eq!(indexes::<ByKey>(), [""; 0]);
}

#[test]
fn what_the_subject_alone_decides_leaves_the_rest_to_find_rows() {
    assert_eq!(indexes::<ByOne>(), ["order account_id ends_at", "order author_id ends_at"]);
}

#[test]
fn of_what_has_to_hold_at_once_the_values_of_the_subject_find_rows() {
    let of_shops = ["clerks account_id shop_id", "clerks user_id shop_id"];
    assert_eq!(indexes::<ByFirst>(), [&of_shops[..], &["order author_id"]].concat());
    let any = ["order Shop", "order account_id", "order author_id"];
    assert_eq!(indexes::<ByBoth>(), [&of_shops[..], &any].concat());
}

#[test]
fn rows_that_refer_to_one_are_found_from_it_and_from_the_subject() {
    assert_eq!(indexes::<ByEnd>(), ["shops order_id ends_at"]);
    assert_eq!(indexes::<ByOwner>(), ["shops owner_id order_id ends_at"]);
}

#[test]
fn policies_that_refer_to_each_other_come_to_an_end() {
    let of_shops = ["clerks account_id shop_id", "clerks user_id shop_id"];
    assert_eq!(indexes::<ByShop>(), [&of_shops[..], &["order Shop"]].concat());
    assert_eq!(
        indexes::<Shop>(),
        [&of_shops[..], &["shops order_id", "shops owner_id", "order Shop"]].concat()
    );
}

#[test]
fn names_have_their_schema_and_quotes() {
    let indexes = ByShop::POLICY.indexes();
    let [.., index] = &indexes.iter().collect::<Vec<_>>()[..] else { panic!("no index") };
    assert_eq!(index.schema(), Some("archive"));
    assert_eq!(index.to_string(), "CREATE INDEX \"order_Shop\" ON archive.\"order\" (\"Shop\")");
    assert_eq!(format!("{index:#}"), "CREATE INDEX `order_Shop` ON archive.`order` (`Shop`)");
    assert!(format!("{indexes:#}").ends_with("ON archive.`order` (`Shop`);\n"));
}
