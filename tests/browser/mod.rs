//! The pages of the energy service in headless Chromium: by the keyboard alone, at several widths, light and dark.

#[cfg(feature = "browser")]
mod chromium;
#[cfg(feature = "browser")]
mod in_chromium;

#[cfg(not(feature = "browser"))]
#[test]
fn what_is_left_out_is_said() {
    use std::io::Write as _;

    // The harness captures `eprintln!`.
    let _ = writeln!(std::io::stderr(), "tests of pages in Chromium are left out: built without `browser`");
}
