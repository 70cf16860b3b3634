//! Exit statuses and messages, without any service.

use crate::support::{Folder, call};

#[test]
fn wrong_use_is_status_2() {
    let folder = Folder::with(&[("broken.env", "A = b\n")]);
    let cases: [(&[&str], &str); 4] = [
        (&["nonsense"], "nonsense"),
        (&["--port", "many"], "--port"),
        // A described project is named with --supabase.
        (&["--env-file", "broken.env"], "--env-file"),
        (&["--supabase", "broken.env"], "broken.env, line 1"),
    ];
    for (arguments, text) in cases {
        let called = call(folder.path(), arguments);
        assert_eq!(called.status, 2, "{arguments:?}: {called:?}");
        assert!(called.stderr.contains(text), "{arguments:?}: {called:?}");
    }
}

#[test]
fn a_supabase_elsewhere_needs_yes() {
    for text in [
        "SUPABASE_URL=https://p.supabase.co\nSUPABASE_SECRET_KEY=sb_secret_x\n",
        "SUPABASE_URL=http://127.0.0.1:1\nSUPABASE_SECRET_KEY=sb_secret_x\n\
         DATABASE_URL=postgresql://a:b@db.p.supabase.co/postgres\n",
    ] {
        let folder = Folder::with(&[("remote.env", text)]);
        let called = call(folder.path(), &["--port", "0", "--supabase", "remote.env"]);
        assert_eq!(called.status, 2, "{called:?}");
        assert!(
            called.stderr.contains("supabase.co is not this machine"),
            "{called:?}"
        );
        assert!(called.stderr.contains("--yes"), "{called:?}");
    }
}
