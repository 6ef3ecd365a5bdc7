//! The requests of clients, and their form in HTTP.

use serde_json::{Value, json};

use crate::soak::model::{By, Kind, Object, Permission};

/// A request.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    // A request that reads.
    May(Permission, Object),
    View(Object),
    Page(Object),
    ViewInAccount { account: i32, asset: i32 },
    Measurements(i32),
    List { kind: Kind, of: Option<i32> },
    Clients,
    Portfolio,
    Roles,
    RolesOf(i32),
    Me,
    // A change on which no user's access depends. Each with a number of its own.
    Rename(Object, u64),
    Record(i32, u64),
    // A change of permissions.
    ChangeRoles { user: i32, grant: Vec<&'static str>, revoke: Vec<&'static str> },
    SetActive { user: i32, active: bool },
    CreateAccount { consultancy: Option<i32> },
    CreateUser { account: i32, number: u64 },
    CreateAsset { account: Option<i32>, parent: Option<i32> },
    CreateSensor { asset: i32 },
    Delete(Object),
    RevokeToken,
    LogOut,
    LogIn { user: i32, email: String, by: By },
}

pub(crate) enum Body {
    None,
    Json(Value),
    Form(String),
}

pub(crate) const PASSWORD: &str = "long enough";

impl Ask {
    pub(crate) fn request(&self) -> (&'static str, String, Body) {
        let api = |path: String| format!("/api/v3_0{path}");
        let get = |path: String| ("GET", api(path), Body::None);
        match self {
            Self::May(permission, object) => {
                let permission = match permission {
                    Permission::Create => "create-children",
                    Permission::Read => "read",
                    Permission::Update => "update",
                    Permission::Delete => "delete",
                };
                get(format!("{}/permissions/{permission}", object.path()))
            }
            Self::View(object) => get(object.path()),
            Self::Page(object) => ("GET", object.path(), Body::None),
            Self::ViewInAccount { account, asset } => get(format!("/accounts/{account}/assets/{asset}")),
            Self::Measurements(sensor) => get(format!(
                "/sensors/{sensor}/measurements?start=2000-01-01T00:00:00Z&end=2000-01-02T00:00:00Z"
            )),
            Self::List { kind, of } => {
                let kind = match kind {
                    Kind::Account => "accounts",
                    Kind::User => "users",
                    Kind::Asset => "assets",
                    Kind::Sensor => "sensors",
                };
                let of = of.map(|account| format!("&account_id={account}")).unwrap_or_default();
                get(format!("/{kind}?per_page=100{of}"))
            }
            Self::Clients => get("/clients".to_owned()),
            Self::Portfolio => get("/portfolio".to_owned()),
            Self::Roles => get("/roles".to_owned()),
            Self::RolesOf(user) => get(format!("/users/{user}/roles")),
            Self::Me => get("/users/me".to_owned()),
            Self::Rename(object, number) => {
                let field = if matches!(object, Object::User(_)) { "username" } else { "name" };
                ("PATCH", api(object.path()), Body::Json(json!({ field: name(*number) })))
            }
            Self::Record(sensor, number) => {
                let events = json!([{ "event_start": instant(*number), "event_value": 1 }]);
                ("POST", api(format!("/sensors/{sensor}/measurements")), Body::Json(events))
            }
            Self::ChangeRoles { user, grant, revoke } => {
                let changes = json!({ "grant": grant, "revoke": revoke });
                ("PATCH", api(format!("/users/{user}/roles")), Body::Json(changes))
            }
            Self::SetActive { user, active } => {
                ("PATCH", api(format!("/users/{user}")), Body::Json(json!({ "active": active })))
            }
            Self::CreateAccount { consultancy } => {
                let account = json!({ "name": "new", "consultancy_account_id": consultancy });
                ("POST", api("/accounts".to_owned()), Body::Json(account))
            }
            Self::CreateUser { account, number } => {
                let user = json!({ "email": email(*number), "username": "new", "password": PASSWORD });
                ("POST", api(format!("/accounts/{account}/users")), Body::Json(user))
            }
            Self::CreateAsset { account, parent } => {
                let asset = json!({ "name": "new", "account_id": account, "parent_asset_id": parent });
                ("POST", api("/assets".to_owned()), Body::Json(asset))
            }
            Self::CreateSensor { asset } => {
                let sensor = json!({ "name": "new", "unit": "kW", "event_resolution_minutes": 15 });
                ("POST", api(format!("/assets/{asset}/sensors")), Body::Json(sensor))
            }
            Self::Delete(object) => ("DELETE", api(object.path()), Body::None),
            Self::RevokeToken => ("DELETE", api("/auth-tokens/current".to_owned()), Body::None),
            Self::LogOut => ("POST", "/log-out".to_owned(), Body::Form(String::new())),
            Self::LogIn { email, by: By::Token, .. } => {
                let credentials = json!({ "email": email, "password": PASSWORD });
                ("POST", "/api/requestAuthToken".to_owned(), Body::Json(credentials))
            }
            Self::LogIn { email, by: By::Session, .. } => {
                let credentials = format!("email={email}&password={}", PASSWORD.replace(' ', "+"));
                ("POST", "/log-in".to_owned(), Body::Form(credentials))
            }
        }
    }

