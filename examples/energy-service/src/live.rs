//! The measurements that were just recorded, for the sockets that show them, and the limits of these sockets: how many
//! there are, how they are watched, and when they end. It makes no decisions: each socket decides before each message,
//! and that is most of its cost.
//!
//! All this is within one process. Each of several instances shows the measurements that it records itself; where clients
//! have to see all of them, the instances need a broker between them, such as `LISTEN` and `NOTIFY` of `PostgreSQL`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;
use tokio::sync::{broadcast, watch};

/// The most sockets that one user may have open.
pub const MAX_SOCKETS: usize = 16;

/// The most measurements in one message. There is a decision for each message, not for each measurement.
const CHUNK: usize = 250;

/// How sockets with live measurements are watched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LiveConfig {
    /// How often a socket checks that its client is still there, and asks the database whether the user may still read.
    /// Also how long a client has to answer, and to read the messages. At least a millisecond.
    pub heart_beat: Duration,
    /// How long a socket is open at most. The client may open another one.
    pub max_age: Duration,
    /// How many messages about a sensor are kept for its slowest socket, at least one. Each has up to 250 measurements,
    /// of some 60 bytes.
    pub backlog: usize,
}

impl Default for LiveConfig {
    /// Half a minute, an hour, and the measurements of three of the largest requests.
    fn default() -> Self {
        Self { heart_beat: Duration::from_secs(30), max_age: Duration::from_secs(60 * 60), backlog: 128 }
    }
}

/// Publishes recorded measurements. Clones share the sockets.
#[derive(Clone)]
pub(crate) struct Live(Arc<Shared>);

struct Shared {
    config: LiveConfig,
    /// Of each sensor by itself: the sensors of other users do not flood a user's socket.
    channels: Mutex<HashMap<i32, broadcast::Sender<Arc<str>>>>,
    /// How many sockets each user has.
    sockets: Mutex<HashMap<i32, usize>>,
    stopped: watch::Sender<bool>,
}

impl Live {
    pub(crate) fn new(config: LiveConfig) -> Self {
        let config = LiveConfig {
            heart_beat: config.heart_beat.max(Duration::from_millis(1)),
            backlog: config.backlog.max(1),
            ..config
        };
        Self(Arc::new(Shared {
            config,
            channels: Mutex::default(),
            sockets: Mutex::default(),
            stopped: watch::Sender::new(false),
        }))
    }

    pub(crate) fn config(&self) -> LiveConfig {
        self.0.config
    }

    /// A place for one more socket of this user; `None` if there are too many.
    pub(crate) fn place_for(&self, user_id: i32) -> Option<Place> {
        let mut sockets = locked(&self.0.sockets);
        let number = sockets.entry(user_id).or_default();
        if *number >= MAX_SOCKETS {
            return None;
        }
        *number += 1;
        Some(Place { live: self.clone(), user_id })
    }

    /// The messages about new measurements of this sensor, from now on.
    pub(crate) fn of_sensor(&self, sensor_id: i32) -> broadcast::Receiver<Arc<str>> {
        let mut channels = locked(&self.0.channels);
        channels.retain(|_, channel| channel.receiver_count() > 0);
        channels.entry(sensor_id).or_insert_with(|| broadcast::Sender::new(self.0.config.backlog)).subscribe()
    }

    /// Shows recorded measurements to the sockets that follow the sensor; without any, the message is not even made. Call
    /// it after the transaction, which could still fail before.
    pub(crate) fn publish<T: Serialize>(&self, sensor_id: i32, recorded: impl FnOnce() -> Vec<T>) {
        let Some(channel) = locked(&self.0.channels).get(&sensor_id).cloned() else { return };
        if channel.receiver_count() == 0 {
            return;
        }
        for chunk in recorded().chunks(CHUNK) {
            match serde_json::to_string(chunk) {
                // Without receivers the message is not needed.
                Ok(text) => drop(channel.send(text.into())),
                Err(error) => tracing::error!(%error, "what was recorded cannot be shown"),
            }
        }
    }

    /// Ends all sockets, also those that are opened later.
    pub(crate) fn stop(&self) {
        self.0.stopped.send_replace(true);
    }

    /// Waits for [`stop`](Self::stop).
    pub(crate) async fn stopped(&self) {
        // The sender is in `self`, so it is there.
        let _ = self.0.stopped.subscribe().wait_for(|stopped| *stopped).await;
    }
}

/// The place of one socket among those of its user, given up when it is dropped.
pub(crate) struct Place {
    live: Live,
    user_id: i32,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut sockets = locked(&self.live.0.sockets);
        if let Some(number) = sockets.get_mut(&self.user_id) {
            *number -= 1;
            if *number == 0 {
                sockets.remove(&self.user_id);
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::sync::broadcast::error::TryRecvError;

    use super::{CHUNK, Live, LiveConfig, MAX_SOCKETS, locked};

    #[test]
    fn a_user_has_so_many_sockets_and_others_are_not_concerned() {
        let live = Live::new(LiveConfig::default());
        let mut places: Vec<_> = (0..MAX_SOCKETS).map(|_| live.place_for(1).unwrap()).collect();
        assert!(live.place_for(1).is_none());
        assert!(live.place_for(2).is_some());
        places.pop();
        assert!(live.place_for(1).is_some());
        drop(places);
        assert!(locked(&live.0.sockets).is_empty());
    }

    #[test]
    fn who_follows_a_sensor_gets_what_is_recorded_of_it_in_messages_of_bounded_size() {
        let live = Live::new(LiveConfig::default());
        live.publish(1, || -> Vec<i32> { panic!("made for nobody") });
        let mut followed = live.of_sensor(1);
        live.publish(2, || vec![0]);
        live.publish(1, || vec![0; CHUNK + 1]);
        let numbers = |text: &str| serde_json::from_str::<Vec<i32>>(text).unwrap().len();
        assert_eq!(numbers(&followed.try_recv().unwrap()), CHUNK);
        assert_eq!(numbers(&followed.try_recv().unwrap()), 1);
        assert_eq!(followed.try_recv(), Err(TryRecvError::Empty));
    }

    #[test]
    fn nothing_is_kept_without_bounds() {
        let live = Live::new(LiveConfig { backlog: 2, ..LiveConfig::default() });
        let mut slow = live.of_sensor(1);
        for _ in 0..3 {
            live.publish(1, || vec![0]);
        }
        assert!(matches!(slow.try_recv(), Err(TryRecvError::Lagged(_))));
        drop(slow);
        live.publish(1, || -> Vec<i32> { panic!("made for nobody") });
        let _other = live.of_sensor(2);
        assert_eq!(locked(&live.0.channels).len(), 1);
    }
}
