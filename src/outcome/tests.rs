use super::*;
use crate::outcome::verdict::Answered;
use Answered as A;
use Stored as S;

/// Of OSS, whole, with everything that a success has.
fn good(status: u16) -> Head {
    Head {
        status,
        from_oss: true,
        success: status == 200,
        proven: true,
        needs_document: false,
        error_document: false,
        names_endpoint: false,
        crc_differs: false,
        body_complete: true,
    }
}

/// Of somebody else, with everything but a request id.
fn foreign(status: u16) -> Head {
    Head {
        from_oss: false,
        ..good(status)
    }
}

fn crc_differs(head: Head) -> Head {
    Head {
        crc_differs: true,
        ..head
    }
}

fn cut(head: Head) -> Head {
    Head {
        body_complete: false,
        ..head
    }
}

fn unproven(status: u16) -> Head {
    Head {
        proven: false,
        ..good(status)
    }
}

fn with_document(head: Head) -> Head {
    Head {
        error_document: true,
        ..head
    }
}

fn in_body(head: Head) -> Head {
    Head {
        needs_document: true,
        ..head
    }
}

fn elsewhere(head: Head) -> Head {
    Head {
        names_endpoint: true,
        ..with_document(head)
    }
}

#[test]
fn the_outcome_table_holds() {
    #[rustfmt::skip]
    let table = [
        // Nothing that could carry the last byte was sent.
        (false, None,                                  Row::NoAnswer,         S::No,      A::No),
        (false, Some(good(200)),                       Row::TooEarly,         S::No,      A::No),
        (false, Some(good(203)),                       Row::TooEarly,         S::No,      A::No),
        (false, Some(crc_differs(good(200))),          Row::TooEarly,         S::No,      A::No),
        (false, Some(good(204)),                       Row::TooEarly,         S::No,      A::No),
        (false, Some(good(403)),                       Row::Refused,          S::No,      A::No),
        (false, Some(foreign(413)),                    Row::NotFromOss,       S::No,      A::No),
        (false, Some(foreign(200)),                    Row::NotFromOss,       S::No,      A::No),
        (false, Some(good(503)),                       Row::ServerError,      S::No,      A::No),
        (false, Some(foreign(503)),                    Row::ServerError,      S::No,      A::No),
        (false, Some(good(302)),                       Row::Unexpected,       S::No,      A::No),
        // It was.
        (true,  None,                                  Row::NoAnswer,         S::Unknown, A::Unknown),
        (true,  Some(good(400)),                       Row::Refused,          S::No,      A::No),
        (true,  Some(cut(crc_differs(good(404)))),     Row::Refused,          S::No,      A::No),
        (true,  Some(elsewhere(good(301))),            Row::Redirected,       S::No,      A::No),
        (true,  Some(elsewhere(good(307))),            Row::Redirected,       S::No,      A::No),
        (true,  Some(with_document(good(301))),        Row::Unexpected,       S::Unknown, A::Unknown),
        (true,  Some(good(301)),                       Row::Unexpected,       S::Unknown, A::Unknown),
        (true,  Some(good(304)),                       Row::Unexpected,       S::Unknown, A::Unknown),
        (true,  Some(good(201)),                       Row::Unexpected,       S::Unknown, A::Unknown),
        (true,  Some(good(204)),                       Row::Unexpected,       S::Unknown, A::Unknown),
        (true,  Some(good(206)),                       Row::Unexpected,       S::Unknown, A::Unknown),
        (true,  Some(good(999)),                       Row::Unexpected,       S::Unknown, A::Unknown),
        (true,  Some(good(500)),                       Row::ServerError,      S::Unknown, A::Unknown),
        (true,  Some(cut(foreign(502))),               Row::ServerError,      S::Unknown, A::Unknown),
        (true,  Some(crc_differs(good(200))),          Row::ChecksumMismatch, S::Yes,     A::Yes),
        (true,  Some(cut(crc_differs(good(200)))),     Row::ChecksumMismatch, S::Yes,     A::Yes),
        (true,  Some(good(200)),                       Row::Success,          S::Yes,     A::Yes),
        (true,  Some(cut(good(200))),                  Row::AnswerDamaged,    S::Yes,     A::Yes),
        // Whoever else answers knows nothing, whatever they say.
        (true,  Some(foreign(200)),                    Row::NotFromOss,       S::Unknown, A::Unknown),
        (true,  Some(cut(foreign(200))),               Row::NotFromOss,       S::Unknown, A::Unknown),
        (true,  Some(crc_differs(foreign(200))),       Row::NotFromOss,       S::Unknown, A::Unknown),
        (true,  Some(foreign(203)),                    Row::NotFromOss,       S::Unknown, A::Unknown),
        (true,  Some(with_document(foreign(203))),     Row::NotFromOss,       S::Unknown, A::Unknown),
        (true,  Some(elsewhere(foreign(301))),         Row::NotFromOss,       S::Unknown, A::Unknown),
        (true,  Some(foreign(400)),                    Row::NotFromOss,       S::Unknown, A::Unknown),
        (true,  Some(with_document(foreign(403))),     Row::NotFromOss,       S::Unknown, A::Unknown),
        (true,  Some(foreign(404)),                    Row::NotFromOss,       S::Unknown, A::Unknown),
        // A success that lacks what a success has, whatever its CRC-64, and an error in its place.
        (true,  Some(unproven(200)),                   Row::Unexpected,       S::Unknown, A::Unknown),
        (true,  Some(crc_differs(unproven(200))),      Row::Unexpected,       S::Unknown, A::Unknown),
        (true,  Some(cut(unproven(200))),              Row::Unexpected,       S::Unknown, A::Unknown),
        (true,  Some(with_document(unproven(200))),    Row::ServerError,      S::Unknown, A::Unknown),
        (true,  Some(in_body(unproven(200))),          Row::Unexpected,       S::Unknown, A::Unknown),
        (true,  Some(cut(in_body(unproven(200)))),     Row::CutShort,         S::Unknown, A::Unknown),
        (true,  Some(cut(in_body(good(200)))),         Row::AnswerDamaged,    S::Yes,     A::Yes),
    ];
    for (last_write_started, head, row, stored, answered) in table {
        let seen = Seen {
            last_write_started,
            all_sent: last_write_started,
            callback: true,
            head,
        };
        assert_eq!(verdict(seen), (row, stored, answered), "{seen:?}");
        let seen = Seen {
            callback: false,
            ..seen
        };
        assert_eq!(verdict(seen), (row, stored, A::NotRequested), "{seen:?}");
    }
}

