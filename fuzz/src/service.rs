//! Handlers that answer in this thread, without a network.

use std::mem::ManuallyDrop;

use actix_http::Request;
use actix_service::boxed::{self, BoxService};
use actix_web::{
    App, Error,
    body::to_bytes,
    dev::ServiceResponse,
    http::StatusCode,
    rt::{System, SystemRunner},
    test::{TestRequest, init_service},
    web::{Bytes, ServiceConfig},
};

pub(crate) struct Service {
    runner: SystemRunner,
    handlers: BoxService<Request, ServiceResponse, Error>,
}

impl Service {
    /// The handlers that `configure` registers. Never dropped, for their runtime does not outlive the storage of its
    /// thread.
    pub(crate) fn new(configure: impl FnOnce(&mut ServiceConfig)) -> ManuallyDrop<Self> {
        let runner = System::new();
        let handlers = runner.block_on(init_service(App::new().configure(configure)));
        ManuallyDrop::new(Self { runner, handlers: boxed::service(handlers) })
    }

    /// The answer, which is no failure of the server.
    ///
    /// # Panics
    ///
    /// If it is one.
    pub(crate) fn answer(&self, request: TestRequest) -> (StatusCode, Bytes) {
        self.runner.block_on(async {
            let response = match actix_service::Service::call(&self.handlers, request.to_request()).await {
                Ok(response) => response.into_parts().1,
                Err(error) => error.error_response(),
            };
            let status = response.status();
            assert!(!status.is_server_error(), "{status}");
            let body = to_bytes(response.into_body()).await;
            (status, body.unwrap_or_else(|error| panic!("{error}")))
        })
    }
}
