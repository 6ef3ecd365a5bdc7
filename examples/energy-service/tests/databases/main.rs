//! The service on each database that it is built for: the same tests on all of them.
#![allow(clippy::duplicate_mod, reason = "the same tests on each database, of which there may be one")]

mod browser;
#[cfg(all(feature = "postgres", feature = "redis"))]
mod instances;

#[path = "."]
mod sqlite {
    const SERVER: energy_service::test::Server = energy_service::test::Server::Sqlite;

    mod bounds;
    mod consultants;
    mod denials;
    mod flexmeasures;
    mod guarantees;
    mod import;
    mod indexes;
    mod lists;
    mod live;
    mod log_ins;
    mod models;
    mod objects;
    mod pages;
    mod parts;
    mod races;
    mod readable;
    mod refused;
    mod requests;
    mod reviewed;
    mod shares;
    mod welcome;
}

#[cfg(feature = "postgres")]
#[path = "."]
mod postgres {
    const SERVER: energy_service::test::Server = energy_service::test::Server::Postgres;

    mod bounds;
    mod consultants;
    mod denials;
    mod flexmeasures;
    mod guarantees;
    mod import;
    mod indexes;
    mod lists;
    mod live;
    mod log_ins;
    mod models;
    mod objects;
    mod pages;
    mod parts;
    mod races;
    mod readable;
    mod refused;
    mod requests;
    mod reviewed;
    mod servers;
    mod shares;
    mod welcome;
}

#[cfg(feature = "mysql")]
#[path = "."]
mod mysql {
    const SERVER: energy_service::test::Server = energy_service::test::Server::Mysql;

    mod bounds;
    mod consultants;
    mod denials;
    mod flexmeasures;
    mod guarantees;
    mod import;
    mod indexes;
    mod lists;
    mod live;
    mod log_ins;
    mod models;
    mod objects;
    mod pages;
    mod parts;
    mod races;
    mod readable;
    mod refused;
    mod requests;
    mod reviewed;
    mod servers;
    mod shares;
    mod welcome;
}
