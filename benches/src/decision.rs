//! One decision on a loaded context, in each way in which it can be written.

use std::hint::black_box;

use auth_core::{Permission, Subject, check_access};

use crate::{
    Error,
    rule::{Asset, Caller, Case, Expressed, may_read, may_read_unknown},
};

/// How a decision is written. `Nothing` is the loop around it, which is subtracted from the others.
#[cfg(not(feature = "peers"))]
pub const WAYS: &[&str] = &["nothing", "if", "declared", "expressed", "unknown-if", "guard"];
#[cfg(feature = "peers")]
pub const WAYS: &[&str] =
    &["nothing", "if", "declared", "expressed", "unknown-if", "guard", "actix-web-grants", "casbin", "cedar"];

/// The name of a way, for a table.
#[must_use]
pub fn described(way: &str) -> &'static str {
    match way {
        "if" => "an `if`",
        "declared" => "ours, `#[acl(…)]`",
        "expressed" => "ours, `fn acl`",
        "unknown-if" => "an `if`, a subject of unknown type",
        "guard" => "ours, as a guard asks: a subject of unknown type",
        "actix-web-grants" => "actix-web-grants, with the object by an `if`",
        "casbin" => "casbin",
        "cedar" => "cedar-policy",
        _ => "the loop",
    }
}

/// A decision about values that `black_box` hides from the compiler.
#[must_use]
pub fn declared(caller: &Caller, asset: &Asset) -> bool {
    check_access(black_box(caller), black_box(asset), Permission::READ).is_allowed()
}

#[must_use]
pub fn expressed(caller: &Caller, asset: &Asset) -> bool {
    check_access(black_box(caller), &Expressed(black_box(asset)), Permission::READ).is_allowed()
}

/// A guard knows neither the type of the subject, nor, in its loop, the permission.
#[must_use]
pub fn guard(caller: &Caller, asset: &Asset) -> bool {
    let caller: &dyn Subject = black_box(caller);
    check_access(caller, black_box(asset), black_box(Permission::READ)).is_allowed()
}

/// An `if` that knows as little of the subject as a guard does.
#[must_use]
pub fn unknown_by_hand(caller: &Caller, asset: &Asset) -> bool {
    let caller: &dyn Subject = black_box(caller);
    may_read_unknown(caller, black_box(asset))
}

#[must_use]
pub fn by_hand(caller: &Caller, asset: &Asset) -> bool {
    may_read(black_box(caller), black_box(asset))
}

/// `way/case`, as often.
pub(crate) fn repeat(work: &str, times: u32) -> Result<(), Error> {
    let (way, case) = work.split_once('/').ok_or("a way and a case")?;
    let case = Case::named(case).ok_or("no such case")?;
    match way {
        "nothing" => decide(case, times, |caller, asset| {
            black_box((caller, asset));
            case != Case::Stranger
        }),
        "if" => decide(case, times, by_hand),
        "declared" => decide(case, times, declared),
        "expressed" => decide(case, times, expressed),
        "unknown-if" => decide(case, times, unknown_by_hand),
        "guard" => decide(case, times, guard),
        #[cfg(feature = "peers")]
        "actix-web-grants" => {
            let caller = case.caller();
            let granted = crate::peers::grants::granted(&caller);
            decide(case, times, |caller, asset| crate::peers::grants::may_read(&granted, caller, asset))
        }
        #[cfg(feature = "peers")]
        "casbin" => {
            let casbin = crate::peers::casbin::Casbin::new()?;
            decide(case, times, |caller, asset| casbin.may(caller, asset, Permission::READ).unwrap_or(false))
        }
        #[cfg(feature = "peers")]
        "cedar" => {
            let cedar = crate::peers::cedar::Cedar::new()?;
            decide(case, times, |caller, asset| cedar.may(caller, asset, Permission::READ).unwrap_or(false))
        }
        _ => Err(format!("nobody decides by `{way}`").into()),
    }
}

/// Fails where a decision is wrong, for a wrong one may be cheap.
fn decide(case: Case, times: u32, decide: impl Fn(&Caller, &Asset) -> bool) -> Result<(), Error> {
    let (caller, asset) = (case.caller(), case.asset());
    let mut allowed = 0;
    for _ in 0..times {
        allowed += u32::from(decide(black_box(&caller), black_box(&asset)));
    }
    let expected = if case == Case::Stranger { 0 } else { times };
    if allowed == expected { Ok(()) } else { Err(format!("{case:?}: allowed {allowed} times").into()) }
}
