//! The lists of accounts, users, assets and sensors contain exactly the readable rows, page by page.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the functions that the tests share may panic, too"
)]

use std::collections::BTreeMap;

use actix_web::http::{Method, StatusCode};
use diesel::{QueryDsl, RunQueryDsl, connection::SimpleConnection};
use energy_service::{
    Config,
    database::{Connection, Database},
    error::ServiceError,
    schema::{accounts, users},
};
use serde_json::{Value, json};

use super::{
    SERVER,
    models::{WORLD, token},
    requests::{Answer, Client},
};

const KINDS: [&str; 4] = ["accounts", "users", "assets", "sensors"];

/// Rows beyond the small world: names that mean something to `LIKE`, in both cases, and some equal ones.
const MORE: &str = r"
    INSERT INTO assets (id, name, account_id) VALUES
        (10, '100% solar', 1), (11, '100 solar', 1), (12, 'A_C unit', 1), (13, 'ABC unit', 1), (14, 'twin', 1),
        (15, 'twin', 1), (16, 'wow!', 1), (17, 'back\\slash', 1), (18, 'twin', 2), (19, 'Twin', NULL);
    INSERT INTO sensors (id, asset_id, name, unit, event_resolution_minutes) VALUES
        (10, 10, 'b', 'kW', 15), (11, 10, 'a', 'kW', 15), (12, 18, 'c', 'kW', 15);
";

/// The small world and more, with a token for each user by the local part of the address.
struct Lists {
    client: Client,
    tokens: BTreeMap<String, String>,
}

