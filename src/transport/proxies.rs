//! Which proxy a request takes: the caller's for all of them, or as the environment says.

use std::ffi::OsString;
use std::net::IpAddr;
use std::sync::Arc;

use super::proxy::Proxy;
use crate::outcome::error::{Error, Result};

/// The proxies of a client.
#[derive(Debug)]
pub(crate) struct Proxies {
    http: Choice,
    https: Choice,
    /// Those of `NO_PROXY`; nothing is excepted from a proxy that the caller names.
    exceptions: Vec<Exception>,
    /// This machine is never behind a proxy that the environment names.
    except_loopback: bool,
}

/// None, one, or what is wrong with the variable that names it, which matters only to who needs it.
type Choice = Result<Option<Arc<Proxy>>, String>;

/// An entry of `NO_PROXY`.
#[derive(Debug, PartialEq, Eq)]
struct Exception {
    what: Hosts,
    port: Option<u16>,
}

#[derive(Debug, PartialEq, Eq)]
enum Hosts {
    All,
    /// The name, and all names below it.
    Domain(String),
    /// Addresses whose first bits are those of this one.
    Network(IpAddr, u32),
}

impl Default for Proxies {
    fn default() -> Proxies {
        Proxies {
            http: Ok(None),
            https: Ok(None),
            exceptions: Vec::new(),
            except_loopback: false,
        }
    }
}

impl From<Proxy> for Proxies {
    fn from(proxy: Proxy) -> Proxies {
        let proxy = Arc::new(proxy);
        Proxies {
            http: Ok(Some(proxy.clone())),
            https: Ok(Some(proxy)),
            ..Proxies::default()
        }
    }
}

impl Proxies {
    /// Those of the environment. What is wrong with the one for the endpoint is said at once.
    pub(crate) fn from_env(https: bool) -> Result<Proxies> {
        Proxies::read(https, |name| std::env::var_os(name))
    }

    fn read(https: bool, variable: impl Fn(&str) -> Option<OsString>) -> Result<Proxies> {
        let text = |name: &str| -> Result<Option<String>, String> {
            let Some(value) = variable(name).filter(|value| !value.is_empty()) else {
                return Ok(None);
            };
            let value = value.into_string();
            value
                .map(Some)
                .map_err(|_| format!("{} is not UTF-8", of(name)))
        };
        let first = |names: &[&'static str]| {
            let found = names.iter().map(|name| (*name, text(name)));
            let mut set = found.filter(|(_, value)| !matches!(value, Ok(None)));
            set.next()
        };
        let choose = |names: &[&'static str]| -> Choice {
            let Some((name, value)) = first(names) else {
                return Ok(None);
            };
            let mut url = value?.unwrap_or_default().trim().to_owned();
            if !url.contains("://") {
                url.insert_str(0, "http://");
            }
            let proxy = Proxy::parse(&url, &of(name)).map_err(|e| e.to_string())?;
            Ok(Some(Arc::new(proxy)))
        };
        // In a CGI program HTTP_PROXY is the header `Proxy` of whoever calls it (https://httpoxy.org). Windows takes
        // both spellings for the same.
        let http: &[&str] = match variable("REQUEST_METHOD") {
            None => &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"],
            Some(_) if cfg!(windows) => &["all_proxy", "ALL_PROXY"],
            Some(_) => &["http_proxy", "all_proxy", "ALL_PROXY"],
        };
        let no_proxy = match first(&["no_proxy", "NO_PROXY"]) {
            Some((_, value)) => value.map_err(Error::argument)?.unwrap_or_default(),
            None => String::new(),
        };
        let proxies = Proxies {
            http: choose(http),
            https: choose(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            exceptions: exceptions(&no_proxy),
            except_loopback: true,
        };
        proxies.choice(https)?;
        Ok(proxies)
    }

    /// The proxy for requests to a server, whose IPv6 address may stand in brackets.
    pub(super) fn find(&self, https: bool, host: &str, port: u16) -> Result<Option<&Arc<Proxy>>> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let address = host
            .parse()
            .ok()
            .map(|address: IpAddr| address.to_canonical());
        let name = host.to_ascii_lowercase();
        let is_loopback = match address {
            Some(address) => address.is_loopback(),
            None => is_within(&name, "localhost"),
        };
        let mut exceptions = self.exceptions.iter();
        if self.except_loopback && is_loopback
            || exceptions.any(|exception| exception.holds(&name, address, port))
        {
            return Ok(None);
        }
        self.choice(https)
    }

