//! A store in which one request meets a fault, or every one does.

use std::{
    fmt, io,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{
    FutureExt, StreamExt, TryStreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result, memory::InMemory, path::Path,
};

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The store refuses it, for good.
    Refused,
    /// The program is killed before it is sent.
    KilledBefore,
    /// The program is killed when it has been carried out.
    KilledAfter,
    /// It is carried out, and the answer comes too late.
    LateAnswer,
    /// It is carried out, and the answer is lost.
    LostAnswer,
    /// Status 409, and nothing is carried out.
    Conflict,
    /// Status 412, and nothing is carried out.
    Precondition,
    /// Status 503, and nothing is carried out.
    Unavailable,
    /// Half of it is stored, and the answer is an error.
    Torn,
    /// Half of it is stored, and the answer is that all is well.
    TornUnnoticed,
    /// A bit flips on the way to the store.
    FlippedWrite,
    /// A bit flips on the way from the store.
    FlippedRead,
}

pub(crate) const FAULTS: [Fault; 12] = [
    Fault::Refused,
    Fault::KilledBefore,
    Fault::KilledAfter,
    Fault::LateAnswer,
    Fault::LostAnswer,
    Fault::Conflict,
    Fault::Precondition,
    Fault::Unavailable,
    Fault::Torn,
    Fault::TornUnnoticed,
    Fault::FlippedWrite,
    Fault::FlippedRead,
];

/// A store in which one request meets a fault, or every one does.
#[derive(Debug)]
pub(crate) struct Faulty {
    inner: Arc<InMemory>,
    fault: Fault,
    at: u64,
    always: bool,
    pub(crate) requests: AtomicU64,
    dead: AtomicBool,
    overwrites: bool,
}

impl Faulty {
    pub(crate) fn new(inner: &Arc<InMemory>, fault: Fault, at: u64) -> Arc<Self> {
        Arc::new(Self {
            inner: Arc::clone(inner),
            fault,
            at,
            always: false,
            requests: AtomicU64::new(0),
            dead: AtomicBool::new(false),
            overwrites: false,
        })
    }

    /// A store in which every request meets the fault.
    pub(crate) fn always(fault: Fault) -> Arc<Self> {
        Arc::new(Self {
            inner: Arc::new(InMemory::new()),
            fault,
            at: 0,
            always: true,
            requests: AtomicU64::new(0),
            dead: AtomicBool::new(false),
            overwrites: false,
        })
    }

    /// A store that fails at nothing but creating.
    pub(crate) fn overwriting() -> Arc<Self> {
        Arc::new(Self {
            inner: Arc::new(InMemory::new()),
            fault: Fault::Refused,
            at: u64::MAX,
            always: false,
            requests: AtomicU64::new(0),
            dead: AtomicBool::new(false),
            overwrites: true,
        })
    }

    /// The fault that the next request meets, if it is the one.
    fn next(&self) -> Result<Option<Fault>> {
        let number = self.requests.fetch_add(1, Ordering::SeqCst);
        if self.dead.load(Ordering::SeqCst) {
            return Err(refused());
        }
        Ok((self.always || number == self.at).then_some(self.fault))
    }

    /// Carries out a request and loses what has to be lost.
    async fn pass<T>(
        &self,
        fault: Option<Fault>,
        request: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        match fault {
            None
            | Some(Fault::Torn | Fault::TornUnnoticed | Fault::FlippedWrite | Fault::FlippedRead) => {
                request.await
            }
            Some(Fault::Refused) => Err(refused()),
            Some(Fault::KilledBefore) => {
                self.dead.store(true, Ordering::SeqCst);
                Err(refused())
            }
            Some(Fault::KilledAfter) => {
                self.dead.store(true, Ordering::SeqCst);
                request.await.and(Err(refused()))
            }
            Some(Fault::LateAnswer) => request.await.and(Err(failed(io::ErrorKind::TimedOut))),
            Some(Fault::LostAnswer) => request
                .await
                .and(Err(failed(io::ErrorKind::ConnectionReset))),
            Some(Fault::Conflict) => Err(Error::AlreadyExists {
                path: "somewhere".into(),
                source: "status 409".into(),
            }),
            Some(Fault::Precondition) => Err(Error::Precondition {
                path: "somewhere".into(),
                source: "status 412".into(),
            }),
            Some(Fault::Unavailable) => Err(Error::Generic {
                store: "test",
                source: "status 503".into(),
            }),
        }
    }

