//! The request target that OSS signed, when a proxy has changed it on its way. Pure.

use std::borrow::Cow;

use md5::{Digest, Md5};
use percent_encoding::percent_decode;

use super::public_key::Signed;
use super::request::CallbackRequest;

/// Where proxies write the target as it came to them; read without being told to for a diagnosis only.
const USUAL_HEADERS: [&str; 5] = [
    "X-Original-URI",
    "X-Original-URL",
    "X-Forwarded-Uri",
    "X-Rewrite-URL",
    "X-Envoy-Original-Path",
];
const USUAL_PREFIX_HEADERS: [&str; 2] = ["X-Forwarded-Prefix", "X-Script-Name"];
/// A diagnosis costs some more digests, of bodies up to this length: no template becomes more, and forgeries
/// must stay cheap.
const DIAGNOSED_BODY_LEN: usize = 16 * 1024;
/// A target in a message is cut after so many characters.
const SHOWN_LEN: usize = 200;

/// How the target that OSS signed is found again.
#[derive(Debug, Clone, Default)]
pub(super) struct Restoration {
    /// Taken off in front.
    pub(super) strip: Vec<String>,
    /// Put back in front.
    pub(super) prepend: Vec<String>,
    /// Headers that hold the target.
    pub(super) headers: Vec<String>,
}

/// A target that OSS may have signed.
pub(super) struct Candidate<'a> {
    pub(super) target: Cow<'a, [u8]>,
    origin: String,
}

impl Restoration {
    /// As received first: without a proxy that is the one.
    pub(super) fn candidates<'a>(&self, request: &CallbackRequest<'a>) -> Vec<Candidate<'a>> {
        let mut candidates = vec![Candidate {
            target: Cow::Borrowed(request.target()),
            origin: "as received".to_owned(),
        }];
        let mut add = |target: Cow<'a, [u8]>, origin: String| {
            if candidates.iter().all(|other| other.target != target) {
                candidates.push(Candidate { target, origin });
            }
        };
        for prefix in &self.strip {
            if let Some(target) = without_prefix(request.target(), prefix) {
                add(target, format!("without the prefix `{prefix}`"));
            }
        }
        for prefix in &self.prepend {
            let target = [prefix.as_bytes(), request.target()].concat();
            add(target.into(), format!("with the prefix `{prefix}`"));
        }
        for name in &self.headers {
            if let Some(value) = request.get_short(name) {
                add(in_header(value).into(), format!("from the header `{name}`"));
            }
        }
        candidates
    }
}

/// A prefix begins with a slash and ends without one.
pub(super) fn prefix(text: &str) -> String {
    format!("/{}", text.trim_matches('/'))
}

fn without_prefix<'a>(target: &'a [u8], prefix: &str) -> Option<Cow<'a, [u8]>> {
    match target.strip_prefix(prefix.as_bytes())? {
        rest @ [b'/', ..] => Some(rest.into()),
        rest @ ([] | [b'?', ..]) => Some([b"/", rest].concat().into()),
        _ => None,
    }
}

/// The target in a header, which may be a whole URL.
fn in_header(value: &[u8]) -> &[u8] {
    let rest = [&b"http://"[..], b"https://"]
        .iter()
        .find_map(|scheme| value.strip_prefix(*scheme));
    match rest.map(|rest| (rest, rest.iter().position(|byte| *byte == b'/'))) {
        Some((rest, Some(slash))) => &rest[slash..],
        _ => value,
    }
}

/// Path and query; the query keeps its `?`.
fn split(target: &[u8]) -> (&[u8], &[u8]) {
    let cut = target.iter().position(|byte| *byte == b'?');
    target.split_at(cut.unwrap_or(target.len()))
}

/// What OSS signs (OSS documentation, "Callback"): the path, decoded once, the query as it stands, a line
/// feed, the body.
pub(super) fn digest(target: &[u8], body: &[u8]) -> [u8; 16] {
    let (path, query) = split(target);
    let path: Cow<'_, [u8]> = percent_decode(path).into();
    digest_of(&path, query, body)
}

