//! A bare server for scripts and tests: `local-cluster [DATA]` prints the
//! variables `DATABASE_URL` and `DATABASE_CA`, one a line, and runs until its
//! standard input ends. `local-cluster --shared FOLDER` does the same with the
//! server that everyone shares who names this folder.

use std::{ffi::OsString, io::Read, path::Path, time::Duration};

use anyhow::bail;
use local_supabase::postgres::{Cluster, ClusterOptions};

/// How long a shared server waits for its next user.
const PATIENCE: Duration = Duration::from_secs(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let cluster = match arguments.as_slice() {
        [shared, folder] if shared == "--shared" => {
            Cluster::shared_at(Path::new(folder), PATIENCE).await?
        }
        [] => Cluster::start(ClusterOptions::default()).await?,
        [data] => {
            Cluster::start(ClusterOptions {
                data: Some(data.into()),
                ..ClusterOptions::default()
            })
            .await?
        }
        _ => bail!("usage: local-cluster [DATA | --shared FOLDER]"),
    };
    #[expect(clippy::print_stdout, reason = "whoever started it reads these lines")]
    {
        println!("DATABASE_URL={}", cluster.postgres_url("postgres"));
        println!("DATABASE_CA={}", cluster.ca_pem_path().display());
    }
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
