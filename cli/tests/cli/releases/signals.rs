//! A deployment that is asked to end: it stops where nothing is left half done, or says what
//! is not known and how to find out.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use local_supabase::platforms::vercel::promotions::Course;

use super::{
    Called, Folder, NEVER, NEW, Platform, head, install, repository, to_be_made, with_migrations,
};
use crate::support::command;

/// A deployment under way, with what it says line by line.
struct UnderWay {
    child: Child,
    lines: Receiver<String>,
    said: String,
}

impl UnderWay {
    fn begin(folder: &Folder, variables: &[(String, String)], arguments: &[&str]) -> Self {
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let mut child = command(folder.path(), &variables, arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                // Nobody listens once the test has seen enough.
                let _ = sender.send(line);
            }
        });
        Self {
            child,
            lines,
            said: String::new(),
        }
    }

    /// Waits until it says something.
    fn until(&mut self, text: &str) {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(30));
            let line = line.unwrap_or_else(|_| panic!("it never said {text}: {}", self.said));
            self.said.push_str(&line);
            self.said.push('\n');
            if line.contains(text) {
                return;
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success(), "{name}");
    }

    /// Waits for its end.
    fn end(mut self) -> Called {
        let mut stdout = String::new();
        let mut pipe = self.child.stdout.take().unwrap();
        std::io::Read::read_to_string(&mut pipe, &mut stdout).unwrap();
        let status = self.child.wait().unwrap().code().unwrap_or(-1);
        for line in &self.lines {
            self.said.push_str(&line);
            self.said.push('\n');
        }
        Called {
            status,
            stdout,
            stderr: self.said,
        }
    }
}

fn is_there(process: &str) -> bool {
    let said = Command::new("ps")
        .args(["-o", "stat=", "-p", process])
        .output();
    let said = String::from_utf8(said.unwrap().stdout).unwrap();
    !said.trim().is_empty() && !said.trim().starts_with('Z')
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_cut_off_is_and_nothing_of_it_goes_on() {
    let platform = Platform::start(NEVER).await;
    let (folder, mut variables) = repository(&platform);
    with_migrations(&folder);
    for (name, value) in [
        ("SUPABASE_PROJECT_REF", "wineproject"),
        ("SUPABASE_ACCESS_TOKEN", "sbp_token"),
    ] {
        variables.push((name.to_owned(), value.to_owned()));
    }
    std::fs::write(folder.path().join("does"), "hangs").unwrap();
    for signal in ["-INT", "-TERM", "-HUP"] {
        let ended = tokio::task::block_in_place(|| {
            let mut deploy = UnderWay::begin(&folder, &variables, &["deploy", "--skip-gates"]);
            deploy.until("Connecting to remote database");
            // It has begun something by then, or is about to.
            let begun = folder.path().join("begun");
            while !begun.exists() {
                std::thread::yield_now();
            }
            deploy.signal(signal);
            deploy.end()
        });
        assert_eq!(ended.status, 1, "{ended:?}");
        assert!(
            ended
                .stderr
                .contains("ended by a signal at `supabase db push --linked --yes`"),
            "{ended:?}"
        );
        assert!(
            ended
                .stderr
                .contains("`supabase migration list --linked` says which"),
            "{ended:?}"
        );
        assert!(
            !ended.stderr.contains("told by the bundle"),
            "nobody else has to hear: {ended:?}"
        );
        let begun = folder.path().join("begun");
        let process = std::fs::read_to_string(&begun).unwrap();
        let deadline = outside::clock::Deadline::after(Duration::from_secs(10));
        while is_there(process.trim()) {
            assert!(!deadline.has_passed(), "what it began goes on");
        }
        std::fs::remove_file(&begun).unwrap();
    }
    assert_eq!(platform.taken(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_cut_off_says_how_to_go_on() {
    let platform = Platform::start(NEVER).await;
    let (folder, variables) = repository(&platform);
    let hangs = "#!/bin/sh\necho \"vercel $1\" >&2\ntest \"$1\" != deploy || sleep 600\n";
    install(&folder, "vercel", hangs);
    let ended = tokio::task::block_in_place(|| {
        let mut deploy = UnderWay::begin(&folder, &variables, &["deploy", "--skip-gates"]);
        deploy.until("vercel deploy");
        deploy.until("vercel deploy");
        deploy.signal("-TERM");
        deploy.end()
    });
    assert_eq!(ended.status, 1, "{ended:?}");
    for text in [
        "which serves nobody: `pourtrait status --deployments` lists it",
        "`pourtrait deploy --staged DEPLOYMENT` goes on from it",
    ] {
        assert!(ended.stderr.contains(text), "{text} in {}", ended.stderr);
    }
    assert_eq!(platform.taken(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_traffic_is_waited_for_and_a_second_signal_says_what_is_unknown() {
    for (readings, signals, texts) in [
        (
            8,
            1,
            [
                "dpl_new serves production now",
                "before `look at the domains`: dpl_new serves, and nobody looked whether it works",
                "`pourtrait verify --project app` does",
            ],
        ),
        (
            10_000,
            2,
            [
                "promote: cut off by a signal",
                "whether the domains move is not known",
                "`pourtrait status` says what serves",
            ],
        ),
    ] {
        let platform = Platform::start(NEVER).await;
        let (folder, variables) = repository(&platform);
        to_be_made(&platform, &head(folder.path()));
        platform.vercel.state().promotions.course = Course {
            readings,
            left_behind: 0,
        };
        let ended = tokio::task::block_in_place(|| {
            let mut deploy = UnderWay::begin(&folder, &variables, &["deploy", "--skip-gates"]);
            deploy.until("  promote");
            let deadline = outside::clock::Deadline::after(Duration::from_secs(10));
            while platform.taken().is_empty() {
                assert!(!deadline.has_passed(), "it is asked for");
            }
            deploy.signal("-TERM");
            deploy.until("this step is waited for");
            if signals == 2 {
                deploy.signal("-TERM");
            }
            deploy.end()
        });
        assert_eq!(ended.status, 1, "{ended:?}");
        for text in texts {
            assert!(ended.stderr.contains(text), "{text} in {}", ended.stderr);
        }
        // Somebody has to look at that.
        assert!(ended.stderr.contains("nobody was told by the bundle"));
        assert_eq!(platform.taken(), [("promote", NEW.to_owned())]);
    }
}