#[test]
fn only_who_asked_for_a_callback_is_told_that_it_failed() {
    #[rustfmt::skip]
    let table = [
        (good(203),                 Row::CallbackFailed,   S::Yes),
        (cut(good(203)),            Row::CallbackFailed,   S::Yes),
        (unproven(203),             Row::CallbackFailed,   S::Yes),
        (with_document(good(203)),  Row::CallbackFailed,   S::Yes),
        (crc_differs(good(203)),    Row::ChecksumMismatch, S::Yes),
    ];
    for (head, row, stored) in table {
        let seen = Seen {
            last_write_started: true,
            all_sent: true,
            callback: true,
            head: Some(head),
        };
        assert_eq!(verdict(seen), (row, stored, A::No), "{seen:?}");
        let seen = Seen {
            callback: false,
            ..seen
        };
        let expected = (Row::Unexpected, S::Unknown, A::NotRequested);
        assert_eq!(verdict(seen), expected, "{seen:?}");
    }
}

#[test]
fn a_part_has_a_table_of_its_own() {
    let failed = PartRow::Failed;
    #[rustfmt::skip]
    let table = [
        (None,                                  failed(Row::NoAnswer)),
        (Some(good(200)),                       PartRow::Kept),
        (Some(cut(good(200))),                  PartRow::Damaged),
        (Some(crc_differs(good(200))),          PartRow::Differs),
        (Some(cut(crc_differs(good(200)))),     PartRow::Differs),
        (Some(unproven(200)),                   failed(Row::Unexpected)),
        (Some(crc_differs(unproven(200))),      failed(Row::Unexpected)),
        (Some(good(203)),                       failed(Row::Unexpected)),
        (Some(crc_differs(good(203))),          failed(Row::Unexpected)),
        (Some(good(204)),                       failed(Row::Unexpected)),
        (Some(good(302)),                       failed(Row::Unexpected)),
        (Some(elsewhere(good(301))),            failed(Row::Redirected)),
        (Some(good(404)),                       failed(Row::Refused)),
        (Some(good(503)),                       failed(Row::ServerError)),
        (Some(foreign(200)),                    failed(Row::NotFromOss)),
        (Some(foreign(203)),                    failed(Row::NotFromOss)),
        (Some(foreign(404)),                    failed(Row::NotFromOss)),
        (Some(foreign(503)),                    failed(Row::ServerError)),
    ];
    for (head, row) in table {
        let seen = Seen {
            last_write_started: true,
            all_sent: true,
            callback: false,
            head,
        };
        assert_eq!(row_of_part(seen), row, "{seen:?}");
    }
    let seen = Seen {
        last_write_started: true,
        all_sent: false,
        callback: false,
        head: Some(good(200)),
    };
    assert_eq!(row_of_part(seen), failed(Row::TooEarly));
}

