//! A program that uses the service while somebody looks at its pages.

use serde_json::{Value, json};
use ureq::{Agent, http::Request};

use crate::browser::chromium::Window;

/// Has the token of a user of the demo.
pub(crate) struct Program<'w> {
    window: &'w Window,
    token: String,
}

impl<'w> Program<'w> {
    pub(crate) fn logged_in(window: &'w Window, email: &str) -> Self {
        let nobody = Self { window, token: String::new() };
        let credentials = json!({ "email": email, "password": energy_service::demo::PASSWORD });
        let answer = nobody.request("POST", "/api/requestAuthToken", &credentials);
        Self { token: answer["auth_token"].as_str().unwrap().to_owned(), ..nobody }
    }

    /// Sends a request below the base of the versioned endpoints, which has to succeed.
    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        self.request(method, &format!("/api/v3_0{path}"), body)
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.window.base))
            .header("content-type", "application/json");
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        let request = request.body(body.to_string()).unwrap();
        let mut answer = Agent::new_with_defaults().run(request).unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap_or_default()
    }
}
