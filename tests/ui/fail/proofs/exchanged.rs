#![allow(unused)]

use auth_core::{Authorized, permission::Read};
use auth_ui::Sensor;

fn exchange(mut proof: Authorized<Sensor, Read>) -> Authorized<Sensor, Read> {
    *proof = Sensor;
    proof
}

fn main() {}
