//! The static files of `public/`, as the platform's CDN serves them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};

/// Where the files lie: beside the sources that this build was made from.
const PUBLIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../public");

/// What the CDN says where no rule of ours does.
const REVALIDATE: HeaderValue = HeaderValue::from_static("public, max-age=0, must-revalidate");

/// The files by the paths that they are served at. Only what was found at the
/// start is served, so no path can lead out of the folder.
#[derive(Debug)]
pub(super) struct Files {
    by_path: BTreeMap<String, PathBuf>,
}

impl Files {
    /// What the folder holds now; nothing, where there is no such folder.
    pub(super) fn find() -> Self {
        let mut by_path = BTreeMap::new();
        collect(Path::new(PUBLIC), "/", &mut by_path);
        Self { by_path }
    }

    /// The answer to a request for a file, read afresh so that edits show. What does not lie
    /// at the path itself is looked for where a rewrite leads.
    pub(super) async fn answer(
        &self,
        method: &Method,
        path: &str,
        rewritten: Option<&str>,
    ) -> Response<Bytes> {
        let index = || {
            let index = path.ends_with('/').then(|| format!("{path}index.html"))?;
            self.by_path.get(&index)
        };
        let found = self
            .by_path
            .get(path)
            .or_else(index)
            .or_else(|| self.by_path.get(rewritten?));
        let Some(file) = found else {
            return self.not_found().await;
        };
        if !matches!(*method, Method::GET | Method::HEAD) {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "");
            response
                .headers_mut()
                .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match tokio::fs::read(file).await {
            Ok(content) => answer(StatusCode::OK, content_type(file), content.into()),
            Err(_) => self.not_found().await,
        }
    }

    async fn not_found(&self) -> Response<Bytes> {
        let page = self.by_path.get("/404.html");
        let content = match page {
            Some(page) => tokio::fs::read(page).await.ok(),
            None => None,
        };
        match content {
            Some(page) => answer(
                StatusCode::NOT_FOUND,
                "text/html; charset=utf-8",
                page.into(),
            ),
            None => text(
                StatusCode::NOT_FOUND,
                "The page could not be found\n\nNOT_FOUND\n",
            ),
        }
    }
}

fn collect(folder: &Path, prefix: &str, by_path: &mut BTreeMap<String, PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let at = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if path.is_dir() {
            collect(&path, &format!("{at}/"), by_path);
        } else {
            by_path.insert(at, path);
        }
    }
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/vnd.microsoft.icon",
        Some("woff2") => "font/woff2",
        Some("webmanifest") => "application/manifest+json; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn text(status: StatusCode, body: &'static str) -> Response<Bytes> {
    answer(
        status,
        "text/plain; charset=utf-8",
        Bytes::from_static(body.as_bytes()),
    )
}

fn answer(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, REVALIDATE);
    response
}
