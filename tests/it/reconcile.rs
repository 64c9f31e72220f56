//! What became of an upload whose answer was lost, held against what local-oss stored.
//!
//! An answer must not prove too much (an object with the same contents is not this upload), nor too little (with
//! an id every case is settled once the server is quiet).

use std::time::{Duration, SystemTime};

use local_oss::{Answer, Receiver, Server};
use oss_callback::{
    Client, Error, ErrorKind, MultipartUpload, Part, Reconciled, RetryPolicy, Stored,
};
use support::faults::{Action, Direction, Fault, FaultyNetwork};
use support::{BUCKET, RawServer, TemporaryFile, client, client_builder, server, spec};

/// A client behind a network that drops every connection at this byte of this direction.
fn cut_off(server: &Server, direction: Direction, at: u64) -> (FaultyNetwork, Client) {
    let fault = Fault {
        direction,
        at,
        action: Action::Cut,
    };
    let network = FaultyNetwork::start(server.address(), fault, usize::MAX);
    let client = client_builder(&format!("http://{}", network.address()))
        .retry_policy(RetryPolicy::none())
        .build()
        .unwrap();
    (network, client)
}

/// An upload that arrives, and whose answer does not.
fn answer_lost(server: &Server, upload: impl FnOnce(&Client) -> Error) -> Error {
    let (network, client) = cut_off(server, Direction::Answer, 0);
    let error = upload(&client);
    drop(network);
    assert_eq!(error.stored(), Stored::Unknown, "{error}");
    error
}

/// An upload that does not arrive, which nobody can know.
fn request_lost(server: &Server, upload: impl FnOnce(&Client) -> Error) -> Error {
    let (network, client) = cut_off(server, Direction::Request, 100);
    let error = upload(&client);
    drop(network);
    assert_eq!(error.stored(), Stored::Unknown, "{error}");
    error
}

fn put(client: &Client, id: Option<&str>, contents: &[u8]) -> Error {
    let mut put = client.put_object(BUCKET, "o");
    if let Some(id) = id {
        put = put.idempotency_id(id);
    }
    put.send_bytes(contents).unwrap_err()
}

fn reconcile(server: &Server, error: &Error) -> Reconciled {
    client(server.endpoint()).reconcile(error).send().unwrap()
}

fn put_before(server: &Server, id: Option<&str>, contents: &[u8]) {
    let client = client(server.endpoint());
    let mut put = client.put_object(BUCKET, "o");
    if let Some(id) = id {
        put = put.idempotency_id(id);
    }
    put.send_bytes(contents).unwrap();
}

#[test]
fn an_upload_with_an_id_is_found_or_is_not_there() {
    let server = server().start().unwrap();
    let lost = request_lost(&server, |client| put(client, Some("1"), b"hello"));
    let before = SystemTime::now() - Duration::from_secs(2);
    let Reconciled::NotThere { observed_at } = reconcile(&server, &lost) else {
        panic!("nothing was stored");
    };
    assert!(
        (before..=SystemTime::now()).contains(&observed_at),
        "{observed_at:?}"
    );

    let stored = answer_lost(&server, |client| put(client, Some("1"), b"hello"));
    let Reconciled::Stored(object) = reconcile(&server, &stored) else {
        panic!("it was stored, and has an id");
    };
    assert_eq!(object.metadata("idempotency-id"), Some("1"));
    assert_eq!(object.content_length(), Some(5));
    // The first is the same upload by its id.
    assert!(matches!(reconcile(&server, &lost), Reconciled::Stored(_)));
}

#[test]
fn the_same_contents_are_not_the_same_upload() {
    let server = server().start().unwrap();
    put_before(&server, None, b"hello");
    for id in [None, Some("mine")] {
        let error = request_lost(&server, |client| put(client, id, b"hello"));
        let found = reconcile(&server, &error);
        assert!(
            matches!(found, Reconciled::ContentPresent(_)),
            "{id:?}: {found:?}"
        );
    }
    // Nor is another upload to which the same id was given.
    put_before(&server, Some("twice"), b"another");
    let error = request_lost(&server, |client| put(client, Some("twice"), b"hello"));
    assert_eq!(reconcile(&server, &error), Reconciled::StillUnknown);
}

#[test]
fn without_an_id_nothing_is_added_and_nothing_is_proven() {
    let server = server().start().unwrap();
    let error = answer_lost(&server, |client| put(client, None, b"hello"));
    let Reconciled::ContentPresent(object) = reconcile(&server, &error) else {
        panic!("the contents are there");
    };
    assert_eq!(object.metadata("idempotency-id"), None);
    // Then somebody else's takes its place.
    put_before(&server, None, b"another");
    assert_eq!(reconcile(&server, &error), Reconciled::StillUnknown);
    client(server.endpoint())
        .delete_object(BUCKET, "o")
        .send()
        .unwrap();
    assert!(matches!(
        reconcile(&server, &error),
        Reconciled::NotThere { .. }
    ));
}

