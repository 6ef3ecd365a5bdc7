//! A browser, as far as sessions and pages are concerned.
#![expect(clippy::unwrap_used, reason = "the functions that the tests share may panic, too")]

use actix_web::{
    App,
    body::to_bytes,
    http::{
        Method, StatusCode,
        header::{self, HeaderMap},
    },
    test::{TestRequest, init_service, try_call_service},
};
use energy_service::{Service, demo::PASSWORD};

/// A page, or another answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Keeps the cookie of the session.
#[derive(Clone, Default)]
pub(crate) struct Browser {
    pub(crate) cookie: Option<String>,
}

impl Browser {
    /// One that has logged in with the form.
    pub(crate) async fn logged_in(service: &Service, email: &str) -> Self {
        let mut browser = Self::default();
        assert_eq!(browser.log_in(service, email, PASSWORD).await.status, 303);
        browser
    }

    pub(crate) async fn log_in(&mut self, service: &Service, email: &str, password: &str) -> Answer {
        self.post(service, "/log-in", &format!("email={email}&password={password}")).await
    }

    pub(crate) async fn get(&mut self, service: &Service, path: &str) -> Answer {
        self.send(service, Method::GET, path, &[], "").await
    }

    /// A form of a page of the service.
    pub(crate) async fn post(&mut self, service: &Service, path: &str, form: &str) -> Answer {
        self.send(service, Method::POST, path, &[("sec-fetch-site", "same-origin")], form).await
    }

    pub(crate) async fn send(
        &mut self,
        service: &Service,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        form: &str,
    ) -> Answer {
        let app = init_service(App::new().configure(|config| service.configure(config))).await;
        let mut request = TestRequest::with_uri(path)
            .method(method)
            .insert_header((header::ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8"))
            .insert_header((header::CONTENT_TYPE, "application/x-www-form-urlencoded"))
            .set_payload(form.to_owned());
        for header in headers {
            request = request.insert_header(*header);
        }
        if let Some(cookie) = &self.cookie {
            request = request.insert_header((header::COOKIE, cookie.as_str()));
        }
        let response = match try_call_service(&app, request.to_request()).await {
            Ok(response) => response.into_parts().1.map_into_boxed_body(),
            // A server answers this.
            Err(error) => error.error_response(),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body()).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        let answer = Answer { status, headers, body };
        if let Some(set) = answer.header("set-cookie") {
            let (cookie, attributes) = set.split_once(';').unwrap();
            self.cookie = (!attributes.contains("Max-Age=0")).then(|| cookie.to_owned());
        }
        answer
    }
}
