//! Which attempts count, for how long, and which ones wait.

use std::{
    future::{Future, poll_fn},
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    pin::pin,
    task::Poll,
    time::Duration,
};

use super::{
    AttemptLimits, Attempts, TooManyAttempts,
    counts::{Begun, Counts, End, Entry},
    network,
    table::{Count, PLACES},
};

const MINUTE: Duration = Duration::from_secs(60);

/// Begins without waiting.
fn begin(
    counts: &mut Counts,
    account: u64,
    address: Option<u64>,
    now: Duration,
) -> Result<Begun, TooManyAttempts> {
    match counts.enter(account, address, now)? {
        Entry::Begun(begun) => Ok(begun),
        Entry::Waits(_) => panic!("{account} waits"),
    }
}

/// An attempt that fails.
fn fail(
    counts: &mut Counts,
    account: u64,
    address: Option<u64>,
    now: Duration,
) -> Result<(), TooManyAttempts> {
    let begun = begin(counts, account, address, now)?;
    counts.end(begun, End::Failed, now);
    Ok(())
}

fn wait(seconds: u64) -> Result<(), TooManyAttempts> {
    Err(TooManyAttempts { retry_after: Duration::from_secs(seconds) })
}

#[test]
fn an_account_has_its_attempts_back_one_by_one() {
    let mut counts = Counts::new(AttemptLimits::default().per_account(3, MINUTE));
    let mut fail = |seconds| fail(&mut counts, 1, None, Duration::from_secs(seconds));
    assert_eq!([fail(0), fail(0), fail(10)], [Ok(()), Ok(()), Ok(())]);
    assert_eq!([fail(10), fail(20), fail(59)], [wait(50), wait(40), wait(1)]);
    assert_eq!([fail(60), fail(60), fail(119)], [Ok(()), wait(60), wait(1)]);
    assert_eq!([fail(1000), fail(1000), fail(1000), fail(1000)], [Ok(()), Ok(()), Ok(()), wait(60)]);
}

#[test]
fn accounts_and_addresses_count_by_themselves() {
    let limits = AttemptLimits::default().per_account(2, MINUTE).per_address(3, 2 * MINUTE);
    let mut counts = Counts::new(limits);
    let mut fail = |account, address| fail(&mut counts, account, address, Duration::ZERO);
    assert_eq!([fail(1, Some(1)), fail(1, Some(2)), fail(1, Some(3))], [Ok(()), Ok(()), wait(60)]);
    // A refused attempt does not count for the address either.
    assert_eq!([fail(2, Some(3)), fail(3, Some(3)), fail(4, Some(3))], [Ok(()), Ok(()), Ok(())]);
    assert_eq!([fail(4, Some(3)), fail(4, None), fail(1, None)], [wait(120), Ok(()), wait(60)]);
    assert_eq!(fail(1, Some(3)), wait(120), "the longer one");
}

#[test]
fn an_account_without_failures_keeps_one_attempt_that_its_address_cannot_use_up() {
    let limits = AttemptLimits::default().per_account(3, MINUTE).per_address(1, MINUTE);
    let mut counts = Counts::new(limits);
    let mut fail = |account, seconds| fail(&mut counts, account, Some(1), Duration::from_secs(seconds));
    assert_eq!(fail(1, 0), Ok(()));
    for account in 2..1000 {
        assert_eq!([fail(account, 0), fail(account, 0)], [Ok(()), wait(60)], "{account}");
    }
    // A flood does not add to what the address has to wait; and a failure is remembered until the limit has renewed itself.
    assert_eq!([fail(2, 59), fail(3, 60), fail(4, 60)], [wait(1), Ok(()), wait(60)]);
    assert_eq!(
        [fail(5, 239), fail(6, 239), fail(7, 239), fail(8, 240)],
        [Ok(()), wait(60), wait(60), Ok(())]
    );
}

#[test]
fn what_takes_the_reserve_is_decided_one_at_a_time() {
    let mut counts = Counts::new(AttemptLimits::default().per_address(0, MINUTE));
    let first = begin(&mut counts, 1, Some(1), Duration::ZERO).unwrap();
    let Ok(Entry::Waits(mut second)) = counts.enter(1, Some(1), Duration::ZERO) else {
        panic!("it does not wait")
    };
    let Ok(Entry::Waits(mut third)) = counts.enter(1, Some(1), Duration::ZERO) else {
        panic!("it does not wait")
    };
    counts.end(first, End::TakenBack, Duration::ZERO);
    assert!(third.try_recv().is_err());
    counts.end(second.try_recv().unwrap().unwrap(), End::Failed, Duration::ZERO);
    assert_eq!(third.try_recv().unwrap().map(drop), wait(60));
}

