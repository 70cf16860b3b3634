//! Whom the server runs as. PostgreSQL refuses to run as root, so root hands
//! it to an unprivileged user.

use std::{
    os::unix::{fs::chown, process::CommandExt},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, bail};

use crate::machine::user::{id, is_root};

/// An unprivileged user of this machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    user: u32,
    group: u32,
}

impl Account {
    /// Whom root hands the server to: `postgres`, else `nobody`. `None` for
    /// everyone else, who runs it as themselves.
    pub(super) fn for_server() -> anyhow::Result<Option<Self>> {
        if !is_root()? {
            return Ok(None);
        }
        for name in ["postgres", "nobody"] {
            if let (Ok(user), Ok(group)) = (id(&["-u", name]), id(&["-g", name])) {
                return Ok(Some(Self { user, group }));
            }
        }
        bail!("neither the user postgres nor nobody exists, and PostgreSQL does not run as root")
    }
}

/// A command that runs as the server's user, in a bare environment that takes
/// nothing over from ours.
pub(super) fn command(account: Option<Account>, program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .current_dir("/")
        .stdin(Stdio::null());
    if let Some(Account { user, group }) = account {
        command.uid(user).gid(group);
    }
    command
}

/// Gives a path to the server's user.
pub(super) fn hand_over(account: Option<Account>, path: &Path) -> anyhow::Result<()> {
    let Some(Account { user, group }) = account else {
        return Ok(());
    };
    chown(path, Some(user), Some(group))
        .with_context(|| format!("cannot give {} to the server's user", path.display()))
}

/// Whether the server's user can reach and write the folder.
pub(super) fn can_write(account: Option<Account>, folder: &Path) -> anyhow::Result<bool> {
    let status = command(account, "/bin/sh")
        .args(["-c", "test -w \"$1\" && test -x \"$1\"", "sh"])
        .arg(folder)
        .status()
        .context("cannot run /bin/sh as the server's user")?;
    Ok(status.success())
}
