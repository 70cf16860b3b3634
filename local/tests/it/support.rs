//! What tests of processes need.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// Waits until `holds` does, for at most ten seconds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let polling = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        while !holds() {
            ticks.tick().await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(10), polling).await;
    assert!(in_time.is_ok(), "in vain: {what}");
}

/// A folder that is removed when dropped.
pub(crate) struct TemporaryFolder(pub(crate) PathBuf);

impl TemporaryFolder {
    /// A fresh folder that any user can reach, with this mode.
    pub(crate) fn new(mode: u32) -> Self {
        use std::os::unix::fs::PermissionsExt;

        let path = Path::new("/var/tmp").join(format!("test-{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        Self(path)
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}
