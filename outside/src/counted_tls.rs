//! What comes over an encrypted session, counted: it is what a database's egress is.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};

/// How many bytes came over a session, as they were before they were encrypted.
#[derive(Debug, Clone, Default)]
pub struct Received(Arc<AtomicU64>);

impl Received {
    /// So many until now.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Encrypts as another does, and counts.
pub(crate) struct Counted<T> {
    pub(crate) inner: T,
    pub(crate) received: Received,
}

impl<S, M: MakeTlsConnect<S>> MakeTlsConnect<S> for Counted<M>
where
    M::TlsConnect: 'static,
    <M::TlsConnect as TlsConnect<S>>::Future: Send + 'static,
    M::Stream: Unpin,
{
    type Stream = Counted<M::Stream>;
    type TlsConnect = Counted<M::TlsConnect>;
    type Error = M::Error;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Self::TlsConnect, M::Error> {
        Ok(Counted {
            inner: self.inner.make_tls_connect(domain)?,
            received: self.received.clone(),
        })
    }
}

impl<S, C: TlsConnect<S>> TlsConnect<S> for Counted<C>
where
    C::Future: Send + 'static,
    C::Stream: Unpin,
{
    type Stream = Counted<C::Stream>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, C::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let (connecting, received) = (self.inner.connect(stream), self.received);
        Box::pin(async move {
            let inner = connecting.await?;
            Ok(Counted { inner, received })
        })
    }
}

impl<T: TlsStream + Unpin> TlsStream for Counted<T> {
    fn channel_binding(&self) -> ChannelBinding {
        self.inner.channel_binding()
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Counted<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        let came = buffer.filled().len().saturating_sub(before);
        self.received.0.fetch_add(came as u64, Ordering::Relaxed);
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Counted<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
