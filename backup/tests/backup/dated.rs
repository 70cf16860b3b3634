//! A store whose clock a test sets, which can be copied as it is, and whose requests can meet a
//! fault.

use std::{
    collections::BTreeMap,
    fmt, io,
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

use backup::store::{Arrival, Store};
use bytes::Bytes;
use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use http::Extensions;
use jiff::Timestamp;
use object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result, path::Path,
};

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The program is killed before it is sent, and sends nothing any more.
    KilledBefore,
    /// It is carried out, and the program is killed.
    KilledAfter,
    /// It is carried out, and the answer is lost.
    LostAnswer,
}

#[derive(Debug, Clone, Default)]
struct State {
    objects: BTreeMap<String, (Bytes, i64)>,
    requests: u64,
    trouble: Option<(u64, Trouble)>,
    is_dead: bool,
    keeps_everything: bool,
}

/// The store.
#[derive(Debug, Default)]
pub(crate) struct Dated {
    state: Mutex<State>,
    seconds: AtomicI64,
}

/// Whether a request goes on, and whether its answer arrives.
enum Course {
    Carried,
    CarriedAndLost(Error),
}

impl Dated {
    /// An empty store at that time.
    pub(crate) fn at(time: Timestamp) -> Arc<Self> {
        let dated = Self::default();
        dated.seconds.store(time.as_second(), Ordering::SeqCst);
        Arc::new(dated)
    }

    /// The same as a store.
    pub(crate) fn store(self: &Arc<Self>) -> Store {
        Store::new(Arc::clone(self) as _, "", Arrival::Checked)
    }

    /// Another one with the same objects, at the same time, without any trouble.
    pub(crate) fn copy(&self) -> Arc<Self> {
        let objects = self.state.lock().unwrap().objects.clone();
        Arc::new(Self {
            state: Mutex::new(State {
                objects,
                ..State::default()
            }),
            seconds: AtomicI64::new(self.seconds.load(Ordering::SeqCst)),
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.seconds.load(Ordering::SeqCst)).unwrap()
    }

    pub(crate) fn pass_hours(&self, hours: i64) {
        self.seconds.fetch_add(3600 * hours, Ordering::SeqCst);
    }

    /// The request of this number from now on meets trouble.
    pub(crate) fn trouble(&self, at: u64, trouble: Trouble) {
        let mut state = self.state.lock().unwrap();
        state.trouble = Some((state.requests + at, trouble));
    }

    /// Ends all trouble, and tells whether a killed program would still be dead.
    pub(crate) fn mend(&self) -> bool {
        let mut state = self.state.lock().unwrap();
        state.trouble = None;
        std::mem::take(&mut state.is_dead)
    }

    /// Whether deletions are refused, as by a lock.
    pub(crate) fn keep_everything(&self, is_so: bool) {
        self.state.lock().unwrap().keeps_everything = is_so;
    }

    pub(crate) fn requests(&self) -> u64 {
        self.state.lock().unwrap().requests
    }

    /// Every object by its path.
    pub(crate) fn objects(&self) -> BTreeMap<String, (Bytes, i64)> {
        self.state.lock().unwrap().objects.clone()
    }

    /// Looks at the objects as they are.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&BTreeMap<String, (Bytes, i64)>) -> T) -> T {
        look(&self.state.lock().unwrap().objects)
    }

    /// Puts an object there as decay or an attacker would.
    pub(crate) fn spoil(&self, path: &str, bytes: Option<Bytes>) {
        let mut state = self.state.lock().unwrap();
        match bytes {
            Some(bytes) => {
                let date = state.objects.get(path).map_or(0, |(_, date)| *date);
                state.objects.insert(path.to_owned(), (bytes, date));
            }
            None => {
                state.objects.remove(path);
            }
        }
    }

    /// Carries a request out, as its trouble says.
    fn request<T>(&self, work: impl FnOnce(&mut State, i64) -> Result<T>) -> Result<T> {
        let now = self.seconds.load(Ordering::SeqCst);
        let mut state = self.state.lock().unwrap();
        let number = state.requests;
        state.requests += 1;
        let trouble = state.trouble.filter(|(at, _)| *at == number);
        let course = match trouble.map(|(_, trouble)| trouble) {
            _ if state.is_dead => return Err(refused()),
            Some(Trouble::KilledBefore) => {
                state.is_dead = true;
                return Err(refused());
            }
            Some(Trouble::KilledAfter) => {
                state.is_dead = true;
                Course::CarriedAndLost(refused())
            }
            Some(Trouble::LostAnswer) => Course::CarriedAndLost(Error::Generic {
                store: "test",
                source: io::Error::from(io::ErrorKind::ConnectionReset).into(),
            }),
            None => Course::Carried,
        };
        let done = work(&mut state, now);
        match course {
            Course::Carried => done,
            Course::CarriedAndLost(error) => done.and(Err(error)),
        }
    }

