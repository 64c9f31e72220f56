//! Seals against known answers, and templates and permissions that cannot be sealed.

use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::*;
use crate::vectors;

const FORM: &str = "bucket=${bucket}&object=${object}&size=${size}&user=${x:user}&seal=${x:seal}";

fn secrets() -> Value {
    vectors::file("callback_seal.json")["secrets"].take()
}

fn sealer(first: &str, second: &str) -> Sealer {
    let secrets = secrets();
    let secret = |id: &str| STANDARD.decode(secrets[id].as_str().unwrap()).unwrap();
    Sealer::new(first, &secret(first))
        .unwrap()
        .accept(second, &secret(second))
        .unwrap()
}

fn name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::SealMissing => "SEAL_MISSING",
        ErrorKind::UnknownSealKey => "UNKNOWN_SEAL_KEY",
        ErrorKind::BadSeal => "BAD_SEAL",
        ErrorKind::SealExpired => "SEAL_EXPIRED",
        ErrorKind::SealViolated => "SEAL_VIOLATED",
        ErrorKind::BadBody => "BAD_BODY",
        _ => "another",
    }
}

#[test]
fn seals_made_elsewhere_are_checked() {
    let file = vectors::file("callback_seal.json");
    assert_eq!(
        file["count"],
        file["vectors"].as_array().map_or(0, Vec::len)
    );
    vectors::each("callback_seal.json", |row| {
        let verified = VerifiedCallback::of_body(
            row["content_type"].as_str().unwrap(),
            row["body"].as_str().unwrap(),
        );
        let now = UNIX_EPOCH + Duration::from_secs(row["now"].as_u64().unwrap());
        let result = sealer("2026-01", "old_key").check_at(&verified, now);
        let expected = row["expect"].as_str().unwrap();
        match &result {
            Ok(_) => assert_eq!(expected, "OK", "{}", row["id"]),
            Err(e) => assert_eq!(name(e.kind()), expected, "{}: {e}", row["id"]),
        }
        if let (Ok(sealed), Value::Object(permission)) = (result, &row["permission"]) {
            assert_eq!(permission["bucket"], sealed.bucket());
            assert_eq!(seconds(sealed.expires()), permission["end"]);
            assert_eq!(STANDARD.encode(sealed.nonce()), file["nonce"]);
            for (name, value) in row["variables"].as_object().unwrap() {
                assert_eq!(sealed.variable(name), value.as_str());
            }
        }
    });
}

#[test]
fn what_is_sealed_is_what_the_vectors_say() {
    let nonce = vectors::file("callback_seal.json")["nonce"].take();
    let nonce = STANDARD.decode(nonce.as_str().unwrap()).unwrap();
    let mut compared = 0;
    vectors::each("callback_seal.json", |row| {
        let Value::Object(stated) = &row["permission"] else {
            return;
        };
        let text = |name: &str| stated.get(name).and_then(Value::as_str);
        let bucket = text("bucket").unwrap();
        let permission = match (text("object"), text("prefix")) {
            (Some(object), None) => Permission::object(bucket, object),
            (None, Some(prefix)) => Permission::prefix(bucket, prefix),
            _ => panic!("{}: an object or a prefix", row["id"]),
        };
        let (rule, bytes) = text("size").unwrap().split_at(1);
        let permission = match rule {
            "s" => permission.exact_size(bytes.parse().unwrap()),
            _ => permission.max_size(bytes.parse().unwrap()),
        };
        let end = Duration::from_secs(stated["end"].as_u64().unwrap());
        let permission = permission.expires_at(UNIX_EPOCH + end);

        let mut template =
            "bucket=${bucket}&object=${object}&size=${size}&seal=${x:seal}".to_owned();
        let mut builder = CallbackSpec::builder().url("http://app.example.com/");
        for (name, value) in row["variables"].as_object().unwrap() {
            builder = builder.variable(name, value.as_str().unwrap());
            template.push_str(&format!("&{name}=${{x:{name}}}"));
        }
        let sealer = match row["key_id"].as_str() {
            Some(id) => sealer(id, "2026-01"),
            None => sealer("2026-01", "old_key"),
        };
        let builder = builder.body(template);
        let nonce = nonce.clone().try_into().unwrap();
        let spec = sealer.seal_with(builder, &permission, nonce).unwrap();
        let variables = crate::spec::decoded::members(spec.callback_var());
        assert_eq!(variables["x:seal"], row["seal"], "{}", row["id"]);
        compared += 1;
    });
    assert_eq!(compared, 2);
}

fn permission() -> Permission {
    Permission::object("b", "o")
        .max_size(1)
        .valid_for(Duration::from_secs(60))
}

