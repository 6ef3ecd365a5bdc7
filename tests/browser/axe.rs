//! [axe-core](https://github.com/dequelabs/axe-core), which looks for what keeps people from using a page. It is in the cache
//! that `.ci/servers` fills.

use std::{env, fs, io::Write as _, path::PathBuf, sync::LazyLock};

use serde_json::{Value, json};

use crate::browser::chromium::Window;

/// Its source. `None` where it is not there, which is an error in CI.
static SOURCE: LazyLock<Option<String>> = LazyLock::new(|| {
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .unwrap_or_default();
    let path = cache.join("auth-tests/axe-core-4.14.1/node_modules/axe-core/axe.min.js");
    match fs::read_to_string(&path) {
        Ok(source) => Some(source),
        Err(error) => {
            let path = path.display();
            assert!(env::var_os("CI").is_none(), "{path} is not there, and CI is set: {error}");
            let line = "axe-core is left out: it is not there; `.ci/servers` fetches it";
            let _ = writeln!(std::io::stderr(), "{line} ({path}: {error})");
            None
        }
    }
});

pub(crate) fn is_there() -> bool {
    SOURCE.is_some()
}

/// The result without what is right.
const RUN: &str = "
    const done = arguments[arguments.length - 1];
    axe.run({ resultTypes: ['violations'], preload: false }).then(
        ({ violations }) => done(violations.map(({ id, help, nodes }) =>
            ({ id, help, where: nodes.slice(0, 3).map(node => [node.html.slice(0, 200), node.failureSummary]) }))),
        error => done([String(error)]),
    );
";

/// What it finds on the page that the window shows.
pub(crate) async fn violations(window: &Window) -> Vec<Value> {
    let Some(source) = &*SOURCE else { return Vec::new() };
    if window.ask("return typeof axe").await != json!("object") {
        window.ask(source).await;
    }
    let found = window.driver.execute_async(RUN, Vec::new()).await.unwrap();
    found.json().as_array().unwrap().clone()
}
