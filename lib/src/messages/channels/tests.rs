use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::{Value, json};
use url::Url;

use super::{discord, email, ntfy, push, slack, teams, telegram, webhook};
use crate::messages::{
    message::{Content, Digest, Message},
    message_facts::Facts,
    message_links::Places,
};

mod delivery;
mod embeds;
mod escalation;
mod group;
mod hostile;
mod machines;
mod report;
mod wording;

fn base() -> Url {
    "https://ops.wine.example/".parse().unwrap()
}

/// Facts as the database writes them, with these on top.
fn facts(rule: &str, kind: &str, over: &Value) -> Facts {
    let mut row = json!({
        "alert": "0b0e7c1e-0000-4000-8000-000000000001", "fingerprint": format!("{rule}:x"),
        "rule": rule, "subject": "app", "severity": "high", "kind": kind, "source": "monitor",
        "since": "2026-11-24T03:12:07.123+00:00", "openedAt": "2026-11-24T03:14:08+00:00",
        "resolvedAt": null, "value": null, "threshold": null, "unit": null, "samples": null,
        "reason": null, "service": "app", "affects": ["app"], "environment": "production",
        "deployment": "dpl_8a1", "commit": "4f2a9c01d3e5b7", "occurrences": 3, "incident": 12,
        "incidentId": "0b0e7c1e-0000-4000-8000-00000000000c",
        "title": null, "message": null, "detail": {},
    });
    if kind == "resolved" {
        row["resolvedAt"] = json!("2026-11-24T03:16:19+00:00");
    }
    for (key, value) in over.as_object().unwrap() {
        row[key] = value.clone();
    }
    Facts::read(&row)
}

fn content(rule: &str, kind: &str, over: &Value) -> Content {
    let base = base();
    let places = Places {
        base: Some(&base),
        runbook: None,
    };
    Content::Message(Message::new(&facts(rule, kind, over), places))
}

/// What a reader of plain text sees: subject, then body.
fn text(rule: &str, kind: &str, over: &Value) -> String {
    let letter = email::letter(&content(rule, kind, over));
    format!("{}\n{}", letter.subject, letter.text)
}

fn down() -> Value {
    json!({
        "subject": "https://wine.example/", "severity": "critical", "reason": "http_status",
        "detail": {"url": "https://wine.example/", "statusCode": 503},
    })
}

