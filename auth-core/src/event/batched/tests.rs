use std::{
    convert::Infallible,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::SystemTime,
};

use super::*;
use crate::vocabulary::{Decision, DenyReason};

const LONG: Duration = Duration::from_secs(3_600);
const LIMIT: Duration = Duration::from_secs(60);

/// A denial by this guard is observed.
fn deny(batched: &Batched, guard: &'static str) {
    batched.decided(&Event {
        time: SystemTime::UNIX_EPOCH,
        guard,
        method: "GET",
        route: None,
        subject: None,
        mechanism: None,
        required: None,
        permission: None,
        context: None,
        context_id: None,
        decision: Decision::Deny(DenyReason::NoMatch),
        hidden: false,
        error: None,
        duration: Duration::ZERO,
        load: None,
    });
}

type Batches = Arc<Mutex<Vec<(Vec<&'static str>, u64)>>>;

/// Keeps the guards, and stores them unless `fails` is set.
fn guards(builder: BatchedBuilder) -> (Batched, Batches, Arc<AtomicBool>) {
    let (told, fails) = (Batches::default(), Arc::new(AtomicBool::new(false)));
    let (stored, failing) = (Arc::clone(&told), Arc::clone(&fails));
    let store = move |batch: &[&'static str], missed| {
        if failing.load(Ordering::SeqCst) {
            return Err("the store is out of order");
        }
        locked(&stored).push((batch.to_vec(), missed));
        Ok(())
    };
    let keep = |event: &Event<'_>| (event.guard != "not kept").then_some(event.guard);
    (builder.start(keep, store).unwrap(), told, fails)
}

#[test]
fn what_is_kept_is_handed_over_in_its_order_and_once() {
    let (batched, told, _) = guards(Batched::builder().interval(LONG));
    for guard in ["a", "not kept", "b", "c"] {
        deny(&batched, guard);
    }
    assert_eq!(*locked(&told), []);
    batched.flush(LIMIT).unwrap();
    batched.flush(LIMIT).unwrap();
    assert_eq!(*locked(&told), [(vec!["a", "b", "c"], 0)]);
}

#[test]
fn an_interval_hands_over_by_itself_on_another_thread() {
    let (sender, stored) = channel();
    let store = move |batch: &[&'static str], _| sender.send((batch.to_vec(), thread::current().id()));
    let start = Batched::builder().interval(Duration::ZERO);
    let batched = start.start(|event| Some(event.guard), store).unwrap();
    for guard in ["a", "b"] {
        deny(&batched, guard);
        let (batch, thread) = stored.recv_timeout(LIMIT).unwrap();
        assert_eq!(batch, [guard]);
        assert_ne!(thread, thread::current().id());
    }
}

#[test]
fn what_is_beyond_the_bound_is_counted_and_told() {
    let (batched, told, _) = guards(Batched::builder().interval(LONG).at_most(2));
    for guard in ["a", "b", "c", "d", "e"] {
        deny(&batched, guard);
    }
    batched.flush(LIMIT).unwrap();
    deny(&batched, "f");
    batched.flush(LIMIT).unwrap();
    assert_eq!(*locked(&told), [(vec!["a", "b"], 3), (vec!["f"], 0)]);

    // It is told although nothing was kept.
    let (batched, told, _) = guards(Batched::builder().interval(LONG).at_most(0));
    deny(&batched, "a");
    batched.flush(LIMIT).unwrap();
    assert_eq!(*locked(&told), [(vec![], 1)]);
}

#[test]
fn what_is_not_stored_waits_within_the_bound_and_comes_first() {
    let (batched, told, fails) = guards(Batched::builder().interval(LONG).at_most(3));
    fails.store(true, Ordering::SeqCst);
    for guard in ["a", "b"] {
        deny(&batched, guard);
    }
    assert_eq!(batched.flush(LIMIT), Err(FlushError));
    for guard in ["c", "d", "e"] {
        deny(&batched, guard);
    }
    assert_eq!(batched.flush(LIMIT), Err(FlushError));
    deny(&batched, "f");
    assert_eq!(batched.flush(LIMIT), Err(FlushError));
    assert_eq!(*locked(&told), []);
    fails.store(false, Ordering::SeqCst);
    batched.flush(LIMIT).unwrap();
    assert_eq!(*locked(&told), [(vec!["a", "b", "c"], 3)]);
    for guard in ["g", "h", "i", "j"] {
        deny(&batched, guard);
    }
    batched.flush(LIMIT).unwrap();
    assert_eq!(locked(&told)[1..], [(vec!["g", "h", "i"], 1)], "all places are free again");
}

#[test]
fn a_panic_of_the_store_is_a_failure_like_any_other() {
    let calls = AtomicUsize::new(0);
    let (sender, stored) = channel();
    let store = move |batch: &[&'static str], _| {
        assert!(calls.fetch_add(1, Ordering::SeqCst) > 0, "a bug in the store");
        sender.send(batch.to_vec())
    };
    let batched = Batched::builder().interval(LONG).start(|event| Some(event.guard), store).unwrap();
    deny(&batched, "a");
    assert_eq!(batched.flush(LIMIT), Err(FlushError));
    batched.flush(LIMIT).unwrap();
    assert_eq!(stored.recv().unwrap(), ["a"]);
}

#[test]
fn a_flush_waits_no_longer_than_its_limit_and_no_decision_waits_for_the_store() {
    let (release, hold) = channel::<()>();
    let (begun, begins) = channel();
    let store = move |_: &[&'static str], _| {
        let _ = begun.send(());
        hold.recv()
    };
    let batched = Batched::builder().interval(LONG).start(|event| Some(event.guard), store).unwrap();
    deny(&batched, "a");
    assert_eq!(batched.flush(Duration::from_millis(20)), Err(FlushError));
    begins.recv().unwrap();
    deny(&batched, "b");
    for () in [(), ()] {
        release.send(()).unwrap();
    }
    batched.flush(LIMIT).unwrap();
}

#[test]
fn the_last_clone_leaves_nothing_behind() {
    let (sender, stored) = channel();
    let store = move |batch: &[&'static str], _| sender.send(batch.to_vec());
    let batched = Batched::builder().interval(LONG).start(|event| Some(event.guard), store).unwrap();
    let clone = batched.clone();
    deny(&batched, "a");
    drop(batched);
    deny(&clone, "b");
    assert!(stored.try_recv().is_err(), "there is a clone");
    drop(clone);
    assert_eq!(stored.recv_timeout(LIMIT).unwrap(), ["a", "b"]);
    // The store is dropped, and so the thread has ended.
    assert!(stored.recv_timeout(LIMIT).is_err_and(|error| error == RecvTimeoutError::Disconnected));
}

#[test]
fn what_a_store_of_its_own_does_not_take_stays() {
    let (takes, (sender, stored)) = (Arc::new(AtomicBool::new(false)), channel());
    let taking = Arc::clone(&takes);
    let store = move |gathered: HandOver<'_, Vec<&'static str>>| {
        if taking.load(Ordering::SeqCst) {
            let _ = sender.send((gathered.take(), gathered.is_all()));
        }
        Ok::<_, Infallible>(())
    };
    let add = |gathered: &mut Vec<_>, event: &Event<'_>| gathered.push(event.guard);
    let batched = Batched::builder().interval(LONG).start_gathering(add, store).unwrap();
    deny(&batched, "a");
    batched.flush(LIMIT).unwrap();
    takes.store(true, Ordering::SeqCst);
    deny(&batched, "b");
    batched.flush(LIMIT).unwrap();
    batched.flush(LIMIT).unwrap();
    assert_eq!([stored.recv().unwrap(), stored.recv().unwrap()], [(vec!["a", "b"], true), (vec![], true)]);
}

#[test]
fn an_interval_does_not_want_all() {
    let (sender, stored) = channel();
    let store = move |gathered: HandOver<'_, ()>| sender.send(gathered.is_all());
    let start = Batched::builder().interval(Duration::ZERO);
    let batched = start.start_gathering(|(): &mut (), _| {}, store).unwrap();
    assert!(!stored.recv_timeout(LIMIT).unwrap());
    drop(batched);
    assert!(stored.iter().last().unwrap(), "the end does");
}
