//! Errors at compile time.

pub(super) const fn same(one: &str, other: &str) -> bool {
    crate::vocabulary::permission::same_bytes(one.as_bytes(), other.as_bytes())
}

#[track_caller]
pub(super) const fn assert_that(holds: bool, message: &str) {
    if !holds {
        fail(message)
    }
}

#[track_caller]
#[expect(clippy::panic, reason = "an error at compile time")]
pub(super) const fn fail(message: &str) -> ! {
    panic!("{}", message)
}
