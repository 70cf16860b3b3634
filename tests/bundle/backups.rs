//! What tests of backups share: a bundle that has somewhere to put them, and
//! what lies there.

use std::path::{Path, PathBuf};

use backup::{
    catalogue,
    format::Snapshot,
    keys::{self, Identities},
    repository::Repository,
    store::{Credentials, Store},
    verify,
};
use outside::{clock, outbound::Outbound};
use secrecy::ExposeSecret;

use crate::support::Bundle;

/// A folder that ends with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("backups-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder of the system for such things, and none of the test's business.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A bundle with backups set up, and what opens them.
pub(crate) struct Backups {
    pub(crate) bundle: Bundle,
    /// The private key, as a variable would hold it.
    pub(crate) identity: String,
    identities: Identities,
    _folder: Folder,
}

impl Backups {
    /// A bundle whose backups go into a fresh folder.
    pub(crate) async fn start() -> Self {
        let mut bundle = Bundle::start().await;
        // No platform is spoken to, but where a test names one.
        for token in ["VERCEL_TOKEN", "GITHUB_TOKEN", "SUPABASE_ACCESS_TOKEN"] {
            bundle.env.remove(token);
        }
        let folder = Folder::new();
        let keys = keys::generate();
        let url = url::Url::from_file_path(folder.path().join("store")).unwrap();
        let secret = keys.secret.expose_secret().to_owned();
        bundle.env.extend([
            ("BACKUP_URL".to_owned(), url.to_string()),
            ("BACKUP_RECIPIENTS".to_owned(), keys.recipient),
            ("BACKUP_SECRET".to_owned(), secret),
        ]);
        let identity = keys.identity.expose_secret().to_owned();
        let backups = Self {
            bundle,
            identities: Identities::parse(&identity).unwrap(),
            identity,
            _folder: folder,
        };
        backups.make().await;
        backups
    }

    /// Makes the repository at the place that the bundle is configured with.
    pub(crate) async fn make(&self) {
        Repository::make(&self.store(), clock::now()).await.unwrap();
    }

    pub(crate) fn store(&self) -> Store {
        let env = &self.bundle.env;
        let id = env.get("BACKUP_ACCESS_KEY_ID");
        let secret = env.get("BACKUP_SECRET_ACCESS_KEY");
        let credentials = id.zip(secret).map(|(id, secret)| Credentials {
            key_id: id.clone().into(),
            secret: secret.clone().into(),
        });
        let url = &env["BACKUP_URL"];
        Store::make(url, credentials.as_ref(), &Outbound::default()).unwrap()
    }

    /// Every sealed backup, after each was opened and read whole.
    pub(crate) async fn whole(&self) -> Vec<Snapshot> {
        let store = self.store();
        let listing = catalogue::snapshots(&store).await.unwrap();
        assert!(listing.unreadable.is_empty(), "{:?}", listing.unreadable);
        for snapshot in &listing.snapshots {
            let objects = verify::objects(&store, snapshot, &mut |_| {}).await;
            assert!(objects.is_whole(), "{:?}", objects.faults);
            let contents = verify::contents(&store, snapshot, &self.identities, &mut |_| {}).await;
            assert!(contents.is_whole(), "{:?}", contents.faults);
        }
        listing.snapshots
    }
}
