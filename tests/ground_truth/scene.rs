//! Where cases take place: local-oss in the clear and with TLS, an application server, and networks between them all.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use local_oss::{Answer, ReceivedRequest, Receiver, RefusedAddress, Server};
use oss_callback::{Client, RetryPolicy, RootCertificates, Stored};

use super::case::{AppAnswer, Case, Way};
use super::checker::{Truth, Verdict};
use support::network::{Hook, Network, Plan};
use support::{BUCKET, client_builder, server};

/// How long the servers may take to be done with what was sent to them.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long OSS waits for an application server here.
const CALLBACK_TIMEOUT: Duration = Duration::from_millis(300);

/// A place for one case at a time.
pub struct Scene {
    clear: Side,
    tls: Side,
    receiver: Receiver,
    callback_network: Network,
    refused: RefusedAddress,
}

/// A server and the network in front of it.
struct Side {
    server: Arc<Server>,
    network: Network,
}

impl Side {
    fn new(tls: bool) -> Side {
        let server = server()
            .tls(tls)
            .callback_timeout(CALLBACK_TIMEOUT)
            .min_part_size(1)
            .idle_timeout(PATIENCE / 2)
            .start()
            .unwrap();
        let network = Network::start(server.address());
        Side {
            server: server.into(),
            network,
        }
    }
}

/// What an uploader has to know of a scene.
pub struct Place<'a> {
    /// From now on faults come about. For cases whose faults begin late; the others have been there.
    pub begin_faults: &'a (dyn Fn() + Sync),
    pub endpoint: String,
    pub network: SocketAddr,
    pub refused: SocketAddr,
    /// Whom to trust, with TLS.
    pub certificate: Option<String>,
    pub callback_urls: Vec<String>,
}

/// Carries out a case in some language.
pub trait Uploader {
    /// Makes ready; with a connection that is open already, if the case has one.
    fn prepare(&mut self, case: &Case, place: &Place<'_>);

    fn upload(&mut self, case: &Case, place: &Place<'_>) -> Verdict;

    /// Looks up what the last upload has left unknown, by way of a network that loses nothing.
    fn reconcile(&mut self, case: &Case, place: &Place<'_>) -> Looked;
}

/// What reconciling said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// With the ETag.
    Stored(Option<String>),
    ContentPresent(Option<String>),
    NotThere,
    StillUnknown,
    /// The code of an error.
    Failed(String),
}

impl Scene {
    pub fn new() -> Scene {
        let receiver = Receiver::start(answer).unwrap();
        let callback_network = Network::start(receiver.address());
        Scene {
            clear: Side::new(false),
            tls: Side::new(true),
            receiver,
            callback_network,
            refused: RefusedAddress::new().unwrap(),
        }
    }

    fn side(&self, case: &Case) -> &Side {
        match case.tls {
            true => &self.tls,
            false => &self.clear,
        }
    }

    fn place<'a>(&self, case: &Case, begin_faults: &'a (dyn Fn() + Sync)) -> Place<'a> {
        let side = self.side(case);
        let scheme = if case.tls { "https" } else { "http" };
        let network = side.network.address();
        let host = match case.way {
            Way::Address => network.to_string(),
            _ => format!("localhost:{}", network.port()),
        };
        let url = |(index, answer): (usize, &AppAnswer)| {
            let address = self.callback_network.address();
            format!("http://{address}/{answer:?}/{index}/{}", case.key())
        };
        Place {
            begin_faults,
            endpoint: format!("{scheme}://{host}"),
            network,
            refused: self.refused.address(),
            certificate: side.server.certificate_pem().map(str::to_owned),
            callback_urls: case.callback.iter().enumerate().map(url).collect(),
        }
    }

