//! The answers that a client sees: guarded services, real connections, a real database; for the energy service, each
//! database that it is built for.
#![allow(clippy::duplicate_mod, reason = "the same tests on each database, of which there may be one")]

mod again;
mod ahead;
mod answers;
mod attributes;
mod basic;
mod client;
mod contexts;
mod denied;
mod documents;
mod failures;
mod fixture;
mod fuzz;
mod handed_over;
mod hidden;
mod jwt;
mod loaders;
mod log;
mod mechanisms;
mod nested;
mod observers;
mod phases;
mod policies;
mod protected;
mod redis;
mod report;
mod session;
mod tokens;
mod unread;
mod visible;

#[path = "."]
mod sqlite {
    const SERVER: energy_service::test::Server = energy_service::test::Server::Sqlite;

    mod audit;
    mod demo;
    mod energy;
    mod flex_model;
    mod held_back;
    mod openapi;
    mod tenants;
}

#[cfg(feature = "postgres")]
#[path = "."]
mod postgres {
    const SERVER: energy_service::test::Server = energy_service::test::Server::Postgres;

    mod audit;
    mod demo;
    mod energy;
    mod flex_model;
    mod held_back;
    mod openapi;
    mod tenants;
}

#[cfg(feature = "mysql")]
#[path = "."]
mod mysql {
    const SERVER: energy_service::test::Server = energy_service::test::Server::Mysql;

    mod audit;
    mod demo;
    mod energy;
    mod flex_model;
    mod held_back;
    mod openapi;
    mod tenants;
}
