//! The answer to InitiateMultipartUpload is lost: what OSS may have begun is named, can be found, and is not aborted on a
//! guess.

use std::time::{Duration, SystemTime};

use local_oss::Server;
use oss_callback::{Client, Error, ErrorKind, RetryPolicy, Stored};
use support::faults::{Action, Direction, Fault, FaultyNetwork};
use support::{BUCKET, RawServer, TemporaryFile, client, client_builder, server};

const PART: u64 = 102_400;

const LOST_ANSWER: Fault = Fault {
    direction: Direction::Answer,
    at: 0,
    action: Action::Cut,
};

const LOST_REQUEST: Fault = Fault {
    direction: Direction::Request,
    at: 0,
    action: Action::Cut,
};

fn through(network: &FaultyNetwork) -> Client {
    client_builder(&format!("http://{}", network.address()))
        .retry_policy(RetryPolicy::default().base_delay(Duration::from_millis(1)))
        .build()
        .unwrap()
}

/// The ids of the uploads that are open, in their order.
fn open(server: &Server) -> Vec<String> {
    let mut open: Vec<String> = server
        .open_uploads()
        .into_iter()
        .map(|upload| upload.upload_id)
        .collect();
    open.sort();
    open
}

fn begun_since(server: &Server, since: SystemTime) -> Vec<String> {
    let list = client(server.endpoint()).list_multipart_uploads(BUCKET);
    let uploads = list.object("o").begun_since(since).send().unwrap().uploads;
    let mut ids: Vec<String> = uploads.into_iter().map(|upload| upload.upload_id).collect();
    ids.sort();
    ids
}

fn assert_names_it(notes: &[String], since: SystemTime) {
    let [note] = notes else { panic!("{notes:?}") };
    assert!(note.contains(&format!("{BUCKET}/o ")), "{note}");
    let (_, time) = note.split_once("begun since ").unwrap();
    // 2026-11-28T15:04:05.000Z and Sat, 28 Nov 2026 15:04:05 GMT
    let is_it = |date: String| {
        let same = [(0..4, 12..16), (8..10, 5..7), (11..19, 17..25)];
        same.into_iter().all(|(a, b)| time[a] == date[b])
    };
    let seconds = since.elapsed().unwrap().as_secs() + 1;
    let mut times = (0..=seconds).map(|s| since + Duration::from_secs(s));
    assert!(
        times.any(|time| is_it(httpdate::fmt_http_date(time))),
        "{note}"
    );
    assert_eq!(&time[19..25], ".000Z,");
}

#[test]
fn an_upload_whose_beginning_was_lost_once_is_named_in_the_receipt() {
    let server = server().start().unwrap();
    let network = FaultyNetwork::start(server.address(), LOST_ANSWER, 1);
    let file = TemporaryFile::new("a", &vec![7; 2 * PART as usize]);
    let since = SystemTime::now();
    let upload = through(&network).upload_file(BUCKET, "o").part_size(PART);
    let receipt = upload.send(file.path()).unwrap();
    assert_names_it(receipt.notes(), since);
    let left = open(&server);
    assert_eq!(left.len(), 1, "it is left to the caller");
    assert_eq!(begun_since(&server, since), left);
}

#[test]
fn an_upload_whose_beginning_was_lost_each_time_is_named_in_the_error() {
    let server = server().start().unwrap();
    let network = FaultyNetwork::start(server.address(), LOST_ANSWER, usize::MAX);
    let file = TemporaryFile::new("a", &vec![7; 2 * PART as usize]);
    let since = SystemTime::now();
    let client = through(&network);
    let upload = client.upload_file(BUCKET, "o").part_size(PART);
    let error = upload.send(file.path()).unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::ConnectionLost, Stored::No)
    );
    assert_names_it(error.notes(), since);
    assert!(
        error.notes()[0].contains("up to 3 uploads"),
        "{:?}",
        error.notes()
    );
    assert_eq!(begun_since(&server, since), open(&server));

    let error = client
        .initiate_multipart_upload(BUCKET, "o")
        .retry_policy(RetryPolicy::none())
        .send()
        .unwrap_err();
    assert_names_it(error.notes(), since);
    assert!(
        error.notes()[0].contains("an upload of"),
        "{:?}",
        error.notes()
    );
    assert!(server.wait_until_idle(Duration::from_secs(30)));
    assert_eq!(begun_since(&server, since), open(&server));
}

