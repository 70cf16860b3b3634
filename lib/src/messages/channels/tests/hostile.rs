//! Whatever a text says, it stays text, and fits.

use serde_json::{Value, json};
use url::Url;

use super::{discord, email, ntfy, push, slack, teams, telegram, webhook};
use crate::messages::{
    message::{Content, Digest, Message},
    message_facts::Facts,
    message_links::Places,
    rules::Rule,
};

fn short() -> Vec<String> {
    [
        "",
        " ",
        "<!channel> <!here> <@U012AB3CD> <#C1|general> <https://evil.example|Runbook>",
        "@channel @HERE @Everyone @here! ops@here.example",
        "*bold* _it_ ~no~ `code` ```block```\n>quote",
        "a\r\nBcc: victim@example\r\n\r\nbody",
        "\0\u{1}\u{7}\u{8}\u{1b}[31m\u{7f}\u{9b}\u{85}\u{2028}\u{2029}",
        "\u{202e}drawkcab\u{2066}\u{200f}\u{feff}\u{e0041}",
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "\" onmouseover=\"alert(1)' onfocus='x",
        "&amp; &#x3c; &lt;b&gt; ]]> --> {{7*7}} ${7*7} %s %n",
        "🍷👩‍👩‍👧‍👦🇫🇷e\u{301}",
        "https://wine.example/?a=1&b=<2>|3",
    ]
    .map(str::to_owned)
    .to_vec()
}

fn long() -> [String; 4] {
    [
        "é".repeat(12_000),
        "&".repeat(4_000),
        "🍷 ".repeat(2_000),
        "@channel\n".repeat(1_000),
    ]
}

/// Every text of the facts is the hostile one.
fn facts(rule: &str, kind: &str, text: &str) -> Facts {
    let mut data = serde_json::Map::new();
    for index in 0..20 {
        data.insert(format!("{index}{text}"), json!(text));
    }
    Facts::read(&json!({
        "rule": rule, "kind": kind, "severity": text, "subject": text, "reason": text, "service": text,
        "unit": text, "value": -1.0e300, "threshold": 1.0e-300, "samples": u64::MAX, "occurrences": u64::MAX,
        "since": "9999-12-30T22:00:00Z", "openedAt": "-009999-01-02T01:59:59Z", "resolvedAt": "0001-01-01T00:00:00Z",
        "affects": vec![text; 3], "environment": text, "deployment": text, "commit": text,
        "title": text, "message": text, "incident": u64::MAX,
        "detail": {"source": text, "statusCode": u64::MAX, "data": data,
                   "from": "9999-12-30T22:00:00Z", "to": "0001-01-01T00:00:00Z"},
    }))
}

/// No control but the line feed, and nothing that hides or turns text.
fn check_clean(text: &str, whose: &str) {
    let bad = text.chars().find(|letter| {
        (letter.is_control() && *letter != '\n')
            || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    });
    assert_eq!(bad, None, "{whose}");
}

fn check_slack(payload: &Value) {
    let blocks = payload["blocks"].as_array().unwrap();
    assert!((1..=50).contains(&blocks.len()), "{} blocks", blocks.len());
    check_mrkdwn(payload["text"].as_str().unwrap(), 3_000);
    for block in blocks {
        assert_eq!(block["type"], "section");
        let fields = block["fields"].as_array().into_iter().flatten();
        assert!(fields.clone().count() <= 10);
        let fields = fields.map(|field| (field, 2_000));
        let text = block.get("text").map(|text| (text, 3_000));
        for (text, limit) in fields.chain(text) {
            assert_eq!(text["type"], "mrkdwn");
            assert_eq!(text["verbatim"], true);
            check_mrkdwn(text["text"].as_str().unwrap(), limit);
        }
    }
}

fn check_mrkdwn(text: &str, limit: usize) {
    check_clean(text, "slack");
    let length = text.encode_utf16().count();
    assert!((1..=limit).contains(&length), "{length} characters");
    // The only marked-up things are our own links.
    for (at, _) in text.match_indices('<') {
        assert!(
            text[at..].starts_with("<https://ops.example/"),
            "{}",
            &text[at..]
        );
    }
    for (at, _) in text.match_indices('&') {
        let known = ["&amp;", "&lt;", "&gt;"];
        assert!(known.iter().any(|entity| text[at..].starts_with(entity)));
    }
    let lower = text.to_lowercase();
    for mention in ["@channel", "@here", "@everyone"] {
        assert!(!lower.contains(mention), "{mention}");
    }
    assert!(!text.contains('`') && !text.contains('~'));
}

