//! A web page that uploads straight to OSS, and the application server behind it.
//!
//! The page asks this server for a permission, which is a form or a presigned URL, and uploads with it; the bytes do not
//! pass through here. OSS then calls this server back, and the page shows what it was told.
//!
//! Without any environment everything happens on this machine: local-oss runs inside the process. With the variables of
//! `--help` the same program works with Alibaba Cloud OSS.

mod application;

use std::env;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use application::{Application, Wish};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use clap::Parser;
use local_oss::Server;
use oss_callback::callback::{CallbackRequest, Verifier, reply_refused};
use oss_callback::{Client, Credentials};
use tokio::net::TcpListener;

const HELP: &str = "\
Without OSS_ENDPOINT the page uploads to an OSS-compatible server inside this
process. To use Alibaba Cloud OSS set

  OSS_ENDPOINT           such as https://oss-cn-hangzhou.aliyuncs.com
  OSS_REGION             such as cn-hangzhou
  OSS_BUCKET             the bucket
  OSS_ACCESS_KEY_ID      the access key, which may write to uploads/ in it
  OSS_ACCESS_KEY_SECRET  its secret
  OSS_SESSION_TOKEN      the security token, if the key is one of STS
  OSS_CALLBACK_URL       a URL by which OSS reaches this program, such as that
                         of a tunnel; by default its own address, which only
                         servers on this machine reach

The bucket needs a CORS rule: the address of this page as origin, the methods
PUT and POST, all headers (*), and ETag and x-oss-request-id exposed.

SEAL_SECRET (32 bytes or more) keeps permissions good over a restart. For tests
TEST_KEY_URL and TEST_KEY (PEM) trust the callbacks of another local-oss.";

/// A web page that uploads to OSS, and the application server behind it.
#[derive(Parser)]
#[command(after_help = HELP)]
struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: String,
}

/// How long a page waits for news before it asks again.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(Arguments::parse().listen).await?;
    let address = listener.local_addr()?;
    // It stops when it is dropped.
    let (application, _local_oss) = match env::var_os("OSS_ENDPOINT") {
        Some(_) => (from_environment(address)?, None),
        None => {
            let (application, server) = on_this_machine(address)?;
            (application, Some(server))
        }
    };
    println!("listening http://{address}");

    let text = |content_type, text: &'static str| {
        get(move || async move { ([("Content-Type", content_type)], text) })
    };
    let router = Router::new()
        .route(
            "/",
            text("text/html; charset=utf-8", include_str!("page.html")),
        )
        .route(
            "/page.css",
            text("text/css; charset=utf-8", include_str!("page.css")),
        )
        .route(
            "/page.js",
            text("text/javascript; charset=utf-8", include_str!("page.js")),
        )
        .route("/permissions", post(permit))
        .route("/uploads/{id}", get(news))
        // A callback may go to any path.
        .fallback(called_back)
        .with_state(Arc::new(application));
    Ok(axum::serve(listener, router).await?)
}

fn on_this_machine(address: SocketAddr) -> Result<(Application, Server), Box<dyn Error>> {
    let server = Server::builder()
        .bucket("examplebucket")
        .credentials("id", "secret")
        // The page may also be called by this name.
        .allow_origin(format!("http://localhost:{}", address.port()))
        .allow_origin(format!("http://{address}"))
        .start()?;
    println!("local-oss {}", server.endpoint());
    let client = Client::builder()
        .endpoint(server.endpoint())
        .region("cn-hangzhou")
        .credentials(Credentials::new("id", "secret"))
        .build()?;
    let verifier = Verifier::new()
        .trust_key_url_for_tests(server.public_key_url(), server.public_key_pem())?;
    let callback_url = format!("http://{address}/callback");
    let application = Application::new(client, "examplebucket", &callback_url, verifier)?;
    Ok((application, server))
}

fn from_environment(address: SocketAddr) -> Result<Application, Box<dyn Error>> {
    let required = |name: &str| env::var(name).map_err(|e| format!("{name}: {e}"));
    let client = Client::builder()
        .endpoint(required("OSS_ENDPOINT")?)
        .region(required("OSS_REGION")?)
        .credentials(Credentials::from_env()?)
        .build()?;
    let mut verifier = Verifier::new();
    if let (Ok(url), Ok(pem)) = (env::var("TEST_KEY_URL"), env::var("TEST_KEY")) {
        verifier = verifier.trust_key_url_for_tests(&url, &pem)?;
    }
    let own = format!("http://{address}/callback");
    let callback_url = env::var("OSS_CALLBACK_URL").unwrap_or(own);
    Application::new(client, &required("OSS_BUCKET")?, &callback_url, verifier)
}

/// The page asks for a permission. **A real application asks first who that is.**
async fn permit(State(application): State<Arc<Application>>, body: Bytes) -> Response {
    let refused = |status: StatusCode, why: String| (status, why).into_response();
    let wish = match Wish::parse(&body) {
        Ok(wish) => wish,
        Err(why) => return refused(StatusCode::BAD_REQUEST, why),
    };
    // Signing sends nothing: this does not block.
    match application.permit(&wish) {
        Ok(permission) => ([("Content-Type", "application/json")], permission).into_response(),
        Err(error) => {
            eprintln!("{error}");
            let why = "The application server cannot give a permission now.";
            refused(StatusCode::INTERNAL_SERVER_ERROR, why.to_owned())
        }
    }
}

/// The page waits for the callback of its upload: 200 with what it said, or 204 when there was none so far.
async fn news(State(application): State<Arc<Application>>, Path(id): Path<String>) -> Response {
    let Some(mut told) = application.told(&id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let told = tokio::time::timeout(PATIENCE, told.wait_for(Option::is_some)).await;
    match told.ok().and_then(Result::ok).and_then(|told| told.clone()) {
        Some(json) => ([("Content-Type", "application/json")], json).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

/// OSS says that an object is stored; or somebody else does.
async fn called_back(
    State(application): State<Arc<Application>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // As it stands in the request line, and before anything has decoded it.
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let headers = headers.iter().map(|(n, v)| (n.as_str(), v.as_bytes()));
    let request = CallbackRequest::new(method.as_str(), target, &body).headers(headers);
    let reply = match application.called_back(&request) {
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
