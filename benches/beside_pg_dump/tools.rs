//! PostgreSQL's own programs, connected as ours are.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use local_supabase::postgres::Cluster;

use crate::timed;

/// `pg_dump`, `pg_restore` and `psql` of the server's version.
pub(crate) struct Tools {
    programs: [PathBuf; 3],
    variables: Vec<(&'static str, String)>,
    folder: PathBuf,
}

impl Tools {
    pub(crate) fn new(cluster: &Cluster, folder: &Path) -> anyhow::Result<Self> {
        let admin = cluster.admin_config("postgres");
        let password = String::from_utf8_lossy(admin.get_password().unwrap_or_default());
        Ok(Self {
            programs: [
                cluster.program("pg_dump")?,
                cluster.program("pg_restore")?,
                cluster.program("psql")?,
            ],
            variables: vec![
                ("PGHOST", "127.0.0.1".to_owned()),
                ("PGPORT", cluster.port().to_string()),
                ("PGUSER", "supabase_admin".to_owned()),
                ("PGPASSWORD", password.into_owned()),
                ("PGSSLMODE", "verify-full".to_owned()),
                ("PGSSLROOTCERT", cluster.ca_pem_path().display().to_string()),
            ],
            folder: folder.to_owned(),
        })
    }

    /// Dumps a database into a file of that name, in the custom format.
    pub(crate) fn dump(
        &self,
        database: &str,
        name: &str,
        options: &[&str],
    ) -> anyhow::Result<Duration> {
        let mut command = self.command(0);
        command.args(["-Fc", "-f"]).arg(self.file(name));
        command.args(options).arg(database);
        Ok(timed(&mut command)?.0)
    }

    /// Removes that file: several of a large database would fill a disk.
    pub(crate) fn forget(&self, name: &str) -> anyhow::Result<()> {
        Ok(std::fs::remove_file(self.file(name))?)
    }

    /// A database without anything, which is what a whole dump fits into.
    pub(crate) fn make_empty(&self, database: &str) -> anyhow::Result<()> {
        let sql = format!("create database {database} template template0");
        let mut command = self.command(2);
        command.args(["-d", "template1", "-qc", &sql]);
        timed(&mut command).map(drop)
    }

    /// Restores that file with two sessions.
    pub(crate) fn restore(&self, name: &str, into: &str) -> anyhow::Result<Duration> {
        let mut command = self.command(1);
        command.args(["-j2", "-d", into]).arg(self.file(name));
        Ok(timed(&mut command)?.0)
    }

    fn command(&self, program: usize) -> Command {
        let mut command = Command::new(&self.programs[program]);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}
