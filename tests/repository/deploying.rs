//! The guide to a deployment: what its commands make is there when a later step
//! needs it.

use std::{fs, path::PathBuf, process::Command};

use crate::{documents::between, files};

/// A folder with the example of an env file, and stand-ins for the commands that the
/// guide calls: one that counts for `openssl`, one that keeps what it is sent for
/// `vercel`.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("guide-{}", uuid::Uuid::new_v4()));
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::create_dir(folder.join("sent")).unwrap();
        fs::write(folder.join(".env.example"), files::text(".env.example")).unwrap();
        let folder = Self(folder);
        folder.stand_in(
            "openssl",
            "echo 0123456789abcdef0123456789abcdef; echo x >>made",
        );
        folder.stand_in("vercel", "cat >sent/$3");
        folder
    }

    fn stand_in(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.0.join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs a block of the guide as somebody does who copies it.
    fn run(&self, block: &str) -> String {
        let path = format!("{}:/usr/bin:/bin", self.0.join("bin").display());
        let ran = Command::new("sh")
            .args(["-euc", block])
            .current_dir(&self.0)
            .env_clear()
            .env("PATH", path)
            .output()
            .unwrap();
        assert!(ran.status.success(), "{block}\n{ran:?}");
        String::from_utf8(ran.stdout).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn the_secrets_of_step_2_are_kept_for_the_steps_after_it() {
    let guide = files::text("docs/deploying.md");
    let step = between(&guide, "## 2. The variables", "\n## ")
        .next()
        .unwrap();
    let blocks: Vec<&str> = between(step, "```sh\n", "```").collect();
    let [make, hand_over] = blocks[..] else {
        panic!("{blocks:?}");
    };
    let folder = Folder::new();
    folder.run(make);
    assert_eq!(fs::read_to_string(folder.0.join("made")).unwrap(), "x\nx\n");
    let env = fs::read_to_string(folder.0.join(".env")).unwrap();
    let filled = env.replace(
        "\nNEXT_PUBLIC_APP_URL=\n",
        "\nNEXT_PUBLIC_APP_URL='https://app.example.com/?a=1&b=2'\n",
    );
    fs::write(folder.0.join(".env"), filled).unwrap();
    folder.run(hand_over);
    let sent = |name: &str| fs::read_to_string(folder.0.join("sent").join(name)).unwrap();
    let secret = "0123456789abcdef0123456789abcdef";
    assert_eq!(sent("CRON_SECRET"), secret);
    assert_eq!(sent("MONITORING_API_KEY"), secret);
    assert_eq!(
        sent("NEXT_PUBLIC_APP_URL"),
        "https://app.example.com/?a=1&b=2"
    );
    let later = folder.run(". ./.env; printf %s \"$MONITORING_API_KEY\"");
    assert_eq!(later, secret, "step 4 has it");
    let mode = fs::metadata(folder.0.join(".env")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o077, 0);
}
