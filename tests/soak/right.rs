//! The right answers. A guard finds the caller, and then the object; a change confirms both, and the session or token, in
//! a transaction at its end. Other clients may make a change between any two of these.

use std::{collections::BTreeSet, sync::Arc};

use crate::soak::{
    ask::Ask,
    model::{
        ACCOUNT_ADMIN, Account, Asset, By, CONSULTANCY, CONSULTANT, Kind, Object, PROSUMER, Permission,
        SUPPLIER, State, Subject,
    },
};

/// The visible part of an answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) seen: Seen,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Seen {
    Nothing,
    /// The object of the request.
    Id(i32),
    /// All objects of a list.
    Ids(BTreeSet<i32>),
    Names(BTreeSet<String>),
    Me {
        id: i32,
        account: i32,
        roles: BTreeSet<String>,
        account_roles: BTreeSet<String>,
    },
}

/// The states while a request was served.
pub(crate) struct Moments<'a> {
    /// When the guard found the caller. None: an anonymous one.
    pub(crate) who: Option<&'a Subject>,
    /// When the guard looked at the object.
    pub(crate) guard: &'a State,
    /// When the handler did its work.
    pub(crate) work: &'a State,
    /// The caller then.
    pub(crate) confirmed: Option<&'a Subject>,
}

impl<'a> Moments<'a> {
    /// Nothing changed meanwhile.
    pub(crate) fn one(who: Option<&'a Subject>, state: &'a State) -> Self {
        Self { who, guard: state, work: state, confirmed: who }
    }
}

/// The right answer to a request that is not for a list.
pub(crate) fn right(ask: &Ask, at: &Moments<'_>) -> Answer {
    answer(ask, at).unwrap_or_else(|status| Answer { status, seen: Seen::Nothing })
}

fn answer(ask: &Ask, at: &Moments<'_>) -> Result<Answer, u16> {
    if let Ask::LogIn { user, by, .. } = ask {
        let active = at.work.users.get(user).is_some_and(|user| user.active);
        let status = if *by == By::Token { 200 } else { 303 };
        return if active { Ok(Answer { status, seen: Seen::Nothing }) } else { Err(401) };
    }
    let who = at.who.ok_or(401_u16)?;
    let (status, seen) = match *ask {
        Ask::May(permission, object) => {
            at.guard.may(who, permission, object)?;
            (204, Seen::Nothing)
        }
        Ask::View(object) => {
            at.guard.may(who, Permission::Read, object)?;
            (200, object.seen())
        }
        Ask::Page(object) => {
            at.guard.may(who, Permission::Read, object)?;
            (200, Seen::Nothing)
        }
        Ask::ViewInAccount { account, asset } => {
            let there = at.guard.assets.get(&asset).is_some_and(|asset| asset.account == Some(account));
            if !there {
                return Err(404);
            }
            at.guard.may(who, Permission::Read, Object::Asset(asset))?;
            (200, Seen::Id(asset))
        }
        Ask::Measurements(sensor) => {
            at.guard.may(who, Permission::Read, Object::Sensor(sensor))?;
            (200, Seen::Nothing)
        }
        Ask::Clients => {
            admit(who.is_admin() || who.account_roles.contains(CONSULTANCY))?;
            let is_client = |(_, account): &(&i32, &Account)| account.consultancy == Some(who.account);
            let clients = at.work.accounts.iter().filter(is_client).map(|(&id, _)| id);
            let read = |id: &i32| at.work.may(who, Permission::Read, Object::Account(*id)).is_ok();
            (200, Seen::Ids(clients.filter(read).collect()))
        }
        Ask::Portfolio => {
            admit(who.is_admin() || [PROSUMER, SUPPLIER].iter().any(|it| who.account_roles.contains(it)))?;
            let is_own = |(_, asset): &(&i32, &Asset)| asset.account == Some(who.account);
            let assets = at.work.assets.iter().filter(is_own).map(|(&id, _)| id);
            let read = |id: &i32| at.work.may(who, Permission::Read, Object::Asset(*id)).is_ok();
            (200, Seen::Ids(assets.filter(read).collect()))
        }
        Ask::Roles => {
            admit(who.is_admin() || [ACCOUNT_ADMIN, CONSULTANT].iter().any(|it| who.roles.contains(it)))?;
            (200, Seen::Nothing)
        }
        Ask::RolesOf(user) => {
            at.guard.may(who, Permission::Read, Object::User(user))?;
            (200, roles_of(user, at.work))
        }
        Ask::Me => {
            let account = at.work.users.get(&who.id).ok_or(404_u16)?.account;
            let (roles, account_roles) = (owned(&who.roles), owned(&who.account_roles));
            (200, Seen::Me { id: who.id, account, roles, account_roles })
        }
        Ask::List { .. } => unreachable!("a list has objects of all islands"),
        _ => change(ask, who, at)?,
    };
    Ok(Answer { status, seen })
}