    fn choice(&self, https: bool) -> Result<Option<&Arc<Proxy>>> {
        let choice = if https { &self.https } else { &self.http };
        let choice = choice
            .as_ref()
            .map_err(|problem| Error::argument(problem.as_str()))?;
        Ok(choice.as_ref())
    }
}

fn of(name: &str) -> String {
    format!("the environment variable `{name}`")
}

/// The entries of `NO_PROXY`, as curl and Go read them. What they do not understand matches nothing.
fn exceptions(list: &str) -> Vec<Exception> {
    let entries = list.split(|c: char| c == ',' || c.is_whitespace());
    entries.filter_map(Exception::parse).collect()
}

impl Exception {
    fn parse(entry: &str) -> Option<Exception> {
        let network = |text: &str, bits: Option<u32>| {
            let address: IpAddr = text.parse().ok()?;
            let address = address.to_canonical();
            let all = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.unwrap_or(all);
            (bits <= all).then_some(Hosts::Network(address, bits))
        };
        let whole = |what| Some(Exception { what, port: None });
        if entry == "*" {
            return whole(Hosts::All);
        }
        if let Some((address, bits)) = entry.split_once('/') {
            return whole(network(address, Some(bits.parse().ok()?))?);
        }
        if let Some(address) = network(entry, None) {
            return whole(address);
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
            _ => (entry, None),
        };
        let literal = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let what = match network(literal.unwrap_or(host), None) {
            Some(address) => address,
            None => {
                let name = host.strip_prefix('*').unwrap_or(host).trim_matches('.');
                Hosts::Domain(
                    Some(name)
                        .filter(|name| !name.is_empty())?
                        .to_ascii_lowercase(),
                )
            }
        };
        Some(Exception { what, port })
    }

    fn holds(&self, name: &str, address: Option<IpAddr>, port: u16) -> bool {
        self.port.is_none_or(|only| only == port)
            && match (&self.what, address) {
                (Hosts::All, _) => true,
                (Hosts::Domain(domain), None) => is_within(name, domain),
                (Hosts::Network(IpAddr::V4(network), bits), Some(IpAddr::V4(address))) => {
                    let differing = network.to_bits() ^ address.to_bits();
                    differing.leading_zeros() >= *bits
                }
                (Hosts::Network(IpAddr::V6(network), bits), Some(IpAddr::V6(address))) => {
                    let differing = network.to_bits() ^ address.to_bits();
                    differing.leading_zeros() >= *bits
                }
                _ => false,
            }
    }
}

