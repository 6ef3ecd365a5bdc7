#![allow(unused)]

use auth_core::{Authorized, permission::Read};
use auth_ui::Sensor;

fn make() -> Authorized<Sensor, Read> {
    Authorized { context: Sensor, permission: std::marker::PhantomData }
}

fn main() {}
