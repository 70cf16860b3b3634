//! The grammar of `pourtrait sourcemaps`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What `sourcemaps` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Sourcemaps {
    /// Keeps the source maps of a build, so that errors show the code that somebody wrote
    Upload(Upload),
    /// Shows which versions of the app have source maps, or the maps of one
    List {
        /// The version whose maps are shown
        #[arg(long)]
        release: Option<String>,
    },
    /// Deletes the source maps of a version
    Delete {
        /// The version
        #[arg(long)]
        release: String,
    },
}

/// Source maps to keep.
#[derive(Debug, Args)]
pub(crate) struct Upload {
    /// Folders that are looked through for source maps, such as .next, or single maps
    #[arg(required = true, value_name = "DIR|FILE")]
    pub(crate) paths: Vec<PathBuf>,
    /// The version that the app sends as its release
    #[arg(long)]
    pub(crate) release: String,
    /// Where the files of the folder are found on a host, such as ~/assets/; below a folder
    /// .next that is known
    #[arg(long, value_name = "PREFIX")]
    pub(crate) url_prefix: Option<String>,
}