/// Whether a name is the domain, or below it.
fn is_within(name: &str, domain: &str) -> bool {
    let rest = name.strip_suffix(domain);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&'static str, &'static str)]) -> Result<Proxies> {
        Proxies::read(true, |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).into())
        })
    }

    #[test]
    fn an_exception_is_a_name_an_address_or_a_network() {
        for (list, host, port, direct) in [
            ("", "oss.example.com", 443, false),
            ("*", "oss.example.com", 443, true),
            ("*", "192.0.2.1", 443, true),
            ("a, *", "oss.example.com", 443, true),
            ("example.com", "example.com", 443, true),
            ("example.com", "bucket.oss.Example.COM", 443, true),
            ("EXAMPLE.com.", "oss.example.com", 443, true),
            (".example.com", "oss.example.com", 443, true),
            (".example.com", "example.com", 443, true),
            ("*.example.com", "oss.example.com", 443, true),
            ("example.com", "anexample.com", 443, false),
            ("example.com", "example.com.evil.test", 443, false),
            ("example.com", "com", 443, false),
            ("com", "oss.example.com", 443, true),
            ("a b\tc,d\n,,example.com", "oss.example.com", 443, true),
            ("example.com:443", "oss.example.com", 443, true),
            ("example.com:8443", "oss.example.com", 443, false),
            ("*.example.com:80", "oss.example.com", 80, true),
            ("192.0.2.1", "192.0.2.1", 80, true),
            ("192.0.2.1", "192.0.2.10", 80, false),
            ("192.0.2.1:80", "192.0.2.1", 80, true),
            ("192.0.2.1:80", "192.0.2.1", 81, false),
            // A number is no domain.
            ("2.1", "192.0.2.1", 80, false),
            ("2001:db8::1", "[2001:DB8:0::1]", 80, true),
            ("[2001:db8::1]", "[2001:db8::1]", 80, true),
            ("[2001:db8::1]:80", "[2001:db8::1]", 80, true),
            ("[2001:db8::1]:80", "[2001:db8::1]", 81, false),
            ("192.0.2.0/24", "192.0.2.77", 80, true),
            ("192.0.2.0/24", "192.0.3.77", 80, false),
            ("0.0.0.0/0", "192.0.3.77", 80, true),
            ("0.0.0.0/0", "[2001:db8::1]", 80, false),
            ("192.0.2.0/33", "192.0.2.0", 80, false),
            ("192.0.2.0/-1", "192.0.2.0", 80, false),
            ("192.0.2.1/32", "192.0.2.1", 80, true),
            ("2001:db8::/32", "[2001:db8:1::2]", 80, true),
            ("2001:db8::/32", "[2001:db9::]", 80, false),
            // Nobody resolves a name for that.
            ("0.0.0.0/0", "oss.example.com", 80, false),
            ("192.0.2.1", "[::ffff:192.0.2.1]", 80, true),
            // Nothing that is a host.
            (
                "<local>, http://example.com, /var/run/a.sock, ., :80, *.",
                "oss.example.com",
                80,
                false,
            ),
        ] {
            let proxies = Proxies {
                exceptions: exceptions(list),
                ..Proxies::from(Proxy::parse("http://proxy", "`proxy`").unwrap())
            };
            let found = proxies.find(port == 443, host, port).unwrap();
            assert_eq!(found.is_none(), direct, "{list:?} for {host}:{port}");
        }
    }

    #[test]
    fn this_machine_is_not_behind_a_proxy_of_the_environment() {
        let proxies = environment(&[("ALL_PROXY", "proxy:3128")]).unwrap();
        for (host, direct) in [
            ("localhost", true),
            ("examplebucket.LocalHost", true),
            ("127.0.0.1", true),
            ("127.255.0.1", true),
            ("[::1]", true),
            ("[::ffff:127.0.0.1]", true),
            ("notlocalhost", false),
            ("192.0.2.1", false),
        ] {
            for https in [false, true] {
                let found = proxies.find(https, host, 80).unwrap();
                assert_eq!(found.is_none(), direct, "{host}");
            }
        }
        // But one that the caller names is taken by its word.
        let named = Proxies::from(Proxy::parse("http://proxy", "`proxy`").unwrap());
        assert!(named.find(false, "127.0.0.1", 80).unwrap().is_some());
    }

    #[test]
    fn a_variable_that_is_not_needed_is_no_trouble() {
        let variables = [
            ("http_proxy", "socks5://me:geheim@proxy"),
            ("https_proxy", "proxy:1"),
        ];
        let proxies = environment(&variables).unwrap();
        assert!(proxies.find(true, "a.example.com", 443).unwrap().is_some());
        let error = proxies
            .find(false, "a.example.com", 80)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("the environment variable `http_proxy` is a SOCKS"),
            "{error}"
        );
        let error = environment(&[("HTTPS_PROXY", "http://me:geheim@proxy:x")]).unwrap_err();
        let error = format!("{error} {error:?}");
        assert!(
            error.contains("`HTTPS_PROXY`") && !error.contains("geheim"),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_variable_that_is_no_text_is_named() {
        use std::os::unix::ffi::OsStringExt;

        for wrong in ["HTTPS_PROXY", "no_proxy"] {
            let read = Proxies::read(true, |name| {
                (name == wrong).then(|| OsString::from_vec(vec![b'a', 0xff]))
            });
            let error = read.unwrap_err().to_string();
            assert_eq!(
                error,
                format!("the environment variable `{wrong}` is not UTF-8")
            );
        }
    }
}
