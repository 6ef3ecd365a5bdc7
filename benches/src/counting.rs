//! Counts that repeat: instructions by Callgrind and allocations by DHAT, of all threads of a process.
//!
//! A benchmark starts itself once more under Valgrind, twice with a different number of repetitions. The difference of
//! the two counts is that of the repetitions alone: what starts and ends a process, fills a database or a cache, is in
//! both.

use std::{env, process::Command};

use crate::{Error, work};

const ASKED: &str = "AUTH_BENCHES_WORK";
const TIMES: &str = "AUTH_BENCHES_TIMES";

/// Does what another process asked this one for, if it did; the benchmark is over then.
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
/// # Errors
///
/// If Valgrind is missing, or the work fails.
pub fn instructions(name: &str, times: u32) -> Result<f64, Error> {
    of_each(name, times, |times| {
        let told = run(name, times, &["--tool=callgrind", "--callgrind-out-file=/dev/null"])?;
        number_after(&told, "Collected :")
    })
}

/// The allocations of each repetition, all threads together.
///
/// # Errors
///
/// If Valgrind is missing, or the work fails.
pub fn allocations(name: &str, times: u32) -> Result<f64, Error> {
    of_each(name, times, |times| {
        let told = run(name, times, &["--tool=dhat", "--dhat-out-file=/dev/null"])?;
        let total = told.lines().find(|line| line.contains("Total:")).ok_or("DHAT tells no total")?;
        number_after(total, "bytes in")
    })
}

fn of_each(name: &str, times: u32, count: impl Fn(u32) -> Result<f64, Error>) -> Result<f64, Error> {
    let few = count(times).map_err(|error| format!("{name}: {error}"))?;
    let many = count(2 * times).map_err(|error| format!("{name}: {error}"))?;
    Ok((many - few) / f64::from(times))
}

/// What Valgrind tells of this program at this work.
fn run(name: &str, times: u32, valgrind: &[&str]) -> Result<String, Error> {
    let output = Command::new("valgrind")
        .args(valgrind)
        .arg(env::current_exe()?)
        .env(ASKED, name)
        .env(TIMES, times.to_string())
        .output()
        .map_err(|error| format!("valgrind does not start: {error}"))?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(told) } else { Err(told.into()) }
}

fn number_after(text: &str, word: &str) -> Result<f64, Error> {
    let (_, rest) = text.split_once(word).ok_or_else(|| format!("Valgrind does not say `{word}`: {text}"))?;
    let number = rest.split_whitespace().next().unwrap_or_default().replace(',', "");
    Ok(number.parse()?)
}
