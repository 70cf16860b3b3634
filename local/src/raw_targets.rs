//! Requests whose target carries characters that it should have escaped, such as
//! `?age=gt.1>`: the servers that we stand in for read them, and ours refuses them
//! before anybody is asked. So they are escaped as they come in.
//!
//! Only request lines are touched. To know one, the bytes of a connection are followed
//! as HTTP/1.1 frames them: a head, then as many bytes of body as the head says.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How many bytes are read at a time.
const CHUNK: usize = 8 * 1024;

/// A connection whose request lines come out escaped.
pub(crate) struct RawTargets<S> {
    stream: S,
    frame: Frame,
    /// Bytes that were read and not yet taken.
    ready: Vec<u8>,
    taken: usize,
}

impl<S> RawTargets<S> {
    pub(crate) fn of(stream: S) -> Self {
        Self {
            stream,
            frame: Frame::default(),
            ready: Vec::new(),
            taken: 0,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for RawTargets<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let connection = self.get_mut();
        if connection.taken == connection.ready.len() {
            let mut chunk = [0; CHUNK];
            let mut read = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut connection.stream).poll_read(context, &mut read))?;
            connection.ready.clear();
            connection.taken = 0;
            for byte in read.filled() {
                connection.frame.pass(*byte, &mut connection.ready);
            }
        }
        let left = &connection.ready[connection.taken..];
        let count = left.len().min(buffer.remaining());
        buffer.put_slice(&left[..count]);
        connection.taken += count;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for RawTargets<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

/// Where in a request the next byte stands.
#[derive(Default)]
struct Frame {
    place: Place,
    /// The line under way, in lower case and without its end.
    line: Vec<u8>,
    /// The length of the body that the head announces.
    length: u64,
    is_chunked: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    RequestLine,
    Header,
    /// So many bytes of body are to come.
    Body(u64),
    ChunkSize,
    /// So many bytes of a chunk are to come, its line end included.
    Chunk(u64),
    Trailer,
}

impl Frame {
    /// Follows a byte, and writes what becomes of it.
    fn pass(&mut self, byte: u8, written: &mut Vec<u8>) {
        match self.place {
            Place::Body(left) => {
                self.place = if left > 1 {
                    Place::Body(left - 1)
                } else {
                    Place::RequestLine
                };
                written.push(byte);
            }
            Place::Chunk(left) => {
                self.place = if left > 1 {
                    Place::Chunk(left - 1)
                } else {
                    Place::ChunkSize
                };
                written.push(byte);
            }
            Place::RequestLine if matches!(byte, b'"' | b'<' | b'>') => {
                written.extend(format!("%{byte:02X}").bytes());
            }
            Place::RequestLine | Place::Header | Place::ChunkSize | Place::Trailer => {
                written.push(byte);
                match byte {
                    b'\n' => self.end_line(),
                    b'\r' => {}
                    // No header that matters here is longer.
                    _ if self.line.len() < 256 => self.line.push(byte.to_ascii_lowercase()),
                    _ => {}
                }
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        self.place = match self.place {
            // Empty lines between requests are allowed; one ends the trailers.
            Place::RequestLine | Place::Trailer if line.is_empty() => Place::RequestLine,
            Place::RequestLine => {
                (self.length, self.is_chunked) = (0, false);
                Place::Header
            }
            Place::Header if line.is_empty() => self.body(),
            Place::Header => {
                self.note_header(&line);
                Place::Header
            }
            Place::ChunkSize => {
                let size = line.split(';').next().unwrap_or_default().trim();
                match u64::from_str_radix(size, 16) {
                    Ok(0) | Err(_) => Place::Trailer,
                    Ok(size) => Place::Chunk(size.saturating_add(2)),
                }
            }
            other @ (Place::Trailer | Place::Body(_) | Place::Chunk(_)) => other,
        };
    }

    fn note_header(&mut self, line: &str) {
        let Some((name, value)) = line.split_once(':') else {
            return;
        };
        match name {
            "content-length" => self.length = value.trim().parse().unwrap_or(0),
            "transfer-encoding" => self.is_chunked = value.contains("chunked"),
            _ => {}
        }
    }

    fn body(&self) -> Place {
        match self.length {
            _ if self.is_chunked => Place::ChunkSize,
            0 => Place::RequestLine,
            length => Place::Body(length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(bytes: &str) -> String {
        let (mut frame, mut written) = (Frame::default(), Vec::new());
        for byte in bytes.bytes() {
            frame.pass(byte, &mut written);
        }
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn the_target_of_each_request_is_escaped_and_nothing_else() {
        let line = "GET /t?a=gt.1>&b=\"<\" HTTP/1.1\r\n";
        let escaped = "GET /t?a=gt.1%3E&b=%22%3C%22 HTTP/1.1\r\n";
        for rest in [
            "\r\n",
            "x: <>\"\r\n\r\n",
            "Content-Length: 32\r\n\r\nGET /t?a=gt.1>&b=\"<\" HTTP/1.1\r\n>",
            "Transfer-Encoding: Chunked\r\n\r\n3;x=>\r\n<\r\n\r\n20\r\nGET /t?a=gt.1>&b=\"<\" HTTP/1.1\r\n>\r\n0\r\nt: >\r\n\r\n",
            "content-length: 0\r\n\r\n\r\n",
        ] {
            let twice = format!("{line}{rest}{line}{rest}");
            assert_eq!(passed(&twice), format!("{escaped}{rest}{escaped}{rest}"));
        }
    }

    #[tokio::test]
    async fn a_raw_target_is_answered() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        let server = crate::server::Server::bind(None, async |request| {
            let query = request.uri().query().unwrap_or_default().to_owned();
            http::Response::new(bytes::Bytes::from(query))
        });
        let server = server.await.unwrap();
        let mut stream = tokio::net::TcpStream::connect(server.address())
            .await
            .unwrap();
        let request = "GET /t?a=gt.1> HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        assert!(answer.ends_with("a=gt.1%3E"), "{answer}");
    }
}
