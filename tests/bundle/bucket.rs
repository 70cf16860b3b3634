//! A bucket of a real S3 server in this process, which can be watched.

use std::{net::SocketAddr, sync::Arc};

use http::{Request, Response};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::rt::TokioIo;
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use tokio::{net::TcpListener, task::AbortHandle};

use crate::backups::Folder;

const NAME: &str = "backups";

/// Who is told of each request before it is served, and after.
pub(crate) trait Watch: Send + Sync + 'static {
    /// Numbers a request by its method and path.
    fn begins(&self, what: String) -> usize;
    /// Whether the request is to be served: its sender may be gone.
    fn is_served(&self, number: usize) -> bool;
    /// Whether its answer is to be sent.
    fn is_answered(&self, number: usize) -> bool;
}

/// A server with one bucket, closed when it is dropped.
pub(crate) struct Bucket {
    address: SocketAddr,
    accepting: AbortHandle,
    _folder: Folder,
}

impl Bucket {
    pub(crate) async fn start(watch: Arc<impl Watch>) -> Self {
        let folder = Folder::new();
        std::fs::create_dir(folder.path().join(NAME)).unwrap();
        let files = s3s_fs::FileSystem::new(folder.path()).unwrap();
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single("id", "secret"));
        let service = builder.build();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let (service, watch) = (service.clone(), Arc::clone(&watch));
                let answer = service_fn(move |request| {
                    watched(service.clone(), Arc::clone(&watch), request)
                });
                tokio::spawn(async move {
                    let connection =
                        http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
                    // A client that goes is no matter.
                    drop(connection.await);
                });
            }
        });
        Self {
            address,
            accepting: accepting.abort_handle(),
            _folder: folder,
        }
    }

    /// The variables that lead to it.
    pub(crate) fn variables(&self) -> [(String, String); 3] {
        let url = format!("s3://{NAME}/p?endpoint=http://{}&region=auto", self.address);
        [
            ("BACKUP_URL".to_owned(), url),
            ("BACKUP_ACCESS_KEY_ID".to_owned(), "id".to_owned()),
            ("BACKUP_SECRET_ACCESS_KEY".to_owned(), "secret".to_owned()),
        ]
    }
}

type Error = Box<dyn std::error::Error + Send + Sync>;

/// An error closes the connection, as the end of either side would.
async fn watched(
    service: S3Service,
    watch: Arc<impl Watch>,
    request: Request<Incoming>,
) -> Result<Response<s3s::Body>, Error> {
    let number = watch.begins(format!("{} {}", request.method(), request.uri().path()));
    if !watch.is_served(number) {
        return Err("killed before it was served".into());
    }
    let answered = Service::call(&service, request).await;
    if !watch.is_answered(number) {
        return Err("killed before it was answered".into());
    }
    answered.map_err(|error| format!("{error:?}").into())
}

impl Drop for Bucket {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
