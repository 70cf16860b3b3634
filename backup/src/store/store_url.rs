//! From the URL of a store to the store.

use std::{io::ErrorKind, path::PathBuf, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, RetryConfig,
    aws::{AmazonS3Builder, Checksum},
    local::LocalFileSystem,
    path::Path,
};
use outside::{failure::Failure, outbound::Outbound, secure_url};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Arrival, Store, http_connector::Connector};

/// The key to a bucket.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The key's id.
    pub key_id: SecretString,
    /// The key.
    pub secret: SecretString,
}

/// Why a URL is not one of a store that can be used. The URL is never repeated.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not one of the shapes that are known.
    #[error("the store's URL {0}")]
    Url(&'static str),
    /// Its endpoint is not one to send requests to.
    #[error("the endpoint in the store's URL: {0}")]
    Endpoint(&'static str),
    /// A bucket needs a key.
    #[error("a bucket needs the id of a key and its secret")]
    NoCredentials,
    /// There is no such folder.
    #[error("there is no folder {0}")]
    NoFolder(String),
    /// The folder cannot be made or written.
    #[error("the store's folder cannot be used: {0}")]
    Folder(std::io::ErrorKind),
    /// TLS cannot be set up.
    #[error("the store's client cannot be made: {0}")]
    Client(#[from] Failure),
    /// The bucket's client cannot be made.
    #[error("the bucket's name, region or endpoint is not usable")]
    Bucket,
}

impl Store {
    /// The store at `file:///absolute/folder`, or at
    /// `s3://bucket/prefix?endpoint=https://…&region=…`: any S3 that honours
    /// `If-None-Match` on writes. Without an endpoint it is Amazon's.
    ///
    /// # Errors
    /// See [`OpenError`]. A folder that is missing is one: it may be a disk that is
    /// not mounted.
    pub fn open(
        url: &str,
        credentials: Option<&Credentials>,
        outbound: &Outbound,
    ) -> Result<Self, OpenError> {
        let url = parsed(url)?;
        match url.scheme() {
            "file" => folder(&folder_path(&url)?),
            "s3" => {
                let credentials = credentials.ok_or(OpenError::NoCredentials)?;
                bucket(&url, credentials, outbound)
            }
            _ => Err(OpenError::Url("begins with neither file: nor s3:")),
        }
    }

    /// The same where a new repository is to be: a folder that is missing is made.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn make(
        url: &str,
        credentials: Option<&Credentials>,
        outbound: &Outbound,
    ) -> Result<Self, OpenError> {
        let parsed = parsed(url)?;
        if parsed.scheme() == "file" {
            let made = std::fs::create_dir_all(folder_path(&parsed)?);
            made.map_err(|error| OpenError::Folder(error.kind()))?;
        }
        Self::open(url, credentials, outbound)
    }
}

fn parsed(url: &str) -> Result<Url, OpenError> {
    Url::parse(url).map_err(|_| OpenError::Url("cannot be read"))
}

fn folder_path(url: &Url) -> Result<PathBuf, OpenError> {
    if url.query().is_some() || url.fragment().is_some() {
        return Err(OpenError::Url("names a folder and has more than a path"));
    }
    url.to_file_path()
        .map_err(|()| OpenError::Url("names no folder of this machine (file:///absolute/folder)"))
}

fn folder(path: &std::path::Path) -> Result<Store, OpenError> {
    let place = path.display().to_string();
    let found = std::fs::metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => OpenError::NoFolder(place.clone()),
        kind => OpenError::Folder(kind),
    })?;
    let not_a_folder = || OpenError::Folder(ErrorKind::NotADirectory);
    if !found.is_dir() {
        return Err(not_a_folder());
    }
    let folder = LocalFileSystem::new_with_prefix(path)
        .map_err(|_| not_a_folder())?
        .with_fsync(true);
    Ok(Store::new(Arc::new(folder), "", Arrival::Unchecked).at(place))
}

fn bucket(url: &Url, credentials: &Credentials, outbound: &Outbound) -> Result<Store, OpenError> {
    let bucket = url.host_str().ok_or(OpenError::Url("names no bucket"))?;
    if url.port().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(OpenError::Url(
            "names a bucket and has a user or a port; keys and endpoint have places of their own",
        ));
    }
    let options = Options::parse(url)?;
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(options.region)
        .with_access_key_id(credentials.key_id.expose_secret())
        .with_secret_access_key(credentials.secret.expose_secret())
        // The server refuses what does not arrive as it was sent.
        .with_checksum_algorithm(Checksum::SHA256)
        .with_http_connector(Connector(outbound.client()?.clone()))
        .with_retry(never())
        // Not every S3 knows how to delete many objects at once.
        .with_disable_bulk_delete(true)
        .with_virtual_hosted_style_request(options.endpoint.is_none());
    if let Some(endpoint) = &options.endpoint {
        builder = builder
            .with_allow_http(endpoint.scheme() == "http")
            .with_endpoint(endpoint.as_str().trim_end_matches('/'));
    }
    let objects = builder.build().map_err(|_| OpenError::Bucket)?;
    let prefix = Path::from_url_path(url.path())
        .map_err(|_| OpenError::Url("has a prefix that is no path"))?;
    // What follows the question mark is of no interest to a person.
    let place = format!("s3://{bucket}/{prefix}");
    Ok(Store::new(Arc::new(objects), prefix.as_ref(), Arrival::Checked).at(place))
}

/// What stands behind the question mark.
struct Options {
    endpoint: Option<Url>,
    region: String,
}

impl Options {
    fn parse(url: &Url) -> Result<Self, OpenError> {
        let mut options = Self {
            endpoint: None,
            region: "auto".into(),
        };
        let mut region = None;
        for (name, value) in url.query_pairs() {
            match &*name {
                "endpoint" => options.endpoint = Some(endpoint(&value)?),
                "region" => region = Some(value.into_owned()),
                _ => {
                    return Err(OpenError::Url(
                        "has an option other than endpoint and region",
                    ));
                }
            }
        }
        match region {
            Some(region) => options.region = region,
            None if options.endpoint.is_none() => {
                return Err(OpenError::Url("names neither an endpoint nor a region"));
            }
            None => {}
        }
        Ok(options)
    }
}

fn endpoint(text: &str) -> Result<Url, OpenError> {
    let url = secure_url::parse(text).map_err(OpenError::Endpoint)?;
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if is_bare {
        Ok(url)
    } else {
        Err(OpenError::Endpoint("more than a host and a path"))
    }
}

/// The crate would repeat some requests and not others; the store repeats all,
/// and knows which may have worked.
fn never() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: 0,
        retry_timeout: Duration::ZERO,
    }
}
