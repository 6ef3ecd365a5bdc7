//! The next step, at random: mostly one that may well be allowed, and always some that may not.

use std::sync::{Mutex, atomic::Ordering};

use fastrand::Rng;

use crate::soak::{
    ask::Ask,
    model::{ACCOUNT_ROLES, ADMIN, By, Credential, Kind, Object, Permission, ROLES, State},
    right::{Moments, right},
    stored::Stored,
    world::{PLATFORM, World},
};

/// How many of each kind an island has, at least and at most. All together fit on one page of a list.
const ACCOUNTS: [usize; 2] = [3, 6];
const USERS: [usize; 2] = [5, 9];
const ASSETS: [usize; 2] = [5, 14];
const SENSORS: [usize; 2] = [6, 18];
/// Of one user.
const CREDENTIALS: usize = 3;

/// Of all islands: fewer than the service answers before it says 429.
const REFUSED_LOG_INS: u64 = 40;

/// The most requests that are kept among those whose answer a change turns.
const TURNED: usize = 24;

const PERMISSIONS: [Permission; 4] =
    [Permission::Create, Permission::Read, Permission::Update, Permission::Delete];

/// The caller, with the credentials.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) island: usize,
    pub(crate) id: u64,
    pub(crate) credential: Credential,
}

/// The caller, and the request.
pub(crate) type Request = (Option<Caller>, Ask);

pub(crate) enum Change {
    Asked(Option<Caller>, Ask),
    Stored(Stored),
}

pub(crate) struct Choice<'a> {
    pub(crate) world: &'a World,
    pub(crate) rng: &'a mut Rng,
}