impl Lists {
    fn new() -> Self {
        let client = Client::of(|config| Config { demo: false, ..config });
        let connection = &mut *client.service.database().connection().unwrap();
        // `\\` is one backslash where a backslash escapes, and two elsewhere.
        let more = match connection {
            #[cfg(feature = "mysql")]
            Connection::Mysql(_) => MORE.to_owned(),
            _ => MORE.replace(r"\\", r"\"),
        };
        connection.batch_execute(WORLD).unwrap();
        connection.batch_execute(&more).unwrap();
        let emails: Vec<String> = users::table.select(users::email).load(connection).unwrap();
        let tokens = emails
            .into_iter()
            .map(|email| {
                let token = token(&email, connection).as_str().to_owned();
                (email.trim_end_matches("@x").to_owned(), token)
            })
            .collect();
        Self { client, tokens }
    }

    async fn get(&self, who: &str, path: &str) -> Answer {
        let token = self.tokens[who].as_str();
        self.client.send(Some(token), Method::GET, &format!("/api/v3_0{path}"), None).await
    }

    async fn list(&self, who: &str, path: &str) -> Value {
        let answer = self.get(who, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path} by {who}: {}", answer.body);
        answer.body
    }

    /// The ids of the page, the first by default, and the numbers of all and of the filtered rows. All rows, if they are few, are
    /// the same.
    async fn page(&self, who: &str, path: &str) -> (Vec<i64>, i64, i64) {
        let is_page = path.contains("page=");
        let separator = if path.contains('?') { '&' } else { '?' };
        let path = if is_page { path.to_owned() } else { format!("{path}{separator}page=1") };
        let path = path.as_str();
        let list = self.list(who, path).await;
        (ids(&list), list["num-records"].as_i64().unwrap(), list["filtered-records"].as_i64().unwrap())
    }
}

fn ids(list: &Value) -> Vec<i64> {
    list["data"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

#[actix_web::test]
async fn a_list_holds_exactly_what_may_be_read_by_its_id() {
    let lists = Lists::new();
    let mut readable = 0;
    for kind in KINDS {
        let (all, ..) = lists.page("admin", &format!("/{kind}?per_page=100")).await;
        for who in lists.tokens.keys() {
            let mut expected = Vec::new();
            for id in &all {
                let answer = lists.get(who, &format!("/{kind}/{id}")).await;
                match answer.status {
                    StatusCode::OK => expected.push(answer.body),
                    status => assert_eq!(status, StatusCode::FORBIDDEN, "/{kind}/{id} by {who}"),
                }
            }
            readable += expected.len();
            let list = lists.list(who, &format!("/{kind}?per_page=100")).await;
            assert_eq!(list["data"], json!(expected), "/{kind} by {who}");
            assert_eq!(list["num-records"], expected.len(), "/{kind} by {who}");
            assert_eq!(list["filtered-records"], expected.len(), "/{kind} by {who}");
        }
    }
    assert!(readable > 100, "there is something to read: {readable}");
}

#[actix_web::test]
async fn the_pages_make_up_the_list() {
    let lists = Lists::new();
    for order in ["", "&sort_by=name", "&sort_by=name&sort_dir=desc", "&sort_by=id&sort_dir=desc"] {
        let (all, ..) = lists.page("member", &format!("/assets?per_page=100{order}")).await;
        assert_eq!(all.len(), 11);
        let mut pages = Vec::new();
        for page in 1..=4 {
            let path = format!("/assets?per_page=4&page={page}{order}");
            let (ids, num_records, filtered_records) = lists.page("member", &path).await;
            assert_eq!((num_records, filtered_records), (11, 11), "{path}");
            assert!(ids.len() <= 4, "{path}");
            pages.extend(ids);
        }
        assert_eq!(pages, all, "{order}");
    }
    let (beyond, num_records, _) = lists.page("member", "/assets?page=2147483647&per_page=100").await;
    assert_eq!((beyond, num_records), (vec![], 11));
    // Twenty by default.
    for id in 100..130 {
        let insert = format!("INSERT INTO accounts (id, name) VALUES ({id}, 'one more')");
        lists.client.service.database().connection().unwrap().batch_execute(&insert).unwrap();
    }
    let (first, num_records, _) = lists.page("admin", "/accounts").await;
    assert_eq!((first.len(), num_records), (20, 34));
}

#[actix_web::test]
async fn a_list_is_in_the_order_that_is_asked_for() {
    let lists = Lists::new();
    for (path, expected) in [
        // Names of the same text are in the order of their ids, in both directions.
        ("/assets?filter=twin&sort_by=name", &[19, 14, 15][..]),
        ("/assets?filter=twin&sort_by=name&sort_dir=desc", &[14, 15, 19]),
        ("/assets?filter=twin&sort_dir=desc", &[19, 15, 14]),
        ("/sensors?sort_by=name&asset_id=10", &[11, 10]),
        ("/sensors?sort_by=id&asset_id=10", &[10, 11]),
        ("/users?sort_by=username", &[12, 13, 11]),
        ("/users?sort_by=email&sort_dir=desc", &[13, 11, 12]),
        ("/users", &[11, 12, 13]),
    ] {
        assert_eq!(lists.page("member", path).await.0, expected, "{path}");
    }
    let (accounts, ..) = lists.page("admin", "/accounts?sort_by=name").await;
    assert_eq!(accounts, [3, 4, 1, 2]);
}

#[actix_web::test]
async fn a_filter_is_a_text_and_no_pattern() {
    let lists = Lists::new();
    for (filter, expected) in [
        ("", &[1, 2, 10, 11, 12, 13, 14, 15, 16, 17, 19][..]),
        ("%25", &[10]),
        ("100%25", &[10]),
        ("100", &[10, 11]),
        ("A_C", &[12]),
        ("a_c", &[12]),
        ("_", &[12]),
        ("ABC", &[13]),
        ("!", &[16]),
        ("%5C", &[17]),
        ("%25%25", &[]),
        ("SOLAR", &[10, 11]),
        ("twin", &[14, 15, 19]),
        ("'%20OR%20''%3D'", &[]),
    ] {
        let (ids, num_records, filtered_records) =
            lists.page("member", &format!("/assets?filter={filter}")).await;
        assert_eq!(ids, expected, "{filter}");
        assert_eq!((num_records, filtered_records), (11, i64::try_from(expected.len()).unwrap()), "{filter}");
    }
    // A user is found by the name and by the address, others' users by neither.
    for (filter, expected) in [
        ("another%20account", &[13][..]),
        ("own-consultant@", &[13]),
        ("stranger", &[]),
        ("@X", &[11, 12, 13]),
    ] {
        assert_eq!(lists.page("member", &format!("/users?filter={filter}")).await.0, expected, "{filter}");
    }
}

#[actix_web::test]
async fn a_list_is_narrowed_down_to_what_belongs_to_one() {
    let lists = Lists::new();
    for (who, path, expected, num_records) in [
        ("admin", "/assets?account_id=2", &[18][..], 12),
        ("member", "/assets?account_id=2", &[], 11),
        ("member", "/assets?account_id=99", &[], 11),
        ("admin", "/users?account_id=3", &[31, 32], 10),
        ("member", "/users?account_id=3", &[], 3),
        ("admin", "/sensors?asset_id=18", &[12], 5),
        ("member", "/sensors?asset_id=18", &[], 4),
        ("member", "/sensors?asset_id=10&filter=a", &[11], 4),
    ] {
        let filtered_records = i64::try_from(expected.len()).unwrap();
        let observed = lists.page(who, path).await;
        assert_eq!(observed, (expected.to_vec(), num_records, filtered_records), "{path} by {who}");
    }
}

#[actix_web::test]
async fn what_no_list_takes_is_400_and_nobody_gets_one() {
    let lists = Lists::new();
    for kind in KINDS {
        for wrong in [
            "page=0",
            "page=-1",
            "page=x",
            "page=",
            "page=4294967296",
            "page=1&page=2",
            "per_page=0",
            "per_page=101",
            "sort_by=password_hash",
            "sort_by=name;",
            "sort_by=",
            "sort_dir=up",
            "sort_dir=ASC",
            "filter=%00",
            "filter=a%0Ab",
            "no-such-parameter=1",
            "Page=1",
            "account_id=x",
            "asset_id=x",
        ] {
            let answer = lists.get("admin", &format!("/{kind}?{wrong}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "/{kind}?{wrong}");
        }
        let too_long = "x".repeat(300);
        let answer = lists.get("admin", &format!("/{kind}?filter={too_long}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "/{kind}");
        for path in [format!("/api/v3_0/{kind}"), format!("/api/v3_0/{kind}?page=0")] {
            let answer = lists.client.send(None, Method::GET, &path, None).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        }
    }
    // Each list takes the parameters that it has, and not those of another.
    for wrong in [
        "accounts?account_id=1",
        "accounts?asset_id=1",
        "accounts?sort_by=username",
        "users?asset_id=1",
        "users?sort_by=name",
        "assets?asset_id=1",
        "assets?sort_by=email",
        "sensors?account_id=1",
    ] {
        let answer = lists.get("admin", &format!("/{wrong}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

/// Either all of the statements see a concurrent commit, or none does.
#[test]
fn what_is_read_is_of_one_moment() {
    let place = SERVER.database();
    let database = Database::open(place.location(), 2, std::time::Duration::from_secs(5)).unwrap();
    let count = |connection: &mut Connection| -> Result<i64, ServiceError> {
        Ok(accounts::table.count().get_result(connection)?)
    };
    let (reader, writer) = (&mut *database.connection().unwrap(), &mut *database.connection().unwrap());
    // A database of SQLite in memory has one lock for all: a reader keeps a writer waiting, here in vain.
    let waits = matches!(writer, Connection::Sqlite(_));
    if waits {
        writer.batch_execute("PRAGMA busy_timeout = 100").unwrap();
    }
    let insert = "INSERT INTO accounts (name) VALUES ('new')";
    let counts = reader.read_transaction(|reader| {
        let before = count(reader)?;
        assert_eq!(writer.batch_execute(insert).is_err(), waits);
        Ok::<_, ServiceError>((before, count(reader)?))
    });
    let (before, after) = counts.unwrap();
    assert_eq!(before, after);
}
