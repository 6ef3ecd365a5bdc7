//! Counts that repeat: instructions by Callgrind and allocations by DHAT, of all threads of a process.
//!
//! A benchmark starts itself once more under Valgrind, twice with a different number of repetitions. The difference of
//! the two counts is that of the repetitions alone: both contain the start and the end of the process, and the filling of
//! databases and caches.

use std::{
    env,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Command, Output, Stdio},
};

use crate::{Error, work};

const ASKED: &str = "AUTH_BENCHES_WORK";
const TIMES: &str = "AUTH_BENCHES_TIMES";

const RUNS: usize = 5;
const CALLGRIND: &[&str] = &["--tool=callgrind", "--callgrind-out-file=/dev/null"];

/// Does the work that another process started this one for, if one did; the benchmark is over then.
///
/// # Errors
///
/// If the work fails.
pub fn worked() -> Result<bool, Error> {
    let Ok(name) = env::var(ASKED) else {
        return Ok(false);
    };
    work::repeat(&name, env::var(TIMES)?.parse()?)?;
    Ok(true)
}

/// The instructions of each repetition, all threads together, without those of the kernel.
///
/// Where threads wait for each other, how often one looks in vain is chance, and each time costs instructions. So the
/// median of several runs is taken.
///
/// # Errors
///
/// If Valgrind is missing, or the work fails.
pub fn instructions(name: &str, times: u32) -> Result<f64, Error> {
    let runs = if work::is_of_one_thread(name) { 1 } else { RUNS };
    of_each(name, times, |times| {
        median(runs, || {
            let output = valgrind(name, times, CALLGRIND).output()?;
            number_after(&told(&output)?, "Collected :")
        })
    })
}

/// The instructions of a server for each request that is sent to it from this process, which is not counted.
///
/// # Errors
///
/// If Valgrind is missing, or the work is no server, or a request fails.
pub fn instructions_of_server(
    name: &str,
    times: u32,
    ask: impl Fn(SocketAddr) -> Result<(), Error>,
) -> Result<f64, Error> {
    of_each(name, times, |times| {
        median(RUNS, || {
            let mut command = valgrind(name, times, CALLGRIND);
            let mut server =
                command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
            let mut address = String::new();
            BufReader::new(server.stdout.take().ok_or("no output")?).read_line(&mut address)?;
            let address = address.trim().parse()?;
            (0..times).try_for_each(|_| ask(address))?;
            // It ends with its input.
            drop(server.stdin.take());
            number_after(&told(&server.wait_with_output()?)?, "Collected :")
        })
    })
}

fn median(runs: usize, count: impl Fn() -> Result<f64, Error>) -> Result<f64, Error> {
    let mut counts = (0..runs).map(|_| count()).collect::<Result<Vec<_>, _>>()?;
    counts.sort_by(f64::total_cmp);
    counts.get(runs / 2).copied().ok_or_else(|| "no run".into())
}

/// The allocations of each repetition, all threads together.
///
/// # Errors
///
/// If Valgrind is missing, or the work fails.
pub fn allocations(name: &str, times: u32) -> Result<f64, Error> {
    of_each(name, times, |times| {
        let output = valgrind(name, times, &["--tool=dhat", "--dhat-out-file=/dev/null"]).output()?;
        let told = told(&output)?;
        let total = told.lines().find(|line| line.contains("Total:")).ok_or("DHAT tells no total")?;
        number_after(total, "bytes in")
    })
}

fn of_each(name: &str, times: u32, count: impl Fn(u32) -> Result<f64, Error>) -> Result<f64, Error> {
    let few = count(times).map_err(|error| format!("{name}: {error}"))?;
    let many = count(2 * times).map_err(|error| format!("{name}: {error}"))?;
    Ok((many - few) / f64::from(times))
}

/// This program at this work.
fn valgrind(name: &str, times: u32, options: &[&str]) -> Command {
    let mut command = Command::new("valgrind");
    command.arg("--fair-sched=yes").args(options);
    command.arg(env::current_exe().unwrap_or_default()).env(ASKED, name).env(TIMES, times.to_string());
    command
}

/// The last lines of Valgrind, unless the work failed.
fn told(output: &Output) -> Result<String, Error> {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(told) } else { Err(told.into()) }
}

fn number_after(text: &str, word: &str) -> Result<f64, Error> {
    let (_, rest) = text.split_once(word).ok_or_else(|| format!("Valgrind does not say `{word}`: {text}"))?;
    let number = rest.split_whitespace().next().unwrap_or_default().replace(',', "");
    Ok(number.parse()?)
}
