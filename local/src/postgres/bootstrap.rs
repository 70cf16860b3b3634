//! What a fresh cluster needs before it looks like Supabase's: `initdb`,
//! certificates, who may connect, roles, and the template of every database.

use std::{fs, process::Stdio};

use anyhow::{Context, bail};
use tokio_postgres::Client;

use super::{
    account::{self, Account},
    certificates,
    folder::{Folder, Passwords, write_for_server},
};
use crate::machine::postgresql::Binaries;

/// The database that every other one is cloned from.
pub(super) const TEMPLATE: &str = "template_supabase";

/// Everyone proves a password. Over TLS as Supabase wants it; a plain
/// connection never leaves this machine, so the password itself goes over it,
/// which spares tests the hashing of every connection.
const ACCESS: &str = "\
local all all scram-sha-256
hostssl all all 127.0.0.1/32 scram-sha-256
hostssl replication all 127.0.0.1/32 scram-sha-256
hostnossl all all 127.0.0.1/32 password
";

/// Makes the data directory and what the server reads from it.
pub(super) fn initialise(
    folder: &Folder,
    binaries: &Binaries,
    account: Option<Account>,
    passwords: &Passwords,
) -> anyhow::Result<()> {
    folder.clear()?;
    let password_file = folder.server().join("password");
    write_for_server(&password_file, &passwords.supabase_admin, account)?;
    let made = account::command(account, binaries.program("initdb"))
        .arg("-D")
        .arg(folder.data())
        .args(["--username=supabase_admin", "--encoding=UTF8", "--no-sync"])
        .args(["--auth=scram-sha-256", "--locale=C"])
        // Characters are classified as Unicode, text is ordered by its bytes.
        .arg(if cfg!(target_os = "macos") {
            "--lc-ctype=en_US.UTF-8"
        } else {
            "--lc-ctype=C.UTF-8"
        })
        .arg("--pwfile")
        .arg(&password_file)
        .stdout(Stdio::null())
        .output()
        .context("cannot run initdb")?;
    fs::remove_file(&password_file)?;
    if !made.status.success() {
        bail!(
            "initdb failed: {}",
            String::from_utf8_lossy(&made.stderr).trim()
        );
    }

    let certificates = certificates::issue()?;
    let data = folder.data();
    fs::write(folder.authority(), &certificates.authority)
        .with_context(|| format!("cannot write {}", folder.authority().display()))?;
    write_for_server(&data.join("server.crt"), &certificates.server, account)?;
    write_for_server(&data.join("server.key"), &certificates.server_key, account)?;
    write_for_server(&data.join("pg_hba.conf"), ACCESS, account)
}

/// Makes the roles; `superuser` is connected to the database `template1`.
pub(super) async fn make_roles(superuser: &Client, passwords: &Passwords) -> anyhow::Result<()> {
    superuser
        .batch_execute(include_str!("roles.sql"))
        .await
        .context("cannot make the roles")?;
    for (role, password) in [
        ("postgres", &passwords.postgres),
        ("authenticator", &passwords.authenticator),
    ] {
        superuser
            .batch_execute(&format!("alter role {role} password '{password}'"))
            .await?;
    }
    superuser
        .batch_execute(&format!(
            "create database {TEMPLATE} owner postgres template template0"
        ))
        .await
        .context("cannot make the template database")
}

/// Fills the template; `superuser` is connected to it.
pub(super) async fn fill_template(superuser: &Client) -> anyhow::Result<()> {
    superuser
        .batch_execute(include_str!("database.sql"))
        .await
        .context("cannot fill the template database")
}

/// Makes the database `postgres`, the one that a Supabase project has, from
/// the template; `superuser` is connected to `template1`.
pub(super) async fn make_project_database(superuser: &Client) -> anyhow::Result<()> {
    for statement in [
        format!("alter database {TEMPLATE} is_template true"),
        "drop database postgres".to_owned(),
        format!("create database postgres owner postgres template {TEMPLATE}"),
    ] {
        superuser
            .batch_execute(&statement)
            .await
            .with_context(|| format!("cannot run: {statement}"))?;
    }
    Ok(())
}
