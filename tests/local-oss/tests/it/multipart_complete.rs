//! CompleteMultipartUpload: what it takes and what it refuses.

use std::io::Write;

use crate::client::{
    Request, Response, connect, get,
    multipart::{
        Upload, begin, bytes, etag_of, initiate, part_list, refused, start_for_small_parts,
    },
    put, request, start,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};

const KIB: usize = 1024;

#[test]
fn parts_that_are_not_listed_do_not_count() {
    let server = start_for_small_parts();
    let upload = begin(&server, "a");
    let etags = [1, 2, 3].map(|number| (number, upload.send_part(&server, number, "abc")));
    let answer = upload.complete(&etags[1..2]).send(&server);
    assert_eq!(answer.header("ETag"), Some(&etag_of(&[b"abc"])[..]));
    assert_eq!(get("a").send(&server).text(), "abc");
}

#[test]
fn all_parts_are_taken_on_request() {
    let server = start_for_small_parts();
    let upload = begin(&server, "a");
    for number in [9, 3, 11] {
        upload.send_part(&server, number, format!("{number}."));
    }
    let with_body = upload
        .complete_with(part_list(&[(3, "x")]))
        .header("x-oss-complete-all", "yes");
    assert_eq!(
        with_body.send(&server).error(),
        refused(400, "InvalidArgument")
    );
    let unclear = upload
        .complete_with("")
        .header("x-oss-complete-all", "maybe");
    assert_eq!(
        unclear.send(&server).error(),
        refused(400, "InvalidArgument")
    );
    let answer = upload.complete_all().send(&server);
    assert_eq!(
        (answer.status, answer.element("Key").as_deref()),
        (200, Some("a"))
    );
    assert_eq!(
        answer.header("ETag"),
        Some(&etag_of(&[b"3.", b"9.", b"11."])[..])
    );
    assert_eq!(get("a").send(&server).text(), "3.9.11.");

    let none = begin(&server, "b").complete_all().send(&server);
    assert_eq!(none.error(), refused(400, "InvalidPart"));
}

#[test]
fn of_many_completes_at_once_one_counts() {
    let server = start_for_small_parts();
    let upload = begin(&server, "a");
    let etag = upload.send_part(&server, 1, "x");
    let request = upload.complete(&[(1, &etag)]);
    let mut streams: Vec<_> = (0..16).map(|_| connect(server.address())).collect();
    for stream in &mut streams {
        stream.write_all(request.head().as_bytes()).unwrap();
    }
    let list = part_list(&[(1, &etag)]);
    for stream in &mut streams {
        stream.write_all(list.as_bytes()).unwrap();
    }
    let answers = streams.iter_mut();
    let mut statuses: Vec<u16> = answers
        .map(|stream| Response::read(stream, "POST").status)
        .collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[404; 15][..]));
    assert_eq!(server.stored().len(), 1);
}

#[test]
fn a_list_that_names_no_parts_of_the_upload_is_refused() {
    let server = start_for_small_parts();
    let upload = begin(&server, "a");
    let one = upload.send_part(&server, 1, "one");
    let two = upload.send_part(&server, 2, "two");
    for (parts, code) in [
        (vec![(1, &one[..]), (3, &two[..])], "InvalidPart"),
        (vec![(1, &two)], "InvalidPart"),
        (vec![(1, "\"\"")], "InvalidPart"),
        (vec![(0, &one)], "InvalidPart"),
        (vec![(4_000_000_000, &one)], "InvalidPart"),
        (vec![(2, &two), (1, &one)], "InvalidPartOrder"),
        (vec![(1, &one), (1, &one)], "InvalidPartOrder"),
        (vec![(3, &one), (2, &two)], "InvalidPartOrder"),
    ] {
        let answer = upload.complete(&parts).send(&server);
        assert_eq!(answer.error(), refused(400, code), "{parts:?}");
    }
    assert_eq!(server.open_uploads()[0].parts, [1, 2]);
    // Quotes may be left out, or written as references.
    let bare = one.trim_matches('"');
    let list = part_list(&[(1, bare), (2, &two.replace('"', "&quot;"))]);
    assert_eq!(upload.complete_with(list).send(&server).status, 200);
    assert_eq!(get("a").send(&server).text(), "onetwo");
}

