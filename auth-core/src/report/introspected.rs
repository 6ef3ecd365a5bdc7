//! What actix-web itself says is registered, for handlers and routes that no protected scope knows.

use actix_web::{
    Error,
    dev::{Service, ServiceResponse},
    introspection::{IntrospectionReportItem, IntrospectionTree},
    test::TestRequest,
    web::Data,
};
