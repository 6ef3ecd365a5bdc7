use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    io,
    pin::pin,
    sync::{Mutex, mpsc},
    task::Poll,
};

use actix_web::{rt::time::sleep, test::TestRequest};

use super::*;
use crate::{
    mechanism::{AttemptLimits, password::all_turns},
    vocabulary::{AdminRoles, IdRef},
};

const RIGHT: &str = "sunny side up";

/// A user, and how often all log-ins of the user were ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Member {
    id: i32,
    log_outs: i32,
}

impl Subject for Member {
    fn id(&self) -> IdRef<'_> {
        self.id.into()
    }

    fn account_id(&self) -> Option<IdRef<'_>> {
        None
    }

    fn has_role(&self, _: &str) -> bool {
        false
    }

    fn account_has_role(&self, _: &str) -> bool {
        false
    }

    fn admin_roles(&self) -> AdminRoles {
        AdminRoles::none()
    }
}

impl FindByUsername for Member {
    type Connection = Store;

    fn find_by_username(_: &str, store: &mut Store) -> Result<(Self, PasswordHash), LoadError> {
        store.look_ups += 1;
        // The last answer stays.
        let answer =
            if store.answers.len() > 1 { store.answers.pop_front() } else { store.answers.front().cloned() };
        match answer {
            Some(Answer::Found(member, hash)) => Ok((member, hash)),
            Some(Answer::Outage) => Err(LoadError::unavailable(io::Error::other("the database is gone"))),
            None => Err(LoadError::NotFound),
        }
    }

    fn is_still(&self, now: &Self) -> bool {
        self.log_outs == now.log_outs
    }
}

#[derive(Clone)]
enum Answer {
    Found(Member, PasswordHash),
    Outage,
}

/// The results of the next look-ups. Without one they find nobody.
#[derive(Default)]
struct Store {
    answers: VecDeque<Answer>,
    look_ups: usize,
}

#[derive(Clone, Default)]
struct Pool(Arc<Mutex<Store>>);

impl ConnectionSource for Pool {
    type Connection = Store;

    fn lend(&self, work: &mut dyn FnMut(&mut Store)) -> Result<(), Box<dyn StdError + Send + Sync>> {
        work(&mut self.0.lock().unwrap());
        Ok(())
    }
}

impl Pool {
    /// How often a connection was lent and came back, since the last call.
    fn take_look_ups(&self) -> usize {
        std::mem::take(&mut self.0.lock().unwrap().look_ups)
    }
}

fn cheap() -> Passwords {
    Passwords::with_cost(32, 1, 1).unwrap()
}

fn mia(log_outs: i32) -> Member {
    Member { id: 1, log_outs }
}

/// Mia has the right password, at first.
fn found(log_outs: i32) -> Answer {
    Answer::Found(mia(log_outs), hash())
}

fn hash() -> PasswordHash {
    static HASH: std::sync::OnceLock<PasswordHash> = std::sync::OnceLock::new();
    HASH.get_or_init(|| cheap().hash(RIGHT).unwrap()).clone()
}

/// A log-in that may fail twice, with a store that answers so.
fn log_in(answers: impl IntoIterator<Item = Answer>) -> (PasswordLogIn<Member>, Pool) {
    let pool = Pool::default();
    pool.0.lock().unwrap().answers.extend(answers);
    let attempts = Attempts::new(AttemptLimits::default().per_account(2, Duration::from_secs(3_600)));
    (PasswordLogIn::new(pool.clone()).passwords(cheap()).attempts(attempts), pool)
}

async fn attempt(log_in: &PasswordLogIn<Member>, password: &str) -> Result<Member, LogInError> {
    log_in.log_in(&TestRequest::default().to_http_request(), "mia", password.to_owned()).await
}

fn is_wrong(outcome: &Result<Member, LogInError>) -> bool {
    matches!(outcome, Err(LogInError::WrongCredentials))
}

#[actix_web::test]
async fn the_right_password_logs_in_and_nothing_else_does() {
    let (known, pool) = log_in([found(0)]);
    assert_eq!(attempt(&known, RIGHT).await.unwrap(), mia(0));
    assert_eq!(pool.take_look_ups(), 2);
    assert!(is_wrong(&attempt(&known, "wrong").await));
    assert_eq!(pool.take_look_ups(), 1);
    let (unknown, pool) = log_in([]);
    assert!(is_wrong(&attempt(&unknown, RIGHT).await));
    assert_eq!(pool.take_look_ups(), 1, "as for a wrong password");
}

