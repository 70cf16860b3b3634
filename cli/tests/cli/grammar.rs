//! Sources of variables, exit statuses and messages, without any service.

use local_supabase::port::ClosedPort;

use crate::support::{Folder, call};

#[test]
fn help_tells_where_variables_come_from_and_what_statuses_mean() {
    let folder = Folder::empty();
    let called = call(folder.path(), &[], &["--help"]);
    assert_eq!(called.status, 0);
    for text in [
        "SUPABASE_URL",
        "--env-file",
        ".env",
        ".pourtrait/dev.env",
        "2 used wrongly",
    ] {
        assert!(called.stdout.contains(text), "{text} in {}", called.stdout);
    }
    assert!(!called.stdout.contains("docs"), "{}", called.stdout);
}

#[test]
fn wrong_use_is_status_2() {
    let folder = Folder::with(&[("broken.env", "A = b\n")]);
    let cases: [(&[&str], &str); 9] = [
        (&["nonsense"], "nonsense"),
        (&["migrate", "nonsense"], "nonsense"),
        (&["settings"], "Usage"),
        (&["settings", "set", "alert.bad_after"], "VALUE"),
        // The local bundle is another command, which is never installed.
        (&["dev"], "unrecognized subcommand 'dev'"),
        (&["settings", "list"], "no project is named"),
        (&["migrate"], "no project is named"),
        (&["migrate", "--env-file", "absent.env"], "absent.env"),
        (&["check", "--env-file", "broken.env"], "broken.env, line 1"),
    ];
    for (arguments, text) in cases {
        let called = call(folder.path(), &[], arguments);
        assert_eq!(called.status, 2, "{arguments:?}: {called:?}");
        assert!(called.stderr.contains(text), "{arguments:?}: {called:?}");
    }
}

#[test]
fn a_failure_is_status_1_and_one_line() {
    let folder = Folder::empty();
    let closed = ClosedPort::hold().unwrap();
    let url = format!("postgresql://postgres:secret@{}/postgres", closed.address());
    let called = call(
        folder.path(),
        &[("DATABASE_URL", &url)],
        &["migrate", "status"],
    );
    assert_eq!(called.status, 1, "{called:?}");
    let lines: Vec<_> = called.stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{called:?}");
    assert_eq!(lines[0], "target: 127.0.0.1 (from the environment)");
    assert!(
        lines[1].starts_with("error: cannot connect to 127.0.0.1"),
        "{called:?}"
    );
    assert!(!called.stderr.contains("secret"), "{called:?}");
}

#[test]
fn a_missing_variable_is_named_with_its_source() {
    let folder = Folder::with(&[(".env", "SUPABASE_URL=https://p.supabase.co\n")]);
    let called = call(folder.path(), &[], &["migrate"]);
    assert_eq!(called.status, 2, "{called:?}");
    assert_eq!(called.stderr, "error: DATABASE_URL is not set in ./.env\n");
    let called = call(folder.path(), &[], &["settings", "list"]);
    assert_eq!(called.status, 2, "{called:?}");
    assert!(called.stderr.contains("./.env"), "{called:?}");
}

