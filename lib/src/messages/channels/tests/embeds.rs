use insta::assert_json_snapshot;
use serde_json::{Value, json};

use super::{content, digest, discord, down};

#[test]
fn discord_says_that_the_app_is_down() {
    assert_json_snapshot!(discord::payload(&content("app_down", "firing", &down())), @r#"
    {
      "content": "🔴 Critical: https://wine.example/ is down",
      "embeds": [
        {
          "color": 12986408,
          "description": "[Open incident](https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c) · [Runbook](https://ops.wine.example/runbook.html#app_down)",
          "fields": [
            {
              "name": "Since",
              "value": "2026-11-24 03:12 UTC, 2 min before this alert"
            },
            {
              "name": "Found",
              "value": "answered 503"
            },
            {
              "name": "Affects",
              "value": "everybody who opens this page"
            },
            {
              "name": "Incident",
              "value": "\\#12"
            },
            {
              "name": "Running",
              "value": "production, commit 4f2a9c01d3e5, dpl_8a1"
            }
          ]
        }
      ],
      "allowed_mentions": {
        "parse": []
      }
    }
    "#);
}

#[test]
fn discord_says_that_it_is_over_in_green() {
    let payload = discord::payload(&content("app_down", "resolved", &down()));
    assert_eq!(
        payload["content"],
        "✅ Resolved: https://wine.example/ is up again"
    );
    assert_eq!(payload["embeds"][0]["color"], 0x002e_7d32);
}

#[test]
fn a_digest_is_one_embed() {
    assert_json_snapshot!(discord::payload(&digest()), @r#"
    {
      "content": "Daily digest: 1 alert, 1 resolved",
      "embeds": [
        {
          "description": "**🔵 Low: GET /api/wines is slow**\nSince: 2026-11-24 03:12 UTC, 2 min before this alert · Found: 95th percentile 3.12 s, threshold 2 s, 48 measurements · [Open incident](https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c)\n**✅ Resolved: The certificate of wine.example is valid for another 89 days**\nSince: 2026-11-24 03:12 UTC · Now: 89 days left, threshold 30 days · [Open incident](https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c)\n\n[Dashboard](https://ops.wine.example/dashboard)"
        }
      ],
      "allowed_mentions": {
        "parse": []
      }
    }
    "#);
}

#[test]
fn a_message_that_is_all_headline_needs_no_embed() {
    let notice = json!({
        "since": null, "openedAt": null, "affects": [], "environment": null, "commit": null,
        "deployment": null, "incident": null, "title": "Hello",
    });
    let facts = super::facts("", "notice", &notice);
    let message = super::Message::new(&facts, super::Places::default());
    let payload = discord::payload(&super::Content::Message(message));
    assert_eq!(payload["embeds"], json!([]));
}

fn shown(title: &str) -> Value {
    let over = json!({"title": title, "subject": "x"});
    discord::payload(&content("external", "firing", &over))["content"].clone()
}

#[test]
fn marks_are_escaped_and_urls_stay_whole() {
    for (text, expected) in [
        ("*bold* `code`", r"\*bold\* \`code\`"),
        ("_it_ snake_case a__b__c", r"\_it_ snake_case a_\_b_\_c"),
        ("a~~b~~ ||spoiler||", r"a~\~b~\~ \|\|spoiler|\|"),
        ("[a](https://evil.example)", r"\[a\](https://evil.example)"),
        ("<@1> <#2> <t:0>", r"\<@1> \<\#2> \<t:0>"),
        ("> quote # head - item", r"\> quote \# head \- item"),
        (
            "https://wine.example/~a/my_page?b=1#c",
            "https://wine.example/~a/my_page?b=1#c",
        ),
        (r"a\*b", r"a\\\*b"),
    ] {
        assert_eq!(shown(text), format!("🟠 High: {expected}"), "{text}");
    }
}