    /// Carries out a case, and tells what the client said and what happened.
    pub fn run(
        &self,
        case: &Case,
        uploader: &mut dyn Uploader,
    ) -> (Verdict, Truth, Option<Looked>) {
        let side = self.side(case);
        let begin_faults = || {
            let (server, clock) = (side.server.clone(), case.clock.clone());
            let hook: Hook = Box::new(move |number| {
                if let Some(seconds) = clock.get(number) {
                    server.set_clock(*seconds);
                }
            });
            let plan = Plan::each(case.faults.clone()).with_impostors(case.impostors.clone());
            side.network.begin(plan, Some(hook));
        };
        let place = self.place(case, &begin_faults);
        side.network.begin(Plan::default(), None);
        self.callback_network.begin(Plan::default(), None);
        if case.older {
            // Older by more than a second, which is what times of objects tell.
            side.server.set_clock(-10);
            let older = client(&place).put_object(BUCKET, &case.key());
            older.send_bytes("older").unwrap();
            side.network.end();
        }
        side.server.set_clock(0);
        uploader.prepare(case, &place);

        match case.late {
            true => side.network.begin(Plan::default(), None),
            false => begin_faults(),
        }
        let faults = Plan::each(case.callback_faults.clone());
        self.callback_network.begin(faults, None);
        let begun = Instant::now();
        let verdict = uploader.upload(case, &place);
        let took = begun.elapsed();
        let connections = side.network.end();
        self.wait_until_quiet(side, case);
        let callback_connections = self.callback_network.end();

        let key = case.key();
        let of_this = |bucket: &str, name: &str| bucket == BUCKET && name == key;
        let mut stored = side.server.stored();
        stored.retain(|stored| of_this(&stored.bucket, &stored.key));
        if case.older {
            stored.remove(0);
        }
        let mut deliveries = side.server.deliveries();
        deliveries.retain(|delivery| of_this(&delivery.bucket, &delivery.key));
        let mut open_uploads = side.server.open_uploads();
        open_uploads.retain(|upload| upload.key == key);
        let mut truth = Truth {
            has_contents: side.server.object(BUCKET, &key) == Some(case.contents()),
            stored,
            deliveries,
            callbacks: self.callbacks(&key),
            open_uploads: open_uploads
                .into_iter()
                .map(|upload| upload.upload_id)
                .collect(),
            connections,
            callback_connections,
            took,
            looked_through: None,
            later_connections: Vec::new(),
        };
        if verdict.stored == Stored::Unknown && !case.later_impostors.is_empty() {
            let plan = Plan::default().with_impostors(case.later_impostors.clone());
            side.network.begin(plan, None);
            truth.looked_through = Some(uploader.reconcile(case, &place));
            truth.later_connections = side.network.end();
            self.wait_until_quiet(side, case);
        }
        let looked = (verdict.stored == Stored::Unknown).then(|| {
            side.network.begin(Plan::default(), None);
            let looked = uploader.reconcile(case, &place);
            side.network.end();
            self.wait_until_quiet(side, case);
            looked
        });
        (verdict, truth, looked)
    }

    fn wait_until_quiet(&self, side: &Side, case: &Case) {
        assert!(
            side.server.wait_until_idle(PATIENCE),
            "local-oss is not done: {case}"
        );
    }

    /// What reached the application server for this object.
    pub fn callbacks(&self, key: &str) -> Vec<ReceivedRequest> {
        let mut requests = self.receiver.requests();
        requests.retain(|request| request.target.contains(key) || request.text().contains(key));
        requests
    }
}

/// A client that nothing goes wrong for.
pub fn client(place: &Place<'_>) -> Client {
    let scheme = if place.certificate.is_some() {
        "https"
    } else {
        "http"
    };
    let mut builder = client_builder(&format!("{scheme}://{}", place.network))
        .root_certificates(RootCertificates::None)
        .retry_policy(RetryPolicy::default().base_delay(Duration::from_millis(2)))
        .max_idle_connections(0);
    if let Some(certificate) = &place.certificate {
        builder = builder.ca_bundle(certificate.as_str());
    }
    builder.build().unwrap()
}

/// The application server: the first part of the path says what it answers.
fn answer(request: &ReceivedRequest) -> Answer {
    let kind = request.target.split('/').nth(1).unwrap_or_default();
    let kind = AppAnswer::ALL
        .into_iter()
        .find(|answer| format!("{answer:?}") == kind);
    match kind {
        Some(AppAnswer::Ok) => Answer::json(r#"{"Status":"OK"}"#),
        Some(AppAnswer::Large) => {
            Answer::json(format!("{{\"padding\":\"{}\"}}", ".".repeat(20_000)))
        }
        Some(AppAnswer::Xml) => Answer::new(200, "application/xml", "<Status>OK</Status>"),
        Some(AppAnswer::Status502) => Answer::status(502),
        Some(AppAnswer::Silence) => Answer::silence(),
        Some(AppAnswer::Close) => Answer::close(),
        Some(AppAnswer::NoLength) => Answer::json("{}").without_content_length(),
        Some(AppAnswer::Chunked) => Answer::json("{}").chunked(),
        Some(AppAnswer::NotJson) => Answer::json("OK"),
        Some(AppAnswer::TooLong) => Answer::json(format!("\"{}\"", ".".repeat(1 << 20))),
        Some(AppAnswer::Status404) | None => Answer::status(404),
    }
}
