//! `funnels`, `retention` and `database` against a running bundle: a way is set, people walk
//! it, and it is shown how far they came.

use dev::DevOptions;
use http::Method;
use outside::outbound::Outbound;
use serde_json::{Value, json};

use crate::support::{bundle, call_with};

async fn send(url: &str, body: &Value) -> u16 {
    let outbound = Outbound::default();
    let request = outbound.client().unwrap().request(Method::POST, url);
    let response = request.body(body.to_string()).send().await.unwrap();
    response.status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_funnel_is_set_counted_and_removed_and_the_server_looked_at() {
    let (running, _database) = bundle(DevOptions::default()).await;
    let call = async |line: &str| {
        let arguments: Vec<_> = line.split(' ').collect();
        call_with(&running.env, &arguments).await
    };
    let none = call("funnels list").await;
    assert!(none.stdout.starts_with("no funnels"), "{none:?}");
    let set = call("funnels set first-wine page:/ user_registered wine_added --within 2d").await;
    assert_eq!(set.status, 0, "{set:?}");
    assert_eq!(
        set.stdout,
        "first-wine: page:/ > user_registered > wine_added\n"
    );
    assert!(set.stderr.starts_with("target: "), "{set:?}");
    let listed = call("funnels list --json").await.json();
    assert_eq!(listed["funnels"][0]["withinSeconds"], 172_800);

    let url = call("door add web --json").await.json()["url"]
        .as_str()
        .unwrap()
        .to_owned();
    for (user, events) in [
        ("u1", vec!["user_registered", "wine_added"]),
        ("u2", vec!["user_registered"]),
        ("u3", vec![]),
    ] {
        // What says the same is taken once, so each says whose it is.
        let session = format!("s-{user}");
        let mut items = vec![
            json!({"type": "page_view", "name": "/?from=mail", "session": session, "release": "1.0"}),
        ];
        items.extend(
            events
                .iter()
                .map(|event| json!({"type": "event", "name": event, "session": session})),
        );
        assert_eq!(send(&url, &json!(items)).await, 200);
        // Who it was comes out later, and only for some.
        if user != "u3" {
            let item = json!({"type": "event", "name": "user_registered", "session": session, "user": user});
            assert_eq!(send(&url, &item).await, 200);
        }
    }
    let shown = call("funnels show first-wine --by release --json")
        .await
        .json();
    let people = |steps: &Value| -> Vec<u64> {
        let steps = steps.as_array().unwrap().iter();
        steps.map(|step| step["people"].as_u64().unwrap()).collect()
    };
    assert_eq!(people(&shown["steps"]), [3, 2, 1], "{shown}");
    assert_eq!(shown["parts"][0]["part"], "1.0");
    let text = call("funnels show first-wine --days 90").await.stdout;
    for words in ["page:/", "conversion: 33.33 %", "is kept for 30 days"] {
        assert!(text.contains(words), "{words} in {text}");
    }

    for wrong in [
        "funnels set first-wine page:/",
        "funnels set f a page:wines",
        "funnels set f a b --within 1w",
        "funnels set f a b --within 99d",
        "funnels show nothing",
        "funnels show first-wine --days 93",
        "retention --weeks 14",
        "retention --weeks 4 --days 4",
    ] {
        let refused = call(wrong).await;
        assert_eq!(refused.status, 2, "{wrong}: {refused:?}");
    }
    assert_eq!(
        call("retention --json").await.json()["cohorts"]
            .as_array()
            .unwrap()
            .len(),
        8
    );
    let days = call("retention --days 2").await.stdout;
    assert_eq!(days.lines().count(), 4, "{days}");

    let database = call("database show").await.stdout;
    for words in ["PostgreSQL ", "connections: ", "Largest tables"] {
        assert!(database.contains(words), "{words} in {database}");
    }
    assert!(call("database show --json").await.json()["sizeBytes"].is_u64());
    let removed = call("funnels remove first-wine").await;
    assert_eq!(
        removed.stdout, "first-wine is no longer counted\n",
        "{removed:?}"
    );
    assert_eq!(call("funnels remove first-wine").await.status, 2);
    running.stop().await.unwrap();
}
