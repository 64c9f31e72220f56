use std::{io, sync::Arc};

use serde_json::json;

use super::*;

fn rules(strict: bool) -> Rules {
    Rules {
        strict,
        strict_variables: true,
        // Every host name can be resolved, but for these.
        resolver: Arc::new(|host, port| match host {
            "unknown.example" => Err(io::ErrorKind::NotFound.into()),
            "ipv6.example" => Ok(vec![([0, 0, 0, 0, 0, 0, 0, 1], port).into()]),
            "inside.example" => Ok(vec![([10, 0, 0, 1], port).into()]),
            _ => Ok(vec![([203, 0, 113, 5], port).into()]),
        }),
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn in_header(value: Option<&str>) -> Placed<'_> {
    Placed {
        header: value.map(str::as_bytes),
        query: None,
    }
}

fn base64(value: &Value) -> String {
    STANDARD.encode(value.to_string())
}

fn check_json(
    callback: &Value,
    variables: Option<&Value>,
    strict: bool,
) -> Result<Callback, OssError> {
    let callback = base64(callback);
    let variables = variables.map(base64);
    run(check(
        in_header(Some(&callback)),
        in_header(variables.as_deref()),
        &rules(strict),
    ))
    .map(|callback| callback.expect("there is one"))
}

#[test]
fn rejections_are_those_of_the_vectors() {
    let file = include_str!("../../../tests/vectors/callback_rejected.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let rows = file["vectors"].as_array().unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        let value = |name: &str| match &row[name] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            repeat => Some(
                repeat["repeat"]
                    .as_str()
                    .unwrap()
                    .repeat(repeat["n"].as_u64().unwrap() as usize),
            ),
        };
        let (callback, variables) = (value("callback"), value("callback_var"));
        let place = |value: Option<&str>| -> Placed<'static> {
            let value: Option<&'static [u8]> =
                value.map(|text| text.as_bytes().to_vec().leak() as &[u8]);
            let places = row["placement"].as_str().unwrap();
            Placed {
                header: value.filter(|_| matches!(places, "header" | "both")),
                query: value.filter(|_| matches!(places, "query" | "both")),
            }
        };
        let found = run(check(
            place(callback.as_deref()),
            place(variables.as_deref()),
            &rules(true),
        ));
        let error = found.expect_err(row["id"].as_str().unwrap());
        let expect = &row["expect"];
        assert_eq!(
            error.status.as_u16(),
            expect["status"].as_u64().unwrap() as u16
        );
        assert_eq!(error.code, expect["code"]);
        assert_eq!(
            error.message,
            expect["message"].as_str().unwrap(),
            "{}",
            row["id"]
        );
        assert_eq!(error.ec, expect["ec"].as_str(), "{}", row["id"]);
        let argument = format!(
            "<ArgumentName>{}</ArgumentName>",
            expect["argument_name"].as_str().unwrap()
        );
        assert!(error.document("", "").contains(&argument), "{}", row["id"]);
    }
}

#[test]
fn every_other_fault_is_found() {
    let good = json!({ "callbackUrl": "http://a.example/", "callbackBody": "a=1" });
    let with = |name: &str, value: Value| {
        let mut callback = good.clone();
        callback[name] = value;
        callback
    };
    for (callback, variables, message, ec) in [
        (
            with("callbackUrl", json!("")),
            None,
            "The callback url configuration is invalid.",
            Some("0007-00000004"),
        ),
        (
            with("callbackUrl", json!(";")),
            None,
            "The callback url configuration is invalid.",
            Some("0007-00000004"),
        ),
        (
            with("callbackUrl", json!(1)),
            None,
            "The callback url configuration is invalid.",
            Some("0007-00000004"),
        ),
        (
            with("callbackUrl", json!("http://[::1]/")),
            None,
            "The callback url configuration is invalid.",
            Some("0007-00000004"),
        ),
        (
            with("callbackUrl", json!("a.example;b.example:0")),
            None,
            "The callback url configuration is invalid.",
            Some("0007-00000004"),
        ),
        (
            with("callbackUrl", json!("unknown.example")),
            None,
            "Can not get ip by this host.",
            Some("0007-00000007"),
        ),
        (
            with("callbackUrl", json!("ipv6.example")),
            None,
            "Can not get ip by this host.",
            Some("0007-00000007"),
        ),
        (
            with("callbackHost", json!("")),
            None,
            "The callback host configuration is invalid.",
            Some("0007-00000009"),
        ),
        (
            with("callbackHost", json!("a b")),
            None,
            "The callback host configuration is invalid.",
            Some("0007-00000009"),
        ),
        (
            with("callbackHost", Value::Null),
            None,
            "The callback host configuration is invalid.",
            Some("0007-00000009"),
        ),
        (
            with("callbackBody", Value::Null),
            None,
            "The callback body is invalid.",
            Some("0007-00000010"),
        ),
        (
            json!({ "callbackUrl": "a.example" }),
            None,
            "The callback body is empty.",
            Some("0007-00000011"),
        ),
        (
            with("callbackBodyType", Value::Null),
            None,
            "The callback body type configuration is invalid.",
            Some("0007-00000012"),
        ),
        (
            with("callbackBodyType", json!("")),
            None,
            "The body type of callback is not supported.",
            Some("0007-00000013"),
        ),
        (
            good.clone(),
            Some(json!([])),
            "The callback var is not expecten json.",
            Some("0007-00000104"),
        ),
        (
            good.clone(),
            Some(json!({ "x:a": 1 })),
            "The callback var is not expecten json.",
            Some("0007-00000104"),
        ),
        (
            good.clone(),
            Some(json!({ "a": "1" })),
            "The callback var is not expecten json.",
            Some("0007-00000104"),
        ),
        (
            good.clone(),
            Some(json!({ "x:A": "1" })),
            "The callback var is not expecten json.",
            Some("0007-00000104"),
        ),
        (
            good.clone(),
            Some(json!({ "x:a}": "1" })),
            "The callback var is not expecten json.",
            Some("0007-00000104"),
        ),
        (
            good.clone(),
            Some(json!({ "x:a": "1".repeat(4000) })),
            "The length of callback var exceed max value.",
            Some("0007-00000101"),
        ),
        (
            with("callbackBody", json!("${a")),
            None,
            "Left brace must be adjacent to dollar sign.",
            Some("0007-00000105"),
        ),
    ] {
        let error = check_json(&callback, variables.as_ref(), false).expect_err(message);
        assert_eq!(
            (&*error.message, error.ec),
            (message, ec),
            "{callback} {variables:?}"
        );
    }
}

