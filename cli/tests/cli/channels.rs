//! `check` and the alert channels.

use dev::DevOptions;
use local_supabase::stack::Channels;

use crate::support::{bundle, call_with};

#[tokio::test(flavor = "multi_thread")]
async fn check_asks_slack_whose_token_the_bot_has() {
    let options = DevOptions {
        channels: Channels::All,
        ..DevOptions::default()
    };
    let (running, _database) = bundle(options).await;
    let good = call_with(&running.env, &["check", "--live"]).await;
    assert_eq!(good.status, 0, "{good:?}");
    assert!(
        good.stdout.contains("knows what it is opened with"),
        "{good:?}"
    );
    let mut env = running.env.clone();
    env.insert("SLACK_BOT_TOKEN".to_owned(), "xoxb-other".to_owned());
    let bad = call_with(&env, &["check", "--live"]).await;
    assert_eq!(bad.status, 1, "{bad:?}");
    assert!(bad.stdout.contains("slack refused the token"), "{bad:?}");
    running.stop().await.unwrap();
}
