//! An application server with axum: takes sealed callbacks, each once.
//!
//! Environment: `LISTEN` (default 127.0.0.1:8080), `SEAL_SECRET` (32 bytes or more), `STRIPPED_PREFIX` if a reverse proxy
//! strips one, and for tests only `TEST_KEY_URL` with `TEST_KEY` (PEM) to trust local-oss.

use std::env;
use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use oss_callback::callback::{
    CallbackRequest, ReplayGuard, Reply, Sealer, Seen, Verifier, reply_ok, reply_refused,
};

struct App {
    verifier: Verifier,
    sealer: Sealer,
    guard: ReplayGuard,
}

impl App {
    fn from_env() -> Result<App, Box<dyn Error>> {
        let mut verifier = Verifier::new();
        if let (Ok(url), Ok(pem)) = (env::var("TEST_KEY_URL"), env::var("TEST_KEY")) {
            verifier = verifier.trust_key_url_for_tests(&url, &pem)?;
        }
        if let Ok(prefix) = env::var("STRIPPED_PREFIX") {
            verifier = verifier.prepend_prefix(&prefix);
        }
        Ok(App {
            verifier,
            sealer: Sealer::new("2026-01", env::var("SEAL_SECRET")?.as_bytes())?,
            guard: ReplayGuard::in_memory(100_000),
        })
    }

    fn handle(&self, request: &CallbackRequest<'_>) -> Result<Option<Reply>, oss_callback::Error> {
        // README begin
        let verified = self.verifier.verify(request)?; // OSS has sent it
        let sealed = self.sealer.check(&verified)?; // we have permitted the upload
        let seen = self.guard.check(&sealed)?; // is it new?
        if seen == Seen::Replayed {
            return Ok(None);
        }
        if seen == Seen::First {
            eprintln!("{:?} has {} bytes", sealed.object(), sealed.size());
        }
        reply_ok(r#"{"Status":"OK"}"#).map(Some)
        // README end
    }
}

async fn callback(
    State(app): State<Arc<App>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // As it stands in the request line, and before anything has decoded it.
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let headers = headers.iter().map(|(n, v)| (n.as_str(), v.as_bytes()));
    let request = CallbackRequest::new(method.as_str(), target, &body).headers(headers);
    let reply = match app.handle(&request) {
        Ok(Some(reply)) => reply,
        Ok(None) => return StatusCode::FORBIDDEN.into_response(),
        Err(error) => {
            eprintln!("{error}: {}", error.diagnosis().unwrap_or_default());
            reply_refused(&error)
        }
    };
    let status = StatusCode::from_u16(reply.status()).unwrap_or(StatusCode::FORBIDDEN);
    (status, reply.headers(), reply.body().to_vec()).into_response()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let app = Arc::new(App::from_env()?);
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening http://{}", listener.local_addr()?);
    // A callback may go to any path; a handler that fetches keys belongs onto `spawn_blocking`.
    let router = Router::new().fallback(callback).with_state(app);
    Ok(axum::serve(listener, router).await?)
}
