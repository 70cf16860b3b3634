//! `setup` killed at each of its requests, and run again: no secret is lost or made twice, and
//! nothing is half written.

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use local_supabase::platforms::{
    github,
    stand_in::{StandIn, Trouble},
    supabase, vercel,
};
use terminal::env_file::{self, Variables};
use tokio::sync::Notify;

use super::{MADE, call_in};
use crate::support::{Folder, command};

const LINE: &str = "setup --answers answers.env --identity key.txt --create-vercel-project wine-ops \
                    --create-supabase-project cellar --supabase-organization local-organization \
                    --supabase-region eu-central-1";

/// The three platforms, of which each has nothing of ours yet.
struct Platforms {
    vercel: StandIn<vercel::State>,
    github: StandIn<github::State>,
    management: StandIn<supabase::State>,
    /// How many requests came until now.
    asked: Arc<AtomicU32>,
}

impl Platforms {
    async fn start() -> Self {
        let github = github::start(None, "token-of-github").await.unwrap();
        github.state().secrets.repository("wine", "ops");
        Self {
            vercel: vercel::start(None, "token-of-vercel").await.unwrap(),
            management: supabase::start(None, "token-of-supabase").await.unwrap(),
            github,
            asked: Arc::default(),
        }
    }

    /// Lets the request of that number hang, done or not, and says when it came.
    fn hang_at(&self, number: u32, trouble: Trouble, came: &Arc<Notify>) {
        fn script<S: Send + 'static>(
            platform: &StandIn<S>,
            asked: Arc<AtomicU32>,
            number: u32,
            trouble: Trouble,
            came: Arc<Notify>,
        ) {
            platform.script(move |_, _| {
                let is_it = asked.fetch_add(1, Ordering::SeqCst) == number;
                if is_it {
                    came.notify_one();
                }
                is_it.then_some(trouble)
            });
        }
        let asked = || Arc::clone(&self.asked);
        script(&self.vercel, asked(), number, trouble, Arc::clone(came));
        script(&self.github, asked(), number, trouble, Arc::clone(came));
        script(&self.management, asked(), number, trouble, Arc::clone(came));
    }

    fn heal(&self) {
        self.vercel.script(|_, _| None);
        self.github.script(|_, _| None);
        self.management.script(|_, _| None);
    }

    fn answers(&self) -> BTreeMap<String, String> {
        [
            ("VERCEL_TOKEN", self.vercel.token()),
            ("VERCEL_API_URL", &self.vercel.url()),
            ("GITHUB_TOKEN", self.github.token()),
            ("GITHUB_API_URL", &self.github.url()),
            ("GITHUB_REPOSITORY", "wine/ops"),
            ("SUPABASE_ACCESS_TOKEN", self.management.token()),
            ("SUPABASE_API_URL", &self.management.url()),
            ("NEXT_PUBLIC_APP_URL", "https://wine.example"),
            ("BACKUP_URL", "s3://bucket"),
            ("BACKUP_ACCESS_KEY_ID", "key"),
            ("BACKUP_SECRET_ACCESS_KEY", "secret"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }
}

/// Runs it until the request of that number came, kills it there, and says whether it came.
async fn killed_at(platforms: &Platforms, folder: &Folder, number: u32, trouble: Trouble) -> bool {
    let came = Arc::new(Notify::new());
    platforms.asked.store(0, Ordering::SeqCst);
    platforms.hang_at(number, trouble, &came);
    let arguments: Vec<_> = LINE.split_whitespace().collect();
    let mut child = command(folder.path(), &[], &arguments)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let ended = async {
        loop {
            if child.try_wait().unwrap().is_some() {
                return;
            }
            outside::clock::wait(std::time::Duration::from_millis(5)).await;
        }
    };
    let is_killed = tokio::select! {
        () = came.notified() => true,
        () = ended => false,
    };
    // One that has ended by itself is killed in vain.
    let _ = child.kill();
    child.wait().unwrap();
    platforms.heal();
    is_killed
}

/// What a file assigns, if it is there; it is whole.
fn kept(folder: &Folder) -> Variables {
    let path = folder.path().join(".env");
    if path.exists() {
        env_file::read(&path).unwrap()
    } else {
        Variables::new()
    }
}

/// Every place has the same secrets, and there is one project of each.
fn is_in_order(platforms: &Platforms, folder: &Folder, context: &str) {
    let variables = kept(folder);
    let vercel = platforms.vercel.state();
    assert_eq!(vercel.projects.len(), 1, "{context}");
    let project = vercel.projects.find("wine-ops").unwrap().id().to_owned();
    let on_vercel: BTreeMap<_, _> = vercel
        .environment
        .of(&project)
        .iter()
        .map(|one| (one.key.as_str(), one.value.as_str()))
        .collect();
    for name in MADE.iter().chain(&["DATABASE_URL", "SUPABASE_SECRET_KEY"]) {
        assert_eq!(on_vercel[name], variables[*name], "{name}: {context}");
    }
    let mut github = platforms.github.state();
    let repository = github.secrets.repository("wine", "ops");
    for name in ["MONITORING_API_KEY", "DATABASE_URL"] {
        assert_eq!(
            repository.secrets[name], variables[name],
            "{name}: {context}"
        );
    }
    let management = platforms.management.state();
    let projects = &management.projects.projects;
    assert_eq!(projects.len(), 1, "{context}");
    assert!(
        variables["DATABASE_URL"].contains(&format!(":{}@", projects[0].db_pass)),
        "{context}"
    );
    let key = fs::read_to_string(folder.path().join("key.txt")).unwrap();
    let recipient = &variables["BACKUP_RECIPIENTS"];
    assert!(
        key.contains(&format!("# public key: {recipient}\n")),
        "{context}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_killed_at_any_request_is_gone_on_with_by_the_next() {
    for trouble in [Trouble::HangBefore, Trouble::HangAfter] {
        let mut number = 0;
        loop {
            let platforms = Platforms::start().await;
            let folder = Folder::empty();
            super::write_answers(&folder, &platforms.answers());
            let context = format!("killed at request {number}, {trouble:?}");
            if !killed_at(&platforms, &folder, number, trouble).await {
                break;
            }
            let before = kept(&folder);
            let again = call_in(&folder, LINE).await;
            assert_eq!(again.status, 0, "{context}: {again:?}");
            let after = kept(&folder);
            for (name, value) in &before {
                assert_eq!(after.get(name), Some(value), "{name}: {context}");
            }
            is_in_order(&platforms, &folder, &context);
            let third = call_in(&folder, LINE).await;
            assert!(
                third.stdout.starts_with("nothing to change"),
                "{context}: {third:?}"
            );
            number += 1;
        }
        println!("{trouble:?}: killed at each of {number} requests");
        assert!(number > 15, "{number}");
    }
}
