//! A copy of the service, in which the sources are changed, and whose access matrix is compared.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::mutants::{operators::Mutant, sources::Source};

/// A workspace of its own, with the dependencies of ours and the same versions of all others, so that nothing is
/// downloaded and little is built twice.
pub(crate) struct Copy {
    folder: PathBuf,
}

impl Copy {
    pub(crate) fn of(workspace: &Path) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        let service = folder.join("energy-service");
        copy(&workspace.join("examples/energy-service"), &service);
        // The tests that are not needed take as long to build as the service.
        for entry in fs::read_dir(service.join("tests")).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
            } else if path.file_name().is_some_and(|name| name != "access_matrix.rs") {
                fs::remove_file(path).unwrap();
            }
        }
        fs::remove_file(service.join("src/main.rs")).unwrap();
        fs::write(service.join("src/unchecked.rs"), include_str!("unchecked.rs")).unwrap();

        let manifest = fs::read_to_string(workspace.join("Cargo.toml")).unwrap();
        let mut lines: Vec<String> = Vec::new();
        for line in manifest.lines() {
            if line.starts_with("members = ") {
                lines.push(r#"members = ["energy-service"]"#.to_owned());
            } else if !line.starts_with("default-members = ") {
                lines.push(line.replace("path = \"", &format!("path = \"{}/", workspace.display())));
            }
        }
        // No debugger needs its places.
        lines.push("\n[profile.dev.package.energy-service]\ndebug = false\n".to_owned());
        fs::write(folder.join("Cargo.toml"), lines.join("\n")).unwrap();
        fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        Self { folder }
    }

    /// The routes at which the access matrix differs from the reviewed one, with these mutants.
    pub(crate) fn differing(&self, sources: &[Source], mutants: &[&Mutant]) -> BTreeSet<String> {
        for (index, source) in sources.iter().enumerate() {
            let edits = mutants.iter().filter(|mutant| mutant.source == index);
            let mut edits: Vec<_> = edits.flat_map(|mutant| &mutant.edits).collect();
            edits.sort_by_key(|(range, _)| range.start);
            let mut text = source.text.clone();
            for (range, other) in edits.into_iter().rev() {
                text.replace_range(range.clone(), other);
            }
            if source.path == Path::new("lib.rs") {
                text = format!("#![allow(warnings, reason = \"mutants\")]\n{text}\nmod unchecked;\n");
            }
            let file = self.folder.join("energy-service/src").join(&source.path);
            // Others stay as old as they are, so that less is built.
            if fs::read_to_string(&file).unwrap() != text {
                fs::write(&file, text).unwrap();
            }
        }
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let output = Command::new(env!("CARGO"))
            .args(["test", "--offline", "--package", "energy-service", "--test", "access_matrix"])
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", target)
            .env_remove("UPDATE_REVIEWED")
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let said = said.concat();
        if output.status.success() {
            return BTreeSet::new();
        }
        assert!(said.contains("this is not what was reviewed"), "{said}");
        said.lines().filter_map(route).collect()
    }
}

/// The route of a line such as `GET /sensors/{sensor_id} (own)`.
fn route(line: &str) -> Option<String> {
    let mut words = line.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    (is_method && path.starts_with('/')).then(|| format!("{method} {path}"))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copied = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &copied);
        } else {
            fs::copy(&path, &copied).unwrap();
        }
    }
}
