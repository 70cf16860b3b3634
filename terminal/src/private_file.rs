//! Files that are their owner's alone: keys, and what a database holds in the clear.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io,
    path::Path,
};

/// Makes a file that nobody else may read, where there is none of that name.
///
/// # Errors
/// As the system says it; what is there already stays as it is.
pub fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a folder that nobody else may enter, where there is nothing of that name.
///
/// # Errors
/// As the system says it; what is there already stays as it is.
pub fn create_folder(path: &Path) -> io::Result<()> {
    let mut folder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(path)
}
