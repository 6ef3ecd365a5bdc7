//! One client: it walks through the world at random, reads and changes, and has each answer judged.

use std::{
    collections::{BTreeMap, VecDeque},
    thread,
    time::{Duration, Instant},
};

use fastrand::Rng;

use crate::soak::{
    ask::{Ask, email},
    choose::{Caller, Change, Choice},
    client::{Client, Created, Instances, Reply},
    history::Turn,
    model::{Account, Asset, By, Credential, Names, State, User},
    right::{Moments, right},
    tally::Tally,
    verdict::{Asked, Window},
    world::World,
};

/// The credentials of an island that are no longer valid and still tried.
const ENDED: usize = 12;
/// How long a body is held back at most, until a change that is under way has taken place.
const HELD_BACK: Duration = Duration::from_millis(200);
/// After so many wrong answers all clients stop.
const ENOUGH: usize = 10;

pub(crate) struct Walk<'a> {
    world: &'a World,
    client: Client,
    rng: Rng,
    /// The answers that are to be judged.
    asked: VecDeque<Asked>,
    tally: Tally,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(world: &'a World, instances: &Instances, seed: u64) -> Self {
        Self {
            world,
            client: Client::new(instances),
            rng: Rng::with_seed(seed),
            asked: VecDeque::new(),
            tally: Tally::default(),
        }
    }

    /// So many steps, or fewer where too much is wrong.
    pub(crate) fn go(mut self, steps: u64) -> Tally {
        for _ in 0..steps {
            if self.world.wrong.lock().unwrap().len() >= ENOUGH {
                break;
            }
            self.step();
            self.tally.steps += 1;
        }
        while !self.asked.is_empty() {
            self.judge();
            thread::sleep(Duration::from_millis(1));
        }
        self.tally
    }

    /// Everybody gets a token and a session.
    pub(crate) fn log_everybody_in(&mut self) {
        for (number, island) in self.world.islands.iter().enumerate() {
            let turn = island.turn().unwrap();
            for (&user, User { email, .. }) in &island.now().users {
                for by in [By::Token, By::Session] {
                    let log_in = Ask::LogIn { user, email: email.to_string(), by };
                    self.change(number, &turn, Change::Asked(None, log_in));
                }
            }
        }
    }

    fn step(&mut self) {
        let world = self.world;
        let island = self.rng.usize(..world.islands.len());
        let kind = self.rng.u8(..100);
        let turn = if kind < 30 { world.islands[island].turn() } else { None };
        if let Some(turn) = turn {
            let change = self.choice().change(island);
            self.change(island, &turn, change);
            return;
        }
        let chased = if kind < 60 { self.choice().chase() } else { None };
        let (island, caller, ask) = chased.unwrap_or_else(|| {
            let (caller, ask) = match kind {
                60..75 => self.choice().harmless(island),
                _ => self.choice().read(island),
            };
            (island, caller, ask)
        });
        self.send(caller, ask.again(world.number()), island, None);
    }

    fn choice(&mut self) -> Choice<'_> {
        Choice { world: self.world, rng: &mut self.rng }
    }

    /// Sends a request to one of the instances.
    fn send(&mut self, caller: Option<Caller>, ask: Ask, about: usize, turn: Option<usize>) -> Reply {
        let instance = self.rng.usize(..2);
        self.send_to(instance, caller, ask, about, turn)
    }

    /// No other client changes the island that this client has the turn of, while the request is on its way.
    fn send_to(
        &mut self,
        instance: usize,
        caller: Option<Caller>,
        ask: Ask,
        about: usize,
        turn: Option<usize>,
    ) -> Reply {
        let islands = &self.world.islands;
        let everywhere = matches!(ask, Ask::List { .. });
        let home = caller.as_ref().map(|caller| caller.island);
        let about = home.filter(|_| ask.is_about_the_caller()).unwrap_or(about);
        let concerned = (0..islands.len()).filter(|it| everywhere || *it == about || home == Some(*it));
        let concerned: Vec<usize> = concerned.collect();
        let open = || concerned.iter().map(|&island| (island, islands[island].open())).collect();
        let opened: BTreeMap<usize, u64> = open();
        let mut sent = opened.clone();
        let under_way = if turn == Some(about) { opened[&about] } else { islands[about].close() };
        let mut hold_back = || {
            let began = Instant::now();
            while ask.is_harmless() && islands[about].open() < under_way && began.elapsed() < HELD_BACK {
                thread::sleep(Duration::from_millis(1));
            }
            sent = open();
        };
        let credential = caller.as_ref().map(|caller| &caller.credential);
        let reply = self.client.send(instance, &ask, credential, &mut hold_back);
        let close = |(island, opened): (usize, u64)| {
            let closed = if turn == Some(island) { opened } else { islands[island].close() };
            (island, Window { opened, sent: sent[&island], closed })
        };
        let windows = opened.into_iter().map(close).collect();

        let statuses = self.tally.requests.entry(ask.label()).or_default();
        *statuses.entry(reply.answer.status).or_default() += 1;
        if reply.answer.status < 300 {
            match ask {
                Ask::Rename(_, number) => {
                    self.world.renamed.lock().unwrap().insert(number);
                }
                Ask::Record(sensor, _) => {
                    *self.world.recorded.lock().unwrap().entry(sensor).or_default() += 1;
                }
                _ => {}
            }
        }
        let caller = caller.map(|caller| (caller.island, caller.id));
        self.asked.push_back(Asked { instance, caller, ask, about, answer: reply.answer.clone(), windows });
        self.judge();
        reply
    }

    /// Judges the answers whose states are known by now.
    fn judge(&mut self) {
        while let Some(asked) = self.asked.front() {
            let Some(verdict) = asked.judge(&self.world.islands) else { break };
            let counted = if asked.ask.changes() { &mut self.tally.writes } else { &mut self.tally.reads };
            *counted += 1;
            self.tally.raced += u64::from(verdict.raced);
            self.tally.several += u64::from(verdict.answers.len() > 1);
            self.tally.between += u64::from(verdict.between);
            self.tally.let_in_between += u64::from(verdict.between && asked.answer.status < 400);
            if !verdict.is_right {
                self.tally.wrong += 1;
                let text = format!(
                    "{asked:?}\n  by {:?}\n  right would have been {:?}",
                    verdict.callers, verdict.answers
                );
                self.world.wrong.lock().unwrap().push(text);
            }
            self.asked.pop_front();
        }
    }

    /// Changes permissions, and then sends requests to both instances, before another client changes anything there.
    fn change(&mut self, island: usize, turn: &Turn<'_>, change: Change) {
        let before = turn.island.now();
        if let Some(after) = self.prospect(&before, &change) {
            let turned = self.choice().turned_by_change(island, &before, &after);
            *self.world.chased[island].lock().unwrap() = turned;
        }
        turn.begin();
        let after = match change {
            Change::Stored(stored) => {
                stored.carry_out(&mut self.world.database.connection().unwrap()).unwrap();
                *self.tally.changes.entry(stored.label()).or_default() += 1;
                stored.effect(&before)
            }
            Change::Asked(caller, ask) => {
                let Reply { answer, created } = self.send(caller.clone(), ask.clone(), island, Some(island));
                if answer.status < 400 {
                    *self.tally.changes.entry(ask.label()).or_default() += 1;
                    self.effect(&ask, &before, caller.as_ref(), &created)
                } else {
                    (*before).clone()
                }
            }
        };
        turn.end(after);
        self.world.chased[island].lock().unwrap().clear();

        let after = turn.island.now();
        let turned = self.choice().turned_by_change(island, &before, &after);
        for _ in 0..2 {
            let Some((caller, ask)) = self.rng.choice(&turned) else { break };
            for instance in 0..2 {
                self.tally.turned += 1;
                let ask = ask.again(self.world.number());
                self.send_to(instance, caller.clone(), ask, island, Some(island));
            }
        }
        let (caller, ask) = self.choice().read(island);
        for instance in 0..2 {
            self.send_to(instance, caller.clone(), ask.clone(), island, Some(island));
        }
    }

    /// The state after a change, if it will be admitted, and as far as it is known before.
    fn prospect(&self, before: &State, change: &Change) -> Option<State> {
        match change {
            Change::Stored(stored) => Some(stored.effect(before)),
            Change::Asked(caller, ask) => {
                let caller = caller.as_ref();
                let who =
                    caller.and_then(|caller| self.world.islands[caller.island].now().subject(caller.id));
                let is_admitted = right(ask, &Moments::one(who.as_ref(), before)).status < 400;
                is_admitted.then(|| self.effect(ask, before, caller, &Created::default()))
            }
        }
    }

    /// The state after a change that was admitted.
    fn effect(&self, ask: &Ask, before: &State, caller: Option<&Caller>, created: &Created) -> State {
        let mut after = match caller {
            Some(caller) => ask.effect(before, caller.credential.user),
            None => before.clone(),
        };
        match (ask, created) {
            (Ask::CreateAccount { consultancy }, Created { id: Some(id), .. }) => {
                // Admins of other islands name a consultancy of this one.
                let who = caller.and_then(|caller| before.subject(caller.id));
                let own = who.filter(|who| !who.is_admin()).map(|who| who.account);
                after.accounts.insert(*id, Account { consultancy: consultancy.or(own), roles: Names::new() });
            }
            (Ask::CreateUser { account, number }, Created { id: Some(id), .. }) => {
                let email = email(*number).into();
                after.users.insert(*id, User { account: *account, roles: Names::new(), active: true, email });
            }
            (Ask::CreateAsset { account, parent }, Created { id: Some(id), .. }) => {
                after.assets.insert(*id, Asset { account: *account, parent: *parent });
            }
            (Ask::CreateSensor { asset }, Created { id: Some(id), .. }) => {
                after.sensors.insert(*id, *asset);
            }
            (Ask::RevokeToken, _) => {
                if let Some(token) = caller.and_then(|caller| after.credentials.get_mut(&caller.id)) {
                    token.good = false;
                }
            }
            (Ask::LogIn { user, by, .. }, Created { secret: Some(secret), .. }) => {
                let credential =
                    Credential { user: *user, by: *by, good: true, secret: secret.as_str().into() };
                after.credentials.insert(self.world.number(), credential);
            }
            _ => {}
        }
        after.forget_ended(ENDED);
        after
    }
}