fn sealing(body: &str, permission: &Permission) -> Result<CallbackSpec> {
    let builder = CallbackSpec::builder()
        .url("http://app.example.com/")
        .variable("user", "4711");
    let is_json = body.starts_with('{');
    let builder = match is_json {
        true => builder.body_type(BodyType::Json),
        false => builder,
    };
    sealer("2026-01", "old_key").seal(builder.body(body), permission)
}

#[test]
fn a_body_that_does_not_carry_what_is_sealed_is_refused() {
    sealing(FORM, &permission()).unwrap();
    let json = r#"{"bucket":${bucket},"object":${object},"size":${size},"user":${x:user},"seal":${x:seal}}"#;
    sealing(json, &permission()).unwrap();
    for (from, to, named) in [
        ("bucket=${bucket}&", "", "${bucket}"),
        // Fixed text says nothing of the bucket that was uploaded to.
        ("bucket=${bucket}", "bucket=b", "${bucket}"),
        ("object=${object}", "key=${object}", "${object}"),
        (
            "object=${object}",
            "object=${bucket}/${object}",
            "${object}",
        ),
        (
            "bucket=${bucket}&object=${object}",
            "bucket=${object}&object=${bucket}",
            "${bucket}",
        ),
        ("size=${size}", "size=1", "${size}"),
        ("user=${x:user}", "user=4711", "${x:user}"),
        ("user=${x:user}", "who=${x:user}", "${x:user}"),
        ("seal=${x:seal}", "", "${x:seal}"),
        (
            "seal=${x:seal}",
            "seal=${x:seal}&seal=${x:seal}",
            "cannot read",
        ),
    ] {
        let body = FORM.replace(from, to);
        assert_ne!(body, FORM);
        let error = sealing(&body, &permission()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidCallback, "{body}");
        assert!(error.to_string().contains(named), "{body}: {error}");
    }
    // OSS inserts quotes of its own, so that these become no JSON once there is a value.
    for quoted in [
        json.replace("${object}", "\"${object}\""),
        json.replace("{\"bucket\"", "{\"type\":\"${mimeType}\",\"bucket\""),
    ] {
        assert_ne!(quoted, json);
        let error = sealing(&quoted, &permission()).unwrap_err();
        assert!(error.to_string().contains("cannot read"), "{error}");
    }
    // Numbers have none.
    let picture = "{\"pixels\":\"${imageInfo.width}x${imageInfo.height}\",\"bucket\"";
    sealing(&json.replace("{\"bucket\"", picture), &permission()).unwrap();
}

#[test]
fn a_permission_needs_a_size_and_an_end_and_names_must_fit() {
    let hour = Duration::from_secs(3600);
    for (permission, named) in [
        (Permission::object("b", "o").valid_for(hour), "no size"),
        (Permission::object("b", "o").max_size(1), "no end"),
        (
            Permission::object("", "o").max_size(1).valid_for(hour),
            "no bucket",
        ),
        (
            Permission::prefix("b", "").max_size(1).valid_for(hour),
            "prefix",
        ),
    ] {
        let error = sealing(FORM, &permission).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(named), "{error}");
    }
    for name in ["名", "a.b", "a,b", "x:x:a", &"a".repeat(1000)] {
        let builder = CallbackSpec::builder()
            .url("http://app.example.com/")
            .body(format!("{FORM}&a=${{x:{name}}}"))
            .variable(name, "1")
            .variable("user", "1");
        let sealed = sealer("2026-01", "old_key").seal(builder, &permission());
        assert_eq!(
            sealed.unwrap_err().kind(),
            ErrorKind::InvalidCallback,
            "{name}"
        );
    }
}

#[test]
fn keys_are_checked_and_secrets_are_not_shown() {
    let secret = b"geheimgeheimgeheimgeheimgeheimgeheim";
    assert!(!format!("{:?}", Sealer::new("a", secret).unwrap()).contains("geheim"));
    for (id, secret) in [
        ("", &secret[..]),
        ("a.b", secret),
        (&"a".repeat(33), secret),
        ("a", &secret[..31]),
    ] {
        let error = Sealer::new(id, secret).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{id}");
        assert!(!error.to_string().contains("geheim"), "{error}");
    }
    let twice = Sealer::new("a", secret).unwrap().accept("a", secret);
    assert_eq!(twice.unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn no_two_seals_are_the_same() {
    let seals: std::collections::HashSet<String> = (0..100)
        .map(|_| {
            sealing(FORM, &permission())
                .unwrap()
                .callback_var()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(seals.len(), 100);
}
