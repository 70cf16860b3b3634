//! Debian's packages, where this process may install some: as root, or where
//! sudo asks for no password.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use super::{
    on_path, say,
    tool::{Packages, Tool, listed},
    user,
};

/// How long apt-get waits for another one, in seconds.
const PATIENCE: &str = "DPkg::Lock::Timeout=300";

/// apt-get, as this process may use it.
pub(super) struct Apt {
    /// What goes before its command line.
    prefix: &'static [&'static str],
}

impl Apt {
    /// `None` where there is no apt-get, or it would need a password.
    pub(super) fn permitted() -> anyhow::Result<Option<Self>> {
        if on_path("apt-get").is_none() {
            return Ok(None);
        }
        if user::is_root()? {
            return Ok(Some(Self { prefix: &[] }));
        }
        let sudo = Command::new("sudo")
            .args(["-n", "true"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let permitted = sudo.is_ok_and(|status| status.success());
        Ok(permitted.then_some(Self {
            prefix: &["sudo", "-n"],
        }))
    }

    /// Installs the tools' packages.
    pub(super) fn install(&self, tools: &[Tool]) -> anyhow::Result<()> {
        let packages: Vec<String> = tools
            .iter()
            .map(|tool| Packages::Debian.package(*tool))
            .collect();
        say(&format!(
            "missing here: {}; running {}apt-get install {}",
            listed(tools),
            self.prefix
                .first()
                .map(|program| format!("{program} "))
                .unwrap_or_default(),
            packages.join(" ")
        ));
        self.run(&["update"])?;
        let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
        arguments.extend(packages.iter().map(String::as_str));
        self.run(&arguments)
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let words = [
            self.prefix,
            &["env", "DEBIAN_FRONTEND=noninteractive"],
            &["apt-get", "--quiet", "--option", PATIENCE],
            arguments,
        ]
        .concat();
        let [program, arguments @ ..] = words.as_slice() else {
            bail!("there is nothing to run");
        };
        let output = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .context("cannot run apt-get")?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            bail!("apt-get failed ({}): {}", output.status, words.trim());
        }
        Ok(())
    }
}