    async fn put(
        &self,
        location: &Path,
        payload: PutPayload,
        mut options: PutOptions,
    ) -> Result<PutResult> {
        let fault = self.next()?;
        if self.overwrites {
            options.mode = PutMode::Overwrite;
        }
        let bytes = Bytes::from(payload);
        let sent = match fault {
            Some(Fault::Torn | Fault::TornUnnoticed) => bytes.slice(..bytes.len() / 2),
            Some(Fault::FlippedWrite) => flipped(&bytes),
            Some(_) | None => bytes,
        };
        let request = self.inner.put_opts(location, sent.into(), options);
        let stored = self.pass(fault, request).await;
        match fault {
            Some(Fault::Torn) => stored.and(Err(failed(io::ErrorKind::BrokenPipe))),
            Some(_) | None => stored,
        }
    }

    async fn get(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let fault = self.next()?;
        let read = self
            .pass(fault, self.inner.get_opts(location, options))
            .await?;
        if fault != Some(Fault::FlippedRead) {
            return Ok(read);
        }
        let (meta, range, attributes) = (
            read.meta.clone(),
            read.range.clone(),
            read.attributes.clone(),
        );
        let extensions = read.extensions.clone();
        let bytes = flipped(&read.bytes().await?);
        Ok(GetResult {
            payload: GetResultPayload::Stream(stream::iter([Ok(bytes)]).boxed()),
            meta,
            range,
            attributes,
            extensions,
        })
    }

    fn list_through(
        &self,
        objects: BoxStream<'static, Result<ObjectMeta>>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let listed = match self.next() {
            Ok(fault) => self
                .pass(fault, objects.try_collect::<Vec<_>>())
                .now_or_never()
                .expect("memory answers at once"),
            Err(error) => Err(error),
        };
        match listed {
            Ok(objects) => stream::iter(objects.into_iter().map(Ok)).boxed(),
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    }
}

fn flipped(bytes: &Bytes) -> Bytes {
    let mut bytes = bytes.to_vec();
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 0x04;
    }
    bytes.into()
}

fn refused() -> Error {
    Error::PermissionDenied {
        path: "somewhere".into(),
        source: "a test".into(),
    }
}

fn failed(kind: io::ErrorKind) -> Error {
    Error::Generic {
        store: "test",
        source: io::Error::from(kind).into(),
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} at {}", self.fault, self.at)
    }
}

/// Written out, for the trait is declared with a macro that is not at hand.
impl ObjectStore for Faulty {
    fn put_opts<'s, 'p, 'f>(
        &'s self,
        location: &'p Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> BoxFuture<'f, Result<PutResult>>
    where
        's: 'f,
        'p: 'f,
    {
        self.put(location, payload, options).boxed()
    }

    fn put_multipart_opts<'s, 'p, 'f>(
        &'s self,
        _: &'p Path,
        _: PutMultipartOptions,
    ) -> BoxFuture<'f, Result<Box<dyn MultipartUpload>>>
    where
        's: 'f,
        'p: 'f,
    {
        unreachable!("nothing is written in parts")
    }

    fn get_opts<'s, 'p, 'f>(
        &'s self,
        location: &'p Path,
        options: GetOptions,
    ) -> BoxFuture<'f, Result<GetResult>>
    where
        's: 'f,
        'p: 'f,
    {
        self.get(location, options).boxed()
    }

    fn get_ranges<'s, 'p, 'r, 'f>(
        &'s self,
        _: &'p Path,
        _: &'r [Range<u64>],
    ) -> BoxFuture<'f, Result<Vec<Bytes>>>
    where
        's: 'f,
        'p: 'f,
        'r: 'f,
    {
        unreachable!("nothing is read in parts")
    }

    fn delete_stream(
        &self,
        _: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        unreachable!("nothing is deleted")
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.list_through(self.inner.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.list_through(self.inner.list_with_offset(prefix, offset))
    }

    fn list_with_delimiter<'s, 'p, 'f>(
        &'s self,
        prefix: Option<&'p Path>,
    ) -> BoxFuture<'f, Result<ListResult>>
    where
        's: 'f,
        'p: 'f,
    {
        async move {
            let fault = self.next()?;
            self.pass(fault, self.inner.list_with_delimiter(prefix))
                .await
        }
        .boxed()
    }

    fn copy_opts<'s, 'a, 'b, 'f>(
        &'s self,
        _: &'a Path,
        _: &'b Path,
        _: CopyOptions,
    ) -> BoxFuture<'f, Result<()>>
    where
        's: 'f,
        'a: 'f,
        'b: 'f,
    {
        unreachable!("nothing is copied")
    }
}
