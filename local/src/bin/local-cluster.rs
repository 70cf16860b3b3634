//! A bare server for scripts and tests: `local-cluster [DATA]` prints the
//! variables `DATABASE_URL` and `DATABASE_CA`, one a line, and runs until its
//! standard input ends.

use std::{io::Read, path::PathBuf};

use local_supabase::postgres::{Cluster, ClusterOptions};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let cluster = Cluster::start(ClusterOptions {
        data: std::env::args_os().nth(1).map(PathBuf::from),
        ..ClusterOptions::default()
    })
    .await?;
    #[expect(clippy::print_stdout, reason = "whoever started it reads these lines")]
    {
        println!("DATABASE_URL={}", cluster.postgres_url("postgres"));
        println!("DATABASE_CA={}", cluster.ca_pem_path().display());
    }
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
