//! The energy service as a whole: its access matrix notices every mutant, two instances answer by the moment while everything
//! changes, and its pages work in a browser. Each has a short form, for every change, and a long one, for a release.

#[cfg(feature = "browser")]
mod browser;
mod mutants;
#[cfg(feature = "postgres")]
mod soak;

#[test]
fn what_is_left_out_is_said() {
    use std::{env, io::Write as _};

    for (tests, feature, built) in [
        ("tests of pages in Chromium", "browser", cfg!(feature = "browser")),
        ("the soak run", "postgres", cfg!(feature = "postgres")),
    ] {
        if !built {
            assert!(env::var_os("CI").is_none(), "built without `{feature}`");
            // The harness captures `eprintln!`.
            let _ = writeln!(std::io::stderr(), "{tests}: left out, built without `{feature}`");
        }
    }
}
