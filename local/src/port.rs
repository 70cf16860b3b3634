//! Ports of 127.0.0.1 that keep what was said of them: closed ones stay closed, and free ones
//! go to nobody who takes any port.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{
        LazyLock,
        atomic::{AtomicU16, Ordering},
    },
};

use anyhow::Context;
use tokio::net::TcpSocket;
use uuid::Uuid;

/// Below the ports that systems give to who names none.
const NAMED: std::ops::Range<u16> = 11_000..31_000;

/// Where this process looks next: those that ask it at the same time get different ones, and
/// another process begins elsewhere.
static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(Uuid::new_v4().as_fields().1));

/// A port on which nobody listens, nor can anybody as long as this lives: it is bound, and a
/// connection to it is refused.
pub struct ClosedPort {
    address: SocketAddr,
    _held: TcpSocket,
}

impl ClosedPort {
    /// Any port.
    pub fn hold() -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4().context("no socket can be made")?;
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        socket.bind(any).context("no port is free on 127.0.0.1")?;
        Ok(Self {
            address: socket.local_addr()?,
            _held: socket,
        })
    }

    /// Where nobody listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl fmt::Debug for ClosedPort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("ClosedPort")
            .field(&self.address)
            .finish()
    }
}

/// A free port for a process that has to be told its port. Only who names it could take it
/// meanwhile.
#[must_use]
pub fn free() -> u16 {
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % (NAMED.end - NAMED.start);
        let port = NAMED.start + step;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{io::ErrorKind, net::TcpStream};

    use super::*;

    #[test]
    fn a_closed_port_refuses_and_is_nobody_elses() {
        let port = ClosedPort::hold().unwrap();
        let refused = TcpStream::connect(port.address()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let taken = TcpListener::bind(port.address()).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    }

    #[test]
    fn a_free_port_is_none_that_systems_give_away() {
        for _ in 0..100 {
            assert!(NAMED.contains(&free()));
        }
    }
}
