//! Custom domains: host names that stand for a bucket.

use local_oss::Server;

use crate::client::{Request, builder, request, start};

fn cname(comp: &str, domain: &str) -> Request {
    let body = format!(
        "<BucketCnameConfiguration><Cname><Domain>{domain}</Domain></Cname></BucketCnameConfiguration>"
    );
    request("POST", &format!("/examplebucket/?cname&comp={comp}")).body(body)
}

fn at(server: &Server, host: &str) -> u16 {
    let put = request("PUT", "/a")
        .resource("/examplebucket/a")
        .header("Host", host);
    put.body("hello").send(server).status
}

#[test]
fn a_domain_stands_for_its_bucket() {
    let folder = tempfile::tempdir().unwrap();
    let open = || builder().data_dir(folder.path()).start().unwrap();
    let server = open();
    assert_ne!(at(&server, "files.shop.test:9000"), 200);
    assert_eq!(cname("add", "Files.Shop.test").send(&server).status, 200);
    assert_eq!(at(&server, "files.shop.test:9000"), 200);
    assert_eq!(server.object("examplebucket", "a").unwrap(), b"hello");
    drop(server);
    let server = open();
    assert_eq!(at(&server, "FILES.shop.test"), 200);
    let list = request("GET", "/examplebucket/?cname").send(&server);
    assert_eq!(list.elements("Domain"), ["files.shop.test"]);
    assert_eq!(list.elements("Status"), ["Enabled"]);
    assert_eq!(cname("delete", "files.shop.test").send(&server).status, 200);
    assert_ne!(at(&server, "files.shop.test"), 200);
    let named = builder()
        .domain("img.example.com", "examplebucket")
        .start()
        .unwrap();
    assert_eq!(at(&named, "img.example.com"), 200);
    assert_ne!(at(&named, "example.com"), 200);
}

#[test]
fn a_domain_of_somebody_must_be_proven() {
    let server = start();
    let somebodys = cname("add", "www.example.com").send(&server);
    assert_eq!(
        somebodys.error(),
        (403, "NeedVerifyDomainOwnership".to_owned())
    );
    for domain in [
        "",
        "nodot",
        "a b.test",
        "examplebucket.oss-cn-hangzhou.aliyuncs.com",
        "127.0.0.1",
        "a..test",
    ] {
        let answer = cname("add", domain).send(&server);
        assert_eq!(
            answer.error(),
            (400, "InvalidArgument".to_owned()),
            "{domain}"
        );
    }
    let token = cname("token", "www.example.com").send(&server);
    assert_eq!(token.element("Cname").as_deref(), Some("www.example.com"));
    let again = request("GET", "/examplebucket/?cname=www.example.com&comp=token").send(&server);
    assert_eq!(again.element("Token"), token.element("Token"));
    let other = request("POST", "/examplebucket/?cname&comp=other").send(&server);
    assert_eq!(other.status, 501);
    request("PUT", "/other-bucket")
        .resource("/other-bucket/")
        .send(&server);
    assert_eq!(cname("add", "a.test").send(&server).status, 200);
    let taken = cname("add", "a.test").target("/other-bucket/?cname&comp=add");
    assert_eq!(
        taken
            .resource("/other-bucket/?cname&comp=add")
            .send(&server)
            .status,
        403
    );
}

#[test]
fn a_domain_needs_a_bucket_and_a_name() {
    for (name, bucket) in [
        ("img.example.com", "nosuchbucket"),
        ("img", "examplebucket"),
    ] {
        let error = builder().domain(name, bucket).start().unwrap_err();
        assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
    }
}