#[actix_web::test]
async fn wrong_credentials_count_and_nothing_else_does() {
    let (log_in, pool) = log_in([found(0)]);
    for _ in 0..5 {
        attempt(&log_in, RIGHT).await.unwrap();
    }
    pool.0.lock().unwrap().answers = [Answer::Outage].into();
    for _ in 0..5 {
        assert!(matches!(attempt(&log_in, RIGHT).await, Err(LogInError::Unavailable(_))));
    }
    pool.0.lock().unwrap().answers = [found(0)].into();
    for _ in 0..2 {
        assert!(is_wrong(&attempt(&log_in, "wrong").await));
    }
    pool.take_look_ups();
    assert!(matches!(attempt(&log_in, RIGHT).await, Err(LogInError::TooManyAttempts(_))));
    assert!(matches!(attempt(&log_in.clone(), RIGHT).await, Err(LogInError::TooManyAttempts(_))));
    assert_eq!(pool.take_look_ups(), 0);
}

#[actix_web::test]
async fn a_client_that_goes_away_has_used_an_attempt() {
    let (log_in, _) = log_in([found(0)]);
    let turns = all_turns().await;
    for _ in 0..2 {
        let gone = actix_web::rt::time::timeout(Duration::from_millis(50), attempt(&log_in, RIGHT)).await;
        assert!(gone.is_err());
    }
    drop(turns);
    assert!(matches!(attempt(&log_in, RIGHT).await, Err(LogInError::TooManyAttempts(_))));
}

/// Between the two look-ups.
#[actix_web::test]
async fn a_user_who_may_no_longer_log_in_does_not() {
    let other_password = cheap().hash(RIGHT).unwrap();
    for (what, second) in [
        ("the password was changed", Answer::Found(mia(0), other_password)),
        ("the name is another user's", Answer::Found(Member { id: 2, log_outs: 0 }, hash())),
        ("all log-ins were ended", found(1)),
    ] {
        let (log_in, pool) = log_in([found(0), second]);
        assert!(is_wrong(&attempt(&log_in, RIGHT).await), "{what}");
        assert_eq!(pool.take_look_ups(), 2, "{what}");
    }
    let (log_in, _) = log_in([found(0), Answer::Outage]);
    assert!(matches!(attempt(&log_in, RIGHT).await, Err(LogInError::Unavailable(_))));
}

#[actix_web::test]
async fn a_password_waits_for_its_turn_without_a_connection_and_an_unknown_name_waits_too() {
    for (answers, right) in [(vec![], false), (vec![found(0)], true)] {
        let (log_in, pool) = log_in(answers);
        let turns = all_turns().await;
        let mut outcome = pin!(attempt(&log_in, RIGHT));
        let mut polls_after = 0;
        while polls_after < 3 {
            let poll = poll_fn(|context| Poll::Ready(outcome.as_mut().poll(context)));
            assert!(poll.await.is_pending(), "the password is compared first");
            // The only connection is free.
            let look_ups = pool.0.lock().unwrap().look_ups;
            assert!(look_ups < 2);
            polls_after += look_ups;
            sleep(Duration::from_millis(1)).await;
        }
        // A user who is deleted meanwhile is not logged in.
        pool.0.lock().unwrap().answers.clear();
        drop(turns);
        assert!(is_wrong(&outcome.await));
        assert_eq!(pool.take_look_ups(), if right { 2 } else { 1 });
    }
}

#[actix_web::test]
async fn a_look_up_that_hangs_is_not_waited_for() {
    struct Hangs(Mutex<mpsc::Receiver<()>>);

    impl ConnectionSource for Hangs {
        type Connection = Store;

        fn lend(&self, _: &mut dyn FnMut(&mut Store)) -> Result<(), Box<dyn StdError + Send + Sync>> {
            let _ = self.0.lock().unwrap().recv();
            Err("it hung".into())
        }
    }

    let (release, hold) = mpsc::channel();
    let log_in = PasswordLogIn::new(Hangs(Mutex::new(hold))).time_limit(Duration::from_millis(20));
    assert!(matches!(attempt(&log_in, RIGHT).await, Err(LogInError::Unavailable(_))));
    drop(release);
}

#[test]
fn each_error_has_its_answer() {
    let retry_after = Duration::from_secs(7);
    let too_many = || LogInError::TooManyAttempts(TooManyAttempts { retry_after });
    assert_eq!(AuthError::from(LogInError::WrongCredentials), AuthError::unauthenticated());
    assert_eq!(AuthError::from(too_many()), AuthError::TooManyRequests { retry_after });
    assert_eq!(AuthError::from(LogInError::unavailable("gone")), AuthError::Unavailable);
    assert!(matches!(LogInError::WrongCredentials.into(), Rejection::BadCredentials));
    assert!(
        matches!(too_many().into(), Rejection::TooManyRequests { retry_after: after } if after == retry_after)
    );
    assert!(matches!(LogInError::unavailable("gone").into(), Rejection::Unavailable(_)));
}