fn digest_of(path: &[u8], query: &[u8], body: &[u8]) -> [u8; 16] {
    let mut digest = Md5::new();
    digest.update(path);
    digest.update(query);
    digest.update(b"\n");
    digest.update(body);
    digest.finalize().into()
}

/// Says what was tried, without the query, in which secrets stand.
pub(super) fn tried(candidates: &[Candidate<'_>], body: &[u8]) -> String {
    let shown: Vec<String> = candidates
        .iter()
        .map(|Candidate { target, origin }| {
            let (path, query) = split(target);
            let mut escaped = path.escape_ascii().map(char::from);
            let mut shown: String = escaped.by_ref().take(SHOWN_LEN).collect();
            if escaped.next().is_some() {
                shown.push('…');
            }
            if let Some(hidden) = query.len().checked_sub(1) {
                shown.push_str(&format!("?({hidden} bytes)"));
            }
            format!("`{shown}` {origin}")
        })
        .collect();
    format!(
        "the signature is not that of {} with a body of {} bytes",
        shown.join(", nor of "),
        body.len()
    )
}

/// What usually causes a signature that matches no candidate, or what certainly does: then some change that
/// proxies and frameworks make is undone and the signature matches. Nothing is accepted by this.
pub(super) fn diagnosis(request: &CallbackRequest<'_>, signed: &Signed) -> &'static str {
    const USUAL: &str = "Usual causes: a reverse proxy that strips or adds a part of the path (tell the \
        verifier the prefix, or the header in which the proxy keeps the original target); a body that a \
        framework has parsed and written again; a query that was taken off. Or the request is forged.";
    let body = request.body();
    if body.len() > DIAGNOSED_BODY_LEN {
        return USUAL;
    }
    let target = request.target();
    let (path, query) = split(target);
    let signed_is = |target: &[u8], body: &[u8]| signed.is_of_md5(&digest(target, body));

    let original = USUAL_HEADERS
        .iter()
        .filter_map(|name| request.get_short(name));
    if original
        .map(in_header)
        .any(|target| signed_is(target, body))
    {
        return "A reverse proxy has changed the path: the signature is that of the target in a header \
            such as X-Original-URI. Let the verifier trust that header, if your proxy sets it on every \
            request, or tell it the prefix.";
    }
    let prefixes = USUAL_PREFIX_HEADERS.iter();
    if prefixes
        .filter_map(|name| request.get_short(name))
        .any(|prefix| signed_is(&[prefix, target].concat(), body))
    {
        return "A reverse proxy has stripped a prefix of the path: the one in X-Forwarded-Prefix. Tell \
            the verifier to put it back.";
    }
    if signed.is_of_md5(&digest_of(path, query, body)) {
        return "The path was decoded before it was verified. Pass the target as it stands in the request \
            line.";
    }
    let with_slash = [path, b"/", query].concat();
    let without_slash = [path.strip_suffix(b"/").unwrap_or(path), query].concat();
    if signed_is(&with_slash, body) || signed_is(&without_slash, body) {
        return "A proxy or the framework has added or removed the slash at the end of the path. Pass the \
            target as it stands in the request line.";
    }
    let trimmed = body.trim_ascii_end();
    if signed_is(target, trimmed) || signed_is(target, &[body, b"\n"].concat()) {
        return "Something has added or removed a line break at the end of the body. Pass the body as it \
            came.";
    }
    let blanks = replace(body, b"+", b"%20");
    let pluses = replace(body, b"%20", b"+");
    if signed_is(target, &blanks) || signed_is(target, &pluses) {
        return "The body was parsed and written again, with another spelling of the blank. Pass the body \
            as it came.";
    }
    if !target.starts_with(b"/") {
        return "The target does not begin with a slash. Pass path and query as they stand in the request \
            line, without scheme and host.";
    }
    USUAL
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        match rest.strip_prefix(from) {
            Some(tail) => {
                replaced.extend(to);
                rest = tail;
            }
            None => {
                replaced.push(*first);
                rest = tail;
            }
        }
    }
    replaced
}