#[test]
fn kind_and_verdict_never_contradict_each_other() {
    const OTHERS: [&str; 4] = [
        "",
        "{}",
        "<Error><Code>CallbackFailed</Code><Endpoint>e</Endpoint></Error>",
        "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>",
    ];
    let headers = [
        ("x-oss-request-id", "R"),
        ("ETag", "\"AB\""),
        ("x-oss-hash-crc64ecma", "8"),
    ];
    let (mut seen, mut stored_kinds) = (0, std::collections::HashSet::new());
    for asked in [Asked::Object, Asked::Completion, Asked::Part] {
        for callback in [true, false] {
            for status in [200, 201, 203, 204, 301, 400, 403, 404, 409, 500] {
                for set in 0..8 {
                    for (body, cut) in OTHERS.iter().flat_map(|body| [(body, true), (body, false)])
                    {
                        let given: Vec<_> = (headers.iter().enumerate())
                            .filter(|(bit, _)| set & 1 << bit != 0)
                            .map(|(_, header)| *header)
                            .collect();
                        let callback = callback && asked != Asked::Part;
                        let damage = cut.then(|| Error::new(ErrorKind::ConnectionLost, "cut"));
                        let result = with_damage(asked, callback, status, &given, body, damage);
                        let Err(error) = result else { continue };
                        seen += 1;
                        let what =
                            format!("{asked:?} {callback} {status} {given:?} {body}: {error:?}");
                        let stored = error.stored();
                        match error.kind() {
                            ErrorKind::CallbackFailed | ErrorKind::AnswerDamaged => {
                                assert_eq!(stored, S::Yes, "{what}");
                            }
                            ErrorKind::ChecksumMismatch if asked != Asked::Part => {
                                assert_eq!(stored, S::Yes, "{what}");
                            }
                            ErrorKind::Refused
                            | ErrorKind::AccessDenied
                            | ErrorKind::NotFound
                            | ErrorKind::Conflict => assert_eq!(stored, S::No, "{what}"),
                            _ => assert_ne!(stored, S::Yes, "{what}"),
                        }
                        assert!(asked != Asked::Part || stored == S::No, "{what}");
                        assert_eq!(error.receipt().is_some(), stored == S::Yes, "{what}");
                        assert_eq!(callback, error.answered() != A::NotRequested, "{what}");
                        assert!(
                            callback || error.kind() != ErrorKind::CallbackFailed,
                            "{what}"
                        );
                        if stored == S::Yes {
                            stored_kinds.insert(error.kind());
                        }
                    }
                }
            }
        }
    }
    assert!(
        seen > 2000 && stored_kinds.len() == 3,
        "{seen} {stored_kinds:?}"
    );
}

