//! Parts of a statement that only some databases read: what is on the other end is known when it is sent at the earliest, so
//! one text is for all of them.
//!
//! Three differences between their comments make that possible. `MySQL` and `MariaDB` execute `/*! … */`, in which `#`
//! begins a comment up to the end of the line. `PostgreSQL` nests comments, so `/* /* */ … /* */ */` is one there, and two
//! in the others. `-- ` hides the rest of a line from those for which the comment before it has ended.

macro_rules! sqlite_only {
    ($sql:literal) => {
        concat!("/*!#*//* /* */ ", $sql, " /*\n*/-- */\n")
    };
}

macro_rules! postgres_only {
    ($sql:literal) => {
        concat!("/* /* */-- */ ", $sql, "\n")
    };
}

macro_rules! not_mysql {
    ($sql:literal) => {
        concat!("/*!#*/ ", $sql, " /*\n*/")
    };
}

macro_rules! not_postgres {
    ($sql:literal) => {
        concat!("/* /* */ ", $sql, " /* */-- */\n")
    };
}