fn check_discord(payload: &Value) {
    assert_eq!(payload["allowed_mentions"], json!({ "parse": [] }));
    check_markdown(payload["content"].as_str().unwrap(), 2_000);
    let embeds = payload["embeds"].as_array().unwrap();
    assert!(embeds.len() <= 1);
    for embed in embeds {
        let description = embed["description"].as_str().unwrap();
        check_clean(description, "discord");
        let mut total = description.encode_utf16().count();
        assert!(total <= 4_096, "{total} characters");
        // What follows the last empty line are our own links.
        check_markdown(description.rsplit_once("\n\n").unwrap_or_default().0, 4_096);
        let fields = embed["fields"].as_array().map_or(&[][..], Vec::as_slice);
        assert!(fields.len() <= 25);
        for field in fields {
            let [name, value] = ["name", "value"].map(|key| field[key].as_str().unwrap());
            check_markdown(value, 1_024);
            assert!(!name.is_empty() && !value.is_empty());
            total += name.len() + value.encode_utf16().count();
        }
        assert!(total <= 6_000, "{total} characters");
    }
}

fn check_markdown(text: &str, limit: usize) {
    check_clean(text, "discord");
    assert!(text.encode_utf16().count() <= limit);
    let mut letters = text.chars();
    let mut bare = String::new();
    while let Some(letter) = letters.next() {
        if letter == '\\' {
            letters.next();
        } else {
            bare.push(letter);
        }
    }
    for mark in ["*", "`", "<", "[", "]", "__", "~~", "||"] {
        assert!(!bare.contains(mark), "{mark} in {text}");
    }
}

fn check_email(letter: &email::Letter) {
    let subject = &letter.subject;
    check_clean(subject, "subject");
    assert!(!subject.contains('\n') && subject.encode_utf16().count() <= 200);
    check_clean(&letter.text, "text");
    check_clean(&letter.html, "html");
    // Whatever is a tag or an attribute is ours.
    let mut rest = letter.html.as_str();
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').unwrap();
        let tag = &rest[start + 1..end];
        let name = tag.trim_start_matches('/').split(' ').next().unwrap();
        let ours = [
            "!doctype", "html", "head", "meta", "title", "body", "div", "p", "h1", "h2", "br",
            "table", "tr", "td", "a", "style",
        ];
        assert!(ours.contains(&name), "<{tag}>");
        assert!(!tag.contains(" on"), "<{tag}>");
        rest = &rest[end..];
    }
    for (name, value) in &letter.tags {
        let is_ascii = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        assert!(
            !value.is_empty() && value.len() <= 256 && value.bytes().all(is_ascii),
            "{name}"
        );
    }
    assert!(letter.html.len() < 500_000, "{}", letter.html.len());
}

/// A phone shows what it gets: nothing in it formats, and only our links are followed.
fn check_ntfy(body: &Value) {
    assert!(body.to_string().len() <= 8_192 - 64, "{body}");
    let [title, text] = ["title", "message"].map(|key| body[key].as_str().unwrap());
    check_clean(title, "ntfy");
    check_clean(text, "ntfy");
    assert!(!title.contains('\n') && (1..=1_000).contains(&title.len()));
    assert!((1..=4_096).contains(&text.len()), "{} bytes", text.len());
    assert!(body["markdown"].is_null());
    let actions = body["actions"].as_array().map_or(&[][..], Vec::as_slice);
    assert!(actions.len() <= 3);
    for url in actions
        .iter()
        .map(|action| &action["url"])
        .chain(body.get("click"))
    {
        assert!(url.as_str().unwrap().starts_with("https://ops.example/"));
    }
}

/// A device shows what it gets, and opens only our pages.
fn check_push(body: &str) {
    assert!(body.len() <= crate::web_push::PLAIN_LIMIT, "{body}");
    let body: Value = serde_json::from_str(body).unwrap();
    let notification = &body["notification"];
    let [title, text, navigate] =
        ["title", "body", "navigate"].map(|key| notification[key].as_str().unwrap());
    check_clean(title, "push");
    check_clean(text, "push");
    assert!(!title.is_empty() && !title.contains('\n'));
    assert!(navigate.starts_with("https://ops.example/"), "{navigate}");
}

/// Both forms of what Telegram is told, the second of which is sent where the first is
/// not taken.
fn check_telegram(content: &Content) {
    let text = telegram::text_of(content, None);
    let [shown, plain] = [&text.laid_out, &text.plain].map(|form| form["text"].as_str().unwrap());
    assert!(text.plain["parse_mode"].is_null());
    let shown = check_html(shown);
    for text in [shown.as_str(), plain] {
        check_clean(text, "telegram");
        let length = text.encode_utf16().count();
        assert!((1..=4_096).contains(&length), "{length} characters");
        for (at, _) in text.match_indices('@') {
            let within = text[..at].chars().next_back();
            let calls = !within.is_some_and(char::is_alphanumeric);
            let harmless = text[at + 1..].starts_with(['\u{2060}', '…']);
            assert!(!calls || harmless, "{}", &text[at..]);
        }
    }
    let rows = text.laid_out["reply_markup"]["inline_keyboard"].as_array();
    for button in rows
        .into_iter()
        .flatten()
        .flat_map(|row| row.as_array().unwrap())
    {
        assert!(
            button["url"]
                .as_str()
                .unwrap()
                .starts_with("https://ops.example/")
        );
    }
}