#[test]
fn a_success_before_the_last_byte_left_is_too_early() {
    for status in [200, 203] {
        let seen = Seen {
            last_write_started: true,
            all_sent: false,
            callback: true,
            head: Some(good(status)),
        };
        assert_eq!(verdict(seen), (Row::TooEarly, S::Unknown, A::Unknown));
    }
}

const FROM_OSS: [(&str, &str); 2] = [("x-oss-request-id", "R"), ("ETag", "\"AB\"")];

/// What comes of an answer, with more headers than those that are given with each of OSS's.
fn upload(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Receipt> {
    answered(
        Asked::Object,
        true,
        status,
        &[&FROM_OSS, headers].concat(),
        body,
    )
}

fn answered(
    asked: Asked,
    callback: bool,
    status: u16,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Receipt> {
    with_damage(asked, callback, status, headers, body, None)
}

fn with_damage(
    asked: Asked,
    callback: bool,
    status: u16,
    headers: &[(&str, &str)],
    body: &str,
    damage: Option<Error>,
) -> Result<Receipt> {
    let mut all = Headers::default();
    headers
        .iter()
        .for_each(|(name, value)| all.push(name, value.as_bytes()));
    of_upload(SentUpload {
        asked,
        last_write_started: true,
        all_sent: true,
        callback,
        crc64: 7,
        compare_crc64: true,
        success: if asked == Asked::Object && !callback {
            303
        } else {
            200
        },
        waited: Duration::ZERO,
        result: Ok(Answer {
            status,
            headers: all,
            body: body.into(),
            damage,
            relayed: false,
        }),
    })
}

#[test]
fn an_answer_is_of_oss_by_its_request_id_and_a_success_by_its_etag() {
    for (headers, ok) in [
        (&FROM_OSS[..], true),
        (&FROM_OSS[..1], false),
        (&FROM_OSS[1..], false),
        (&[], false),
        (&[("x-oss-request-id", " "), ("etag", "\"AB\"")], false),
        (&[("x-oss-request-id", "R"), ("etag", "\"\"")], false),
        (&[("x-oss-request-id", "R"), ("etag", "")], false),
        (&[("Server", "AliyunOSS"), ("etag", "\"AB\"")], false),
    ] {
        for (asked, callback) in [
            (Asked::Object, true),
            (Asked::Object, false),
            (Asked::Completion, true),
            (Asked::Part, false),
        ] {
            match answered(asked, callback, 200, headers, "{}") {
                Ok(receipt) => assert!(ok && receipt.etag() == Some("AB"), "{headers:?}"),
                Err(error) => {
                    assert!(!ok, "{headers:?}: {error}");
                    assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer, "{headers:?}");
                    let stored = if asked == Asked::Part {
                        S::No
                    } else {
                        S::Unknown
                    };
                    assert_eq!(error.stored(), stored, "{headers:?}");
                }
            }
        }
    }
}

#[test]
fn a_completion_without_a_callback_is_confirmed_by_its_document() {
    let complete = |headers: &[(&str, &str)], body: &str| {
        answered(Asked::Completion, false, 200, headers, body)
    };
    let result =
        "<CompleteMultipartUploadResult><ETag>\"CD-2\"</ETag></CompleteMultipartUploadResult>";
    let bare = "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>";
    assert_eq!(complete(&FROM_OSS, result).unwrap().etag(), Some("AB"));
    assert_eq!(complete(&FROM_OSS, bare).unwrap().etag(), Some("AB"));
    let receipt = complete(&FROM_OSS[..1], result).unwrap();
    assert_eq!(receipt.etag(), Some("CD-2"));
    let failed = "<Error><Code>InternalError</Code><Message>m</Message></Error>";
    for (headers, body, kind) in [
        (&FROM_OSS[1..], result, ErrorKind::UnexpectedAnswer),
        (&FROM_OSS[..1], bare, ErrorKind::UnexpectedAnswer),
        (&FROM_OSS, "", ErrorKind::UnexpectedAnswer),
        (&FROM_OSS, "{}", ErrorKind::UnexpectedAnswer),
        (
            &FROM_OSS,
            "<html>Log in</html>",
            ErrorKind::UnexpectedAnswer,
        ),
        (
            &FROM_OSS,
            "<CompleteMultipartUploadResult>",
            ErrorKind::UnexpectedAnswer,
        ),
        (&FROM_OSS, failed, ErrorKind::ServerError),
        (
            &FROM_OSS,
            &format!(" \n \n{failed}"),
            ErrorKind::ServerError,
        ),
    ] {
        let error = complete(headers, body).unwrap_err();
        assert_eq!((error.kind(), error.stored()), (kind, S::Unknown), "{body}");
    }
    let error = complete(&FROM_OSS, failed).unwrap_err();
    assert_eq!(error.oss_code(), Some("InternalError"));
}

#[test]
fn a_form_may_lead_to_an_address_that_has_the_etag() {
    let headers = [
        ("x-oss-request-id", "R"),
        (
            "Location",
            "http://app.example.com/done?bucket=b&key=k&etag=%22AB%22",
        ),
    ];
    let receipt = answered(Asked::Object, false, 303, &headers, "").unwrap();
    assert_eq!(receipt.etag(), Some("AB"));
    let error = answered(Asked::Object, false, 303, &headers[1..], "").unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::UnexpectedAnswer, S::Unknown)
    );
}

