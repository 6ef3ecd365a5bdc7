#![allow(unused)]

use auth_core::{Authorized, permission::Read};

struct Sensor;

fn exchange(mut proof: Authorized<Sensor, Read>) -> Authorized<Sensor, Read> {
    *proof = Sensor;
    proof
}

fn main() {}