fn change(ask: &Ask, who: &Subject, at: &Moments<'_>) -> Result<(u16, Seen), u16> {
    use Permission::{Create, Delete, Update};

    let guarded = |permission, object| at.guard.may(who, permission, object);
    let still = |permission, object| at.work.may(who, permission, object);
    let confirmed = || {
        let now = at.confirmed.ok_or(401_u16)?;
        admit(now.has_kept_what(who))
    };
    match *ask {
        Ask::Rename(object, _) => {
            guarded(Update, object)?;
            confirmed()?;
            still(Update, object)?;
            Ok((200, object.seen()))
        }
        Ask::Record(sensor, _) => {
            guarded(Create, Object::Sensor(sensor))?;
            confirmed()?;
            still(Create, Object::Sensor(sensor))?;
            Ok((201, Seen::Nothing))
        }
        Ask::ChangeRoles { user, ref grant, ref revoke } => {
            guarded(Update, Object::User(user))?;
            still(Update, Object::User(user))?;
            admit(at.work.may_change_roles(who, user, grant.iter().chain(revoke).copied()))?;
            let (before, after) = (roles_of(user, at.work), roles_of(user, &ask.effect(at.work, who.id)));
            if before != after {
                confirmed()?;
            }
            Ok((200, after))
        }
        Ask::SetActive { user, active } => {
            guarded(Update, Object::User(user))?;
            if !active && user == who.id {
                return Err(409);
            }
            admit(who.is_admin() || !at.work.is_admins(user))?;
            confirmed()?;
            still(Update, Object::User(user))?;
            admit(at.work.may_activate(who, user))?;
            Ok((200, Seen::Id(user)))
        }
        Ask::CreateAccount { consultancy } => {
            guarded(Create, Object::Platform)?;
            admit(who.is_admin() || consultancy.is_none_or(|consultancy| consultancy == who.account))?;
            let consultancy = consultancy.or((!who.is_admin()).then_some(who.account));
            if consultancy.is_some_and(|consultancy| !at.work.accounts.contains_key(&consultancy)) {
                return Err(404);
            }
            confirmed()?;
            Ok((201, Seen::Nothing))
        }
        Ask::CreateUser { account, .. } => {
            guarded(Create, Object::Account(account))?;
            still(Create, Object::Account(account))?;
            confirmed()?;
            Ok((201, Seen::Nothing))
        }
        Ask::CreateAsset { account, parent } => {
            match account {
                Some(account) => still(Create, Object::Account(account))?,
                None => admit(who.is_admin())?,
            }
            if let Some(parent) = parent {
                still(Create, Object::Asset(parent))?;
            }
            confirmed()?;
            Ok((201, Seen::Nothing))
        }
        Ask::CreateSensor { asset } => {
            guarded(Create, Object::Asset(asset))?;
            still(Create, Object::Asset(asset))?;
            confirmed()?;
            Ok((201, Seen::Nothing))
        }
        Ask::Delete(object) => {
            guarded(Delete, object)?;
            let kept = match object {
                Object::Account(account) => at.work.is_in_use(account),
                Object::User(user) => user == who.id,
                _ => false,
            };
            if kept {
                return Err(409);
            }
            still(Delete, object)?;
            confirmed()?;
            Ok((204, Seen::Nothing))
        }
        Ask::RevokeToken if who.by == By::Token => Ok((204, Seen::Nothing)),
        Ask::LogOut if who.by == By::Session => Ok((200, Seen::Nothing)),
        Ask::RevokeToken | Ask::LogOut => Err(401),
        _ => unreachable!("{ask:?} changes nothing"),
    }
}

