//! Limits wrong proofs: 30 a minute per client, counted per instance.
//!
//! Per instance only: instances share nothing, so a client that is spread over
//! several gets as many tries more. Secrets are long enough for that not to
//! matter; the limit keeps logs and key fetches bounded.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use outside::clock::Moment;

use super::ClientAddress;
use crate::hexadecimal::hexadecimal;

const WINDOW: Duration = Duration::from_secs(60);
/// Wrong proofs that a client may send within the window.
const ALLOWED: u32 = 30;
/// Clients that are remembered at the most; past it, everybody starts afresh.
const CLIENTS: usize = 10_000;

/// Wrong proofs per client within the current minute.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    counts: Mutex<HashMap<Client, Count>>,
}

/// Whoever shares one count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Client {
    /// An address of version 4, also where it is written as one of version 6.
    V4(Ipv4Addr),
    /// A network of version 6, by its first 64 bits: whoever has one has all of
    /// its addresses.
    V6([u8; 8]),
    /// All those whom the platform did not name.
    Unnamed,
}

impl Client {
    /// The client at an address as the platform names it: the first, where it
    /// names several.
    pub(super) fn at(address: Option<&ClientAddress>) -> Self {
        let named = address.and_then(|ClientAddress(text)| {
            let first = text.split(',').next()?;
            first.trim().parse::<IpAddr>().ok()
        });
        match named.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => Self::V4(address),
            Some(IpAddr::V6(address)) => {
                let [network @ .., _, _, _, _, _, _, _, _] = address.octets();
                Self::V6(network)
            }
            None => Self::Unnamed,
        }
    }

    /// What is told apart, in words that stay the same from instance to instance.
    pub(super) fn network(self) -> String {
        match self {
            Self::V4(address) => address.to_string(),
            Self::V6(network) => hexadecimal(&network),
            Self::Unnamed => String::new(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Count {
    since: Moment,
    wrong: u32,
}

impl Limiter {
    /// Counts a wrong proof. Seconds until the next try if it was one too many.
    pub(super) fn count(&self, client: Client) -> Option<u64> {
        self.count_at(client, Moment::now())
    }

    fn count_at(&self, client: Client, now: Moment) -> Option<u64> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= CLIENTS {
            counts.retain(|_, count| count.since.age(now) < WINDOW);
            if counts.len() >= CLIENTS {
                counts.clear();
            }
        }
        let afresh = Count {
            since: now,
            wrong: 0,
        };
        let count = counts.entry(client).or_insert(afresh);
        if count.since.age(now) >= WINDOW {
            *count = afresh;
        }
        count.wrong = count.wrong.saturating_add(1);
        let left = WINDOW.saturating_sub(count.since.age(now));
        (count.wrong > ALLOWED).then(|| left.as_secs().max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str) -> Client {
        Client::at(Some(&ClientAddress(address.to_owned())))
    }

    #[test]
    fn the_thirty_first_wrong_proof_of_a_minute_is_refused_for_the_rest_of_it() {
        let limiter = Limiter::default();
        let start = Moment::now();
        let one = client("192.0.2.1");
        for _ in 0..30 {
            assert_eq!(limiter.count_at(one, start), None);
        }
        let later = start.after(Duration::from_secs(20));
        assert_eq!(limiter.count_at(one, later), Some(40));
        assert_eq!(limiter.count_at(client("192.0.2.2"), later), None);
        let last = start.after(Duration::from_millis(59_999));
        assert_eq!(limiter.count_at(one, last), Some(1));
        let next_minute = start.after(WINDOW);
        assert_eq!(limiter.count_at(one, next_minute), None);
    }

    #[test]
    fn a_client_is_an_address_of_version_4_or_a_network_of_version_6() {
        let network = client("2001:db8:0:1::1");
        for (address, expected) in [
            ("192.0.2.1", Client::V4(Ipv4Addr::new(192, 0, 2, 1))),
            ("::ffff:192.0.2.1", Client::V4(Ipv4Addr::new(192, 0, 2, 1))),
            (
                " 192.0.2.1 , 198.51.100.7",
                Client::V4(Ipv4Addr::new(192, 0, 2, 1)),
            ),
            (
                "2001:db8:0:1::1",
                Client::V6([0x20, 1, 0xd, 0xb8, 0, 0, 0, 1]),
            ),
            ("2001:db8:0:1:ffff:ffff:ffff:ffff", network),
            ("", Client::Unnamed),
            ("unknown", Client::Unnamed),
        ] {
            assert_eq!(client(address), expected, "{address}");
        }
        assert_ne!(client("2001:db8:0:2::1"), network);
        assert_eq!(Client::at(None), Client::Unnamed);
    }

    #[test]
    fn memory_stays_bounded_whatever_the_number_of_clients() {
        let limiter = Limiter::default();
        let now = Moment::now();
        for number in 0..u32::try_from(CLIENTS).unwrap() * 2 {
            limiter.count_at(Client::V4(number.into()), now);
        }
        assert!(limiter.counts.lock().unwrap().len() <= CLIENTS);
    }
}
