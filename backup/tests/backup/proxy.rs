//! A wire to the database, or to another server, that breaks or goes silent after so many bytes.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use local_supabase::postgres::{Cluster, TestDatabase};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

use crate::support;

/// What happens when the bytes are used up.
#[derive(Clone, Copy)]
pub(crate) enum End {
    Cut,
    Silence,
}

/// A proxy; bytes from the server are counted over all connections.
pub(crate) struct Proxy {
    port: u16,
    passed: Arc<AtomicU64>,
    accepting: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Proxy {
    /// One to the database.
    pub(crate) async fn start(limit: u64, end: End) -> Self {
        let port = Cluster::shared().await.unwrap().port();
        Self::to(port, limit, end).await
    }

    /// One to the server at that port of this machine.
    pub(crate) async fn to(port: u16, limit: u64, end: End) -> Self {
        let server = SocketAddr::from(([127, 0, 0, 1], port));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let passed = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&passed);
        let accepting = tokio::spawn(async move {
            let (cut, _) = watch::channel(false);
            let cut = Arc::new(cut);
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(server).await.unwrap();
                // A packet that waits to be filled costs 40 ms a round trip.
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                let wire = Wire {
                    passed: Arc::clone(&counter),
                    limit,
                    end,
                    cut: Arc::clone(&cut),
                };
                tokio::spawn(wire.carry(client, server));
            }
        });
        Self {
            port,
            passed,
            accepting,
        }
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How many bytes came from the server.
    pub(crate) fn passed(&self) -> u64 {
        self.passed.load(Ordering::SeqCst)
    }

    /// `DATABASE_URL` and `DATABASE_CA` of a database at the end of the wire.
    pub(crate) async fn direct(&self, database: &TestDatabase) -> (SecretString, String) {
        let (url, ca) = support::direct(database).await;
        let mut url = url::Url::parse(url.expose_secret()).unwrap();
        url.set_port(Some(self.port)).unwrap();
        (String::from(url).into(), ca)
    }
}

struct Wire {
    passed: Arc<AtomicU64>,
    limit: u64,
    end: End,
    cut: Arc<watch::Sender<bool>>,
}

impl Wire {
    /// Carries one session; when the wire is cut, all sessions end.
    async fn carry(self, client: TcpStream, server: TcpStream) {
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let mut cut = self.cut.subscribe();
        tokio::select! {
            () = up(from_client, to_server) => {}
            () = self.down(from_server, to_client) => {}
            _ = cut.wait_for(|cut| *cut) => {}
        }
    }

    async fn down(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer).await {
            let before = self.passed.fetch_add(length as u64, Ordering::SeqCst);
            let left = usize::try_from(self.limit.saturating_sub(before)).unwrap();
            if to.write_all(&buffer[..length.min(left)]).await.is_err() {
                return;
            }
            if left < length {
                match self.end {
                    End::Cut => {
                        self.cut.send_replace(true);
                    }
                    End::Silence => std::future::pending().await,
                }
            }
        }
    }
}

async fn up(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
