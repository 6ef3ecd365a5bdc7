//! The log, where a test has no subscriber: a line that says what the application lacks belongs to the bare 500 that it
//! leads to.

use std::{
    fmt::{self, Write as _},
    sync::LazyLock,
};

use tracing::{
    Dispatch, Event, Level, Metadata, Subscriber,
    dispatcher::{get_default, with_default},
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::NoSubscriber,
};

/// Runs `work`, and prints the errors that it logs, unless there is a subscriber.
pub(crate) fn shown<T>(work: impl FnOnce() -> T) -> T {
    static PRINTED: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Printed));

    if get_default(Dispatch::is::<NoSubscriber>) { with_default(&PRINTED, work) } else { work() }
}

/// Prints into the captured output of the test, which the harness shows below a failed test.
struct Printed;

impl Subscriber for Printed {
    /// Takes events alone: to a guard that checks whether a subscriber wants its decisions, the answer is no.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target() == "auth" && *metadata.level() == Level::ERROR
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        eprintln!("ERROR auth: {}{}", line.message, line.fields);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // A `String` takes all that is written to it.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }
}
