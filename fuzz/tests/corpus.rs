//! The inputs that the fuzz targets found interesting before still pass.

use std::{fs, path::Path};

/// Gives each file to the target. Both outcomes have to be among them, or the target would look at nothing.
fn replay(name: &str, target: impl Fn(&[u8]) -> bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut outcomes = [0, 0];
    for file in fs::read_dir(&folder).unwrap() {
        let path = file.unwrap().path();
        let input = fs::read(&path).unwrap();
        eprintln!("{}", path.display());
        outcomes[usize::from(target(&input))] += 1;
    }
    let [refused, let_in] = outcomes;
    eprintln!("{name}: {refused} refused, {let_in} let in");
    assert!(refused > 0 && let_in > 0, "{}: {refused} refused, {let_in} let in", folder.display());
}

#[test]
fn expansion() {
    replay("expansion", auth_fuzz::expansion);
}

#[test]
fn principals() {
    replay("principals", auth_fuzz::principals);
}

#[test]
fn tokens() {
    replay("tokens", auth_fuzz::tokens);
}

#[test]
fn ids() {
    replay("ids", auth_fuzz::ids);
}

#[test]
fn cookies() {
    replay("cookies", auth_fuzz::cookies);
}