#[test]
fn what_is_not_an_answer_of_oss_is_shown_and_explained() {
    let page = "<html>\n\u{1b}[31m<b>Your session\u{202e} has ended.</b> \u{fffd}Please log in 登录 again, now, \
                before anything else is done here";
    let error = answered(
        Asked::Object,
        true,
        200,
        &[("Content-Type", "text/html; charset=utf-8")],
        page,
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "HTTP 200 not from OSS (no x-oss-request-id), Content-Type text/html; charset=utf-8, <html> \
         [31m<b>Your session has ended.</b> Please log in 登录 again, now, before anything else is done"
    );
    assert!(error.diagnosis().unwrap().contains("captive portal"));
    // Nothing in it is taken for OSS's word.
    let document = "<Error><Code>NoSuchUpload</Code><RequestId>R</RequestId></Error>";
    let error = answered(Asked::Object, true, 404, &[], document).unwrap_err();
    assert_eq!((error.oss_code(), error.request_id()), (None, None));
    assert!(error.to_string().contains("NoSuchUpload"), "{error}");
    assert_eq!(error.body(), document.as_bytes());
    // An answer of OSS's that is none to this request is not explained so.
    let error = upload(204, &[], "").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedAnswer);
    assert_eq!(error.to_string(), "HTTP 204 (request R)");
    assert_eq!(error.diagnosis(), None);
}

#[test]
fn a_bucket_that_is_elsewhere_is_said_to_be_there() {
    let named = |status, endpoint: &str| {
        let body = format!(
            "<Error><Code>AccessDenied</Code><Message>m</Message><Endpoint>{endpoint}</Endpoint></Error>"
        );
        upload(status, &[], &body).unwrap_err()
    };
    for (status, kind) in [
        (403, ErrorKind::AccessDenied),
        (301, ErrorKind::Refused),
        (302, ErrorKind::Refused),
        (307, ErrorKind::Refused),
    ] {
        let error = named(status, " oss-cn-beijing.aliyuncs.com\n");
        let verdict = (error.kind(), error.stored(), error.answered());
        assert_eq!(verdict, (kind, S::No, A::No), "{status}");
        assert_eq!(
            error.to_string(),
            format!(
                "HTTP {status}, AccessDenied: m; the bucket's endpoint is oss-cn-beijing.aliyuncs.com (request R)"
            )
        );
        let diagnosis = error.diagnosis().unwrap();
        assert!(
            diagnosis.contains("Give the client the endpoint oss-cn-beijing.aliyuncs.com,"),
            "{diagnosis}"
        );
    }
    // What is no host name is no advice.
    let error = named(403, "a b/c?d\u{202e}");
    assert!(error.to_string().contains("endpoint is a b/c?d"), "{error}");
    let diagnosis = error.diagnosis().unwrap();
    assert!(diagnosis.contains("the bucket's endpoint,"), "{diagnosis}");
    // No endpoint is named, or it is not what is refused.
    for error in [named(403, " "), named(404, "oss-cn-beijing.aliyuncs.com")] {
        assert_eq!(error.diagnosis(), None);
        assert!(!error.to_string().contains("endpoint"), "{error}");
    }
    // The success of nobody: without an endpoint it is not known what a redirect means.
    assert_eq!(named(302, " ").stored(), S::Unknown);
}

