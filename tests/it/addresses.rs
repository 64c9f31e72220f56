//! The addresses of a host name: which are tried, when, and from where.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use local_oss::RefusedAddress;
use oss_callback::{
    Cancellation, Client, ClientBuilder, Error, ErrorKind, Receipt, RetryPolicy, Stored,
};
use support::door::Door;
use support::proxy::StrictProxy;
use support::{BUCKET, client_builder, server, skip};

const HOST: &str = "oss.example.test";

/// So long may a connection take; what is tested takes a quarter of a second.
const LIMIT: Duration = Duration::from_secs(40);
const SOON: Duration = Duration::from_secs(8);

fn builder(addresses: &[SocketAddr]) -> ClientBuilder {
    client_builder(&format!("http://{HOST}"))
        .path_style(true)
        .connect_timeout(LIMIT)
        .max_idle_connections(0)
        .retry_policy(RetryPolicy::none())
        .resolve(HOST, addresses)
}

fn put(client: &Client) -> Result<Receipt, Error> {
    client.put_object(BUCKET, "a").send_bytes(b"x")
}

/// Addresses at which nobody answers, if this system has such.
fn shut<const N: usize>() -> Option<[Door; N]> {
    let doors = [(); N].map(|()| Door::shut());
    if doors.iter().any(Option::is_none) {
        skip("a full queue takes further connections on this system");
        return None;
    }
    Some(doors.map(Option::unwrap))
}

/// Connections of this process to an address that are not there yet.
#[cfg(target_os = "linux")]
fn begun(address: SocketAddr) -> usize {
    let to = format!(" 0100007F:{:04X} 02 ", address.port());
    let connections = std::fs::read_to_string("/proc/net/tcp").unwrap();
    connections
        .lines()
        .filter(|line| line.contains(&to))
        .count()
}

#[test]
fn a_dead_first_address_does_not_cost_half_of_the_limit() {
    let Some([dead, dead_too]) = shut() else {
        return;
    };
    let server = server().start().unwrap();
    let client = builder(&[dead.address(), dead_too.address(), server.address()]);
    let client = client.build().unwrap();
    let begun_at = Instant::now();
    put(&client).unwrap();
    assert!(begun_at.elapsed() < SOON, "{:?}", begun_at.elapsed());
    // What did not win is given up.
    #[cfg(target_os = "linux")]
    assert_eq!((begun(dead.address()), begun(dead_too.address())), (0, 0));
}

#[test]
fn with_a_short_limit_every_address_has_its_share() {
    let Some([dead, dead_too]) = shut() else {
        return;
    };
    let server = server().start().unwrap();
    let addresses = [dead.address(), dead_too.address(), server.address()];
    // Of the time to connect, and of the whole: a quarter of a second for each is not there.
    for client in [
        builder(&addresses).connect_timeout(Duration::from_millis(400)),
        builder(&addresses).timeout(Duration::from_millis(400)),
    ] {
        put(&client.build().unwrap()).unwrap();
    }
}

#[test]
fn a_refusing_address_is_passed_over_at_once() {
    let Some([dead]) = shut() else { return };
    let server = server().start().unwrap();
    let refused = RefusedAddress::new().unwrap();
    // Refusals that come while another attempt is under way count, too.
    let addresses = [dead.address()].into_iter();
    let addresses: Vec<_> = (addresses.chain([refused.address(); 100]))
        .chain([server.address()])
        .collect();
    let client = builder(&addresses).build().unwrap();
    let begun_at = Instant::now();
    put(&client).unwrap();
    assert!(begun_at.elapsed() < SOON, "{:?}", begun_at.elapsed());
}