#[test]
fn a_body_that_is_no_list_is_refused() {
    let server = start_for_small_parts();
    let upload = begin(&server, "a");
    let etag = upload.send_part(&server, 1, "x");
    let part = format!("<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>");
    let whole = part_list(&[(1, &etag)]);
    let in_root =
        |inner: &str| format!("<CompleteMultipartUpload>{inner}</CompleteMultipartUpload>");
    let deep = format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000));
    for body in [
        "",
        "hello",
        "\0",
        "{}",
        "<Other></Other>",
        &whole[..whole.len() - 1],
        &format!("{whole}{whole}"),
        &format!("<!DOCTYPE a [<!ENTITY b \"1\">]>{whole}"),
        &in_root("<Part/>"),
        &in_root("<Part><PartNumber>1</PartNumber></Part>"),
        &in_root(&format!("<Part><ETag>{etag}</ETag></Part>")),
        &in_root(&part.replace(">1<", ">one<")),
        &in_root(&part.replace(">1<", "><")),
        &in_root(&part.replace(">1<", ">-1<")),
        &in_root(&part.replace(">1<", ">99999999999<")),
        &in_root(&part.replace(">1<", ">&one;<")),
        &in_root(&part.replace("<ETag>", "<PartNumber>1</PartNumber><ETag>")),
        &in_root(&part.replace("</Part>", "</part>")),
        &in_root(&deep),
        &in_root(&part.repeat(10_001)),
        &in_root(&" ".repeat(5 * 1024 * KIB)),
    ] {
        let answer = upload.complete_with(body).send(&server);
        let start: String = body.chars().take(60).collect();
        assert_eq!(answer.error(), refused(400, "MalformedXML"), "{start}");
    }
    let not_utf8 = upload.complete_with(
        whole
            .replace('x', "")
            .into_bytes()
            .iter()
            .map(|byte| byte | 0x80)
            .collect::<Vec<u8>>(),
    );
    assert_eq!(not_utf8.send(&server).error(), refused(400, "MalformedXML"));
    let other_md5 = STANDARD.encode(Md5::digest("other"));
    let damaged = upload
        .complete_with(whole)
        .header("Content-MD5", &other_md5);
    assert_eq!(damaged.send(&server).error(), refused(400, "InvalidDigest"));

    // What else a document may have is no reason to refuse it.
    let dressed = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- {etag} -->\n<o:CompleteMultipartUpload xmlns:o=\"urn:x\">\n  <Part>\n\
         <Size>1</Size><PartNumber> 1 </PartNumber>\n<ETag><![CDATA[{etag}]]></ETag>\n</Part>\n</o:CompleteMultipartUpload>\n"
    );
    let right_md5 = STANDARD.encode(Md5::digest(&dressed));
    let answer = upload
        .complete_with(dressed)
        .header("Content-MD5", &right_md5);
    assert_eq!(answer.send(&server).status, 200);
}