/// What HTML shows in which nothing but bold is laid out.
fn check_html(html: &str) -> String {
    let bare = html.replace("<b>", "").replace("</b>", "");
    assert!(!bare.contains(['<', '>', '"']), "{bare}");
    for (at, _) in bare.match_indices('&') {
        let known = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
        assert!(known.iter().any(|entity| bare[at..].starts_with(entity)));
    }
    assert_eq!(html.matches("<b>").count(), html.matches("</b>").count());
    bare.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

fn check_teams(body: &Value) {
    let length = body.to_string().len();
    assert!(length <= 28 * 1_024, "{length} bytes");
    let card = &body["attachments"][0]["content"];
    // Without an entry of its own no mention is one.
    assert_eq!(card["msteams"], json!({ "width": "Full" }));
    let blocks = card["body"].as_array().unwrap();
    assert!(!blocks.is_empty());
    for block in blocks {
        for fact in block["facts"].as_array().into_iter().flatten() {
            check_markdown(fact["value"].as_str().unwrap(), 2_000);
        }
        if let Some(text) = block["text"].as_str() {
            assert!(!text.is_empty());
            // Entries of a digest begin with our own bold.
            let text = text
                .strip_prefix("**")
                .and_then(|rest| rest.split_once("**\n\n"));
            let [bold, text] = match text {
                Some((bold, rest)) => [bold, rest],
                None => ["", block["text"].as_str().unwrap()],
            };
            check_markdown(bold, 1_000);
            check_markdown(text, 8_000);
        }
    }
    let actions = card["actions"].as_array().map_or(&[][..], Vec::as_slice);
    assert!(actions.len() <= 6);
    for action in actions {
        assert!(
            action["url"]
                .as_str()
                .unwrap()
                .starts_with("https://ops.example/")
        );
    }
}

fn check(rule: &str, kind: &str, text: &str) {
    let base: Url = "https://ops.example".parse().unwrap();
    let places = Places {
        base: Some(&base),
        runbook: None,
    };
    let content = Content::Message(Message::new(&facts(rule, kind, text), places));
    check_slack(&slack::payload(&content));
    check_discord(&discord::payload(&content));
    check_email(&email::letter(&content));
    check_ntfy(&ntfy::body(&content));
    check_push(&push::body(&content));
    check_telegram(&content);
    check_teams(&teams::body(&content));
    let body = webhook::body(&content);
    check_clean(body["data"]["headline"].as_str().unwrap(), "webhook");
}

#[test]
fn no_text_escapes_its_place_on_any_channel() {
    for text in short() {
        let rules = Rule::ALL.map(Rule::as_str);
        for rule in rules.into_iter().chain(["cellar_warm", text.as_str()]) {
            for kind in ["firing", "resolved", "notice", text.as_str()] {
                check(rule, kind, &text);
            }
        }
    }
}

#[test]
fn no_text_is_too_long_for_any_channel() {
    for text in long() {
        for rule in ["app_down", "service_degraded", "external", text.as_str()] {
            check(rule, "firing", &text);
        }
    }
}

#[test]
fn a_digest_of_two_hundred_fits() {
    let base: Url = "https://ops.example".parse().unwrap();
    let places = Places {
        base: Some(&base),
        runbook: None,
    };
    for text in ["@channel <b>*", "plain"] {
        let items = vec![facts("endpoint_slow", "firing", text); 200];
        let content = Content::Digest(Digest::new(&items, places));
        check_slack(&slack::payload(&content));
        check_ntfy(&ntfy::body(&content));
        check_push(&push::body(&content));
        check_telegram(&content);
        check_teams(&teams::body(&content));
        let payload = slack::payload(&content);
        let blocks = payload["blocks"].as_array().unwrap();
        let more = blocks[blocks.len() - 2]["text"]["text"].as_str().unwrap();
        assert_eq!(more, "… and 155 more");
        let embed = &discord::payload(&content)["embeds"][0];
        let description = embed["description"].as_str().unwrap();
        assert!(description.encode_utf16().count() <= 4_096);
        assert!(description.contains("\n… and 1"), "{description}");
    }
}
