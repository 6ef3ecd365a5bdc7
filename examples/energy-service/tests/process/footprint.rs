//! The use that a process makes of the machine.

use std::{
    fmt, fs, thread,
    time::{Duration, Instant},
};

use super::{PATIENCE, Process};

impl Process {
    fn footprint(&self) -> Footprint {
        let folder = format!("/proc/{}", self.child.id());
        let status = fs::read_to_string(format!("{folder}/status")).unwrap();
        let value = |name: &str| -> usize {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim_start_matches(':').split_whitespace().next().unwrap().parse().unwrap()
        };
        Footprint {
            memory: value("RssAnon"),
            threads: value("Threads"),
            files: fs::read_dir(format!("{folder}/fd")).unwrap().count(),
        }
    }

    /// The resources of the idle process, when all connections of its pool are open.
    fn at_rest(&self) -> Footprint {
        let (mut before, deadline) = (self.footprint(), Instant::now() + PATIENCE);
        loop {
            thread::sleep(Duration::from_millis(500));
            let now = self.footprint();
            if (now.threads, now.files) == (before.threads, before.files) {
                return now;
            }
            assert!(Instant::now() < deadline, "it does not come to rest: {now}");
            before = now;
        }
    }

    /// The resources that a fault leaves behind. It takes place so many times, and then once more, which may add nothing.
    ///
    /// Threads for blocking work end when they had nothing to do for 10 s, and connections when the client or the service
    /// closes them; there are as many of both as at rest, then. Of memory, the allocator keeps some that was freed: it has
    /// a heap for several threads each, and a freed piece in the middle of one stays. So memory is compared with that after
    /// the times before, when all of these heaps have been used, and may exceed it by [`KEPT`].
    pub(crate) fn leaves_nothing_behind<R>(
        &self,
        before: usize,
        mut fault: impl FnMut() -> R,
    ) -> (R, Traces) {
        let rest = self.at_rest();
        for _ in 0..before {
            fault();
        }
        let before = Footprint { memory: self.footprint().memory, ..rest };
        let result = fault();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let after = self.footprint();
            if after.threads <= before.threads
                && after.files <= before.files
                && after.memory <= before.memory + KEPT
            {
                assert_eq!(self.logged("panicked"), 0);
                return (result, Traces { before, after });
            }
            assert!(Instant::now() < deadline, "{}", Traces { before, after });
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The memory that the allocator may keep, in KiB. The buffers of a thousand connections alone are twice that.
const KEPT: usize = 8 * 1024;

/// The resources of a process: memory of its own in KiB, threads, and open files, sockets among them.
#[derive(Clone, Copy, Debug)]
struct Footprint {
    memory: usize,
    threads: usize,
    files: usize,
}

impl fmt::Display for Footprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} KiB, {} threads, {} files", self.memory, self.threads, self.files)
    }
}

/// The resources of a process before a fault and after it.
pub(crate) struct Traces {
    before: Footprint,
    after: Footprint,
}

impl fmt::Display for Traces {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "before: {}, after: {}", self.before, self.after)
    }
}
