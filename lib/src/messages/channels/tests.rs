use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::{Value, json};
use url::Url;

use super::{discord, email, ntfy, slack, teams, telegram, webhook};
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
            "text": "<https://ops.wine.example/runbook.html#app_down|Runbook> · <https://ops.wine.example/api/monitoring/dashboard?timeRange=1h|Dashboard>",
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
            "text": "<https://ops.wine.example/runbook.html#app_down|Runbook> · <https://ops.wine.example/api/monitoring/dashboard?timeRange=1h|Dashboard>",
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

    Runbook: https://ops.wine.example/runbook.html#app_down
    Dashboard: https://ops.wine.example/api/monitoring/dashboard?timeRange=1h
    ");
    assert_snapshot!(letter.html.replace("><", ">\n<"), @r#"
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <title>Pourtrait Ops</title>
    </head>
    <body style="margin:0;padding:24px;background:#f6f4f2;font-family:system-ui,sans-serif;font-size:15px;line-height:1.45;color:#222">
    <div style="max-width:600px;margin:0 auto">
    <div style="background:#fff;border-left:4px solid #c62828;padding:16px;margin:0 0 12px">
    <p style="margin:0;font-size:13px">Critical</p>
    <h2 style="font-size:18px;margin:4px 0 12px">https://wine.example/ is down</h2>
    <table role="presentation" style="border-collapse:collapse">
    <tr>
    <td style="padding:2px 16px 2px 0;color:#666;vertical-align:top">Since</td>
    <td style="padding:2px 0">2026-11-24 03:12 UTC, 2 min before this alert</td>
    </tr>
    <tr>
    <td style="padding:2px 16px 2px 0;color:#666;vertical-align:top">Found</td>
    <td style="padding:2px 0">answered 503</td>
    </tr>
    <tr>
    <td style="padding:2px 16px 2px 0;color:#666;vertical-align:top">Affects</td>
    <td style="padding:2px 0">everybody who opens this page</td>
    </tr>
    <tr>
    <td style="padding:2px 16px 2px 0;color:#666;vertical-align:top">Incident</td>
    <td style="padding:2px 0">#12</td>
    </tr>
    <tr>
    <td style="padding:2px 16px 2px 0;color:#666;vertical-align:top">Running</td>
    <td style="padding:2px 0">production, commit 4f2a9c01d3e5, dpl_8a1</td>
    </tr>
    </table>
    </div>
    <p style="margin:16px 0 0">
    <a href="https://ops.wine.example/runbook.html#app_down" style="color:#7a1f3d">Runbook</a> &middot; <a href="https://ops.wine.example/api/monitoring/dashboard?timeRange=1h" style="color:#7a1f3d">Dashboard</a>
    </p>
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
    Since: 2026-11-24 03:12 UTC, 2 min before this alert · Found: 95th percentile 3.12 s, threshold 2 s, 48 measurements · <https://ops.wine.example/runbook.html#endpoint_slow|Runbook>
    --
    *✅ Resolved: The certificate of wine.example is valid for another 89 days*
    Since: 2026-11-24 03:12 UTC · Now: 89 days left, threshold 30 days · <https://ops.wine.example/runbook.html#certificate_expiring|Runbook>
    --
    <https://ops.wine.example/api/monitoring/dashboard?timeRange=1h|Dashboard>
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


    Dashboard: https://ops.wine.example/api/monitoring/dashboard?timeRange=1h
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
        "https://wine.example/ops/runbook.html#app_down \
         https://wine.example/ops/api/monitoring/dashboard?timeRange=1h"
    );
}
