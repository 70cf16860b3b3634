//! How far a check may reach. Whoever may edit checks must not thereby reach what
//! lies behind the function: private, loopback and link-local addresses are
//! refused after a name was resolved, and what was resolved is what is connected
//! to, so that a second answer of the resolver changes nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::failure::Failure;

/// Which addresses may be connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Public ones.
    Public,
    /// Public ones and this machine's own, for development.
    Loopback,
    /// Any.
    Anywhere,
}

impl Reach {
    /// Whether an address lies within.
    #[must_use]
    pub fn admits(self, address: IpAddr) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Loopback => address.to_canonical().is_loopback() || is_public(address),
            Self::Public => is_public(address),
        }
    }

    /// Refuses a URL that names an address out of reach. Names are judged when
    /// they are resolved.
    ///
    /// # Errors
    /// [`Failure::Private`].
    pub fn check(self, url: &Url) -> Result<(), Failure> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::from(address),
            Some(Host::Ipv6(address)) => IpAddr::from(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        self.all(&[address])
    }

    /// The addresses of a host, if all of them are within reach: a name that also
    /// stands for a private one is not trusted with the others.
    ///
    /// # Errors
    /// [`Failure::Dns`] or [`Failure::Private`].
    pub async fn resolve(self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let found: Vec<_> = tokio::net::lookup_host((host, port))
            .await
            .map_err(|_| Failure::Dns)?
            .collect();
        let addresses: Vec<_> = found.iter().map(SocketAddr::ip).collect();
        self.all(&addresses)?;
        if found.is_empty() {
            return Err(Failure::Dns);
        }
        Ok(found)
    }

    fn all(self, addresses: &[IpAddr]) -> Result<(), Failure> {
        if addresses.iter().all(|address| self.admits(*address)) {
            Ok(())
        } else {
            Err(Failure::Private)
        }
    }
}

/// The client's resolver within a reach.
impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = *self;
        Box::pin(async move {
            let found = Self::resolve(reach, name.as_str(), 0).await?;
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        // "This" network.
        || a == 0
        // Shared by the customers of a carrier.
        || (a == 100 && (64..128).contains(&b))
        // Protocol assignments.
        || (a, b, c) == (192, 0, 0)
        // Benchmarks.
        || (a == 198 && (18..20).contains(&b))
        // Reserved, broadcast among them.
        || a >= 240;
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(embedded) = embedded(address) {
        return is_public_v4(embedded);
    }
    // Only this eighth of the space is given out; of it, the protocol
    // assignments (Teredo among them) and the documentation are not hosts.
    let [first, second, ..] = address.segments();
    (0x2000..0x4000).contains(&first)
        && !(first == 0x2001 && second < 0x0200)
        && !(first == 0x2001 && second == 0x0db8)
        && !(first == 0x3fff && second < 0x1000)
}

/// The older address that a newer one carries: mapped, compatible, translated or
/// tunnelled.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(of(high, low))
        }
        [0x2002, high, low, ..] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reach: Reach, address: &str, expected: bool) {
        assert_eq!(
            reach.admits(address.parse().unwrap()),
            expected,
            "{reach:?} {address}"
        );
    }

    #[test]
    fn public_addresses_are_within_every_reach() {
        for address in [
            "1.1.1.1",
            "76.76.21.21",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.254",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::1",
        ] {
            for reach in [Reach::Public, Reach::Loopback, Reach::Anywhere] {
                check(reach, address, true);
            }
        }
    }

    #[test]
    fn what_lies_behind_the_function_is_not() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::a00:1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            check(Reach::Public, address, false);
            check(Reach::Loopback, address, false);
            check(Reach::Anywhere, address, true);
        }
    }

    #[test]
    fn this_machine_is_within_reach_of_development_alone() {
        for address in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            check(Reach::Public, address, false);
            check(Reach::Loopback, address, true);
        }
    }

    #[test]
    fn one_private_address_among_several_refuses_the_name() {
        let addresses = ["1.1.1.1", "10.0.0.1"].map(|address| address.parse().unwrap());
        assert_eq!(Reach::Public.all(&addresses), Err(Failure::Private));
        assert_eq!(Reach::Public.all(&addresses[..1]), Ok(()));
    }

    #[test]
    fn a_url_is_judged_by_what_its_host_means_however_it_is_written() {
        for (url, expected) in [
            ("https://wine.example/", Ok(())),
            ("https://1.1.1.1/", Ok(())),
            ("http://10.1/", Err(Failure::Private)),
            ("http://2852039166/", Err(Failure::Private)),
            ("http://0xa9.0xfe.0xa9.0xfe/", Err(Failure::Private)),
            ("http://[::ffff:10.0.0.1]/", Err(Failure::Private)),
        ] {
            assert_eq!(
                Reach::Public.check(&url.parse().unwrap()),
                expected,
                "{url}"
            );
        }
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_refused_once_it_is_resolved() {
        let refused = Reach::Public.resolve("localhost", 80).await;
        assert_eq!(refused, Err(Failure::Private));
        assert!(Reach::Loopback.resolve("localhost", 80).await.is_ok());
        assert_eq!(
            Reach::Anywhere.resolve("no-such-host.invalid", 80).await,
            Err(Failure::Dns)
        );
    }
}
