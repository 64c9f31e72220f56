//! A clock that is wrong.

use std::time::{Duration, SystemTime};

use crate::client::{PATIENCE, get, put, start};

#[test]
fn a_clock_that_is_wrong_refuses_signatures_and_says_its_time() {
    let server = start();
    for seconds in [3600, -3600] {
        server.set_clock(seconds);
        let answer = put("a", "hello").send(&server);
        assert_eq!(answer.error(), (403, "RequestTimeTooSkewed".to_owned()));
        let date = httpdate::parse_http_date(answer.header("date").unwrap()).unwrap();
        let now = SystemTime::now();
        let off = match seconds > 0 {
            true => date.duration_since(now).unwrap(),
            false => now.duration_since(date).unwrap(),
        };
        let hour = Duration::from_secs(3600);
        assert!(off + PATIENCE > hour && off < hour + PATIENCE, "{off:?}");
    }
    assert!(server.stored().is_empty());
    server.set_clock(0);
    assert_eq!(put("a", "hello").send(&server).status, 200);
    // Within what OSS allows.
    server.set_clock(600);
    assert_eq!(get("a").send(&server).status, 200);
}