    fn put(&self, location: &Path, payload: PutPayload, options: &PutOptions) -> Result<PutResult> {
        let is_new = options.mode == PutMode::Create;
        self.request(|state, now| {
            if is_new && state.objects.contains_key(location.as_ref()) {
                return Err(Error::AlreadyExists {
                    path: location.to_string(),
                    source: "there".into(),
                });
            }
            let object = (Bytes::from(payload), now);
            state.objects.insert(location.to_string(), object);
            Ok(PutResult {
                e_tag: None,
                version: None,
                extensions: Extensions::default(),
            })
        })
    }

    fn get(&self, location: &Path) -> Result<GetResult> {
        let found = self.request(|state, _| {
            let object = state.objects.get(location.as_ref()).cloned();
            object.ok_or_else(|| missing(location))
        });
        let (bytes, date) = found?;
        Ok(GetResult {
            meta: meta(location.clone(), bytes.len(), date),
            range: 0..bytes.len() as u64,
            attributes: Attributes::default(),
            extensions: Extensions::default(),
            payload: GetResultPayload::Stream(stream::iter([Ok(bytes)]).boxed()),
        })
    }

    fn remove(&self, location: Path) -> Result<Path> {
        self.request(|state, _| {
            if state.keeps_everything {
                return Err(refused());
            }
            match state.objects.remove(location.as_ref()) {
                Some(_) => Ok(location),
                None => Err(missing(&location)),
            }
        })
    }

    fn below(&self, prefix: Option<&Path>) -> Result<Vec<ObjectMeta>> {
        let folder = prefix.map_or_else(String::new, |prefix| format!("{prefix}/"));
        self.request(|state, _| {
            let objects = state.objects.range(folder.clone()..);
            let inside = objects.take_while(|(path, _)| path.starts_with(&folder));
            Ok(inside
                .map(|(path, (bytes, date))| meta(Path::from(path.as_str()), bytes.len(), *date))
                .collect())
        })
    }

    fn listed(objects: Result<Vec<ObjectMeta>>) -> BoxStream<'static, Result<ObjectMeta>> {
        match objects {
            Ok(objects) => stream::iter(objects.into_iter().map(Ok)).boxed(),
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    }
}

fn meta(location: Path, len: usize, date: i64) -> ObjectMeta {
    ObjectMeta {
        location,
        last_modified: (SystemTime::UNIX_EPOCH + Duration::from_secs(date.unsigned_abs())).into(),
        size: len as u64,
        e_tag: None,
        version: None,
    }
}

fn missing(location: &Path) -> Error {
    Error::NotFound {
        path: location.to_string(),
        source: "not there".into(),
    }
}

fn refused() -> Error {
    Error::PermissionDenied {
        path: "somewhere".into(),
        source: "a test".into(),
    }
}

impl fmt::Display for Dated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a store at {}", self.now())
    }
}

/// Written out, for the trait is declared with a macro that is not at hand.
impl ObjectStore for Dated {
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
        async move { self.put(location, payload, &options) }.boxed()
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
        _: GetOptions,
    ) -> BoxFuture<'f, Result<GetResult>>
    where
        's: 'f,
        'p: 'f,
    {
        async move { self.get(location) }.boxed()
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
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        // The trait's stream outlives the borrow, so that the paths are taken at once.
        let locations: Vec<_> = locations
            .collect::<Vec<_>>()
            .now_or_never()
            .expect("the paths are at hand");
        let removed: Vec<_> = locations
            .into_iter()
            .map(|location| self.remove(location?))
            .collect();
        stream::iter(removed).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        Self::listed(self.below(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let after = self.below(prefix).map(|objects| {
            let later = objects
                .into_iter()
                .filter(|object| object.location > *offset);
            later.collect()
        });
        Self::listed(after)
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
            let folder = prefix.map_or_else(String::new, |prefix| format!("{prefix}/"));
            let mut folders: Vec<Path> = self
                .below(prefix)?
                .into_iter()
                .filter_map(|object| {
                    let rest = object.location.as_ref().strip_prefix(&folder)?;
                    let (name, _) = rest.split_once('/')?;
                    Some(Path::from(format!("{folder}{name}")))
                })
                .collect();
            folders.dedup();
            Ok(ListResult {
                common_prefixes: folders,
                objects: Vec::new(),
                extensions: Extensions::default(),
            })
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
