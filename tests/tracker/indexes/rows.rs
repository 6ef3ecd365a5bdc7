//! Some thousand rows in each table, of which a user has a few.

/// Statements that insert them all.
pub(super) fn all() -> String {
    let nothing = || "NULL".to_owned();
    // Every third, where the number is that of a row.
    let end = |number: usize| ["NULL", "'2020-01-01 00:00:00'", "'2030-01-01 00:00:00'"][number % 3];
    // Each number up to `count` once, in no order.
    let mixed = |id: usize, count: usize| 1 + id * 7919 % count;
    [
        table("organisations", 2000, |id| format!("{id}, 'name'")),
        table("memberships", 10_000, |id| {
            let level = ["view", "edit"][id % 2];
            format!("{id}, {}, {}, '{level}', {}", mixed(id, 2000), mixed(id, 1000), end(id / 7))
        }),
        table("projects", 10_000, |id| {
            let state = ["draft", "published", "archived"][id % 3];
            format!("{id}, {}, 'name', '{state}', FALSE, NULL, NULL", mixed(id, 2000))
        }),
        table("shares", 10_000, |id| {
            let whom = if id % 2 == 0 { "{}, NULL" } else { "NULL, {}" };
            let whom = whom.replace("{}", &mixed(id, 1000).to_string());
            let level = ["view", "edit"][id / 2 % 2];
            format!("{id}, {}, {whom}, '{level}', {}", mixed(id, 10_000), end(id / 7))
        }),
        table("teams", 1000, |id| format!("{id}, 'name'")),
        table("team_members", 5000, |id| format!("{}, {}", 1 + id % 1000, mixed(id, 10_007))),
        table("folders", 10_000, |id| {
            let parent = if id > 10 { (id / 10).to_string() } else { nothing() };
            let project = if id % 5 == 0 { mixed(id, 10_000).to_string() } else { nothing() };
            let owner = if id % 7 == 0 { mixed(id, 1000).to_string() } else { nothing() };
            format!("{id}, {parent}, {project}, {owner}, 'name', TRUE")
        }),
        table("tasks", 20_000, |id| {
            format!("{id}, {}, {}, 'text', 1, FALSE", mixed(id, 10_000), mixed(id, 1000))
        }),
    ]
    .concat()
}

fn table(name: &str, count: usize, row: impl Fn(usize) -> String) -> String {
    let rows: Vec<String> = (1..=count).map(|id| format!("({})", row(id))).collect();
    let statements =
        rows.chunks(1000).map(|rows| format!("INSERT INTO {name} VALUES {};\n", rows.join(", ")));
    statements.collect::<Vec<_>>().concat()
}