#[test]
fn sources_are_never_merged() {
    let project = "SUPABASE_URL=https://p.supabase.co\nSUPABASE_SECRET_KEY=sb_secret_x\n";
    let folder = Folder::with(&[
        (".env", project),
        ("other.env", "CRON_SECRET=0123456789abcdef\n"),
    ]);
    let bad = |called: &crate::support::Called| {
        let findings = called.json()["findings"].clone();
        let errors = findings
            .as_array()
            .unwrap()
            .iter()
            .filter(|finding| finding["level"] == "error");
        errors
            .map(|finding| finding["subject"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let called = call(folder.path(), &[], &["check", "--json"]);
    assert_eq!((called.status, bad(&called)), (0, vec![]), "{called:?}");

    let called = call(
        folder.path(),
        &[],
        &["check", "--json", "--env-file", "other.env"],
    );
    assert_eq!(called.status, 1, "{called:?}");
    assert_eq!(
        bad(&called),
        ["NEXT_PUBLIC_SUPABASE_URL", "SUPABASE_SECRET_KEY"]
    );

    let variables = [("SUPABASE_URL", "https://q.supabase.co")];
    let called = call(
        folder.path(),
        &variables,
        &["check", "--json", "--env-file", ".env"],
    );
    assert_eq!((called.status, bad(&called)), (0, vec![]), "{called:?}");
    assert_eq!(called.json()["source"], ".env");
    assert!(
        called
            .stderr
            .contains("SUPABASE_URL and the rest of the environment are not read"),
        "{called:?}"
    );

    let called = call(folder.path(), &variables, &["check", "--json"]);
    assert_eq!(bad(&called), ["SUPABASE_SECRET_KEY"], "{called:?}");
    assert_eq!(called.json()["source"], "the environment");
}

#[test]
fn without_any_source_check_reports_on_the_environment() {
    let folder = Folder::empty();
    let called = call(folder.path(), &[("CRON_SECRET", "short")], &["check"]);
    assert_eq!(called.status, 1, "{called:?}");
    for text in [
        "NEXT_PUBLIC_SUPABASE_URL",
        "shorter than 16 characters",
        "no channel is configured",
    ] {
        assert!(called.stdout.contains(text), "{called:?}");
    }
}

#[test]
fn the_command_alone_says_what_there_is_and_what_comes_next() {
    let folder = Folder::empty();
    let called = call(folder.path(), &[], &[]);
    assert_eq!(called.status, 0, "{called:?}");
    assert!(called.stdout.contains("variables  none"), "{called:?}");
    assert!(
        called
            .stdout
            .contains("next: pourtrait setup (no project is named"),
        "{called:?}"
    );

    let folder = Folder::with(&[(".env", "SUPABASE_URL=https://p.supabase.co\n")]);
    let called = call(folder.path(), &[], &["--json"]);
    assert_eq!(called.status, 0, "{called:?}");
    assert_eq!(called.json()["next"]["command"], "pourtrait check");

    let closed = ClosedPort::hold().unwrap();
    let url = format!("http://{}", closed.address());
    let variables = [
        ("SUPABASE_URL", url.as_str()),
        ("SUPABASE_SECRET_KEY", "sb_secret_x"),
    ];
    let called = call(folder.path(), &variables, &["--json"]);
    assert_eq!(called.status, 0, "{called:?}");
    assert_eq!(called.json()["standing"]["reachable"], false, "{called:?}");
    assert_eq!(called.json()["next"]["command"], "pourtrait check --live");
}

#[test]
fn a_slip_is_answered_with_what_was_meant() {
    let folder = Folder::empty();
    for (arguments, meant) in [
        (&["setings"][..], "'settings'"),
        (&["alerts", "lst"], "'list'"),
        (&["check", "--liv"], "'--live'"),
    ] {
        let called = call(folder.path(), &[], arguments);
        assert_eq!(called.status, 2, "{called:?}");
        assert!(called.stderr.contains(meant), "{called:?}");
    }
}

#[test]
fn nothing_is_coloured_when_nobody_sees_it() {
    let folder = Folder::empty();
    for arguments in [&["--help"][..], &["nonsense"], &[]] {
        let called = call(folder.path(), &[], arguments);
        let said = called.stdout + &called.stderr;
        assert!(!said.contains('\u{1b}'), "{arguments:?}: {said}");
    }
}

#[test]
fn pages_and_completions_are_written_without_any_project() {
    let folder = Folder::empty();
    let script = call(folder.path(), &[], &["completions", "bash"]);
    assert_eq!(script.status, 0, "{script:?}");
    assert!(script.stdout.contains("_pourtrait()"), "{script:?}");
    let pages = call(folder.path(), &[], &["man", "--out", "man1"]);
    assert_eq!(pages.status, 0, "{pages:?}");
    let page = folder.path().join("man1/pourtrait-incidents.1");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("pourtrait incidents show 17"), "{page}");
}

#[test]
fn the_times_of_an_exercise_are_kept_in_a_file_until_it_is_finished() {
    let folder = Folder::empty();
    let training = |arguments: &[&str]| {
        let arguments = [&["training"], arguments].concat();
        call(folder.path(), &[], &arguments)
    };
    assert_eq!(training(&["start", "restore"]).status, 0);
    let again = training(&["start", "restore"]);
    assert_eq!(again.status, 2, "{again:?}");
    assert!(
        again.stderr.contains("holds an exercise already"),
        "{again:?}"
    );
    assert_eq!(training(&["step", "rows are back"]).status, 0);
    let finished = training(&["finish", "--json"]);
    assert_eq!(finished.status, 0, "{finished:?}");
    assert_eq!(finished.json()["steps"][0]["step"], "rows are back");
    let late = training(&["step", "late"]);
    assert_eq!(late.status, 2, "{late:?}");
    let recorded = training(&["record"]);
    assert_eq!(recorded.status, 2, "{recorded:?}");
    assert!(
        recorded.stderr.contains("no project is named"),
        "{recorded:?}"
    );
}

#[test]
fn a_validation_runs_in_the_repository_alone() {
    let folder = Folder::empty();
    let called = call(folder.path(), &[], &["validate"]);
    assert_eq!(called.status, 2, "{called:?}");
    let folder = Folder::with(&[("Cargo.toml", ""), ("vercel.json", "{}")]);
    let called = call(
        folder.path(),
        &[],
        &["validate", "--only", "configuration", "--json"],
    );
    assert_eq!(called.status, 1, "nothing is configured: {called:?}");
    let document = called.json();
    assert_eq!(document["passed"], false);
    let outcomes = document["steps"].as_array().unwrap();
    let failed = outcomes.iter().filter(|step| step["outcome"] == "failed");
    assert_eq!(failed.count(), 1, "{document}");
}