#[test]
fn all_parts_but_the_last_have_a_least_size() {
    let server = start();
    let upload = begin(&server, "a");
    let least = 102_400;
    let small = upload.send_part(&server, 1, bytes(least - 1, 0));
    let last = upload.send_part(&server, 2, "");
    let parts = [(1, small), (2, last)];
    let answer = upload.complete(&parts).send(&server);
    assert_eq!(answer.error(), refused(400, "EntityTooSmall"));
    for (name, value) in [
        ("MinSizeAllowed", "102400"),
        ("ProposedSize", "102399"),
        ("PartNumber", "1"),
    ] {
        assert_eq!(answer.element(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(
        upload.complete_all().send(&server).error().1,
        "EntityTooSmall"
    );
    assert_eq!(upload.complete(&parts[..1]).send(&server).status, 200);

    let upload = begin(&server, "b");
    upload.send_part(&server, 1, bytes(least, 0));
    upload.send_part(&server, 2, "");
    assert_eq!(upload.complete_all().send(&server).status, 200);
    assert_eq!(get("b").send(&server).body.len(), least);
    let empty = begin(&server, "c");
    empty.send_part(&server, 5, "");
    assert_eq!(empty.complete_all().send(&server).status, 200);
    let head = request("HEAD", "/examplebucket/c").send(&server);
    assert_eq!(head.header("Content-Length"), Some("0"));
    assert_eq!(head.header("x-oss-hash-crc64ecma"), Some("0"));
}

#[test]
fn a_forbidden_overwrite_is_a_conflict_at_both_ends() {
    let server = start_for_small_parts();
    let conflict = refused(409, "FileAlreadyExists");
    let forbidding = |request: Request| request.header("x-oss-forbid-overwrite", "true");
    let first = Upload::of("a", &forbidding(initiate("a")).send(&server));
    let second = begin(&server, "a");
    let third = begin(&server, "a");
    for upload in [&first, &second, &third] {
        upload.send_part(&server, 1, "parts");
    }
    put("a", "put").send(&server);
    assert_eq!(forbidding(initiate("a")).send(&server).error(), conflict);
    // Initiate has forbidden it, or Complete does.
    assert_eq!(first.complete_all().send(&server).error(), conflict);
    assert_eq!(
        forbidding(second.complete_all()).send(&server).error(),
        conflict
    );
    assert_eq!(get("a").send(&server).text(), "put");
    assert_eq!(third.complete_all().send(&server).status, 200);
    assert_eq!(get("a").send(&server).text(), "parts");

    // Those that were refused are still open.
    request("DELETE", "/examplebucket/a").send(&server);
    assert_eq!(server.open_uploads().len(), 2);
    second.send_part(&server, 2, "!");
    assert_eq!(forbidding(second.complete_all()).send(&server).status, 200);
    assert_eq!(get("a").send(&server).text(), "parts!");
    let unclear = initiate("b").header("x-oss-forbid-overwrite", "maybe");
    assert_eq!(
        unclear.send(&server).error(),
        refused(400, "InvalidArgument")
    );
}

#[test]
fn access_control_is_read_at_complete() {
    let server = start_for_small_parts();
    let upload = begin(&server, "a");
    upload.send_part(&server, 1, "x");
    let wrong = upload.complete_all().header("x-oss-object-acl", "secret");
    assert_eq!(wrong.send(&server).error(), refused(400, "InvalidArgument"));
    let right = upload
        .complete_all()
        .header("x-oss-object-acl", "public-read");
    assert_eq!(right.send(&server).status, 200);
    let requests = server.multipart_requests();
    let acl = requests.last().unwrap().header("x-oss-object-acl");
    assert_eq!(acl, Some("public-read"));
}

#[test]
fn a_list_of_no_parts_makes_an_empty_object() {
    let server = start_for_small_parts();
    let upload = begin(&server, "a");
    upload.send_part(&server, 1, "abc");
    let answer = upload.complete::<String>(&[]).send(&server);
    assert_eq!(answer.status, 200, "{answer:?}");
    let read = get("a").send(&server);
    assert_eq!((read.status, read.body.len()), (200, 0));
    assert!(server.open_uploads().is_empty());
}

#[test]
fn a_sequential_upload_has_the_digest_of_its_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for kept in [false, true] {
        let start = || match kept {
            true => crate::client::builder()
                .min_part_size(1)
                .data_dir(folder.path()),
            false => crate::client::builder().min_part_size(1),
        };
        let server = start().start().unwrap();
        let initiated = request("POST", "/examplebucket/a?sequential&uploads").send(&server);
        let upload = Upload::of("a", &initiated);
        let data = bytes(3 * 1024 * KIB, 1);
        let (one, two) = data.split_at(1500 * KIB);
        // In whatever order they come.
        let two = (2, upload.send_part(&server, 2, two));
        let one = (1, upload.send_part(&server, 1, one));
        assert_eq!(upload.complete(&[one, two]).send(&server).status, 200);
        let server = match kept {
            true => {
                drop(server);
                start().start().unwrap()
            }
            false => server,
        };
        let md5 = STANDARD.encode(Md5::digest(&data));
        for method in ["GET", "HEAD"] {
            let answer = request(method, "/examplebucket/a").send(&server);
            assert_eq!(answer.header("Content-MD5"), Some(&*md5));
        }
        let other = begin(&server, "b");
        let part = (1, other.send_part(&server, 1, "x"));
        other.complete(&[part]).send(&server);
        assert_eq!(get("b").send(&server).header("Content-MD5"), None);
    }
}

#[test]
fn what_an_upload_says_of_encryption_is_said_again() {
    let server = start_for_small_parts();
    let method = "x-oss-server-side-encryption";
    let key = "x-oss-server-side-encryption-key-id";
    let initiated = initiate("a")
        .header(method, "KMS")
        .header("x-oss-server-side-data-encryption", "SM4")
        .header("x-oss-meta-client-side-encryption-key", "secret")
        .header(
            "x-oss-meta-client-side-encryption-cek-alg",
            "AES/CTR/NoPadding",
        )
        .send(&server);
    let upload = Upload::of("a", &initiated);
    let part = upload.part(1, "x").send(&server);
    assert_eq!(
        part.header("Content-MD5"),
        Some(&*STANDARD.encode(Md5::digest("x")))
    );
    let parts = upload.list_parts("").send(&server);
    assert_eq!(
        parts.element("ClientEncryptionKey").as_deref(),
        Some("secret")
    );
    assert_eq!(
        parts.element("ClientEncryptionCekAlg").as_deref(),
        Some("AES/CTR/NoPadding")
    );
    let etags = [(1, part.header("ETag").unwrap().to_owned())];
    for asked in [
        upload.part(1, "y").header(method, "KMS"),
        upload.complete(&etags).header(method, "KMS"),
    ] {
        assert_eq!(asked.send(&server).error(), refused(400, "InvalidArgument"));
    }
    let completed = upload.complete(&etags).send(&server);
    let head = request("HEAD", "/examplebucket/a").send(&server);
    for answer in [&initiated, &part, &completed, &head] {
        assert_eq!(answer.header(method), Some("KMS"));
        assert_eq!(
            answer.header("x-oss-server-side-data-encryption"),
            Some("SM4")
        );
        assert_eq!(answer.header(key), initiated.header(key));
        assert!(answer.header(key).is_some());
    }
    // What belongs to KMS is only kept with it.
    let data = "x-oss-server-side-data-encryption";
    let plain = put("b", "x")
        .header(method, "AES256")
        .header(data, "SM4")
        .send(&server);
    assert_eq!(
        (plain.header(method), plain.header(data)),
        (Some("AES256"), None)
    );
    let wrong = put("b", "x").header(method, "ROT13").send(&server);
    assert_eq!(wrong.status, 400);
}

#[test]
fn an_upload_that_is_gone_has_its_number() {
    let server = start_for_small_parts();
    put("source", "hello").send(&server);
    let upload = begin(&server, "a");
    assert_eq!(upload.abort().send(&server).status, 204);
    let copied = upload
        .part(1, "")
        .header("x-oss-copy-source", "/examplebucket/source");
    for (asked, ec) in [
        (upload.part(1, "x"), "0042-00000104"),
        (copied, "0042-00000311"),
        (upload.abort(), "0042-00000002"),
        (upload.list_parts(""), "0042-00000002"),
    ] {
        let answer = asked.send(&server);
        assert_eq!(answer.error(), refused(404, "NoSuchUpload"));
        assert_eq!(answer.header("x-oss-ec"), Some(ec));
    }
}

#[test]
fn the_access_control_said_at_the_end_counts() {
    let server = start_for_small_parts();
    let upload = begin(&server, "a");
    let part = (1, upload.send_part(&server, 1, "x"));
    let complete = upload
        .complete(&[part])
        .header("x-oss-object-acl", "public-read");
    assert_eq!(complete.send(&server).status, 200);
    assert_eq!(get("a").without_authorization().send(&server).status, 200);
}