#[test]
#[cfg(target_os = "linux")]
fn an_attempt_goes_on_when_the_next_one_has_begun() {
    let Some([mut first, second]) = shut() else {
        return;
    };
    let client = builder(&[first.address(), second.address()])
        .build()
        .unwrap();
    std::thread::scope(|scope| {
        let upload = scope.spawn(|| put(&client));
        while begun(second.address()) == 0 {
            std::thread::yield_now();
        }
        assert_eq!(begun(first.address()), 1);
        // Its packets are sent again after a second, and get through.
        first.reopen();
        first.serve();
        upload.join().unwrap().unwrap();
    });
}

#[test]
fn the_address_that_worked_is_tried_first() {
    let Some([mut first]) = shut() else { return };
    let server = server().start().unwrap();
    let client = builder(&[first.address(), server.address()])
        .build()
        .unwrap();
    put(&client).unwrap();
    // Now the first one would answer, but is not asked.
    first.reopen();
    put(&client).unwrap();
    assert_eq!(server.stored().len(), 2);
    assert!(!first.somebody_waits());
    // Another client knows nothing of it.
    let client = builder(&[first.address(), server.address()])
        .build()
        .unwrap();
    std::thread::scope(|scope| {
        let upload = scope.spawn(|| put(&client));
        first.serve();
        upload.join().unwrap().unwrap();
    });
}

#[test]
fn an_address_that_worked_and_died_costs_no_more_than_any_other() {
    let Some([mut first]) = shut() else { return };
    let mut second = Door::open();
    let client = builder(&[first.address(), second.address()])
        .build()
        .unwrap();
    let uploads_to = |door: &Door| {
        std::thread::scope(|scope| {
            let upload = scope.spawn(|| put(&client));
            door.serve();
            upload.join().unwrap().unwrap();
        });
    };
    uploads_to(&second);
    assert!(second.close());
    first.reopen();
    let begun_at = Instant::now();
    uploads_to(&first);
    assert!(begun_at.elapsed() < SOON, "{:?}", begun_at.elapsed());
    // It is the one to be tried first from now on.
    second.reopen();
    uploads_to(&first);
    assert!(!second.somebody_waits());
}

#[test]
fn limits_and_cancellation_hold_while_addresses_are_tried() {
    let Some([dead, dead_too]) = shut() else {
        return;
    };
    let addresses = [dead.address(), dead_too.address()];
    let begun_at = Instant::now();
    for client in [
        builder(&addresses).connect_timeout(Duration::from_millis(300)),
        builder(&addresses).timeout(Duration::from_millis(300)),
    ] {
        let error = put(&client.build().unwrap()).unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::Timeout, Stored::No)
        );
        for address in addresses {
            let said = format!("at {address}: no answer");
            assert!(error.to_string().contains(&said), "{error}");
        }
    }
    let (client, cancellation) = (builder(&addresses).build().unwrap(), Cancellation::new());
    let error = std::thread::scope(|scope| {
        let upload = scope.spawn(|| {
            let put = client.put_object(BUCKET, "a").cancellation(&cancellation);
            put.send_bytes(b"x")
        });
        #[cfg(target_os = "linux")]
        while begun(dead_too.address()) == 0 {
            std::thread::yield_now();
        }
        cancellation.cancel();
        upload.join().unwrap().unwrap_err()
    });
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Cancelled, Stored::No)
    );
    assert!(begun_at.elapsed() < SOON, "{:?}", begun_at.elapsed());
}

#[test]
#[cfg(target_os = "linux")]
fn many_dead_addresses_take_few_descriptors() {
    let Some([dead]) = shut() else { return };
    let client = builder(&[dead.address(); 500]).connect_timeout(Duration::from_secs(1));
    let client = client.build().unwrap();
    let most = std::thread::scope(|scope| {
        let upload = scope.spawn(|| put(&client).unwrap_err());
        let mut most = 0;
        while !upload.is_finished() {
            most = most.max(begun(dead.address()));
        }
        assert_eq!(upload.join().unwrap().kind(), ErrorKind::Timeout);
        most
    });
    // At most 32; while they are counted, some go and others come.
    assert!((2..=64).contains(&most), "{most}");
}

