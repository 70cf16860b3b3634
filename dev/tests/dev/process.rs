//! `cargo dev` from its start to a signal.

use std::{
    io::{BufRead, BufReader, Read},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use terminal::env_file;

use crate::support::{Folder, call, command};

/// A running `cargo dev`, killed at the end if it has not ended.
struct Dev {
    child: Child,
    /// Kept open, as a terminal would be.
    rest: BufReader<ChildStdout>,
    url: String,
}

impl Dev {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let arguments = [&["--port", "0"], arguments].concat();
        let mut child = command(folder, &arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut rest = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        rest.read_line(&mut line).unwrap();
        let Some(url) = line.trim_end().strip_prefix("ready: ") else {
            let mut errors = String::new();
            child
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut errors)
                .unwrap();
            panic!("{line:?}, {errors}");
        };
        Self {
            url: url.to_owned(),
            child,
            rest,
        }
    }

    /// Sends a signal and returns the exit status and what was left to say.
    fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let sent = Command::new("sh")
            .args(["-c", "kill -s \"$0\" \"$1\"", signal])
            .arg(self.child.id().to_string())
            .status();
        assert!(sent.unwrap().success());
        let status = self.child.wait().unwrap();
        let mut rest = String::new();
        self.rest.read_to_string(&mut rest).unwrap();
        (status.code(), rest)
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It has ended already if the test went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn dev_runs_once_per_folder_and_stops_on_a_signal() {
    let folder = Folder::with(&[(".env", "SUPABASE_URL=https://production.test\n")]);
    let dev = Dev::start(folder.path(), &["--empty", "--no-crons"]);
    let file = folder.path().join(".pourtrait/dev.env");
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let variables = env_file::parse(&text).unwrap();
    assert_eq!(variables["BASE_URL"], dev.url);
    assert!(Path::new(&variables["DATABASE_CA"]).is_absolute());
    assert!(variables["SUPABASE_URL"].starts_with("http://127.0.0.1:"));
    assert!(!variables.contains_key("SENTRY_DSN"));
    for name in [
        "SUPABASE_SECRET_KEY",
        "SUPABASE_SERVICE_ROLE_KEY",
        "CRON_SECRET",
        "SLACK_WEBHOOK_URL",
    ] {
        let shell = Command::new("sh")
            .args([
                "-c",
                ". \"$0\"; eval \"printf %s \\\"\\$$1\\\"\"",
                file.to_str().unwrap(),
                name,
            ])
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(shell.stdout).unwrap(),
            variables[name],
            "{name}"
        );
    }

    let second = call(folder.path(), &["--port", "0"]);
    assert_eq!(second.status, 1, "{second:?}");
    let expected = format!("/.pourtrait at {}; stop it", dev.url);
    assert!(second.stderr.contains(&expected), "{second:?}");

    let (status, rest) = dev.end("TERM");
    assert_eq!(status, Some(0));
    assert!(rest.contains("/api/monitoring/dashboard"), "{rest}");
    let port = url::Url::parse(&variables["DATABASE_URL"])
        .unwrap()
        .port()
        .unwrap();
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());

    let again = Dev::start(folder.path(), &["--empty", "--no-crons"]);
    let text = std::fs::read_to_string(&file).unwrap();
    let after = env_file::parse(&text).unwrap();
    for kept in ["MONITORING_API_KEY", "CRON_SECRET", "SUPABASE_SECRET_KEY"] {
        assert_eq!(after[kept], variables[kept], "{kept}");
    }
    assert_eq!(again.end("INT").0, Some(0));
}

#[test]
fn dev_looks_at_somebody_s_own_supabase_without_changing_it() {
    let own = Folder::empty();
    let theirs = Dev::start(own.path(), &["--empty", "--no-crons"]);
    let file = own.path().join(".pourtrait/dev.env");
    let folder = Folder::empty();
    let dev = Dev::start(
        folder.path(),
        &["--no-crons", "--supabase", file.to_str().unwrap()],
    );
    let read = |folder: &Folder| {
        let text = std::fs::read_to_string(folder.path().join(".pourtrait/dev.env")).unwrap();
        env_file::parse(&text).unwrap()
    };
    let (ours, described) = (read(&folder), read(&own));
    for same in [
        "SUPABASE_URL",
        "SUPABASE_SECRET_KEY",
        "DATABASE_URL",
        "DATABASE_CA",
    ] {
        assert_eq!(ours[same], described[same], "{same}");
    }
    for other in [
        "SLACK_WEBHOOK_URL",
        "RESEND_BASE_URL",
        "NEXT_PUBLIC_APP_URL",
        "CRON_SECRET",
    ] {
        assert_ne!(ours[other], described[other], "{other}");
    }
    assert_eq!(dev.end("TERM").0, Some(0));
    assert_eq!(theirs.end("TERM").0, Some(0));
}
