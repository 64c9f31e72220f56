//! Where connections come from: an address or a network interface of this machine that the caller has chosen.

use std::io;
use std::net::{IpAddr, SocketAddr};

use crate::outcome::error::{Error, Result};
use crate::outcome::verdict::ErrorKind;

/// Bytes of an interface's name, without its NUL (IFNAMSIZ of Linux).
const MAX_NAME_LEN: usize = 15;

/// What of this machine connections are bound to: nothing by default, so that the system chooses.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    address: Option<IpAddr>,
    interface: Option<String>,
}

impl Origin {
    pub(crate) fn new(address: Option<IpAddr>, interface: Option<String>) -> Result<Origin> {
        if let Some(name) = &interface {
            let bad = |what| Error::argument(format!("`network_interface` {name:?} {what}"));
            if !cfg!(any(
                target_os = "android",
                target_os = "fuchsia",
                target_os = "linux"
            )) {
                return Err(bad("cannot be chosen on this system: use `local_address`"));
            }
            let fits = |b: u8| b.is_ascii_graphic() && b != b'/';
            if !(1..=MAX_NAME_LEN).contains(&name.len()) || !name.bytes().all(fits) {
                return Err(bad("is not the name of an interface, of 1 to 15 bytes"));
            }
        }
        Ok(Origin { address, interface })
    }

    /// Takes out the addresses of a name to which there is no way from here; an error if none is left.
    pub(super) fn keep_reachable(&self, host: &str, addresses: &mut Vec<SocketAddr>) -> Result<()> {
        let Some(own) = self.address else {
            return Ok(());
        };
        let found = !addresses.is_empty();
        addresses.retain(|address| address.is_ipv4() == own.is_ipv4());
        if addresses.is_empty() && found {
            let family = if own.is_ipv4() { "IPv4" } else { "IPv6" };
            let message = format!(
                "connect to {host}: it has no {family} address, as `local_address` {own} needs"
            );
            return Err(Error::new(ErrorKind::Connect, message));
        }
        Ok(())
    }

    /// Binds a socket that is about to be connected.
    pub(super) fn bind(&self, socket: &socket2::Socket, to: SocketAddr) -> Result<()> {
        if let Some(name) = &self.interface {
            bind_device(socket, name).map_err(|e| {
                let what = match e.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
                    Some(rustix::io::Errno::NODEV) => {
                        "is not a network interface of this machine".to_owned()
                    }
                    Some(rustix::io::Errno::PERM) => {
                        "may not be chosen: before Linux 5.7 that takes CAP_NET_RAW".to_owned()
                    }
                    _ => format!("cannot be used: {}", e.to_string().to_lowercase()),
                };
                failed(to, "network_interface", name, what, e)
            })?;
        }
        if let Some(own) = self.address {
            socket
                .bind(&SocketAddr::from((own, 0)).into())
                .map_err(|e| {
                    let what = match e.kind() {
                        io::ErrorKind::AddrNotAvailable => {
                            "is not an address of this machine".to_owned()
                        }
                        _ => format!("cannot be used: {}", e.to_string().to_lowercase()),
                    };
                    failed(to, "local_address", &own.to_string(), what, e)
                })?;
        }
        Ok(())
    }
}

fn failed(to: SocketAddr, option: &str, value: &str, what: String, source: io::Error) -> Error {
    let message = format!("connect to {to}: `{option}` {value} {what}");
    Error::new(ErrorKind::Connect, message).with_source(source)
}

#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
fn bind_device(socket: &socket2::Socket, name: &str) -> io::Result<()> {
    socket.bind_device(Some(name.as_bytes()))
}

#[cfg(not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")))]
fn bind_device(_: &socket2::Socket, _: &str) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_name_of_an_interface_is_checked() {
        let new = |name: &str| Origin::new(None, Some(name.to_owned()));
        for name in ["lo", "eth0.100", "wwan0", "br-0123456789ab", "veth@if2"] {
            new(name).unwrap();
        }
        for name in ["", "0123456789abcdef", "a/b", "a b", "eth0\n", "a\0"] {
            let error = new(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            let expected = format!("`network_interface` {name:?} is not the name");
            assert!(error.to_string().starts_with(&expected), "{error}");
        }
    }

    #[test]
    fn only_addresses_of_the_same_family_are_tried() {
        let all: Vec<SocketAddr> = ["[::1]:80", "127.0.0.1:80", "[::2]:80"]
            .map(|text| text.parse().unwrap())
            .into();
        let kept = |own: &str, addresses: &[SocketAddr]| {
            let origin = Origin::new(Some(own.parse().unwrap()), None).unwrap();
            let mut addresses = addresses.to_vec();
            origin.keep_reachable("oss.example.test", &mut addresses)?;
            Ok::<_, Error>(addresses)
        };
        assert_eq!(kept("127.0.0.2", &all).unwrap(), [all[1]]);
        assert_eq!(kept("::1", &all).unwrap(), [all[0], all[2]]);
        let error = kept("::1", &all[1..2]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        let message =
            "connect to oss.example.test: it has no IPv6 address, as `local_address` ::1 needs";
        assert_eq!(error.to_string(), message);
        // That a name has none at all is for others to say.
        assert!(kept("::1", &[]).unwrap().is_empty());
    }
}