#[test]
fn a_body_in_chunks_and_a_file_are_compared_too() {
    let server = server().start().unwrap();
    let file = TemporaryFile::new("reconcile", b"hello");
    type Upload<'a> = &'a dyn Fn(&Client) -> Error;
    let uploads: [Upload<'_>; 3] = [
        &|client| {
            let put = client.put_object(BUCKET, "o");
            put.send_reader_chunked(&b"hello"[..]).unwrap_err()
        },
        &|client| {
            let put = client.put_object(BUCKET, "o");
            put.send_file(file.path()).unwrap_err()
        },
        &|client| {
            let upload = client.upload_file(BUCKET, "o").idempotency_id("4");
            upload.send(file.path()).unwrap_err()
        },
    ];
    for upload in uploads {
        let error = answer_lost(&server, upload);
        let found = reconcile(&server, &error);
        assert!(
            matches!(found, Reconciled::ContentPresent(_) | Reconciled::Stored(_)),
            "{found:?}"
        );
    }
}

/// An upload in parts that is ready to be completed.
fn parts(server: &Server) -> (MultipartUpload, Vec<Part>) {
    let client = client(server.endpoint());
    let upload = client
        .initiate_multipart_upload(BUCKET, "o")
        .send()
        .unwrap();
    let part = upload.upload_part(1).send_bytes(b"hello").unwrap();
    (upload, vec![part])
}

fn complete(client: &Client, upload: &MultipartUpload, parts: &[Part], url: &str) -> Error {
    client
        .multipart_upload(BUCKET, "o", upload.upload_id())
        .complete()
        .callback(&spec(url))
        .timeout(Duration::from_secs(2))
        .send(parts)
        .unwrap_err()
}

#[test]
fn an_upload_in_parts_is_found_by_its_upload_id() {
    let receiver = Receiver::start(|_| Answer::json("{}")).unwrap();
    let server = server().start().unwrap();
    let url = receiver.url("/");
    let (upload, parts) = parts(&server);
    let error = request_lost(&server, |client| complete(client, &upload, &parts, &url));
    assert!(matches!(
        reconcile(&server, &error),
        Reconciled::NotThere { .. }
    ));
    let error = answer_lost(&server, |client| complete(client, &upload, &parts, &url));
    let Reconciled::Stored(object) = reconcile(&server, &error) else {
        panic!("the upload was completed");
    };
    assert_eq!(object.content_length(), Some(5));
    assert_eq!(receiver.requests().len(), 1);
}

#[test]
fn an_upload_that_was_aborted_is_not_the_object_of_yesterday() {
    let receiver = Receiver::start(|_| Answer::json("{}")).unwrap();
    let server = server().start().unwrap();
    let url = receiver.url("/");
    // Yesterday's, of the same parts.
    let (yesterday, parts_of_yesterday) = parts(&server);
    yesterday.complete().send(&parts_of_yesterday).unwrap();
    let (upload, parts) = parts(&server);
    upload.abort().send().unwrap();
    // No answer is lost: OSS says that it does not know the upload.
    let client = client(server.endpoint());
    let error = complete(&client, &upload, &parts, &url);
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::NotFound, Stored::Unknown)
    );
    assert!(matches!(
        reconcile(&server, &error),
        Reconciled::ContentPresent(_)
    ));
}

#[test]
fn what_is_not_unknown_is_refused_and_a_failure_to_look_is_an_error() {
    let server = server().start().unwrap();
    let to = client(server.endpoint());
    let refused = to
        .put_object("nosuchbucket", "o")
        .send_bytes(b"")
        .unwrap_err();
    let error = to.reconcile(&refused).send().unwrap_err();
    assert_eq!(
        error.to_string(),
        "`error` leaves nothing open: the object is not stored"
    );
    let failed = RawServer::answering(
        "HTTP/1.1 203 No\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nContent-Length: 0\r\n\r\n",
    );
    let failed = client(&failed.endpoint())
        .put_object(BUCKET, "o")
        .callback(&spec("http://app.example.com/"))
        .send_bytes(b"")
        .unwrap_err();
    let error = to.reconcile(&failed).send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);

    let lost = answer_lost(&server, |client| put(client, None, b"hello"));
    let refused = local_oss::RefusedAddress::new().unwrap();
    let error = client_builder(&refused.url(""))
        .retry_policy(RetryPolicy::none())
        .build()
        .unwrap()
        .reconcile(&lost)
        .send()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    // Who may not look does not learn that nothing is there.
    let denied = RawServer::answering(
        "HTTP/1.1 403 Forbidden\r\nx-oss-request-id: 1\r\nContent-Length: 0\r\n\r\n",
    );
    let error = client(&denied.endpoint())
        .reconcile(&lost)
        .send()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
}

#[test]
fn an_id_that_would_not_come_back_is_refused() {
    let raw = RawServer::answering("");
    for (id, said) in [
        (String::new(), "`idempotency_id` is empty"),
        (
            "a b".to_owned(),
            "`idempotency_id` has something other than",
        ),
        ("目".to_owned(), "`idempotency_id` has something other than"),
        ("i".repeat(129), "`idempotency_id` has 129 bytes"),
    ] {
        let put = client(&raw.endpoint()).put_object(BUCKET, "o");
        let error = put.idempotency_id(&id).send_bytes(b"").unwrap_err();
        assert!(error.to_string().starts_with(said), "{error}");
    }
    assert_eq!(raw.requests(), 0);
}
