//! COPY text, counted and cut into segments.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt};
use memchr::memchr;

use super::SourceError;
use crate::{
    schema::Name,
    segments::{Cutter, MAX, Segment},
};

/// The rows of one table. It is whole only once [`SegmentedRows::next`] has returned
/// `None`: the end of a stream alone proves nothing.
#[derive(Debug)]
pub struct SegmentedRows<S> {
    stream: S,
    table: Name,
    cutter: Option<Cutter>,
    received: Bytes,
    partial: Vec<u8>,
    expected: Option<u64>,
    stops: VecDeque<u64>,
    /// Rows so far.
    pub rows: u64,
    /// Bytes of COPY text so far.
    pub bytes: u64,
}

impl<S, E> SegmentedRows<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    SourceError: From<E>,
{
    /// Rows of a stream that has to hold as many as `expected`, where that is known.
    pub fn new(stream: S, table: Name, cutter: Cutter, expected: Option<u64>) -> Self {
        Self {
            stream,
            table,
            cutter: Some(cutter),
            received: Bytes::new(),
            partial: Vec::new(),
            expected,
            stops: VecDeque::new(),
            rows: 0,
            bytes: 0,
        }
    }

    /// Ends a segment after each of these numbers of rows, which grow.
    #[must_use]
    pub fn with_stops(mut self, stops: Vec<u64>) -> Self {
        self.stops = stops.into();
        self
    }

    /// The next segment; `None` once all rows were there. May be dropped while
    /// it waits without losing anything.
    ///
    /// # Errors
    /// When the stream fails, ends within a row, or held another number of rows.
    pub async fn next(&mut self) -> Result<Option<Segment>, SourceError> {
        while self.cutter.is_some() {
            if let Some(segment) = self.take_rows() {
                return Ok(Some(segment));
            }
            match self.stream.next().await {
                Some(Ok(received)) => {
                    self.bytes += received.len() as u64;
                    self.received = received;
                }
                Some(Err(error)) => return Err(error.into()),
                None => {
                    self.check_whole()?;
                    return Ok(self.cutter.take().and_then(Cutter::finish));
                }
            }
        }
        Ok(None)
    }

    /// Hands received rows to the cutter until it has cut a segment or there are
    /// none left. A newline stands in COPY text only at the end of a row.
    fn take_rows(&mut self) -> Option<Segment> {
        let cutter = self.cutter.as_mut()?;
        if let Some(part) = cutter.next_part() {
            return Some(part);
        }
        while let Some(end) = memchr(b'\n', &self.received) {
            if self.stops.front() == Some(&self.rows) {
                self.stops.pop_front();
                if let Some(ended) = cutter.end_here() {
                    return Some(ended);
                }
            }
            self.rows += 1;
            let segment = if self.partial.is_empty() && end < MAX {
                let segment = cutter.push(&self.received[..=end]);
                self.received.advance(end + 1);
                segment
            } else {
                let row = self.received.split_to(end + 1);
                let row = joined(&mut self.partial, row);
                if row.len() > MAX {
                    cutter.push_long(row).or_else(|| cutter.next_part())
                } else {
                    cutter.push(&row)
                }
            };
            if segment.is_some() {
                return segment;
            }
        }
        self.partial.extend_from_slice(&self.received);
        self.received.clear();
        None
    }

    fn check_whole(&self) -> Result<(), SourceError> {
        let reason = if !self.partial.is_empty() {
            "it ends within a row".to_owned()
        } else if let Some(expected) = self.expected.filter(|expected| *expected != self.rows) {
            format!("{} of {expected} rows came", self.rows)
        } else {
            return Ok(());
        };
        Err(SourceError::Torn {
            table: self.table.clone(),
            reason,
        })
    }
}

/// A row whose beginning came earlier. One that came whole, as the server sends every
/// row, is not copied.
fn joined(beginning: &mut Vec<u8>, end: Bytes) -> Bytes {
    if beginning.is_empty() {
        return end;
    }
    let mut row = std::mem::take(beginning);
    row.extend_from_slice(&end);
    row.into()
}