#[test]
fn a_later_attempt_that_succeeds_remembers_the_one_that_was_lost() {
    let server = server().start().unwrap();
    let network = FaultyNetwork::start(server.address(), LOST_ANSWER, 1);
    let since = SystemTime::now();
    let initiate = through(&network).initiate_multipart_upload(BUCKET, "o");
    let upload = initiate.send().unwrap();
    assert_names_it(upload.notes(), since);
    assert_eq!(open(&server).len(), 2);
    // One that went well has nothing to tell.
    let initiate = client(server.endpoint()).initiate_multipart_upload(BUCKET, "o");
    assert_eq!(initiate.send().unwrap().notes(), [""; 0]);
}

#[test]
fn an_upload_that_cannot_have_been_begun_is_not_named() {
    let server = server().start().unwrap();
    let initiate = |client: Client| -> Error {
        client
            .initiate_multipart_upload(BUCKET, "o")
            .retry_policy(RetryPolicy::none())
            .send()
            .unwrap_err()
    };
    // Nobody there, nothing sent, and a refusal of OSS.
    let refused = local_oss::RefusedAddress::new().unwrap();
    let nobody = client(&format!("http://{}", refused.address()));
    assert_eq!(initiate(nobody).notes(), [""; 0]);
    let other = client_builder(server.endpoint())
        .credentials(oss_callback::Credentials::new("nobody", "secret"))
        .build();
    let error = initiate(other.unwrap());
    assert_eq!((error.status(), error.notes()), (Some(403), &[][..]));
    assert_eq!(open(&server), [""; 0]);
    // A request that may not have arrived was sent all the same.
    let network = FaultyNetwork::start(server.address(), LOST_REQUEST, usize::MAX);
    let error = initiate(through(&network));
    assert_eq!(error.notes().len(), 1, "{error}");
}

#[test]
fn an_answer_without_an_id_names_what_may_have_been_begun() {
    for answer in [
        "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
        "HTTP/1.1 200 OK\r\nx-oss-request-id: R\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx-oss-request-id: R\r\nContent-Length: 100\r\n\r\n<InitiateMultipart",
    ] {
        let server = RawServer::answering(answer);
        let error = client(&server.endpoint())
            .initiate_multipart_upload(BUCKET, "o")
            .retry_policy(RetryPolicy::none())
            .send()
            .unwrap_err();
        assert_eq!(error.notes().len(), 1, "{answer}: {error}");
    }
}

#[test]
fn uploads_begun_since_a_moment_are_found_by_either_clock() {
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    let begin = |object: &str| {
        let initiate = client.initiate_multipart_upload(BUCKET, object);
        initiate.send().unwrap().upload_id().to_owned()
    };
    // Minutes ahead or behind: OSS still takes the signature.
    for ahead in [0, 600, -600] {
        server.set_clock(ahead - 100);
        let earlier = begin("o");
        server.set_clock(ahead);
        let since = SystemTime::now();
        let (mine, _) = (begin("o"), [begin("o2"), begin("p"), begin("n")]);
        assert_eq!(begun_since(&server, since), [mine], "{ahead}");
        let list = client.list_multipart_uploads(BUCKET);
        let list = list.begun_since(since).send().unwrap();
        assert_eq!(list.uploads.len(), 4, "{ahead}");
        let list = client.list_multipart_uploads(BUCKET);
        let all = list.object("o").prefix("p").delimiter("/").send().unwrap();
        assert_eq!((all.uploads.len(), all.common_prefixes), (2, vec![]));
        let all = all.uploads.into_iter().map(|upload| upload.upload_id);
        assert!(all.collect::<Vec<_>>().contains(&earlier));
        for upload in server.open_uploads() {
            let upload = client.multipart_upload(BUCKET, &upload.key, &upload.upload_id);
            upload.abort().send().unwrap();
        }
    }
    // No time is too early or too late.
    let day = Duration::from_secs(24 * 3600);
    begin("o");
    let all = begun_since(&server, SystemTime::UNIX_EPOCH);
    assert_eq!(all.len(), 1);
    assert_eq!(begun_since(&server, SystemTime::UNIX_EPOCH - day), all);
    let never = SystemTime::now() + day * 365 * 20_000;
    assert_eq!(begun_since(&server, never), [""; 0]);
}