impl Ask {
    /// The state after this change by a user, as far as it does not depend on the answer.
    pub(crate) fn effect(&self, before: &State, by: i32) -> State {
        let mut after = before.clone();
        let end = |after: &mut State, user: i32, ended: &[By]| {
            for credential in after.credentials.values_mut().filter(|it| it.user == user) {
                credential.good &= !ended.contains(&credential.by);
            }
        };
        match self {
            Self::ChangeRoles { user, grant, revoke } => {
                if let Some(user) = after.users.get_mut(user) {
                    user.roles.extend(grant);
                    user.roles.retain(|role| !revoke.contains(role));
                }
            }
            Self::SetActive { user, active } => {
                if let Some(user) = after.users.get_mut(user) {
                    user.active = *active;
                }
                if !active {
                    end(&mut after, *user, &[By::Token, By::Session]);
                }
            }
            Self::LogOut => end(&mut after, by, &[By::Session]),
            Self::Delete(Object::Account(id)) => {
                after.accounts.remove(id);
                for account in after.accounts.values_mut() {
                    account.consultancy = account.consultancy.filter(|consultancy| consultancy != id);
                }
            }
            Self::Delete(Object::User(id)) => {
                after.users.remove(id);
                end(&mut after, *id, &[By::Token, By::Session]);
            }
            Self::Delete(Object::Asset(id)) => {
                after.assets.remove(id);
                after.sensors.retain(|_, asset| asset != id);
                for asset in after.assets.values_mut() {
                    asset.parent = asset.parent.filter(|parent| parent != id);
                }
            }
            Self::Delete(Object::Sensor(id)) => drop(after.sensors.remove(id)),
            _ => {}
        }
        after
    }
}

impl Object {
    /// The visible part of its answer.
    fn seen(self) -> Seen {
        match self {
            Self::Account(id) | Self::User(id) | Self::Asset(id) | Self::Sensor(id) => Seen::Id(id),
            Self::Platform | Self::AccountLog(_) | Self::UserLog(_) => Seen::Nothing,
        }
    }
}

fn admit(admitted: bool) -> Result<(), u16> {
    if admitted { Ok(()) } else { Err(403) }
}

fn roles_of(user: i32, state: &State) -> Seen {
    Seen::Names(state.users.get(&user).map(|user| owned(&user.roles)).unwrap_or_default())
}

fn owned(names: &BTreeSet<&'static str>) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Whether this is the subject's view of a list: of the objects of each island exactly those that it may read at one
/// moment of the island's window.
pub(crate) fn is_right_list(
    (kind, of): (Kind, Option<i32>),
    ids: &BTreeSet<i32>,
    who: &Subject,
    windows: &[Vec<Arc<State>>],
) -> bool {
    let mut known = 0;
    for window in windows {
        let here: BTreeSet<i32> = window.iter().flat_map(|state| state.ids(kind)).collect();
        let shown: BTreeSet<i32> = ids.intersection(&here).copied().collect();
        if !window.iter().any(|state| state.readable(who, kind, of) == shown) {
            return false;
        }
        known += shown.len();
    }
    known == ids.len()
}
