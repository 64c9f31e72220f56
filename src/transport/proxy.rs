//! An HTTP proxy: a tunnel (CONNECT) for https, and requests in absolute form for plain http.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::current::Current;
use super::wire::{ReceiveError, Wire};
use crate::base::authority::port_of;
use crate::outcome::error::{Error, Result};
use crate::outcome::headers::Headers;
use crate::outcome::verdict::ErrorKind;

/// The head of a proxy's answer.
const MAX_HEAD_LEN: usize = 16 * 1024;

/// Where the proxy is, and how to log in. `Debug` does not show the password.
#[derive(Clone)]
pub(crate) struct Proxy {
    host: String,
    port: u16,
    authorization: Option<String>,
    /// Who named it, for errors: an argument, or a variable.
    named_by: String,
}

impl Proxy {
    /// `http://proxy.example.com:3128`, with `user:password@` before the host if need be, both
    /// percent-encoded.
    pub(crate) fn parse(url: &str, named_by: &str) -> Result<Proxy> {
        // The URL is not repeated in messages: it may hold a password.
        let bad = |problem: &str| Error::argument(format!("{named_by} {problem}"));
        let (scheme, _) = url.split_once("://").unwrap_or_default();
        match scheme.to_ascii_lowercase().as_str() {
            "http" => {}
            "https" => {
                return Err(bad(
                    "is reached over https, which is not supported: most proxies also listen for http, \
                     and carry https in it",
                ));
            }
            scheme if scheme.starts_with("socks") => {
                return Err(bad(
                    "is a SOCKS proxy, which is not supported: use an HTTP proxy",
                ));
            }
            _ => return Err(bad("does not begin with http://")),
        }
        if url.contains('#') {
            // The URL would end there.
            return Err(bad("has a '#': write %23 for it in a password"));
        }
        let uri: http::Uri = url
            .parse()
            .map_err(|e| bad(&format!("is not a URL: {e}")))?;
        if uri.path_and_query().is_some_and(|path| path != "/") {
            return Err(bad("has a path: write %2F for a '/' in a password"));
        }
        let authority = uri.authority().ok_or_else(|| bad("has no host"))?;
        let login = authority.as_str().rsplit_once('@').map(|(login, _)| login);
        let authorization = login.map(basic).transpose().map_err(bad)?;
        let port = port_of(authority).map_err(bad)?.unwrap_or(80);
        Ok(Proxy {
            host: authority.host().to_owned(),
            port,
            authorization,
            named_by: named_by.to_owned(),
        })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// An error on the way to the proxy, which says so.
    pub(super) fn on_the_way(&self, error: Error) -> Error {
        let message = self.says(&error.to_string());
        error.saying(message)
    }

    fn says(&self, what: &str) -> String {
        format!("proxy {}:{}: {what}", self.host, self.port)
    }

    /// The head of a request to an http server, as the proxy wants it: the whole URL in its first line (RFC 9112, section
    /// 3.2.2), and the login. The proxy takes both out again.
    pub(super) fn put_in_absolute_form(&self, head: &[u8], host: &str, to: &mut Vec<u8>) {
        let end_of = |what: &[u8]| {
            let begin = head.windows(what.len()).position(|part| part == what);
            begin.map_or(head.len(), |begin| begin + what.len())
        };
        let (method, line) = (end_of(b" "), end_of(b"\r\n"));
        to.extend_from_slice(&head[..method]);
        to.extend_from_slice(b"http://");
        // As in the header Host, which must be the same.
        to.extend_from_slice(host.strip_suffix(":80").unwrap_or(host).as_bytes());
        to.extend_from_slice(&head[method..line]);
        to.extend_from_slice(self.login().as_bytes());
        to.extend_from_slice(&head[line..]);
    }

    /// The line of a request's head, if there is a login.
    fn login(&self) -> String {
        let line = |login| format!("Proxy-Authorization: {login}\r\n");
        self.authorization.as_ref().map(line).unwrap_or_default()
    }

    /// Asks the proxy for a connection to the server.
    pub(super) fn open_tunnel(
        &self,
        wire: &mut Wire,
        host: &str,
        port: u16,
        current: &Current,
    ) -> Result<()> {
        let login = self.login();
        let request =
            format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{login}\r\n");
        let failed = |what: &str| Error::new(ErrorKind::Connect, self.says(what));
        wire.send([request.as_bytes(), &[]], current)
            .map_err(|e| self.on_the_way(e))?;
        let mut head = Vec::new();
        let mut byte = [0];
        // Byte by byte: what follows the head belongs to the server.
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() == MAX_HEAD_LEN {
                return Err(failed("its answer has no end"));
            }
            match wire.receive(&mut byte, current) {
                Ok(0) => return Err(failed("it closed the connection")),
                Ok(_) => head.push(byte[0]),
                Err(ReceiveError::Lost(e)) => return Err(failed(&e.to_string().to_lowercase())),
                Err(ReceiveError::Stopped(e)) => return Err(self.on_the_way(e)),
            }
        }
        let text = String::from_utf8_lossy(&head);
        let line: String = text
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(120)
            .collect();
        let status = status_of(&line);
        let said = || format!("it answered {line:?}");
        match status {
            // What follows it is the server's; but a page that the proxy shows in its place says so.
            Some(200..=299) if has_body(&head) => Err(failed("it answered with a page of its own")),
            Some(200..=299) => Ok(()),
            Some(407) => {
                let basic = values(&head, b"proxy-authenticate").any(names_basic);
                Err(self.login_refused(&said(), basic))
            }
            Some(status @ 300..=499) => {
                let what = format!("it does not connect to {host}:{port}: {line:?}");
                Err(with_status(failed(&what), status).with_finality(true))
            }
            Some(status @ 500..) => Err(with_status(failed(&said()), status)),
            _ => Err(failed(&said())),
        }
    }