#[test]
fn what_became_of_each_address_is_told() {
    let refused = [(); 6].map(|()| RefusedAddress::new().unwrap());
    let addresses = refused.each_ref().map(RefusedAddress::address);
    let message = |addresses: &[SocketAddr]| {
        let error = put(&builder(addresses).build().unwrap()).unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::Connect, Stored::No)
        );
        error.to_string()
    };
    let two = message(&addresses[..2]);
    let [first, second] = [addresses[0], addresses[1]];
    assert!(
        two.starts_with(&format!("connect to {HOST} at {first}: ")),
        "{two}"
    );
    assert!(two.contains(&format!(", at {second}: ")), "{two}");
    assert_eq!(two.matches("refused").count(), 2, "{two}");
    let six = message(&addresses);
    assert!(six.ends_with(", and at 2 more"), "{six}");
    assert_eq!(six.matches("refused").count(), 4, "{six}");
}

#[test]
fn a_proxy_with_a_dead_first_address_is_reached_soon() {
    let Some([dead]) = shut() else { return };
    let server = server().start().unwrap();
    let proxy = StrictProxy::start(server.address());
    let client = builder(&[])
        .proxy("http://proxy.example.test:1")
        .resolve("proxy.example.test", [dead.address(), proxy.address()])
        .build()
        .unwrap();
    let begun_at = Instant::now();
    put(&client).unwrap();
    assert!(begun_at.elapsed() < SOON, "{:?}", begun_at.elapsed());
    drop(client);
}

#[test]
fn addresses_are_given_with_a_port_or_take_that_of_the_url() {
    let server = server().start().unwrap();
    let port = server.address().port();
    let endpoint = format!("http://{HOST}:{port}");
    for address in [server.address(), SocketAddr::from(([127, 0, 0, 1], 0))] {
        let client = builder(&[address]).endpoint(&endpoint).build().unwrap();
        put(&client).unwrap();
    }
    assert_eq!(server.stored().len(), 2);
    let Ok(six) = support::server().listen("[::1]:0").start() else {
        return skip("this system has no IPv6");
    };
    // A family without a server is passed over.
    let addresses = ["[::1]:0", "127.0.0.1:0"].map(|address| address.parse().unwrap());
    let endpoint = format!("http://{HOST}:{}", six.address().port());
    for addresses in [addresses, [addresses[1], addresses[0]]] {
        let client = builder(&addresses).endpoint(&endpoint).build().unwrap();
        put(&client).unwrap();
    }
    assert_eq!(six.stored().len(), 2);
}

#[test]
#[cfg(feature = "tls")]
fn addresses_hold_for_every_bucket_and_tls_checks_the_name() {
    let server = server().tls(true).start().unwrap();
    let port = server.address().port();
    let to = [SocketAddr::from(([127, 0, 0, 1], 0))];
    let refused = RefusedAddress::new().unwrap();
    let builder = |endpoint: &str| {
        client_builder(&format!("https://{endpoint}:{port}"))
            .root_certificates(oss_callback::RootCertificates::None)
            .ca_bundle(server.certificate_pem().unwrap())
            .retry_policy(RetryPolicy::none())
    };
    let client = builder("oss-cn-hangzhou.aliyuncs.com")
        .resolve("*.Aliyuncs.com", [refused.address()])
        // The longest one is used.
        .resolve("*.oss-cn-hangzhou.aliyuncs.com", to)
        .resolve("other.oss-cn-hangzhou.aliyuncs.com", [refused.address()])
        .build()
        .unwrap();
    put(&client).unwrap();
    assert_eq!(server.object(BUCKET, "a").unwrap(), b"x");
    let error = client.put_object("other", "a").send_bytes(b"x");
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Connect);
    // The certificate is for another name.
    let client = builder("oss.example.test").resolve("*.example.test", to);
    let error = put(&client.build().unwrap()).unwrap_err();
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Tls, Stored::No),
        "{error}"
    );
    // The name itself does not end in itself.
    let lookup = |_: &str, _| Err(std::io::Error::other("asked for it"));
    let client = builder("oss.example.test")
        .path_style(true)
        .resolver(lookup);
    let client = client.resolve("*.oss.example.test", to).build().unwrap();
    let error = put(&client).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Resolve);
}

