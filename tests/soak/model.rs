//! The state at one moment, and its consequences: the user of each credential, and the permissions of each user. It is
//! written down once more from the words of FlexMeasures, and shares no code with the library or the service: else it
//! would prove nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub(crate) const ADMIN: &str = "admin";
pub(crate) const ADMIN_READER: &str = "admin-reader";
pub(crate) const ACCOUNT_ADMIN: &str = "account-admin";
pub(crate) const CONSULTANT: &str = "consultant";
pub(crate) const ROLES: [&str; 4] = [ADMIN, ADMIN_READER, ACCOUNT_ADMIN, CONSULTANT];

pub(crate) const CONSULTANCY: &str = "Consultancy";
pub(crate) const PROSUMER: &str = "Prosumer";
pub(crate) const SUPPLIER: &str = "Supplier";
pub(crate) const ACCOUNT_ROLES: [&str; 3] = [CONSULTANCY, PROSUMER, SUPPLIER];

pub(crate) type Names = BTreeSet<&'static str>;

/// Accounts with all that is theirs, at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) accounts: BTreeMap<i32, Account>,
    pub(crate) users: BTreeMap<i32, User>,
    pub(crate) assets: BTreeMap<i32, Asset>,
    /// The asset of each.
    pub(crate) sensors: BTreeMap<i32, i32>,
    /// Also some that are no longer valid.
    pub(crate) credentials: BTreeMap<u64, Credential>,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Account {
    pub(crate) consultancy: Option<i32>,
    pub(crate) roles: Names,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct User {
    pub(crate) account: i32,
    pub(crate) roles: Names,
    pub(crate) active: bool,
    pub(crate) email: Arc<str>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Asset {
    /// None: it is public.
    pub(crate) account: Option<i32>,
    /// This gives nobody access.
    pub(crate) parent: Option<i32>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum By {
    Token,
    Session,
}

/// A token, or the cookie of a session.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    pub(crate) user: i32,
    pub(crate) by: By,
    pub(crate) good: bool,
    pub(crate) secret: Arc<str>,
}

/// The caller.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Subject {
    pub(crate) id: i32,
    pub(crate) account: i32,
    pub(crate) roles: Names,
    pub(crate) account_roles: Names,
    pub(crate) by: By,
}

impl Subject {
    pub(crate) fn is_admin(&self) -> bool {
        self.roles.contains(ADMIN)
    }

    /// Whether this subject can do everything that the other could do by account and roles.
    pub(crate) fn has_kept_what(&self, before: &Self) -> bool {
        self.account == before.account
            && self.roles.is_superset(&before.roles)
            && self.account_roles.is_superset(&before.account_roles)
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Permission {
    Create,
    Read,
    Update,
    Delete,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Object {
    Platform,
    Account(i32),
    AccountLog(i32),
    User(i32),
    UserLog(i32),
    Asset(i32),
    Sensor(i32),
}

/// The kinds of objects of which there are lists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Account,
    User,
    Asset,
    Sensor,
}

/// The relation of a subject to an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Tie {
    /// It is the user itself.
    Self_,
    /// Of the account that the object belongs to.
    Member,
    /// A member who is its account-admin.
    Runs,
    /// A consultant of that account's consultancy.
    Consults,
    /// A consultant of a consultancy, with any clients.
    Advises,
    /// The object belongs to no account.
    Public,
}

/// Any one of these ties is enough.
#[expect(clippy::match_same_arms, reason = "by kind of object, as the rules are told")]
fn enough(object: Object, permission: Permission) -> &'static [Tie] {
    use Permission::{Create, Delete, Read, Update};
    use Tie::{Advises, Consults, Member, Public, Runs, Self_};

    match (object, permission) {
        (Object::Platform, Create) => &[Advises],
        (Object::Platform, Read | Update | Delete) => &[],
        (Object::Account(_), Read | Update) => &[Member, Consults],
        (Object::Account(_), Create) => &[Runs, Consults],
        (Object::Account(_), Delete) => &[],
        (Object::AccountLog(_), Read) => &[Runs, Consults],
        (Object::AccountLog(_), Create | Update | Delete) => &[],
        (Object::User(_), Read) => &[Self_, Member, Consults],
        (Object::User(_), Update) => &[Self_, Runs, Consults],
        (Object::User(_), Create | Delete) => &[],
        (Object::UserLog(_), Read) => &[Self_, Runs, Consults],
        (Object::UserLog(_), Create | Update | Delete) => &[],
        (Object::Asset(_), Read) => &[Member, Consults, Public],
        (Object::Asset(_), Create | Update) => &[Member, Consults],
        (Object::Asset(_), Delete) => &[Runs, Consults],
        (Object::Sensor(_), Read) => &[Member, Consults, Public],
        (Object::Sensor(_), Create) => &[Member, Consults],
        (Object::Sensor(_), Update | Delete) => &[Runs, Consults],
    }
}

impl State {
    /// The user who is logged in by this.
    pub(crate) fn subject(&self, credential: u64) -> Option<Subject> {
        let Credential { user: id, by, .. } = *self.credentials.get(&credential).filter(|it| it.good)?;
        let user = self.users.get(&id).filter(|user| user.active)?;
        let account_roles = self.accounts.get(&user.account)?.roles.clone();
        Some(Subject { id, account: user.account, roles: user.roles.clone(), account_roles, by })
    }

    /// Whether there is such an object, and the subject has the permission on it.
    ///
    /// # Errors
    ///
    /// 403, or 404.
    pub(crate) fn may(&self, subject: &Subject, permission: Permission, object: Object) -> Result<(), u16> {
        let ties = self.ties(subject, object).ok_or(404_u16)?;
        let by_role =
            subject.is_admin() || permission == Permission::Read && subject.roles.contains(ADMIN_READER);
        let by_tie = || enough(object, permission).iter().any(|tie| ties.contains(tie));
        if by_role || by_tie() { Ok(()) } else { Err(403) }
    }

    /// None: there is no such object.
    fn ties(&self, subject: &Subject, object: Object) -> Option<Vec<Tie>> {
        let owner = match object {
            Object::Platform => {
                let advises =
                    subject.roles.contains(CONSULTANT) && subject.account_roles.contains(CONSULTANCY);
                return Some(if advises { vec![Tie::Advises] } else { Vec::new() });
            }
            Object::Account(id) | Object::AccountLog(id) => Some(id),
            Object::User(id) | Object::UserLog(id) => Some(self.users.get(&id)?.account),
            Object::Asset(id) => self.assets.get(&id)?.account,
            Object::Sensor(id) => self.assets.get(self.sensors.get(&id)?)?.account,
        };
        let Some(owner) = owner else { return Some(vec![Tie::Public]) };
        let consultancy = self.accounts.get(&owner)?.consultancy;

        let mut ties = Vec::new();
        if matches!(object, Object::User(id) | Object::UserLog(id) if id == subject.id) {
            ties.push(Tie::Self_);
        }
        if subject.account == owner {
            ties.push(Tie::Member);
            if subject.roles.contains(ACCOUNT_ADMIN) {
                ties.push(Tie::Runs);
            }
        }
        if consultancy == Some(subject.account) && subject.roles.contains(CONSULTANT) {
            ties.push(Tie::Consults);
        }
        Some(ties)
    }

    /// Whether the subject may say whether the user is active: not by being that user.
    pub(crate) fn may_activate(&self, subject: &Subject, user: i32) -> bool {
        let ties = self.ties(subject, Object::User(user)).unwrap_or_default();
        subject.is_admin() || ties.iter().any(|tie| matches!(tie, Tie::Runs | Tie::Consults))
    }

    /// Whether the subject may give and take all of these roles.
    pub(crate) fn may_change_roles(
        &self,
        subject: &Subject,
        user: i32,
        mut roles: impl Iterator<Item = &'static str>,
    ) -> bool {
        let Some(account) = self.users.get(&user).map(|user| user.account) else { return false };
        let consultancy = self.accounts.get(&account).and_then(|account| account.consultancy);
        let consults = consultancy == Some(subject.account) && subject.roles.contains(CONSULTANT);
        let runs = subject.account == account && subject.roles.contains(ACCOUNT_ADMIN);
        subject.id != user
            && roles.all(|role| match role {
                ADMIN_READER => subject.is_admin(),
                ACCOUNT_ADMIN => subject.is_admin() || consults,
                CONSULTANT => subject.is_admin() || runs,
                _ => false,
            })
    }

    pub(crate) fn ids(&self, kind: Kind) -> BTreeSet<i32> {
        match kind {
            Kind::Account => self.accounts.keys().copied().collect(),
            Kind::User => self.users.keys().copied().collect(),
            Kind::Asset => self.assets.keys().copied().collect(),
            Kind::Sensor => self.sensors.keys().copied().collect(),
        }
    }

    /// The objects of this kind that the subject may read; of users and assets only an account's, if one is named.
    pub(crate) fn readable(&self, subject: &Subject, kind: Kind, of: Option<i32>) -> BTreeSet<i32> {
        let mut ids = self.ids(kind);
        ids.retain(|&id| {
            self.may(subject, Permission::Read, kind.object(id)).is_ok()
                && of.is_none_or(|of| match kind {
                    Kind::User => self.users[&id].account == of,
                    Kind::Asset => self.assets[&id].account == Some(of),
                    Kind::Account | Kind::Sensor => true,
                })
        });
        ids
    }

    /// Forgets credentials that are no longer valid, except some that are left to be tried: the latest.
    pub(crate) fn forget_ended(&mut self, kept: usize) {
        let ended: Vec<u64> =
            self.credentials.iter().filter(|(_, credential)| !credential.good).map(|(&id, _)| id).collect();
        for id in ended.iter().rev().skip(kept) {
            self.credentials.remove(id);
        }
    }

    /// Whether the account still has users or assets.
    pub(crate) fn is_in_use(&self, account: i32) -> bool {
        self.users.values().any(|user| user.account == account)
            || self.assets.values().any(|asset| asset.account == Some(account))
    }

    pub(crate) fn is_admins(&self, user: i32) -> bool {
        let of_admins = |user: &User| user.roles.contains(ADMIN) || user.roles.contains(ADMIN_READER);
        self.users.get(&user).is_some_and(of_admins)
    }
}

impl Kind {
    pub(crate) fn object(self, id: i32) -> Object {
        match self {
            Self::Account => Object::Account(id),
            Self::User => Object::User(id),
            Self::Asset => Object::Asset(id),
            Self::Sensor => Object::Sensor(id),
        }
    }
}