#[test]
fn a_refusal_of_the_clock_or_the_region_says_what_to_do() {
    let refused = |status, code: &str, message: &str| {
        let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        let error = upload(status, &[], &body).unwrap_err();
        error.diagnosis().unwrap_or_default().to_owned()
    };
    let date = "Invalid signing date in Authorization header.";
    assert!(refused(403, "RequestTimeTooSkewed", "m").contains("clock"));
    assert!(refused(400, "InvalidArgument", date).contains("clock"));
    let region = "Invalid signing region in Authorization header.";
    assert!(refused(400, "InvalidArgument", region).contains("region"));
    let callback = "The callback body is empty.";
    assert!(refused(400, "InvalidArgument", callback).contains("callbackBody"));
    assert_eq!(refused(403, "AccessDenied", date), "");
}

#[test]
fn a_crc_is_compared_as_a_number_when_there_is_one() {
    assert!(upload(200, &[], "{}").is_ok());
    assert!(upload(200, &[("x-oss-hash-crc64ecma", "7")], "{}").is_ok());
    for crc in ["8", "", "-7", "7x", "0x7", "99999999999999999999999", "é"] {
        let error = upload(200, &[("x-oss-hash-crc64ecma", crc)], "{}").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ChecksumMismatch, "{crc}");
        assert_eq!(
            (error.stored(), error.answered()),
            (S::Yes, A::Yes),
            "{crc}"
        );
        assert_eq!(error.receipt().unwrap().answer(), b"{}", "{crc}");
    }
}

#[test]
fn an_answer_that_looks_like_an_error_of_oss_is_still_the_servers_answer() {
    let body = "<Error><Code>AccessDenied</Code></Error>";
    assert_eq!(upload(200, &[], body).unwrap().answer(), body.as_bytes());
}

#[test]
fn a_203_tells_everything_it_knows() {
    let body = "<Error><Code>CallbackFailed</Code><Message>Error status : 502.</Message>\
                <RequestId>R</RequestId><HostId>H</HostId><EC>0007-00000203</EC></Error>";
    let error = upload(203, &[("x-oss-hash-crc64ecma", "7")], body).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CallbackFailed);
    assert_eq!(error.oss_code(), Some("CallbackFailed"));
    assert_eq!(error.oss_message(), Some("Error status : 502."));
    assert_eq!(
        (error.request_id(), error.host_id()),
        (Some("R"), Some("H"))
    );
    assert_eq!(error.ec(), Some("0007-00000203"));
    assert!(error.diagnosis().unwrap().contains("callbackSNI"));
    assert_eq!(error.body(), body.as_bytes());
    let receipt = error.receipt().unwrap();
    assert_eq!((receipt.etag(), receipt.crc64()), (Some("AB"), Some(7)));
    assert!(receipt.answer().is_empty());

    // Without an XML body it is a failed callback all the same; the document may be in a header.
    let error = upload(203, &[], "").unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::CallbackFailed, S::Yes)
    );
    let error = upload(203, &[("x-oss-err", &STANDARD.encode(body))], "").unwrap_err();
    assert_eq!(error.ec(), Some("0007-00000203"));
}

#[test]
fn refusals_are_named_by_their_status() {
    for (status, kind) in [
        (400, ErrorKind::Refused),
        (403, ErrorKind::AccessDenied),
        (404, ErrorKind::NotFound),
        (409, ErrorKind::Conflict),
        (503, ErrorKind::ServerError),
    ] {
        assert_eq!(upload(status, &[], "").unwrap_err().kind(), kind);
    }
}
