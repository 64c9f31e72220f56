//! One value of options, for one request or for each step of an upload: nothing that was said is lost, nothing is sent where
//! it does not belong, and a deadline is one moment for all.

use std::time::{Duration, Instant};

use oss_callback::{
    Client, Error, ErrorKind, ObjectAcl, OperationOptions, Part, PutOptions, RetryPolicy,
    StorageClass, Stored,
};
use support::{
    BUCKET, RawServer, TemporaryFile, agreeing_receiver, client, client_builder, header, server,
    spec,
};

/// A server that takes each step of an upload, and keeps the heads.
fn any_step() -> RawServer {
    RawServer::start(|connection| {
        connection.read_body();
        let body = match connection.head.split(' ').nth(1).unwrap_or_default() {
            target if target.contains("uploads") => {
                "<InitiateMultipartUploadResult><UploadId>ID</UploadId></InitiateMultipartUploadResult>"
            }
            target if target.contains("uploadId") && !target.contains("partNumber") => {
                "<CompleteMultipartUploadResult><ETag>\"A-1\"</ETag></CompleteMultipartUploadResult>"
            }
            _ => "",
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\nx-oss-request-id: 1\r\nETag: \"A\"\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        connection.write(format!("{head}{body}").as_bytes());
    })
}

fn everything() -> PutOptions {
    PutOptions::new()
        .content_type("image/jpeg")
        .metadata("author", "Ming")
        .tag("from", "camera 7")
        .storage_class(StorageClass::IA)
        .object_acl(ObjectAcl::Private)
        .forbid_overwrite(true)
        .traffic_limit(819_200)
        .requester_pays(true)
        .compare_crc64(false)
        .content_md5(true)
}

/// The names of headers that the options above can become, as often as they stand in a head, sorted.
fn sent(head: &str) -> Vec<String> {
    let lines = head.lines().skip(1);
    let names = lines.filter_map(|line| Some(line.split_once(':')?.0.to_ascii_lowercase()));
    let mut names: Vec<String> = names
        .filter(|name| {
            let of_oss = name.starts_with("x-oss-")
                && !["x-oss-date", "x-oss-content-sha256"].contains(&name.as_str());
            of_oss || name == "content-md5" || name == "content-type"
        })
        .collect();
    names.sort();
    names
}

const OF_OBJECT: [&str; 6] = [
    "content-type",
    "x-oss-forbid-overwrite",
    "x-oss-meta-author",
    "x-oss-request-payer",
    "x-oss-storage-class",
    "x-oss-tagging",
];
const OF_PART: [&str; 3] = ["content-md5", "x-oss-request-payer", "x-oss-traffic-limit"];
const OF_END: [&str; 3] = [
    "x-oss-forbid-overwrite",
    "x-oss-object-acl",
    "x-oss-request-payer",
];

fn by_hand(client: &Client, options: &PutOptions) -> Result<(), Error> {
    let begin = client.initiate_multipart_upload(BUCKET, "many");
    let upload = begin.options(options).send()?;
    let part = upload.upload_part(1).options(options).send_bytes(b"1")?;
    upload.complete().options(options).send(&[part])?;
    Ok(())
}

#[test]
fn each_step_sends_what_belongs_to_it() {
    let (server, options) = (any_step(), everything());
    let client = client(&server.endpoint());
    by_hand(&client, &options).unwrap();
    assert_eq!(sent(&server.head(0)), OF_OBJECT);
    assert_eq!(sent(&server.head(1)), OF_PART);
    assert_eq!(sent(&server.head(2)), OF_END);
    client
        .put_object(BUCKET, "one")
        .options(&options)
        .send_bytes(b"1")
        .unwrap();
    let mut all = [&OF_OBJECT[..], &OF_PART, &OF_END].concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!(sent(&server.head(3)), all);
}

#[test]
fn a_file_in_parts_sends_the_same() {
    let (server, options) = (any_step(), everything());
    let file = TemporaryFile::new("many", &vec![7; 100 * 1024 + 1]);
    let upload = client(&server.endpoint()).upload_file(BUCKET, "many");
    let upload = upload.options(&options).part_size(100 * 1024).parallel(1);
    upload.send(file.path()).unwrap();
    assert_eq!(sent(&server.head(0)), OF_OBJECT);
    assert_eq!(sent(&server.head(1)), OF_PART);
    assert_eq!(sent(&server.head(2)), OF_PART);
    assert_eq!(sent(&server.head(3)), OF_END);
}

/// Who begins and ends an upload in one program says it once.
#[test]
fn what_is_said_at_the_beginning_counts_at_the_end() {
    let server = any_step();
    let client = client(&server.endpoint());
    let part = Part::new(1, "A");
    let begin = || client.initiate_multipart_upload(BUCKET, "many");
    let upload = begin().options(&everything()).send().unwrap();
    upload
        .complete()
        .compare_crc64(false)
        .send(std::slice::from_ref(&part))
        .unwrap();
    assert_eq!(sent(&server.head(1)), OF_END);
    // The end has the last word.
    let last = PutOptions::new()
        .forbid_overwrite(false)
        .compare_crc64(false);
    upload
        .complete()
        .options(&last)
        .send(std::slice::from_ref(&part))
        .unwrap();
    assert_eq!(
        header(&server.head(2), "x-oss-forbid-overwrite"),
        Some("false")
    );
    assert_eq!(header(&server.head(2), "x-oss-object-acl"), Some("private"));
    // A setter of the operation itself is the same.
    let upload = begin().object_acl(ObjectAcl::PublicRead).send().unwrap();
    assert!(
        sent(&server.head(3))
            .iter()
            .all(|name| *name != "x-oss-object-acl")
    );
    upload
        .complete()
        .compare_crc64(false)
        .send(&[part])
        .unwrap();
    assert_eq!(
        header(&server.head(4), "x-oss-object-acl"),
        Some("public-read")
    );
}

/// Also of an upload that was begun elsewhere: each request about it says who pays, and so does the look at a lost one.
#[test]
fn who_pays_is_said_by_each_request() {
    let server = any_step();
    let client = client(&server.endpoint());
    let options = PutOptions::new().requester_pays(true);
    let upload = client.multipart_upload(BUCKET, "many", "ID");
    // ListParts gets no list here; that it was asked is what counts.
    let complete = upload.complete().options(&options);
    complete
        .retry_policy(RetryPolicy::none())
        .send_all()
        .unwrap_err();
    assert_eq!(sent(&server.head(0)), ["x-oss-request-payer"]);
    upload
        .upload_part(1)
        .options(&options)
        .send_bytes(b"1")
        .unwrap();
    assert_eq!(sent(&server.head(1)), ["x-oss-request-payer"]);
    // The upload itself has the last word for those that come after it.
    let begun = client
        .initiate_multipart_upload(BUCKET, "many")
        .options(&options);
    let upload = begun.send().unwrap().requester_pays(false);
    let complete = upload.complete().compare_crc64(false);
    complete.send(&[Part::new(1, "A")]).unwrap();
    assert!(sent(&server.head(3)).is_empty());
}

/// A form says what the object is to have, and its callback; what could not be heeded is refused.
#[test]
fn a_form_refuses_what_it_cannot_heed() {
    let server = any_step();
    let client = client(&server.endpoint());
    let form = client.post_policy(BUCKET).key("a").sign().unwrap();
    let spec = spec("http://app.example.com/");
    for (options, said) in [
        (
            PutOptions::new().callback(&spec),
            "`callback` cannot be given",
        ),
        (
            PutOptions::new().content_md5(true),
            "`content_md5` cannot be sent",
        ),
    ] {
        let error = client
            .post_object(&form)
            .options(&options)
            .send_bytes(b"1")
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::InvalidArgument, Stored::No)
        );
        assert!(error.to_string().starts_with(said), "{error}");
    }
    assert_eq!(server.requests(), 0);
}

