//! `settings`, `maintenance`, `migrate` and `check` against a running bundle.

use std::collections::BTreeMap;

use dev::DevOptions;
use local_supabase::{
    fault::{Mode, Service},
    postgres::TestDatabase,
};
use serde_json::json;

use crate::support::{Folder, bundle, call, call_with};

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_listed_changed_and_restored() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let mut env = running.env.clone();
    env.insert("POURTRAIT_USER".to_owned(), "Ada".to_owned());

    let listed = call_with(&env, &["settings", "list"]).await;
    assert_eq!(listed.status, 0, "{listed:?}");
    let line = listed
        .stdout
        .lines()
        .find(|line| line.starts_with("alert.bad_after "))
        .unwrap();
    assert_eq!(line.split_whitespace().nth(1), Some("3"), "{line}");

    let set = call_with(&env, &["settings", "set", "alert.bad_after", "5", "--json"]).await;
    assert_eq!(set.status, 0, "{set:?}");
    assert!(set.stderr.starts_with("target: 127.0.0.1:"), "{set:?}");
    assert_eq!(
        (&set.json()["value"], &set.json()["updatedBy"]),
        (&json!(5), &json!("Ada"))
    );

    let text = call_with(
        &env,
        &[
            "settings",
            "set",
            "links.runbook",
            "https://docs.test/runbook",
        ],
    )
    .await;
    assert_eq!(
        text.stdout, "links.runbook = https://docs.test/runbook\n",
        "{text:?}"
    );

    let got = call_with(&env, &["settings", "get", "alert.bad_after"]).await;
    assert_eq!((got.status, got.stdout.as_str()), (0, "5\n"));
    call_with(&env, &["settings", "set", "alert.bad_after", "null"]).await;
    let got = call_with(&env, &["settings", "get", "alert.bad_after"]).await;
    assert_eq!(got.stdout, "3\n");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_or_value_is_status_2_with_what_is_expected() {
    let (running, _database) = bundle(DevOptions::default()).await;
    for (arguments, text) in [
        (
            ["set", "alert.bad_after", "0"],
            "a whole number from 1 to 60",
        ),
        (
            ["set", "alert.bad_after", "often"],
            "a whole number from 1 to 60",
        ),
        (
            ["set", "alert.nonsense", "1"],
            "known settings: alert.bad_after",
        ),
        (
            ["set", "links.runbook", "sb_secret_abcdefgh"],
            "Name an environment variable instead",
        ),
    ] {
        let called = call_with(&running.env, &[&["settings"][..], &arguments].concat()).await;
        assert_eq!(called.status, 2, "{called:?}");
        assert!(called.stderr.contains(text), "{called:?}");
    }
    let called = call_with(&running.env, &["settings", "get", "alert.nonsense"]).await;
    assert_eq!(called.status, 2, "{called:?}");
    assert!(called.stderr.contains("alert.bad_after"), "{called:?}");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn maintenance_is_announced_listed_and_removed() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let mut env = running.env.clone();
    env.insert("POURTRAIT_USER".to_owned(), "Ada".to_owned());
    let call = async |arguments: &[&str]| {
        call_with(&env, &[&["maintenance"], arguments, &["--json"]].concat()).await
    };

    let in_an_hour = (outside::clock::now() + jiff::SignedDuration::from_hours(1)).to_string();
    let added = call(&["add", "--reason", "Move", "--until", &in_an_hour]).await;
    assert_eq!(added.status, 0, "{added:?}");
    assert!(added.stderr.starts_with("target: 127.0.0.1:"), "{added:?}");
    let added = added.json();
    assert_eq!(
        (&added["state"], &added["author"]),
        (&json!("active"), &json!("Ada"))
    );

    let in_a_month = (outside::clock::now() + jiff::SignedDuration::from_hours(720)).to_string();
    let recurring = [
        "add",
        "--reason",
        "Import",
        "--every",
        "mon,sun",
        "--at",
        "02:00",
        "--minutes",
        "30",
        "--zone",
        "Europe/Paris",
        "--until",
        &in_a_month,
    ];
    let recurring = call(&recurring).await;
    assert_eq!(recurring.status, 0, "{recurring:?}");
    assert_eq!(recurring.json()["weekdays"], json!([1, 7]));

    let removed = call(&["remove", added["id"].as_str().unwrap()]).await;
    assert_eq!(removed.json()["state"], "removed", "{removed:?}");
    let listed = call(&["list"]).await;
    assert_eq!(
        listed.json().as_array().map(Vec::len),
        Some(2),
        "{listed:?}"
    );

    for (arguments, text) in [
        (
            vec!["add", "--reason", "x", "--until", "2020-01-01T00:00Z"],
            "after now",
        ),
        (
            vec![
                "add",
                "--reason",
                "x",
                "--until",
                &in_an_hour,
                "--service",
                "databse",
            ],
            "got databse",
        ),
        (vec!["add", "--reason", "x"], "--until"),
        (
            vec![
                "add",
                "--reason",
                "x",
                "--until",
                &in_an_hour,
                "--at",
                "02:00",
            ],
            "--every",
        ),
        (vec!["remove", "1"], "invalid value"),
    ] {
        let called = call(&arguments).await;
        assert_eq!(called.status, 2, "{called:?}");
        assert!(called.stderr.contains(text), "{called:?}");
    }
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tells_what_works_and_what_does_not() {
    let (running, database) = bundle(DevOptions::default()).await;
    let good = call_with(&running.env, &["check", "--live"]).await;
    assert_eq!(good.status, 0, "{good:?}");
    assert!(good.stdout.contains("that of this build"), "{good:?}");
    running
        .stack()
        .set_fault(Service::Openai, Mode::Refuse)
        .await
        .unwrap();
    let bad = call_with(&running.env, &["check", "--live", "--json"]).await;
    assert_eq!(bad.status, 1, "{bad:?}");
    let findings = bad.json()["findings"].clone();
    let found = |subject: &str| {
        let mut all = findings.as_array().unwrap().iter();
        all.find(|finding| finding["subject"] == subject).unwrap()["level"].clone()
    };
    assert_eq!(found("ai"), "error");
    assert_eq!(found("database"), "ok");
    assert_eq!(found("backup store"), "ok");
    assert_eq!(found("backup role"), "ok");

    // Rows that policies hide would be missing from a backup.
    let mut env = running.env.clone();
    let admin = database
        .cluster()
        .await
        .unwrap()
        .connect_admin(database.name())
        .await
        .unwrap();
    admin
        .batch_execute(
            "drop role if exists plain_backup; create role plain_backup login password 'x'",
        )
        .await
        .unwrap();
    let mut url = url::Url::parse(&env["DATABASE_URL"]).unwrap();
    url.set_username("plain_backup").unwrap();
    url.set_password(Some("x")).unwrap();
    env.insert("DATABASE_URL".to_owned(), url.into());
    let bad = call_with(&env, &["check", "--live"]).await;
    assert!(bad.stdout.contains("BYPASSRLS"), "{bad:?}");
    admin.batch_execute("drop role plain_backup").await.unwrap();
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_are_planned_applied_and_then_done() {
    let database = TestDatabase::empty().await.unwrap();
    let cluster = database.cluster().await.unwrap();
    let env = BTreeMap::from([
        (
            "DATABASE_URL".to_owned(),
            cluster.postgres_url(database.name()),
        ),
        (
            "DATABASE_CA".to_owned(),
            cluster.ca_pem_path().display().to_string(),
        ),
    ]);
    let count = ops::migrate::Schema::embedded().tables.len();
    let listed =
        |called: &crate::support::Called, key: &str| called.json()[key].as_array().unwrap().len();

    let plan = call_with(&env, &["migrate", "plan", "--json"]).await;
    assert_eq!(
        (plan.status, listed(&plan, "pending")),
        (0, count),
        "{plan:?}"
    );
    assert_eq!(plan.json()["functions"]["exchanged"], true, "{plan:?}");
    let applied = call_with(&env, &["migrate", "--json"]).await;
    assert_eq!(
        (applied.status, listed(&applied, "applied")),
        (0, count),
        "{applied:?}"
    );
    assert!(
        applied
            .stderr
            .starts_with("target: 127.0.0.1 (from the environment)\n"),
        "{applied:?}"
    );
    let again = call_with(&env, &["migrate", "apply"]).await;
    assert_eq!(
        (again.status, again.stdout.as_str()),
        (0, "nothing to do: the schema is that of this build\n")
    );
    let status = call_with(&env, &["migrate", "status", "--json"]).await;
    assert_eq!(
        (listed(&status, "applied"), listed(&status, "pending")),
        (count, 0)
    );
    assert_eq!(
        status.json()["functions"]["release"],
        env!("CARGO_PKG_VERSION")
    );
}

#[test]
fn what_a_folder_lacks_is_written_to_it_without_a_project() {
    let folder = Folder::empty();
    let target = folder.path().join("supabase/migrations");
    let export = ["migrate", "export", target.to_str().unwrap(), "--json"];
    let written = call(folder.path(), &[], &export);
    let count = ops::migrate::Schema::embedded().tables.len();
    assert_eq!(written.status, 0, "{written:?}");
    assert_eq!(
        written.json()["written"].as_array().unwrap().len(),
        count + 2
    );
    let again = call(folder.path(), &[], &export);
    assert_eq!(again.json()["written"], serde_json::json!([]), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_trusted_is_refused() {
    let database = TestDatabase::empty().await.unwrap();
    let cluster = database.cluster().await.unwrap();
    let env = BTreeMap::from([(
        "DATABASE_URL".to_owned(),
        cluster.postgres_url(database.name()),
    )]);
    let called = call_with(&env, &["migrate"]).await;
    assert_eq!(called.status, 1, "{called:?}");
    assert!(
        called
            .stderr
            .contains("the certificate of 127.0.0.1 is not trusted"),
        "{called:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_are_added_changed_proven_and_removed() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let call = async |arguments: &[&str]| call_with(&running.env, arguments).await;

    let none = call(&["contacts", "list"]).await;
    assert!(none.stdout.starts_with("no contacts"), "{none:?}");
    let unstaffed = call(&["check", "--live"]).await;
    assert_eq!(
        unstaffed.status, 0,
        "nobody to ask is a warning: {unstaffed:?}"
    );
    assert!(
        unstaffed.stdout.contains("nobody else is asked"),
        "{unstaffed:?}"
    );

    let add = [
        "contacts",
        "add",
        "Anna",
        "--role",
        "cto",
        "--email",
        "anna@wine.example",
    ];
    let hours = ["--hours", "mon-fri 09:00-18:00", "--zone", "Europe/Berlin"];
    let added = call(&[&add[..], &hours[..]].concat()).await;
    assert_eq!(added.status, 0, "{added:?}");
    assert!(added.stderr.starts_with("target: 127.0.0.1:"), "{added:?}");
    assert!(
        added
            .stdout
            .contains("mon,tue,wed,thu,fri 09:00-18:00 Europe/Berlin"),
        "{added:?}"
    );
    let bad = call(&["check", "--live"]).await;
    assert_eq!(bad.status, 1, "{bad:?}");
    for text in ["level 1 is empty", "email of Anna was never proven"] {
        assert!(bad.stdout.contains(text), "{bad:?}");
    }

    let edit = [
        "contacts",
        "edit",
        "anna",
        "--role",
        "on_call_primary",
        "--slack",
        "U0ABC",
        "--hours",
        "always",
    ];
    assert_eq!(call(&edit).await.status, 0);
    let proven = call(&["contacts", "test", "Anna", "--json"]).await;
    assert_eq!(proven.status, 0, "{proven:?}");
    let contact = &proven.json()["contacts"][0];
    assert!(contact["emailProvenAt"].is_string() && contact["slackProvenAt"].is_string());
    let good = call(&["check", "--live"]).await;
    assert_eq!(good.status, 0, "{good:?}");
    assert!(good.stdout.contains("level 1 is filled"), "{good:?}");

    let removed = call(&["contacts", "remove", "Anna"]).await;
    assert_eq!(removed.stdout, "Anna is no longer asked or told\n");
    let unknown = call(&["contacts", "test", "Anna"]).await;
    assert_eq!(unknown.status, 2, "{unknown:?}");
    for wrong in [
        [
            "contacts",
            "add",
            "Bo",
            "--role",
            "boss",
            "--email",
            "b@wine.example",
        ],
        [
            "contacts", "add", "Bo", "--role", "cto", "--hours", "9 to 5",
        ],
    ] {
        assert_eq!(call(&wrong).await.status, 2);
    }
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_choose_their_ways_and_their_quiet_hours() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let call = async |arguments: &[&str]| call_with(&running.env, arguments).await;
    let add = ["contacts", "add", "Anna", "--role", "cto"];
    let reach = ["--email", "anna@wine.example", "--zone", "Europe/Berlin"];
    assert_eq!(call(&[&add[..], &reach[..]].concat()).await.status, 0);
    let ways = [
        "contacts",
        "edit",
        "Anna",
        "--address",
        "sms=+4915112345678",
        "--way",
        "critical=sms,email+10",
        "--way",
        "high=email",
        "--quiet",
        "daily 22:00-07:00",
    ];
    let chosen = call(&ways).await;
    let expected = "critical=sms,email+10; high=email; quiet daily 22:00-07:00 Europe/Berlin";
    assert!(chosen.stdout.contains(expected), "{chosen:?}");
    let exported = call(&["contacts", "export", "--json"]).await.json();
    let filed = &exported["contacts"][0];
    assert_eq!(
        filed["ways"],
        json!({"critical": {"sms": 0, "email": 10}, "high": {"email": 0}})
    );
    assert_eq!(filed["quiet"]["from"], "22:00");
    let back = ["contacts", "edit", "Anna", "--way", "critical=", "--way"];
    let quiet = ["high=", "--quiet", "never", "--address", "sms="];
    let back = call(&[&back[..], &quiet[..]].concat()).await;
    assert!(!back.stdout.contains("quiet"), "{back:?}");
    for wrong in ["critical=pigeon", "critical=email+5", "low=email"] {
        let refused = call(&["contacts", "edit", "Anna", "--way", wrong]).await;
        assert_eq!(refused.status, 2, "{refused:?}");
    }
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_listed_acknowledged_silenced_and_resolved() {
    let (running, database) = bundle(DevOptions::default()).await;
    let call = async |arguments: &[&str]| call_with(&running.env, arguments).await;
    let raised = "select public.ops_raise_alerts(gen_random_uuid(), '[{\"status\": \"firing\",
        \"source\": \"ci\", \"type\": \"t\", \"severity\": \"high\", \"title\": \"T\", \"subject\": \"cellar\"}]',
        '{slack,email}')";
    let cluster = database.cluster().await.unwrap();
    let admin = cluster.connect_admin(database.name()).await.unwrap();
    admin.batch_execute(raised).await.unwrap();

    let listed = call(&["alerts", "list", "--json"]).await;
    let id = listed.json()["alerts"][0]["id"].as_str().unwrap()[..8].to_owned();
    let list = call(&["alerts", "list"]).await;
    assert!(
        list.stdout.contains("email at "),
        "what comes next: {list:?}"
    );

    let held = call(&[
        "alerts",
        "acknowledge",
        &id,
        "--for",
        "2h",
        "--note",
        "mine",
        "--json",
    ])
    .await;
    assert_eq!(held.status, 0, "{held:?}");
    assert_eq!(held.json()["alert"]["status"], "acknowledged");
    let back = call(&["alerts", "unacknowledge", &id]).await;
    assert_eq!(back.stdout, "cellar is firing\n", "{back:?}");

    let silence = [
        "alerts",
        "silence",
        "--subject",
        "cellar",
        "--for",
        "1d",
        "--reason",
        "works",
    ];
    let silence = call(&[&silence[..], &["--json"]].concat()).await.json();
    let list = call(&["alerts", "list"]).await;
    assert!(list.stdout.contains("silenced until"), "{list:?}");
    let silence = silence["id"].as_str().unwrap().to_owned();
    assert_eq!(call(&["alerts", "unsilence", &silence]).await.status, 0);

    let closed = call(&["alerts", "resolve", &id]).await;
    assert_eq!(closed.stdout, "cellar is resolved\n", "{closed:?}");
    for wrong in [
        &["alerts", "acknowledge", &id][..],
        &["alerts", "silence", "--for", "1d", "--reason", "works"],
        &[
            "alerts", "silence", "--rule", "app_down", "--for", "soon", "--reason", "works",
        ],
        &[
            "alerts", "silence", "--rule", "app_down", "--for", "100d", "--reason", "works",
        ],
    ] {
        assert_eq!(call(wrong).await.status, 2, "{wrong:?}");
    }
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_that_dev_writes_is_a_source_of_variables() {
    let folder = Folder::empty();
    let data = folder.path().join(".pourtrait");
    let (running, _database) = bundle(DevOptions {
        data: Some(data),
        ..DevOptions::default()
    })
    .await;
    let named = &["check", "--live", "--env-file", ".pourtrait/dev.env"];
    for arguments in [&named[..], &["check", "--live"]] {
        let check = tokio::task::block_in_place(|| call(folder.path(), &[], arguments));
        assert_eq!(check.status, 0, "{check:?}");
    }
    running.stop().await.unwrap();
}
