//! Custom domains: PutCname, ListCname, DeleteCname, CreateCnameToken, GetCnameToken.

use std::time::Duration;

use hyper::{StatusCode, body::Incoming};
use md5::{Digest as _, Md5};

use super::{
    bucket::change,
    listing::{document, invalid, parameter},
    receive::receive_document,
};
use crate::{
    answer::{self, Answer},
    element::{Element, malformed_xml},
    encoding::hex,
    error::OssError,
    service::{ACCOUNT, Call, Service},
    settings::Domain,
    timestamp::timestamp,
    xml::Document,
};

const LONGEST_CONFIGURATION: usize = 256 * 1024;
/// As long as a token of OSS is good for.
const LIFE_OF_TOKEN: Duration = Duration::from_secs(72 * 3600);

/// Names that nobody can own, so that nobody has to prove it (RFC 2606, RFC 6762, and `internal`).
const NOBODYS: [&str; 4] = [".test", ".localhost", ".local", ".internal"];

async fn domain_of(
    service: &Service,
    call: &Call,
    body: &mut Incoming,
) -> Result<String, OssError> {
    let (configuration, _claim) =
        receive_document(service, call, body, LONGEST_CONFIGURATION).await?;
    let root = Element::parse(&configuration, "BucketCnameConfiguration")?;
    let domain = root
        .child("Cname")
        .and_then(|cname| cname.text_of("Domain"));
    let domain = domain.ok_or_else(malformed_xml)?.to_ascii_lowercase();
    match is_domain(&domain) {
        true => Ok(domain),
        false => Err(invalid("Domain", &domain)),
    }
}

/// Letters, digits and hyphens between dots, and not one of OSS's own.
pub(crate) fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len()) && label.bytes().all(is_part)
    };
    domain.len() <= 253
        && domain.contains('.')
        && domain.split('.').all(is_label)
        && !domain.ends_with(".aliyuncs.com")
        && domain.parse::<std::net::IpAddr>().is_err()
}

/// OSS asks for a TXT record that proves who owns the domain; here nobody can give one.
pub(super) async fn put_cname(
    service: &Service,
    call: &Call,
    body: &mut Incoming,
) -> Result<Answer, OssError> {
    let domain = domain_of(service, call, body).await?;
    let owner = service.objects.bucket_of_domain(&domain);
    if owner.as_ref().is_some_and(|bucket| *bucket != call.bucket) {
        return Err(OssError::new(
            StatusCode::FORBIDDEN,
            "CnameDenied",
            "The cname belongs to another bucket.",
        )
        .detail("Cname", domain));
    }
    if owner.is_none() && !NOBODYS.iter().any(|end| domain.ends_with(end)) {
        return Err(OssError::new(
            StatusCode::FORBIDDEN,
            "NeedVerifyDomainOwnership",
            "The domain ownership has not been verified, please verify the domain ownership first.",
        )
        .detail("Cname", domain));
    }
    let now = service.clock.now();
    change(service, call, |settings| {
        settings.domains.retain(|known| known.name != domain);
        settings.domains.push(Domain {
            name: domain,
            since: now,
        });
        Ok(())
    })?;
    Ok(answer::empty(StatusCode::OK))
}

/// Of a domain that the bucket does not have, too.
pub(super) async fn delete_cname(
    service: &Service,
    call: &Call,
    body: &mut Incoming,
) -> Result<Answer, OssError> {
    let domain = domain_of(service, call, body).await?;
    change(service, call, |settings| {
        settings.domains.retain(|known| known.name != domain);
        Ok(())
    })?;
    Ok(answer::empty(StatusCode::OK))
}

pub(super) fn list_cname(service: &Service, call: &Call) -> Answer {
    let settings = service.objects.settings(&call.bucket);
    let domains = settings.as_ref().map(|settings| settings.domains.iter());
    let mut xml = Document::new();
    xml.open("ListCnameResult");
    xml.element("Bucket", &call.bucket);
    xml.element("Owner", ACCOUNT);
    for domain in domains.into_iter().flatten() {
        xml.open("Cname");
        xml.element("Domain", &domain.name);
        xml.element("LastModified", &timestamp(domain.since));
        xml.element("Status", "Enabled");
        xml.close("Cname");
    }
    xml.close("ListCnameResult");
    document(xml)
}

pub(super) async fn create_cname_token(
    service: &Service,
    call: &Call,
    body: &mut Incoming,
) -> Result<Answer, OssError> {
    let domain = domain_of(service, call, body).await?;
    Ok(token(service, &call.bucket, &domain))
}

pub(super) fn cname_token(service: &Service, call: &Call) -> Result<Answer, OssError> {
    let domain = parameter(call, "cname")?;
    match is_domain(domain) {
        true => Ok(token(service, &call.bucket, domain)),
        false => Err(invalid("cname", domain)),
    }
}

/// The same one each time.
fn token(service: &Service, bucket: &str, domain: &str) -> Answer {
    let digest = Md5::new().chain_update(bucket).chain_update(domain);
    let mut xml = Document::new();
    xml.open("CnameToken");
    xml.element("Bucket", bucket);
    xml.element("Cname", domain);
    xml.element("Token", &hex(&digest.finalize()));
    let end = service.clock.now() + LIFE_OF_TOKEN;
    xml.element("ExpireTime", &timestamp(end));
    xml.close("CnameToken");
    document(xml)
}