/// The first bad value is reported by each step, whatever is set after it.
#[test]
fn a_fault_is_told_by_each_step() {
    let server = any_step();
    let client = client(&server.endpoint());
    let options = PutOptions::new().traffic_limit(1).traffic_limit(819_200);
    let upload = client.multipart_upload(BUCKET, "many", "ID");
    let (file, part) = (TemporaryFile::new("a", b"1"), Part::new(1, "A"));
    for error in [
        client
            .put_object(BUCKET, "a")
            .options(&options)
            .send_bytes(b"1")
            .unwrap_err(),
        client
            .upload_file(BUCKET, "a")
            .options(&options)
            .send(file.path())
            .unwrap_err(),
        client
            .initiate_multipart_upload(BUCKET, "a")
            .options(&options)
            .send()
            .unwrap_err(),
        upload
            .upload_part(1)
            .options(&options)
            .send_bytes(b"1")
            .unwrap_err(),
        upload
            .complete()
            .options(&options)
            .send(&[part])
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(
            error.to_string().starts_with("`traffic_limit` 1 is not in"),
            "{error}"
        );
    }
    assert_eq!(server.requests(), 0);
}

/// Options that are taken over replace what was said before, and a spec may be none.
#[test]
fn options_replace_and_a_callback_may_be_none() {
    let receiver = agreeing_receiver();
    let server = server().start().unwrap();
    let client = client(server.endpoint());
    let spec = spec(&receiver.url("/callback"));
    let called = PutOptions::new().callback(&spec);
    let put = || client.put_object(BUCKET, "a");
    put().options(&called).send_bytes(b"1").unwrap();
    assert_eq!(receiver.requests().len(), 1);
    put()
        .options(&called)
        .callback(None)
        .send_bytes(b"1")
        .unwrap();
    put()
        .callback(&spec)
        .options(&PutOptions::new())
        .send_bytes(b"1")
        .unwrap();
    put()
        .callback(Some(&spec))
        .callback(None)
        .send_bytes(b"1")
        .unwrap();
    assert_eq!(receiver.requests().len(), 1);
}