#[test]
fn slack_says_that_the_app_is_down() {
    assert_json_snapshot!(slack::payload(&content("app_down", "firing", &down())), @r#"
    {
      "text": "Critical: https://wine.example/ is down",
      "blocks": [
        {
          "type": "section",
          "text": {
            "type": "mrkdwn",
            "text": "*🔴 Critical: https://wine.example/ is down*",
            "verbatim": true
          }
        },
        {
          "type": "section",
          "fields": [
            {
              "type": "mrkdwn",
              "text": "*Since*\n2026-11-24 03:12 UTC, 2 min before this alert",
              "verbatim": true
            },
            {
              "type": "mrkdwn",
              "text": "*Found*\nanswered 503",
              "verbatim": true
            },
            {
              "type": "mrkdwn",
              "text": "*Affects*\neverybody who opens this page",
              "verbatim": true
            },
            {
              "type": "mrkdwn",
              "text": "*Incident*\n#12",
              "verbatim": true
            },
            {
              "type": "mrkdwn",
              "text": "*Running*\nproduction, commit 4f2a9c01d3e5, dpl_8a1",
              "verbatim": true
            }
          ]
        },
        {
          "type": "section",
          "text": {
            "type": "mrkdwn",
            "text": "<https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c|Open incident> · <https://ops.wine.example/runbook.html#app_down|Runbook>",
            "verbatim": true
          }
        }
      ]
    }
    "#);
}

#[test]
fn slack_says_that_the_app_is_up_again() {
    assert_json_snapshot!(slack::payload(&content("app_down", "resolved", &down())), @r#"
    {
      "text": "Resolved: https://wine.example/ is up again",
      "blocks": [
        {
          "type": "section",
          "text": {
            "type": "mrkdwn",
            "text": "*✅ Resolved: https://wine.example/ is up again*",
            "verbatim": true
          }
        },
        {
          "type": "section",
          "fields": [
            {
              "type": "mrkdwn",
              "text": "*Since*\n2026-11-24 03:12 UTC",
              "verbatim": true
            },
            {
              "type": "mrkdwn",
              "text": "*Resolved*\n2026-11-24 03:16 UTC, after 4 min 11 s",
              "verbatim": true
            },
            {
              "type": "mrkdwn",
              "text": "*Was*\nanswered 503",
              "verbatim": true
            },
            {
              "type": "mrkdwn",
              "text": "*Affected*\napp",
              "verbatim": true
            },
            {
              "type": "mrkdwn",
              "text": "*Incident*\n#12",
              "verbatim": true
            },
            {
              "type": "mrkdwn",
              "text": "*Running*\nproduction, commit 4f2a9c01d3e5, dpl_8a1",
              "verbatim": true
            }
          ]
        },
        {
          "type": "section",
          "text": {
            "type": "mrkdwn",
            "text": "<https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c|Open incident> · <https://ops.wine.example/runbook.html#app_down|Runbook>",
            "verbatim": true
          }
        }
      ]
    }
    "#);
}

#[test]
fn an_email_says_that_the_app_is_down() {
    let letter = email::letter(&content("app_down", "firing", &down()));
    assert_snapshot!(letter.subject, @"[CRITICAL] https://wine.example/ is down");
    assert_snapshot!(letter.text, @r"
    Critical: https://wine.example/ is down

    Since: 2026-11-24 03:12 UTC, 2 min before this alert
    Found: answered 503
    Affects: everybody who opens this page
    Incident: #12
    Running: production, commit 4f2a9c01d3e5, dpl_8a1

    Open incident: https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c
    Runbook: https://ops.wine.example/runbook.html#app_down
    ");
    assert_snapshot!(letter.html.replace("><", ">\n<"), @r#"
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <meta name="color-scheme" content="light dark">
    <meta name="supported-color-schemes" content="light dark">
    <title>Pourtrait Ops</title>
    <style>:root{color-scheme:light dark;supported-color-schemes:light dark}@media (prefers-color-scheme:dark){.text{color:#efe9e2!important}.muted{color:#a9a198!important}.accent{color:#e58aa4!important}.up{color:#63c592!important}.degraded{color:#e3ab45!important}.down{color:#ff8d69!important}.noted{color:#82b3ec!important}.ground{background:#171412!important}.rule{border-color:#38312b!important}.act{background:#e58aa4!important;color:#1d1014!important}}</style>
    </head>
    <body class="ground text" style="margin:0;padding:24px 16px;background:#fdfbf8;color:#1d1a17;font-family:system-ui,-apple-system,'Segoe UI',sans-serif;font-size:16px;line-height:1.5">
    <div style="max-width:600px;margin:0 auto">
    <p class="down" style="margin:0;color:#b5330f;font-weight:600">■ Critical</p>
    <h2 class="text" style="margin:4px 0 12px;color:#1d1a17;font-size:20px;line-height:1.3">https://wine.example/ is down</h2>
    <p style="margin:24px 0 16px">
    <a class="act" href="https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c" style="display:inline-block;padding:14px 28px;border-radius:12px;background:#7b1e3a;color:#fffdfa;font-weight:600;text-decoration:none">Open incident</a>
    </p>
    <p class="muted" style="margin:0;color:#665e56">
    <a class="accent" href="https://ops.wine.example/runbook.html#app_down" style="color:#7b1e3a">Runbook</a>
    </p>
    <table role="presentation" style="margin:16px 0 0;border-collapse:collapse">
    <tr>
    <td class="muted" style="padding:3px 16px 3px 0;color:#665e56;vertical-align:top">Since</td>
    <td style="padding:3px 0">2026-11-24 03:12 UTC, 2 min before this alert</td>
    </tr>
    <tr>
    <td class="muted" style="padding:3px 16px 3px 0;color:#665e56;vertical-align:top">Found</td>
    <td style="padding:3px 0">answered 503</td>
    </tr>
    <tr>
    <td class="muted" style="padding:3px 16px 3px 0;color:#665e56;vertical-align:top">Affects</td>
    <td style="padding:3px 0">everybody who opens this page</td>
    </tr>
    <tr>
    <td class="muted" style="padding:3px 16px 3px 0;color:#665e56;vertical-align:top">Incident</td>
    <td style="padding:3px 0">#12</td>
    </tr>
    <tr>
    <td class="muted" style="padding:3px 16px 3px 0;color:#665e56;vertical-align:top">Running</td>
    <td style="padding:3px 0">production, commit 4f2a9c01d3e5, dpl_8a1</td>
    </tr>
    </table>
    </div>
    </body>
    </html>
    "#);
    assert_snapshot!(format!("{:?}", letter.tags), @r#"[("rule", "app_down"), ("severity", "critical"), ("kind", "firing")]"#);
}

fn digest() -> Content {
    let base = base();
    let places = Places {
        base: Some(&base),
        runbook: None,
    };
    let slow = json!({
        "subject": "GET /api/wines", "severity": "low", "value": 3120.5, "threshold": 2000,
        "unit": "ms", "samples": 48,
    });
    let renewed = json!({
        "subject": "wine.example", "severity": "low", "value": 89, "threshold": 30, "unit": "d",
    });
    Content::Digest(Digest::new(
        &[
            facts("endpoint_slow", "firing", &slow),
            facts("certificate_expiring", "resolved", &renewed),
        ],
        places,
    ))
}

#[test]
fn a_digest_is_one_message_on_each_channel() {
    let payload = slack::payload(&digest());
    let sections: Vec<&str> = payload["blocks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|block| block["text"]["text"].as_str())
        .collect();
    assert_snapshot!(sections.join("\n--\n"), @r"
    *Daily digest: 1 alert, 1 resolved*
    --
    *🔵 Low: GET /api/wines is slow*
    Since: 2026-11-24 03:12 UTC, 2 min before this alert · Found: 95th percentile 3.12 s, threshold 2 s, 48 measurements · <https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c|Open incident>
    --
    *✅ Resolved: The certificate of wine.example is valid for another 89 days*
    Since: 2026-11-24 03:12 UTC · Now: 89 days left, threshold 30 days · <https://ops.wine.example/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c|Open incident>
    --
    <https://ops.wine.example/dashboard|Dashboard>
    ");
    let letter = email::letter(&digest());
    assert_snapshot!(format!("{}\n--\n{}", letter.subject, letter.text), @r"
    Daily digest: 1 alert, 1 resolved
    --
    Daily digest: 1 alert, 1 resolved

    Low: GET /api/wines is slow

    Since: 2026-11-24 03:12 UTC, 2 min before this alert
    Found: 95th percentile 3.12 s, threshold 2 s, 48 measurements
    Affects: users of this endpoint
    Incident: #12
    Running: production, commit 4f2a9c01d3e5, dpl_8a1

    Resolved: The certificate of wine.example is valid for another 89 days

    Since: 2026-11-24 03:12 UTC
    Resolved: 2026-11-24 03:16 UTC, after 4 min 11 s
    Now: 89 days left, threshold 30 days
    Affected: app
    Incident: #12
    Running: production, commit 4f2a9c01d3e5, dpl_8a1


    Dashboard: https://ops.wine.example/dashboard
    ");
}

#[test]
fn a_runbook_elsewhere_is_linked_instead_and_without_a_base_there_is_none() {
    let links = |places: Places<'_>| {
        let message = Message::new(&facts("app_down", "firing", &down()), places);
        let links = message.links.into_iter().map(|link| link.url);
        links.collect::<Vec<_>>().join(" ")
    };
    let elsewhere: Url = "https://wiki.example/ops".parse().unwrap();
    let below: Url = "https://wine.example/ops".parse().unwrap();
    let runbook = Some(&elsewhere);
    assert_eq!(links(Places::default()), "");
    assert_eq!(
        links(Places {
            base: None,
            runbook
        }),
        "https://wiki.example/ops#app_down"
    );
    assert_eq!(
        links(Places {
            base: Some(&below),
            runbook: None
        }),
        "https://wine.example/ops/dashboard#incident=0b0e7c1e-0000-4000-8000-00000000000c \
         https://wine.example/ops/runbook.html#app_down"
    );
}