#[test]
fn what_could_never_be_looked_up_has_no_addresses() {
    for host in [
        "",
        "*",
        "*.",
        "http://a",
        "a:80",
        "127.0.0.1",
        "[::1]",
        "a..b",
        "a.*.b",
    ] {
        let error = builder(&[]).resolve(host, []).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let expected = format!("`host` {host:?} has addresses, but is not a name");
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn connections_come_from_the_local_address() {
    let own: std::net::IpAddr = [127, 0, 0, 2].into();
    let door = Door::open();
    let from = |builder: ClientBuilder| {
        let client = builder.local_address(own).build().unwrap();
        std::thread::scope(|scope| {
            let upload = scope.spawn(|| put(&client));
            let from = door.serve();
            upload.join().unwrap().unwrap();
            from.ip()
        })
    };
    // Those of the other family are not tried.
    let six = "[::1]:80".parse().unwrap();
    for addresses in [vec![door.address()], vec![six, door.address()]] {
        assert_eq!(from(builder(&addresses)), own);
    }
    // To a proxy, too.
    let client = builder(&[]).proxy(format!("http://{}", door.address()));
    let client = client.local_address(own).build().unwrap();
    std::thread::scope(|scope| {
        let upload = scope.spawn(|| put(&client));
        assert_eq!(door.meet().ip(), own);
        // It closes.
        let error = upload.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    });
}

#[test]
fn an_address_that_cannot_be_bound_or_has_nowhere_to_go_is_named() {
    let door = Door::open();
    let address = door.address();
    let six = "[::1]:80".parse().unwrap();
    let wrong_family =
        format!("connect to {HOST}: it has no IPv6 address, as `local_address` ::1 needs");
    // Nobody has this one (RFC 5737).
    let not_ours = format!(
        "connect to {address}: `local_address` 192.0.2.1 is not an address of this machine"
    );
    for (own, addresses, said) in [
        ("::1", vec![address], wrong_family),
        ("192.0.2.1", vec![six, address, address], not_ours),
    ] {
        let client = builder(&addresses).local_address(own.parse().unwrap());
        let error = put(&client.build().unwrap()).unwrap_err();
        assert_eq!(
            (error.kind(), error.stored()),
            (ErrorKind::Connect, Stored::No)
        );
        assert_eq!(error.to_string(), said);
    }
    assert!(!door.somebody_waits());
}

#[test]
#[cfg(target_os = "linux")]
fn connections_go_through_the_network_interface() {
    let door = Door::open();
    let client = |name: &str| builder(&[door.address()]).network_interface(name);
    let error = put(&client("no-such-device").build().unwrap()).unwrap_err();
    let Some(what) = error
        .to_string()
        .strip_prefix(&format!(
            "connect to {}: `network_interface` no-such-device ",
            door.address()
        ))
        .map(str::to_owned)
    else {
        panic!("{error}");
    };
    assert_eq!(
        (error.kind(), error.stored()),
        (ErrorKind::Connect, Stored::No)
    );
    if what.contains("CAP_NET_RAW") {
        return skip("this user may not choose a network interface");
    }
    assert_eq!(what, "is not a network interface of this machine");
    assert!(!door.somebody_waits());
    let client = client("lo").build().unwrap();
    std::thread::scope(|scope| {
        let upload = scope.spawn(|| put(&client));
        door.serve();
        upload.join().unwrap().unwrap();
    });
    let error = builder(&[]).network_interface("0123456789abcdef").build();
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("of 1 to 15 bytes"), "{error}");
}