/// Each of many steps ends at the same moment, not a while after it began.
#[test]
fn a_deadline_is_one_moment_for_all_steps() {
    let silent = RawServer::start(|connection| {
        connection.read_body();
        let _ = connection
            .stream
            .set_read_timeout(Some(Duration::from_secs(20)));
        let _ = std::io::Read::read(&mut connection.stream, &mut [0]);
    });
    let client = client_builder(&silent.endpoint())
        .retry_policy(RetryPolicy::none())
        .build()
        .unwrap();
    let begun = Instant::now();
    let limit = Duration::from_millis(400);
    let limits = OperationOptions::new().deadline(begun + limit);
    let options = PutOptions::new().deadline(begun + limit);
    let upload = client.multipart_upload(BUCKET, "many", "ID");
    let ended = |step: &str, error: Error| {
        assert_eq!(error.kind(), ErrorKind::Timeout, "{step}: {error}");
        assert!(begun.elapsed() >= limit, "{step}: {:?}", begun.elapsed());
        assert!(
            begun.elapsed() < limit + Duration::from_secs(2),
            "{step}: {:?}",
            begun.elapsed()
        );
    };
    let part = upload
        .upload_part(1)
        .options(&options)
        .send_bytes(b"1")
        .unwrap_err();
    assert_eq!(part.stored(), Stored::No);
    ended("part", part);
    let asked = silent.requests();
    ended(
        "list",
        upload
            .list_parts()
            .options(options.limits())
            .send()
            .unwrap_err(),
    );
    ended(
        "complete",
        upload
            .complete()
            .options(&options)
            .send(&[Part::new(1, "A")])
            .unwrap_err(),
    );
    ended(
        "head",
        client
            .head_object(BUCKET, "a")
            .options(&limits)
            .send()
            .unwrap_err(),
    );
    ended(
        "put",
        client
            .put_object(BUCKET, "a")
            .options(&options)
            .send_bytes(b"1")
            .unwrap_err(),
    );
    // The earlier of both counts.
    let later = options.clone().timeout(Duration::from_secs(60));
    ended(
        "abort",
        upload.abort().options(later.limits()).send().unwrap_err(),
    );
    assert_eq!(
        silent.requests(),
        asked,
        "what begins after the deadline is not sent"
    );
}

#[test]
fn what_metadata_says_is_not_shown() {
    let options = everything().metadata("note", "geheim");
    let text = format!("{options:?}");
    assert!(
        text.contains("x-oss-meta-note") && !text.contains("geheim"),
        "{text}"
    );
}

#[test]
fn a_header_that_is_taken_away_was_never_set() {
    let server = any_step();
    let client = client(&server.endpoint());
    let of = |options: &PutOptions| {
        let put = client.put_object(BUCKET, "cat.jpg").options(options);
        put.send_bytes(b"x").unwrap();
        sent(&server.head(server.requests() - 1))
    };
    let plain = of(&PutOptions::new());
    let set = PutOptions::new()
        .storage_class(StorageClass::IA)
        .metadata("author", "Ming");
    assert_ne!(of(&set), plain);
    let taken = set
        .without_header("X-OSS-Storage-Class")
        .without_header("x-oss-meta-author");
    assert_eq!(of(&taken), plain);
    let sum = PutOptions::new().content_md5(true);
    assert_eq!(of(&sum.without_header("content-md5")), plain);
    // Tags share a header.
    let tagged = PutOptions::new().tag("a", "1");
    of(&tagged.without_header("x-oss-tagging").tag("b", "2"));
    let head = server.head(server.requests() - 1);
    assert_eq!(header(&head, "x-oss-tagging"), Some("b=2"));
}