#[test]
fn the_first_fault_counts() {
    let callback = json!({ "callbackUrl": "unknown.example", "callbackHost": 1, "callbackBody": "", "callbackBodyType": 1 });
    let order = [
        (
            "callbackUrl",
            json!("a.example"),
            "Can not get ip by this host.",
        ),
        (
            "callbackHost",
            json!("a.example"),
            "The callback host configuration is invalid.",
        ),
        ("callbackBody", json!("$"), "The callback body is empty."),
        (
            "callbackBodyType",
            json!("application/json"),
            "The callback body type configuration is invalid.",
        ),
    ];
    let mut callback = callback;
    for (name, right, message) in order {
        let error = check_json(&callback, Some(&json!(1)), false).unwrap_err();
        assert_eq!(error.message, message);
        callback[name] = right;
    }
    let error = check_json(&callback, Some(&json!(1)), false).unwrap_err();
    assert_eq!(error.ec, Some("0007-00000104"));
    let error = check_json(&callback, None, false).unwrap_err();
    assert_eq!(error.ec, Some("0007-00000105"));
}

#[test]
fn variables_in_two_places_have_an_error_of_their_own() {
    let callback = base64(&json!({ "callbackUrl": "a.example", "callbackBody": "a" }));
    let twice = Placed {
        header: Some(b"e30="),
        query: Some(b"e30="),
    };
    let error = run(check(in_header(Some(&callback)), twice, &rules(false))).unwrap_err();
    assert!(
        error.message.starts_with(
            "Either the callback-var query string parameter or the x-oss-callback-var"
        )
    );
    assert_eq!(error.ec, None);
}

#[test]
fn variables_without_a_callback_are_ignored() {
    assert!(
        run(check(in_header(None), in_header(Some("*")), &rules(true)))
            .unwrap()
            .is_none()
    );
}

#[test]
fn private_addresses_are_refused_only_when_strict() {
    for url in [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.1.1",
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "http://inside.example/a",
        "http://a.example/;http://127.1.1.1/",
    ] {
        let callback = json!({ "callbackUrl": url, "callbackBody": "a" });
        let error = check_json(&callback, None, true).expect_err(url);
        assert_eq!(error.message, "Private address is forbidden to callback.");
        assert!(check_json(&callback, None, false).is_ok(), "{url}");
    }
    let public =
        json!({ "callbackUrl": "8.8.8.8;100.128.0.1;172.32.0.1;a.example", "callbackBody": "a" });
    assert!(check_json(&public, None, true).is_ok());
}

#[test]
fn what_oss_accepts_is_accepted() {
    let five = "http://a.example/a?b=%2F;https://b.example;c.example;1.2.3.4:8080/x;d.example:1;";
    let callback = json!({
        "callbackUrl": five, "callbackHost": "host.example", "callbackBody": "{\"a\":${x:名}}",
        "callbackBodyType": "application/json", "callbackSNI": true, "unknown": null,
    });
    let callback = check_json(&callback, Some(&json!({ "x:名": "1", "x:": "" })), true).unwrap();
    let urls: Vec<&str> = callback
        .targets
        .iter()
        .map(|(url, _)| url.text.as_str())
        .collect();
    assert_eq!(urls.join(";") + ";", five);
    assert_eq!(callback.targets[3].1, ["1.2.3.4:8080".parse().unwrap()]);
    assert_eq!(callback.host.as_deref(), Some("host.example"));
    assert_eq!(callback.body_type, BodyType::Json);
}