    /// The kind of request, for counts.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::May(..) => "may I",
            Self::View(_) | Self::ViewInAccount { .. } | Self::Measurements(_) | Self::RolesOf(_) => "view",
            Self::Page(_) => "page",
            Self::List { .. } | Self::Clients | Self::Portfolio => "list",
            Self::Roles => "roles",
            Self::Me => "who am I",
            Self::Rename(..) => "rename",
            Self::Record(..) => "record a measurement",
            Self::ChangeRoles { .. } => "change roles",
            Self::SetActive { active: true, .. } => "activate a user",
            Self::SetActive { active: false, .. } => "deactivate a user",
            Self::CreateAccount { .. } => "create an account",
            Self::CreateUser { .. } => "create a user",
            Self::CreateAsset { .. } => "create an asset",
            Self::CreateSensor { .. } => "create a sensor",
            Self::Delete(Object::Account(_)) => "delete an account",
            Self::Delete(Object::User(_)) => "delete a user",
            Self::Delete(Object::Asset(_)) => "delete an asset",
            Self::Delete(_) => "delete a sensor",
            Self::RevokeToken => "revoke a token",
            Self::LogOut => "log out",
            Self::LogIn { by: By::Token, .. } => "log in for a token",
            Self::LogIn { by: By::Session, .. } => "log in for a session",
        }
    }

    /// This request once more, under a number of its own.
    pub(crate) fn again(&self, number: u64) -> Self {
        match *self {
            Self::Rename(object, _) => Self::Rename(object, number),
            Self::Record(sensor, _) => Self::Record(sensor, number),
            _ => self.clone(),
        }
    }

    /// Whether it changes something, but no user's access.
    pub(crate) fn is_harmless(&self) -> bool {
        matches!(self, Self::Rename(..) | Self::Record(..))
    }

    pub(crate) fn is_about_the_caller(&self) -> bool {
        matches!(self, Self::Me | Self::Clients | Self::Portfolio)
    }

    pub(crate) fn changes(&self) -> bool {
        self.request().0 != "GET"
    }
}

pub(crate) fn name(number: u64) -> String {
    format!("name {number}")
}

pub(crate) fn email(number: u64) -> String {
    format!("user-{number}@soak.example")
}

/// One for each number.
fn instant(number: u64) -> String {
    let (days, minutes) = (number / 1440, number % 1440);
    let (years, days) = (days / 336, days % 336);
    let (year, month, day) = (2000 + years, days / 28 + 1, days % 28 + 1);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:00Z", minutes / 60, minutes % 60)
}

impl Object {
    fn path(self) -> String {
        match self {
            Self::Platform => "/platform".to_owned(),
            Self::Account(id) => format!("/accounts/{id}"),
            Self::AccountLog(id) => format!("/accounts/{id}/audit-log"),
            Self::User(id) => format!("/users/{id}"),
            Self::UserLog(id) => format!("/users/{id}/audit-log"),
            Self::Asset(id) => format!("/assets/{id}"),
            Self::Sensor(id) => format!("/sensors/{id}"),
        }
    }
}