impl Choice<'_> {
    /// A request about this island.
    pub(crate) fn read(&mut self, island: usize) -> Request {
        let state = self.world.islands[island].now();
        (self.caller(island), self.question(&state))
    }

    /// A change on which no user's access depends.
    pub(crate) fn harmless(&mut self, island: usize) -> Request {
        let state = self.world.islands[island].now();
        let ask = self.harmless_change(&state);
        let caller =
            if self.rng.u8(..3) == 0 { self.caller(island) } else { self.somebody_who_may(island, &ask) };
        (caller, ask)
    }

    fn harmless_change(&mut self, state: &State) -> Ask {
        let number = self.world.number();
        match self.rng.u8(..8) {
            0..2 => Ask::Record(self.id(state, Kind::Sensor), number),
            2..4 => Ask::Rename(Object::Account(self.id(state, Kind::Account)), number),
            4 => Ask::Rename(Object::User(self.id(state, Kind::User)), number),
            5 => Ask::Rename(Object::Asset(self.id(state, Kind::Asset)), number),
            _ => Ask::Rename(Object::Sensor(self.id(state, Kind::Sensor)), number),
        }
    }

    fn question(&mut self, state: &State) -> Ask {
        match self.rng.u8(..100) {
            0..35 => {
                let object = self.object(state);
                Ask::May(self.permission(), object)
            }
            35..55 => match self.object(state) {
                Object::Platform => Ask::Me,
                object => Ask::View(object),
            },
            55..60 => match self.object(state) {
                object @ (Object::Account(_) | Object::Asset(_) | Object::Sensor(_)) => Ask::Page(object),
                _ => Ask::Roles,
            },
            60..65 => {
                let asset = self.id(state, Kind::Asset);
                let owner = state.assets.get(&asset).and_then(|asset| asset.account);
                let account = owner.filter(|_| self.rng.u8(..4) > 0);
                let account = account.unwrap_or_else(|| self.id(state, Kind::Account));
                Ask::ViewInAccount { account, asset }
            }
            65..68 => Ask::Measurements(self.id(state, Kind::Sensor)),
            68..86 => self.list(state),
            86..89 => Ask::Clients,
            89..92 => Ask::Portfolio,
            92..94 => Ask::Roles,
            94..97 => Ask::RolesOf(self.id(state, Kind::User)),
            _ => Ask::Me,
        }
    }

    fn list(&mut self, state: &State) -> Ask {
        let kind = [Kind::Account, Kind::User, Kind::Asset, Kind::Sensor][self.rng.usize(..4)];
        let narrow = matches!(kind, Kind::User | Kind::Asset) && self.rng.u8(..4) == 0;
        Ask::List { kind, of: narrow.then(|| self.id(state, Kind::Account)) }
    }

    fn permission(&mut self) -> Permission {
        PERMISSIONS[self.rng.usize(..PERMISSIONS.len())]
    }

    fn object(&mut self, state: &State) -> Object {
        match self.rng.u8(..16) {
            0 => Object::Platform,
            1..3 => Object::Account(self.id(state, Kind::Account)),
            3 => Object::AccountLog(self.id(state, Kind::Account)),
            4..7 => Object::User(self.id(state, Kind::User)),
            7 => Object::UserLog(self.id(state, Kind::User)),
            8..12 => Object::Asset(self.id(state, Kind::Asset)),
            _ => Object::Sensor(self.id(state, Kind::Sensor)),
        }
    }

    /// One of this kind, or at times none. All sensors may be gone, with their assets.
    fn id(&mut self, state: &State, kind: Kind) -> i32 {
        let some = if self.rng.u8(..30) == 0 { None } else { self.some(state, kind) };
        some.unwrap_or(i32::MAX)
    }

    /// An account, a user or an asset.
    fn known(&mut self, state: &State, kind: Kind) -> i32 {
        self.some(state, kind).expect("the last ones are never deleted")
    }

    /// Half of the time one of the first two, so that clients get in each other's way.
    fn some(&mut self, state: &State, kind: Kind) -> Option<i32> {
        let mut ids: Vec<i32> = state.ids(kind).into_iter().collect();
        if self.rng.bool() {
            ids.truncate(2);
        }
        self.rng.choice(ids)
    }

    /// A user of this island, an admin perhaps, any user, or no one.
    fn caller(&mut self, island: usize) -> Option<Caller> {
        let home = match self.rng.u8(..100) {
            0..4 => return None,
            4..70 => island,
            70..85 => PLATFORM,
            _ => self.rng.usize(..self.world.islands.len()),
        };
        let mut all = self.callers(home);
        let good = all.iter().any(|caller| caller.credential.good);
        if good && self.rng.u8(..5) > 0 {
            all.retain(|caller| caller.credential.good);
        }
        self.rng.choice(all)
    }

    /// All credentials of an island, and one that was never given out.
    fn callers(&self, island: usize) -> Vec<Caller> {
        let state = self.world.islands[island].now();
        let never = Credential { user: 0, by: By::Token, good: false, secret: "never given out".into() };
        let known = state.credentials.iter().map(|(&id, credential)| (id, credential.clone()));
        let all = known.chain([(u64::MAX, never)]);
        all.map(|(id, credential)| Caller { island, id, credential }).collect()
    }

    /// A user of this island, or an admin, whose request would be served now; else any user.
    fn somebody_who_may(&mut self, island: usize, ask: &Ask) -> Option<Caller> {
        let about = self.world.islands[island].now();
        let mut all = self.callers(island);
        if island != PLATFORM && self.rng.u8(..4) == 0 {
            all.extend(self.callers(PLATFORM));
        }
        all.retain(|caller| {
            let who = self.world.islands[caller.island].now().subject(caller.id);
            right(ask, &Moments::one(who.as_ref(), &about)).status < 400
        });
        self.rng.choice(all).or_else(|| self.caller(island))
    }

    /// A change of permissions on this island.
    pub(crate) fn change(&mut self, island: usize) -> Change {
        let state = self.world.islands[island].now();
        match self.rng.u8(..100) {
            0..10 => return Change::Stored(self.move_asset(&state)),
            10..14 => {
                let (user, account) = (self.known(&state, Kind::User), self.known(&state, Kind::Account));
                return Change::Stored(Stored::MoveUser { user, account });
            }
            14..18 => {
                let account = self.known(&state, Kind::Account);
                let consultancy = (self.rng.u8(..4) > 0).then(|| self.known(&state, Kind::Account));
                return Change::Stored(Stored::SetConsultancy { account, consultancy });
            }
            18..21 => {
                let account = self.known(&state, Kind::Account);
                let role = ACCOUNT_ROLES[self.rng.usize(..ACCOUNT_ROLES.len())];
                let held = !state.accounts[&account].roles.contains(role);
                return Change::Stored(Stored::SetAccountRole { account, role, held });
            }
            21..25 => return Change::Stored(self.set_admin(island, &state)),
            25..37 => {
                if let Some(log_in) = self.log_in(&state) {
                    return Change::Asked(None, log_in);
                }
            }
            // By a user who has something to give up.
            37..44 => return Change::Asked(self.local_caller(island, By::Token), Ask::RevokeToken),
            44..48 => return Change::Asked(self.local_caller(island, By::Session), Ask::LogOut),
            _ => {}
        }
        let ask = self.change_of_objects(&state);
        let caller =
            if self.rng.u8(..5) < 2 { self.caller(island) } else { self.somebody_who_may(island, &ask) };
        // The objects that others create in the name of their own account would belong to their own island.
        let ask = match ask {
            Ask::CreateAccount { consultancy: None }
                if caller.as_ref().is_some_and(|it| it.island != island) =>
            {
                Ask::CreateAccount { consultancy: Some(self.known(&state, Kind::Account)) }
            }
            ask => ask,
        };
        Change::Asked(caller, ask)
    }

    fn change_of_objects(&mut self, state: &State) -> Ask {
        let number = |kind| state.ids(kind).len();
        match self.rng.u8(..60) {
            0..24 => self.change_roles(state),
            24..32 => self.set_active(state),
            32..36 if self.grows(number(Kind::Account), ACCOUNTS) => {
                let consultancy = self.rng.bool().then(|| self.known(state, Kind::Account));
                Ask::CreateAccount { consultancy }
            }
            32..36 => Ask::Delete(Object::Account(self.id(state, Kind::Account))),
            36..40 if self.grows(number(Kind::User), USERS) => {
                Ask::CreateUser { account: self.id(state, Kind::Account), number: self.world.number() }
            }
            36..40 => Ask::Delete(Object::User(self.id(state, Kind::User))),
            40..50 if self.grows(number(Kind::Asset), ASSETS) => {
                let account = (self.rng.u8(..6) > 0).then(|| self.id(state, Kind::Account));
                let parent = self.rng.bool().then(|| self.id(state, Kind::Asset));
                Ask::CreateAsset { account, parent }
            }
            40..50 => Ask::Delete(Object::Asset(self.id(state, Kind::Asset))),
            _ if self.grows(number(Kind::Sensor), SENSORS) => {
                Ask::CreateSensor { asset: self.id(state, Kind::Asset) }
            }
            _ => Ask::Delete(Object::Sensor(self.id(state, Kind::Sensor))),
        }
    }

    fn grows(&mut self, number: usize, [least, most]: [usize; 2]) -> bool {
        number <= least || number < most && self.rng.bool()
    }

    fn change_roles(&mut self, state: &State) -> Ask {
        let user = self.id(state, Kind::User);
        let held = |role| state.users.get(&user).is_some_and(|user| user.roles.contains(role));
        let (mut grant, mut revoke) = (Vec::new(), Vec::new());
        for _ in 0..=self.rng.u8(..5) / 4 {
            // The first, which no client changes, and the second, which only admins do, not so often.
            let role = ROLES[if self.rng.u8(..6) == 0 { self.rng.usize(..2) } else { self.rng.usize(2..4) }];
            let to = if held(role) { &mut revoke } else { &mut grant };
            if !to.contains(&role) {
                to.push(role);
            }
        }
        Ask::ChangeRoles { user, grant, revoke }
    }

    fn set_active(&mut self, state: &State) -> Ask {
        let inactive: Vec<i32> =
            state.users.iter().filter(|(_, user)| !user.active).map(|(&id, _)| id).collect();
        if inactive.len() > 1 {
            let user = self.rng.choice(inactive).unwrap_or_default();
            return Ask::SetActive { user, active: true };
        }
        Ask::SetActive { user: self.id(state, Kind::User), active: self.rng.u8(..8) == 0 }
    }

    fn move_asset(&mut self, state: &State) -> Stored {
        let asset = self.known(state, Kind::Asset);
        let account = (self.rng.u8(..5) > 0).then(|| self.known(state, Kind::Account));
        let parent = self.rng.bool().then(|| self.known(state, Kind::Asset));
        Stored::MoveAsset { asset, account, parent: parent.filter(|parent| *parent != asset) }
    }

    /// There are always some on the platform, and elsewhere they do not stay for long.
    fn set_admin(&mut self, island: usize, state: &State) -> Stored {
        let admins: Vec<i32> = state
            .users
            .iter()
            .filter(|(_, user)| user.active && user.roles.contains(ADMIN))
            .map(|(&id, _)| id)
            .collect();
        let enough = if island == PLATFORM { 2 } else { 0 };
        if admins.len() > enough && self.rng.u8(..4) > 0 {
            let user = self.rng.choice(admins).unwrap_or_default();
            return Stored::SetAdmin { user, admin: false };
        }
        Stored::SetAdmin { user: self.known(state, Kind::User), admin: true }
    }

    fn log_in(&mut self, state: &State) -> Option<Ask> {
        let by = if self.rng.bool() { By::Token } else { By::Session };
        if self.rng.u8(..8) == 0 {
            let inactive = state.users.iter().filter(|(_, user)| !user.active).collect::<Vec<_>>();
            let (&user, stored) = self.rng.choice(inactive)?;
            let few = self.world.refused_log_ins.fetch_add(1, Ordering::Relaxed) < REFUSED_LOG_INS;
            return few.then(|| Ask::LogIn { user, email: stored.email.to_string(), by });
        }
        let good = |id: i32| state.credentials.values().filter(|it| it.good && it.user == id).count();
        let users = state.users.iter().filter(|(_, user)| user.active);
        let least = users.clone().map(|(&id, _)| good(id)).min()?;
        let wanting: Vec<_> = users.filter(|(id, _)| good(**id) == least && least < CREDENTIALS).collect();
        let (&user, stored) = self.rng.choice(wanting)?;
        Some(Ask::LogIn { user, email: stored.email.to_string(), by })
    }

    fn local_caller(&mut self, island: usize, by: By) -> Option<Caller> {
        let mut all = self.callers(island);
        if self.rng.u8(..5) > 0 {
            all.retain(|caller| caller.credential.good && caller.credential.by == by);
        }
        self.rng.choice(all)
    }

    /// A request that a change under way will turn the answer of, with the island that it is about; changes half of the
    /// time.
    pub(crate) fn chase(&mut self) -> Option<(usize, Option<Caller>, Ask)> {
        let of_island = |(island, chased): (usize, &Mutex<Vec<Request>>)| {
            let chased = chased.lock().unwrap().clone();
            chased.into_iter().map(move |(caller, ask)| (island, caller, ask))
        };
        let mut chased: Vec<_> = self.world.chased.iter().enumerate().flat_map(of_island).collect();
        if self.rng.bool() && chased.iter().any(|(.., ask)| ask.is_harmless()) {
            chased.retain(|(.., ask)| ask.is_harmless());
        }
        self.rng.choice(chased)
    }

    /// Some requests whose right answer is another one after a change.
    pub(crate) fn turned_by_change(&mut self, island: usize, before: &State, after: &State) -> Vec<Request> {
        let mut asks: Vec<Ask> = (0..12).map(|_| self.question(after)).collect();
        asks.retain(|ask| !matches!(ask, Ask::List { .. }));
        asks.push(Ask::Me);
        asks.extend((0..6).map(|_| self.harmless_change(after)).collect::<Vec<_>>());
        for object in touched(before, after) {
            asks.extend(PERMISSIONS.map(|permission| Ask::May(permission, object)));
            asks.push(match object {
                Object::Sensor(sensor) => Ask::Record(sensor, self.world.number()),
                Object::AccountLog(_) | Object::UserLog(_) | Object::Platform => Ask::View(object),
                Object::Account(_) | Object::User(_) | Object::Asset(_) => {
                    Ask::Rename(object, self.world.number())
                }
            });
        }
        let answer = |state: &State, caller: &Caller, ask: &Ask| {
            right(ask, &Moments::one(state.subject(caller.id).as_ref(), state))
        };
        let mut callers = self.callers(island);
        self.rng.shuffle(&mut callers);
        self.rng.shuffle(&mut asks);
        let all = callers.iter().flat_map(|caller| asks.iter().map(move |ask| (caller, ask)));
        let turned = all.filter(|(caller, ask)| answer(before, caller, ask) != answer(after, caller, ask));
        turned.take(TURNED).map(|(caller, ask)| (Some(caller.clone()), ask.clone())).collect()
    }
}

/// The objects that differ from before.
fn touched(before: &State, after: &State) -> Vec<Object> {
    let mut touched = Vec::new();
    for state in [before, after] {
        for &id in state.accounts.keys() {
            if before.accounts.get(&id) != after.accounts.get(&id) {
                touched.extend([Object::Account(id), Object::AccountLog(id)]);
            }
        }
        for &id in state.users.keys() {
            if before.users.get(&id) != after.users.get(&id) {
                touched.extend([Object::User(id), Object::UserLog(id)]);
            }
        }
        for &id in state.assets.keys() {
            if before.assets.get(&id) != after.assets.get(&id) {
                touched.push(Object::Asset(id));
            }
        }
        for (&id, asset) in &state.sensors {
            if before.sensors.get(&id) != after.sensors.get(&id) || touched.contains(&Object::Asset(*asset)) {
                touched.push(Object::Sensor(id));
            }
        }
    }
    touched
}