#[test]
fn names_that_are_made_up_do_not_let_one_address_keep_all_processors_busy() {
    let mut counts = Counts::new(AttemptLimits::default().per_address(0, MINUTE));
    let mut begin = |account, address| begin(&mut counts, account, Some(address), Duration::ZERO);
    let admitted: Vec<_> = (1..1000).map_while(|account| begin(account, 1).ok()).collect();
    assert_eq!(admitted.len(), 10);
    assert_eq!(begin(1000, 1).map(drop), wait(60));
    assert!(begin(1000, 2).is_ok(), "another address has reserves of its own");
    // However they end, others follow.
    for (next, ended) in (2000..).zip(admitted) {
        let end = if next % 2 == 0 { End::Failed } else { End::TakenBack };
        counts.end(ended, end, Duration::ZERO);
        assert!(counts.enter(next, Some(1), Duration::ZERO).is_ok());
        assert!(counts.enter(next + 1000, Some(1), Duration::ZERO).is_err());
    }
}

#[test]
fn those_who_wait_begin_in_their_order_and_no_newcomer_before_them() {
    let mut counts = Counts::new(AttemptLimits::default().per_account(2, MINUTE));
    let now = Duration::ZERO;
    let [first, second] = [(); 2].map(|()| begin(&mut counts, 1, None, now).unwrap());
    let mut waiting: Vec<_> = (0..super::counts::WAITING)
        .map(|_| match counts.enter(1, None, now) {
            Ok(Entry::Waits(turn)) => turn,
            _ => panic!("it does not wait"),
        })
        .collect();
    assert_eq!(counts.enter(1, None, now).map(drop), wait(1), "the line is full");
    assert!(begin(&mut counts, 2, None, now).is_ok(), "others have a line of their own");
    // A turn goes to none that has stopped waiting.
    drop(waiting.remove(0));
    counts.end(first, End::TakenBack, now);
    let third = waiting.remove(0).try_recv().unwrap().unwrap();
    assert!(waiting[0].try_recv().is_err());
    // A failure leaves one turn at a time.
    counts.end(second, End::Failed, now);
    assert!(waiting[0].try_recv().is_err());
    counts.end(third, End::Failed, now);
    for turn in &mut waiting {
        assert_eq!(turn.try_recv().unwrap().map(drop), wait(60));
    }
}

#[actix_web::test]
async fn what_is_taken_back_does_not_count() {
    let attempts = Attempts::new(AttemptLimits::default().per_account(2, MINUTE).per_address(10, MINUTE));
    let begin = || attempts.begin("mia", Some(IpAddr::from([127, 0, 0, 1])));
    for _ in 0..100 {
        begin().await.unwrap().take_back();
    }
    drop(begin().await.unwrap());
    let second = begin().await.unwrap();
    // While it is not known how an attempt ends, it may fail.
    let mut third = pin!(begin());
    let polled = poll_fn(|context| Poll::Ready(third.as_mut().poll(context)));
    assert!(polled.await.is_pending());
    second.take_back();
    drop(third.await.unwrap());
    assert!(begin().await.is_err());
}

#[actix_web::test]
async fn a_turn_that_is_not_taken_goes_to_the_next() {
    let attempts = Attempts::new(AttemptLimits::default().per_account(1, MINUTE));
    let first = attempts.begin("mia", None).await.unwrap();
    let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(attempts.begin("mia", None))).collect();
    for one in &mut waiting {
        let polled = poll_fn(|context| Poll::Ready(one.as_mut().poll(context)));
        assert!(polled.await.is_pending());
    }
    let last = waiting.pop().unwrap();
    // One that waits goes; another has its turn by then, and does not take it.
    drop(waiting.pop());
    first.take_back();
    drop(waiting);
    last.await.unwrap().take_back();
    attempts.begin("mia", None).await.unwrap().take_back();
}

#[actix_web::test]
async fn one_name_and_one_network_in_all_their_spellings() {
    let attempts = Attempts::new(AttemptLimits::default().per_account(1, MINUTE));
    assert!(attempts.begin("Mia@Sunnyside.example", None).await.is_ok());
    assert!(attempts.begin(" mia@sunnyside.example", None).await.is_err());
    let of = |text: &str| network(text.parse().unwrap());
    assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1:2:3"));
    assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
    assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
}

#[test]
fn nobody_or_everybody_may_try() {
    let mut nobody = Counts::new(AttemptLimits::default().per_account(0, MINUTE));
    assert_eq!(fail(&mut nobody, 1, None, MINUTE), wait(60));
    let mut everybody = Counts::new(AttemptLimits::default().per_account(u32::MAX, Duration::MAX));
    assert_eq!(fail(&mut everybody, 1, None, MINUTE), Ok(()));
}

#[test]
fn a_million_names_take_no_more_memory_and_do_not_set_the_victim_free() {
    let mut counts = Counts::new(AttemptLimits::default().per_account(5, MINUTE).remember(1_000));
    let hasher = RandomState::new();
    let victim = hasher.hash_one("victim");
    for _ in 0..5 {
        fail(&mut counts, victim, None, Duration::ZERO).unwrap();
    }
    for name in 0..1_000_000_u32 {
        let failed = fail(&mut counts, hasher.hash_one(name), None, Duration::ZERO);
        assert!(failed.is_ok(), "{name} is a stranger");
    }
    assert_eq!(fail(&mut counts, victim, None, Duration::ZERO), wait(60));
    assert_eq!(counts.accounts.sets.len() * PLACES, 1_000);
    assert_eq!(size_of::<Count>(), 24);
    assert!(counts.has_no_lines());
}
