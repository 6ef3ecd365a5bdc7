//! What compiles, and what the compiler says about what does not.

use auth_ui::pass;

// What compiles is no case of `trybuild`: as long as all of its cases fail, it checks them in one go.
#[test]
fn pass() {
    pass::auth_model::run();
    pass::no_warnings::run();
    pass::on_denied::run();
    pass::openapi::run();
}

#[test]
fn ui() {
    trybuild::TestCases::new().compile_fail("fail/*/*.rs");
}