    /// The error for a 407 in place of the server's answer.
    pub(super) fn refused_login<'a>(
        &self,
        mut challenges: impl Iterator<Item = &'a [u8]>,
    ) -> Error {
        self.login_refused("it answered 407", challenges.any(names_basic))
    }

    fn login_refused(&self, said: &str, basic: bool) -> Error {
        let (host, port, named_by) = (&self.host, self.port, &self.named_by);
        let advice = match self.authorization {
            _ if !basic => {
                "it does not offer Basic, the only authentication that is supported".to_owned()
            }
            Some(_) => format!("check the user and the password in {named_by}"),
            None => {
                format!("it wants a login: write http://user:password@{host}:{port} in {named_by}")
            }
        };
        let message = self.says(&format!("{said}; {advice}"));
        // Another attempt is another wrong login: three of them lock some accounts.
        with_status(Error::new(ErrorKind::Connect, message), 407).with_finality(true)
    }
}

fn with_status(error: Error, status: u16) -> Error {
    error.with_answer(status, Headers::default(), Vec::new())
}

/// The value of `Proxy-Authorization` (RFC 7617) for a percent-encoded `user:password`.
fn basic(login: &str) -> Result<String, &'static str> {
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let decoded = |text| -> Vec<u8> { percent_encoding::percent_decode_str(text).collect() };
    let (mut login, password) = (decoded(user), decoded(password));
    if login.contains(&b':') {
        return Err(
            "has a ':' in its user name, which Basic authentication cannot tell from the end",
        );
    }
    if login.iter().chain(&password).any(u8::is_ascii_control) {
        return Err("has a control character in its user name or password");
    }
    login.push(b':');
    login.extend(password);
    Ok(format!("Basic {}", STANDARD.encode(login)))
}

fn status_of(line: &str) -> Option<u16> {
    let rest = line.strip_prefix("HTTP/1.")?;
    let status = rest.split(' ').nth(1)?;
    (status.len() == 3).then(|| status.parse().ok()).flatten()
}

/// Whether a head announces a body, which that of an open tunnel does not have (RFC 9110, section 9.3.6).
fn has_body(head: &[u8]) -> bool {
    values(head, b"transfer-encoding").next().is_some()
        || values(head, b"content-length").any(|len| len != b"0")
}

/// The values of a header.
fn values<'a>(head: &'a [u8], wanted: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
    head.split(|byte| *byte == b'\n').filter_map(move |line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        name.eq_ignore_ascii_case(wanted).then_some(value)
    })
}

/// Whether a challenge, or one of several in a line, is of Basic authentication.
fn names_basic(challenge: &[u8]) -> bool {
    let mut words = challenge.split(|byte| matches!(byte, b' ' | b','));
    words.any(|word| word.eq_ignore_ascii_case(b"basic"))
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}:{})", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_url_of_http_and_keeps_its_password() {
        let parse = |url| Proxy::parse(url, "`proxy`");
        let proxy = parse("http://me:p%40ss@proxy.example.com:3128").unwrap();
        assert_eq!((proxy.host(), proxy.port()), ("proxy.example.com", 3128));
        assert_eq!(proxy.authorization.as_deref(), Some("Basic bWU6cEBzcw=="));
        assert!(!format!("{proxy:?}").contains("ss"), "{proxy:?}");
        assert_eq!(parse("http://proxy").unwrap().port(), 80);
        assert_eq!(parse("HTTP://[::1]:8080/").unwrap().host(), "[::1]");
        for bad in [
            "http://a:p@proxy:65536",
            "http://a:p@proxy:",
            "http://a:p@proxy:+80",
        ] {
            let error = parse(bad).unwrap_err().to_string();
            assert!(
                error.starts_with("`proxy`") && !error.contains("a:p@"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_head_in_absolute_form_is_otherwise_the_same() {
        let proxy = Proxy::parse("http://me:p@proxy", "`proxy`").unwrap();
        let mut head = Vec::new();
        let given = b"PUT /a%20b?x HTTP/1.1\r\nhost: oss.example.com\r\nx: PUT / y\r\n\r\nbody\r\n";
        proxy.put_in_absolute_form(given, "oss.example.com:80", &mut head);
        assert_eq!(
            String::from_utf8(head).unwrap(),
            "PUT http://oss.example.com/a%20b?x HTTP/1.1\r\nProxy-Authorization: Basic bWU6cA==\r\n\
             host: oss.example.com\r\nx: PUT / y\r\n\r\nbody\r\n"
        );
    }
}
