//! Names in statements.

use std::fmt::{self, Display, Write as _};

/// A name in a statement, in quotes if it needs them.
pub(super) struct Quoted<'a>(pub(super) &'a str);

/// In the quotes of the standard; with `#`, in those of `MySQL`.
impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = self;
        if is_plain(name) {
            return f.write_str(name);
        }
        let quote = if f.alternate() { '`' } else { '"' };
        f.write_char(quote)?;
        for character in name.chars() {
            if character == quote {
                f.write_char(quote)?;
            }
            f.write_char(character)?;
        }
        f.write_char(quote)
    }
}

/// Whether each database takes it as it is. `PostgreSQL` writes other letters small.
fn is_plain(name: &str) -> bool {
    let is_word = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    is_word
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && !is_reserved(name)
}

/// The length that each database allows.
const LONGEST: usize = 63;

/// A name for an index of these columns. A long one ends with a number that is made of all of it.
pub(super) fn of_index<'a>(table: &'a str, columns: impl Iterator<Item = &'a str>) -> String {
    let mut name = table.to_owned();
    for column in columns {
        name.push('_');
        name.push_str(column);
    }
    if name.len() > LONGEST {
        let end = format!("_{:08x}", fingerprint(&name));
        let kept = (0..=LONGEST - end.len()).rev().find(|at| name.is_char_boundary(*at)).unwrap_or_default();
        name.truncate(kept);
        name.push_str(&end);
    }
    name
}

/// FNV-1a.
fn fingerprint(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn is_reserved(name: &str) -> bool {
    RESERVED.split_ascii_whitespace().any(|word| word == name)
}

/// The words that one of the databases takes for its own where the name of a table or a column stands.
const RESERVED: &str = "
    accessible add all alter analyse analyze and any array as asc asensitive asymmetric authorization autoincrement before
    between bigint binary blob both by call cascade case cast change char character check collate collation column commit
    concurrently condition constraint continue convert create cross cube cume_dist current_catalog current_date
    current_role current_schema current_time current_timestamp current_user cursor database databases day_hour
    day_microsecond day_minute day_second dec decimal declare default deferrable delayed delete dense_rank desc describe
    deterministic distinct distinctrow div do double drop dual each else elseif empty enclosed end escape escaped except
    exists exit explain false fetch first_value float float4 float8 for force foreign freeze from full fulltext function
    generated get grant group grouping groups having high_priority hour_microsecond hour_minute hour_second if ignore ilike
    in index infile initially inner inout insensitive insert int int1 int2 int3 int4 int8 integer intersect interval into
    is isnull iterate join json_table key keys kill lag last_value lateral lead leading leave left like limit linear lines
    load localtime localtimestamp lock long longblob longtext loop low_priority master_bind manual match maxvalue mediumblob
    mediumint mediumtext member middleint minute_microsecond minute_second mod modifies natural not notnull
    no_write_to_binlog nth_value ntile null numeric of offset on only optimize option optionally or order out outer outfile
    over overlaps parallel parse_vcol_expr partition percent_rank period placing portion precision primary procedure purge
    qualify range rank read reads read_write real recursive references regexp release rename repeat replace require resignal
    restrict return returning revoke right rlike row row_number rows schema schemas second_microsecond select sensitive
    separator session_user set show signal similar smallint some spatial specific sql sqlexception sqlstate sqlwarning
    sql_big_result sql_calc_found_rows sql_small_result ssl starting stored straight_join symmetric system table tablesample
    terminated then tinyblob tinyint tinytext to trailing transaction trigger true undo union unique unlock unsigned update
    usage use user using utc_date utc_time utc_timestamp values varbinary varchar varcharacter variadic varying verbose
    virtual when where while window with write xor year_month zerofill";

#[cfg(test)]
mod tests {
    use super::{Quoted, of_index};

    #[test]
    fn a_name_has_quotes_where_it_needs_them() {
        for (name, standard, mysql) in [
            ("projects", "projects", "projects"),
            ("user_id2", "user_id2", "user_id2"),
            ("order", "\"order\"", "`order`"),
            ("Projects", "\"Projects\"", "`Projects`"),
            ("2nd", "\"2nd\"", "`2nd`"),
            ("a \"b`", "\"a \"\"b`\"", "`a \"b```"),
            ("", "\"\"", "``"),
        ] {
            assert_eq!(
                (format!("{}", Quoted(name)), format!("{:#}", Quoted(name))),
                (standard.into(), mysql.into())
            );
        }
    }

    #[test]
    fn an_index_has_a_name_that_each_database_takes_and_no_other_index_has() {
        assert_eq!(of_index("shares", ["user_id", "ends_at"].into_iter()), "shares_user_id_ends_at");
        let long = "é".repeat(40);
        let [one, other] = ["one", "other"].map(|column| of_index(&long, [column].into_iter()));
        assert!(one.len() <= 63 && one.len() > 55, "{one}");
        assert_ne!(one, other);
    }
}
