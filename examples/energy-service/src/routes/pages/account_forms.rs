//! The form that changes an account.

use actix_web::{
    HttpResponse, get, post,
    web::{Data, Form},
};
use auth_core::{CurrentUser, Permission, ProtectedConfig, Scoped, Subject, permission_required_for_context};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use maud::Markup;
use serde::Deserialize;

use super::{
    PageError, accounts,
    form::{self, Field, Kind, Problem, again, still_of, version_field, whole_number},
    layout::{Page, Section, ok, see_other},
};
use crate::{
    auth::{ADMIN, LoggedIn},
    database::Database,
    error::ServiceError,
    models::Account,
    routes::{
        accounts::{self as endpoints, AccountChanges},
        input::Validate,
    },
    schema::accounts as columns,
};

pub(super) fn configure(config: &mut ProtectedConfig<'_>) {
    config.service(edit).service(change);
}

/// The most accounts in a choice.
const MOST_ACCOUNTS: i64 = 500;

/// The input about an account.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountForm {
    name: String,
    /// Only where the caller may change it. Empty: none.
    consultancy_account_id: Option<String>,
    version: Option<String>,
}

impl AccountForm {
    fn of(account: &Account, may_change_consultancy: bool) -> Result<Self, ServiceError> {
        let consultancy = account.consultancy_account_id.map(|id| id.to_string()).unwrap_or_default();
        Ok(Self {
            name: account.name.clone(),
            consultancy_account_id: may_change_consultancy.then_some(consultancy),
            version: Some(form::version(account)?),
        })
    }

    /// The changed fields.
    fn read(&self, account: &Account) -> Result<AccountChanges, ServiceError> {
        still_of(account, self.version.as_deref())?;
        let consultancy = match self.consultancy_account_id.as_deref() {
            None => account.consultancy_account_id,
            Some("") => None,
            Some(id) => Some(whole_number("consultancy_account_id", id)?),
        };
        let changes = AccountChanges {
            name: (self.name != account.name).then(|| self.name.clone()),
            consultancy_account_id: (consultancy != account.consultancy_account_id).then_some(consultancy),
        };
        changes.validate()?;
        Ok(changes)
    }
}

/// The accounts that may become the consultancy, for those who may change it: the policy leaves that to admins.
async fn consultancies(
    account: &Account,
    user: &CurrentUser<LoggedIn>,
    database: &Database,
) -> Result<Option<Vec<(i32, String)>>, ServiceError> {
    if !user.has_role(ADMIN) {
        return Ok(None);
    }
    let (caller, id) = (user.clone(), account.id);
    let others = database
        .run(move |connection| {
            Ok(Account::accessible_by(&*caller, Permission::READ)
                .filter(columns::id.ne(id))
                .order((columns::name, columns::id))
                .limit(MOST_ACCOUNTS)
                .select((columns::id, columns::name))
                .load(connection)?)
        })
        .await?;
    Ok(Some(others))
}

/// With the fields that the caller may change.
#[permission_required_for_context("update", ctx_arg = "account")]
#[get("/accounts/{account_id}/edit")]
async fn edit(
    account: Account,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let others = consultancies(&account, &current_user, &database).await?;
    let form = AccountForm::of(&account, others.is_some())?;
    Ok(ok(&edit_page(&current_user, &account, others.as_deref(), &form, None)))
}

#[permission_required_for_context("update", ctx_arg = "account")]
#[post("/accounts/{account_id}/edit")]
async fn change(
    account: Account,
    Form(form): Form<AccountForm>,
    current_user: CurrentUser<LoggedIn>,
    database: Data<Database>,
) -> Result<HttpResponse, PageError> {
    let changed = match form.read(&account) {
        Ok(changes) => endpoints::update(account.id, changes, current_user.clone(), &database).await,
        Err(error) => Err(error),
    };
    match changed {
        Ok(account) => Ok(see_other(&format!("{}?done=saved", accounts::path(account.id)))),
        Err(error) => {
            let others = consultancies(&account, &current_user, &database).await?;
            again(error, |problem| {
                edit_page(&current_user, &account, others.as_deref(), &form, Some(problem))
            })
        }
    }
}

fn edit_page(
    user: &LoggedIn,
    account: &Account,
    others: Option<&[(i32, String)]>,
    form: &AccountForm,
    problem: Option<&Problem>,
) -> Markup {
    let here = accounts::path(account.id);
    let mut choices = vec![(String::new(), "None")];
    choices.extend(others.unwrap_or_default().iter().map(|(id, name)| (id.to_string(), name.as_str())));
    let mut fields = vec![Field::new("name", "Name", &form.name)];
    if others.is_some() {
        fields.push(Field {
            kind: Kind::Choice(&choices),
            hint: Some("Its consultants look after the account."),
            ..Field::new(
                "consultancy_account_id",
                "Consultancy",
                form.consultancy_account_id.as_deref().unwrap_or_default(),
            )
        });
    }
    fields.extend(form.version.as_deref().map(version_field));
    let form = form::form(&format!("{here}/edit"), &fields, "Save", &here, problem);
    Page::new(user, Section::Accounts, format!("Edit {}", account.name))
        .below("/accounts", "Accounts")
        .below(&*here, &*account.name)
        .with(&form)
}
