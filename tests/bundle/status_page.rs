//! `/api/status`: the public page in all of its forms, what it says while the database is
//! away, its copy outside, and who is told by email or on a device.

use std::{
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

use http::{Method, StatusCode};
use local_supabase::{
    capture::{Channel, Message},
    fault::{Fault, Mode, Service},
};
use ops::{endpoint::Endpoint, function::Function};
use serde_json::Value;

use crate::{
    answering::dispatch,
    backups::Folder,
    bucket::{Bucket, Watch},
    support::{Answer, Bundle, call, get},
};

const FORM: &str = "application/x-www-form-urlencoded";

/// What nobody must be able to make of the page, and none of it is ours.
const HOSTILE: &str =
    "We <script>alert(1)</script> found it ]]> & \u{202e}mend it.\u{8}\nSecond line.";

const PAGES: [&str; 21] = [
    "/status",
    "/api/status",
    "/status/status.json",
    "/status/feed.atom",
    "/status/feed.rss",
    "/status/feed.json",
    "/status/maintenance.ics",
    "/status/badge.svg",
    "/status/badge.json",
    "/status/components/app/feed.atom",
    "/status/components/app/feed.rss",
    "/status/components/app/badge.svg",
    "/status/components/app/maintenance.ics",
    "/api/v2/summary.json",
    "/api/v2/status.json",
    "/api/v2/components.json",
    "/api/v2/incidents.json",
    "/api/v2/incidents/unresolved.json",
    "/api/v2/scheduled-maintenances.json",
    "/api/v2/scheduled-maintenances/upcoming.json",
    "/api/v2/scheduled-maintenances/active.json",
];

/// A bundle whose app is down, and which somebody wrote about.
async fn broken() -> Bundle {
    let bundle = Bundle::start().await;
    let admin = bundle.admin().await;
    let arrange =
        "update ops.settings set value = '1', updated_by = 'test' where key = 'alert.bad_after'";
    admin.batch_execute(arrange).await.unwrap();
    bundle.fault(Service::App, Mode::Refuse).await;
    let app = bundle.instance(Endpoint::Monitor);
    let ticked = get(&app, "/api/cron/monitor")
        .bearer(bundle.secret("MONITORING_API_KEY"))
        .send()
        .await;
    assert_eq!(ticked.status, StatusCode::OK, "{:?}", ticked.bytes);
    bundle
}

/// Somebody writes for everybody, and announces work.
async fn write(bundle: &Bundle, words: &str) {
    let admin = bundle.admin().await;
    admin
        .execute(
            "select public.ops_update_incident(gen_random_uuid(), 1, 'identified', null, null, $1, 'zz-author')",
            &[&words],
        )
        .await
        .unwrap();
    let announce = "
        select public.ops_add_maintenance(
            '00000000-0000-4000-8000-000000000007',
            jsonb_build_object('reason', 'zz-reason', 'startsAt', now() + interval '1 day', 'endsAt', now() + interval '25 hours'),
            'zz-author'
        );";
    admin.batch_execute(announce).await.unwrap();
    admin
        .execute(
            "select public.ops_publish_maintenance('00000000-0000-4000-8000-000000000007', 'Moving', $1, 'zz-author')",
            &[&words],
        )
        .await
        .unwrap();
}

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.bytes).unwrap()
}

/// The page as a fresh instance answers it.
async fn page(bundle: &Bundle, path: &str) -> Answer {
    let app = bundle.instance(Endpoint::Status);
    get(&app, path).send().await
}

/// Hands a text to one of Python's own parsers, none of which is ours.
fn python(script: &str, input: &str) -> String {
    use std::io::Write;
    let mut process = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    process
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let ended = process.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{errors}\n{input}");
    String::from_utf8(ended.stdout).unwrap()
}

#[tokio::test]
async fn every_form_says_that_the_app_does_not_work_and_tells_nothing_of_ours() {
    let bundle = broken().await;
    write(&bundle, HOSTILE).await;
    let app = bundle.instance(Endpoint::Status);
    for path in PAGES {
        let answer = get(&app, path).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let shown = text(&answer);
        let url = bundle.secret("NEXT_PUBLIC_APP_URL").trim_end_matches('/');
        let kind = answer.header("content-type").unwrap();
        let is_plain = kind.contains("json") || kind.contains("calendar");
        let raw = if is_plain { "\\u0008" } else { "<script>alert" };
        for ours in [
            "zz-",
            "app_down",
            "127.0.0.1",
            "\u{202e}",
            "\u{8}",
            raw,
            url,
        ] {
            assert!(!shown.contains(ours), "{path}: {ours} in {shown}");
        }
        let head = call(&app, Method::HEAD, path).send().await;
        assert_eq!(
            (head.status, head.bytes.len()),
            (StatusCode::OK, 0),
            "{path}"
        );
        let tag = answer.header("etag").unwrap();
        let again = get(&app, path).header("if-none-match", tag).send().await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{path}");
        assert_eq!(again.bytes.len(), 0, "{path}");
        assert!(
            answer
                .header("cache-control")
                .unwrap()
                .starts_with("public, max-age="),
            "{path}"
        );
        assert_eq!(answer.header("set-cookie"), None);
        let is_page = answer.header("content-type") == Some("text/html; charset=utf-8");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            (!is_page).then_some("*"),
            "{path}"
        );
        if is_page {
            let policy = answer.header("content-security-policy").unwrap();
            assert!(
                policy.contains("; trusted-types sw; ") && !policy.contains("unsafe"),
                "{policy}"
            );
            let platform = include_str!("../../vercel.json");
            assert_eq!(
                platform.matches(policy).count(),
                2,
                "vercel.json sends another policy"
            );
        }
    }
    let shown = get(&app, "/status").send().await;
    assert!(
        text(&shown).contains("The app does not work."),
        "{}",
        text(&shown)
    );
    assert!(text(&shown).contains("Second line."));
    let summary = get(&app, "/api/v2/summary.json").send().await.json();
    assert_eq!(summary["status"]["indicator"], "critical");
    let incident = format!(
        "/status/incidents/{}",
        summary["incidents"][0]["id"].as_str().unwrap()
    );
    assert_eq!(get(&app, &incident).send().await.status, StatusCode::OK);
    for nowhere in [
        "/status/nothing",
        "/status/components/nothing/feed.atom",
        "/status/incidents/x",
        "/api/v2/x",
    ] {
        assert_eq!(
            get(&app, nowhere).send().await.status,
            StatusCode::NOT_FOUND,
            "{nowhere}"
        );
    }
    let asked = call(&app, Method::OPTIONS, "/api/v2/summary.json")
        .send()
        .await;
    assert_eq!(asked.status, StatusCode::NO_CONTENT);
    assert_eq!(
        asked.header("access-control-allow-methods"),
        Some("GET, HEAD")
    );
}

#[tokio::test]
async fn stock_parsers_read_the_feeds() {
    let bundle = broken().await;
    write(&bundle, HOSTILE).await;
    let atom = page(&bundle, "/status/feed.atom").await;
    let read = python(
        r"
import sys, html, datetime, xml.etree.ElementTree as tree
a = '{http://www.w3.org/2005/Atom}'
feed = tree.fromstring(sys.stdin.buffer.read())
assert feed.tag == a + 'feed'
ids = [entry.find(a + 'id').text for entry in feed.findall(a + 'entry')]
assert len(set(ids)) == len(ids) == 3, ids
assert feed.find(a + 'id').text.startswith('tag:ops.wine.example,2026:')
for entry in feed.findall(a + 'entry'):
    datetime.datetime.fromisoformat(entry.find(a + 'updated').text.replace('Z', '+00:00'))
    assert entry.find(a + 'link').get('href').startswith('https://ops.wine.example/status')
    print(entry.find(a + 'title').text, '|', html.unescape(entry.find(a + 'content').text))
",
        text(&atom),
    );
    assert!(read.contains("The app: not working: Identified | <p>We <script>alert(1)</script> found it ]]> & mend it.<br>Second line.</p>"), "{read}");
    assert!(
        read.contains(
            "The app: not working: Investigating | <p>Our own checks have found trouble since"
        ),
        "{read}"
    );
    let rss = page(&bundle, "/status/feed.rss").await;
    python(
        r"
import sys, email.utils, xml.etree.ElementTree as tree
channel = tree.fromstring(sys.stdin.buffer.read()).find('channel')
items = channel.findall('item')
assert len(items) == 3
for item in items:
    assert email.utils.parsedate_to_datetime(item.find('pubDate').text).year >= 2026
    assert item.find('guid').get('isPermaLink') == 'false'
",
        text(&rss),
    );
    let badge = page(&bundle, "/status/badge.svg").await;
    python(
        "import sys, xml.etree.ElementTree as tree; tree.fromstring(sys.stdin.buffer.read())",
        text(&badge),
    );
    let json = page(&bundle, "/status/feed.json").await.json();
    assert_eq!(json["version"], "https://jsonfeed.org/version/1.1");
    assert_eq!(json["items"].as_array().unwrap().len(), 3);
    let calendar = page(&bundle, "/status/maintenance.ics").await;
    assert_eq!(
        calendar.header("content-type"),
        Some("text/calendar; charset=utf-8")
    );
    assert!(text(&calendar).contains("\r\nSTATUS:CONFIRMED\r\n"));
}

#[tokio::test]
async fn while_the_database_is_away_the_page_answers_what_it_knew() {
    let bundle = broken().await;
    let app = bundle.instance(Endpoint::Status);
    let before = get(&app, "/status/status.json").send().await.json();
    for fault in [Fault::from(Mode::Refuse), Fault::from(Mode::Hang)] {
        bundle.fault(Service::Database, fault).await;
        let shown = get(&app, "/status").send().await;
        assert_eq!(shown.status, StatusCode::OK);
        assert!(text(&shown).contains("The app does not work."));
        let after = get(&app, "/status/status.json").send().await.json();
        assert_eq!(after["generatedAt"], before["generatedAt"], "with its age");
        // An instance that has never seen it says so, everywhere.
        let fresh = bundle.instance(Endpoint::Status);
        for path in [
            "/status",
            "/api/v2/summary.json",
            "/status/feed.atom",
            "/status/badge.svg",
        ] {
            let answer = get(&fresh, path).send().await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            assert!(!text(&answer).contains("verything works"), "{path}");
        }
        assert!(text(&get(&fresh, "/status").send().await).contains("not known right now"));
    }
}

#[tokio::test]
async fn the_copy_outside_is_whole_and_answers_for_an_instance_that_knows_nothing() {
    let mut bundle = broken().await;
    let folder = Folder::new();
    let url = url::Url::from_file_path(folder.path()).unwrap();
    bundle.env.insert("STATUS_URL".into(), url.to_string());
    dispatch(&bundle).await;
    let read = |path: &str| {
        std::fs::read_to_string(folder.path().join(path))
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    for path in PAGES
        .into_iter()
        .filter(|path| !path.contains("components/") && path.contains('.'))
    {
        assert!(!read(path.trim_start_matches('/')).is_empty(), "{path}");
    }
    let index = read("index.html");
    assert!(
        index.contains("The app does not work.")
            && index.contains("http-equiv=\"Content-Security-Policy\"")
    );
    assert!(index.contains("action=\"https://ops.wine.example/status/subscribe\""));
    for link in index.split("\"/assets/").skip(1) {
        read(&format!("assets/{}", link.split('"').next().unwrap()));
    }
    bundle.fault(Service::Database, Mode::Refuse).await;
    let shown = page(&bundle, "/status").await;
    assert!(
        text(&shown).contains("The app does not work."),
        "{}",
        text(&shown)
    );
}

/// Keeps what was asked of a bucket.
#[derive(Default)]
struct Asked(Mutex<Vec<String>>);

impl Watch for Asked {
    fn begins(&self, what: String) -> usize {
        let mut asked = self.0.lock().unwrap();
        asked.push(what);
        asked.len()
    }

    fn is_served(&self, _: usize) -> bool {
        true
    }

    fn is_answered(&self, _: usize) -> bool {
        true
    }
}

#[tokio::test]
async fn a_bucket_takes_the_copy_on_a_change_and_not_every_minute() {
    let mut bundle = broken().await;
    let asked = Arc::new(Asked::default());
    let bucket = Bucket::start(Arc::clone(&asked)).await;
    let variables = bucket.variables();
    let renamed = variables.map(|(name, value)| (name.replace("BACKUP_", "STATUS_"), value));
    bundle.env.extend(renamed);
    let written = || {
        let asked = std::mem::take(&mut *asked.0.lock().unwrap());
        asked.iter().filter(|what| what.starts_with("PUT ")).count()
    };
    dispatch(&bundle).await;
    let first = written();
    assert!(first >= 20, "{first} files");
    dispatch(&bundle).await;
    assert_eq!(written(), 0, "nothing has changed");
    write(&bundle, "We found it.").await;
    dispatch(&bundle).await;
    assert_eq!(written(), first, "the words are a change");
}

#[tokio::test]
async fn a_copy_that_cannot_be_written_breaks_nothing_and_is_told_once() {
    let mut bundle = broken().await;
    let folder = Folder::new();
    let place = folder.path().join("gone");
    let url = url::Url::from_file_path(&place).unwrap();
    bundle.env.insert("STATUS_URL".into(), url.to_string());
    let told = async || {
        let admin = bundle.admin().await;
        let rows = admin
            .query("select status from ops.alerts where facts ->> 'title' like 'The copy of the status page%'", &[])
            .await
            .unwrap();
        rows.iter()
            .map(|row| row.get::<_, String>(0))
            .collect::<Vec<_>>()
    };
    for _ in 0..3 {
        assert_eq!(dispatch(&bundle).await["outcome"], "done");
        assert_eq!(told().await, ["firing"]);
    }
    std::fs::create_dir(&place).unwrap();
    dispatch(&bundle).await;
    assert_eq!(told().await, ["resolved"]);
}

async fn send(app: &Function, path: &str, body: &str) -> Answer {
    call(app, Method::POST, path)
        .header("content-type", FORM)
        .body(body.to_owned())
        .send()
        .await
}

/// The mails to an address so far.
fn mails(bundle: &Bundle, to: &str) -> Vec<Message> {
    let messages = bundle.stack.inbox().messages().into_iter();
    messages
        .filter(|message| message.channel == Channel::Email && message.to == to)
        .collect()
}

/// The path of a link in a mail.
fn link(mail: &Message, place: &str) -> String {
    let start = format!("https://ops.wine.example/status/{place}?token=");
    let line = mail
        .text
        .split(&start)
        .nth(1)
        .unwrap_or_else(|| panic!("{}", mail.text));
    let token = line.split_whitespace().next().unwrap();
    format!("/status/{place}?token={token}")
}

/// What is kept of subscribers tells no address.
async fn assert_no_address(bundle: &Bundle) {
    let kept = bundle
        .admin()
        .await
        .query_one("select row_to_json(s)::text from ops.subscribers as s", &[])
        .await
        .unwrap();
    let kept: String = kept.get(0);
    assert!(!kept.to_lowercase().contains("anna"), "{kept}");
}

#[tokio::test]
async fn a_subscription_takes_two_presses_and_ends_with_one() {
    let bundle = broken().await;
    dispatch(&bundle).await;
    let app = bundle.instance(Endpoint::Status);
    let asked = send(
        &app,
        "/status/subscribe",
        "email=Anna%40wine.example&component=app",
    )
    .await;
    let other = send(&app, "/status/subscribe", "email=Anna%40wine.example").await;
    assert_eq!(
        (asked.status, &asked.bytes),
        (StatusCode::OK, &other.bytes),
        "known or not"
    );
    assert_eq!(asked.header("cache-control"), Some("no-store"));
    dispatch(&bundle).await;
    let [mail] = &mails(&bundle, "Anna@wine.example")[..] else {
        panic!("one confirmation");
    };
    let confirm = link(mail, "confirm");
    // Whoever looks at links for others presses no button.
    for _ in 0..2 {
        let shown = get(&app, &confirm).send().await;
        assert!(
            text(&shown).contains("<button type=\"submit\">"),
            "{}",
            text(&shown)
        );
    }
    let token = confirm.split_once('?').unwrap().1;
    assert_eq!(
        send(&app, "/status/confirm", token).await.status,
        StatusCode::OK
    );
    assert_eq!(
        send(&app, "/status/confirm", token).await.status,
        StatusCode::GONE
    );

    write(&bundle, HOSTILE).await;
    dispatch(&bundle).await;
    let mails = || mails(&bundle, "Anna@wine.example");
    assert_eq!(mails().len(), 3, "the words and the announced work");
    let told = &mails()[1..];
    let words = told
        .iter()
        .find(|mail| mail.text.contains("Identified"))
        .unwrap();
    assert!(
        words.text.contains("found it ]]> & mend it.\nSecond line."),
        "{}",
        words.text
    );
    let unsubscribe = link(words, "unsubscribe");
    let headers = &words.raw["headers"];
    assert_eq!(
        headers["List-Unsubscribe"],
        format!("<https://ops.wine.example{unsubscribe}>")
    );
    assert_eq!(
        headers["List-Unsubscribe-Post"],
        "List-Unsubscribe=One-Click"
    );
    assert_eq!(headers["Auto-Submitted"], "auto-generated");
    let thread = headers["References"].as_str().unwrap();
    assert!(
        thread.starts_with("<incident-") && thread.ends_with("@ops.wine.example>"),
        "{thread}"
    );
    assert_eq!(words.raw["to"], serde_json::json!(["Anna@wine.example"]));
    dispatch(&bundle).await;
    assert_eq!(mails().len(), 3, "nobody is told twice");

    assert_no_address(&bundle).await;

    let manage = link(words, "manage");
    let shown = get(&app, &manage).send().await;
    assert!(
        text(&shown).contains("value=\"app\" checked"),
        "{}",
        text(&shown)
    );
    let changed = send(&app, "/status/manage", manage.split_once('?').unwrap().1).await;
    assert!(!text(&changed).contains(" checked"), "all of them");

    assert!(text(&get(&app, &unsubscribe).send().await).contains("<button"));
    let ended = send(&app, &unsubscribe, "List-Unsubscribe=One-Click").await;
    assert_eq!(ended.status, StatusCode::OK);
    let row = bundle
        .admin()
        .await
        .query_one("select address, ended_because from ops.subscribers", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, Option<String>>(0), None);
    assert_eq!(row.get::<_, String>(1), "unsubscribed");
    let shown = get(&app, &manage).send().await;
    assert!(text(&shown).contains("has ended"));
}

#[tokio::test]
async fn an_address_that_is_refused_three_times_hears_no_more_and_others_do() {
    let bundle = broken().await;
    dispatch(&bundle).await;
    let app = bundle.instance(Endpoint::Status);
    // The mail's provider sends nothing to example.com.
    for address in ["anna%40example.com", "bo%40wine.example"] {
        send(&app, "/status/subscribe", &format!("email={address}")).await;
    }
    dispatch(&bundle).await;
    let admin = bundle.admin().await;
    let confirm = "update ops.subscribers set confirmed_at = now(), confirm_hash = null, confirm_until = null";
    admin.batch_execute(confirm).await.unwrap();
    for state in ["degraded", "partial_outage"] {
        let say = format!(
            "select public.ops_say_component('app', '{state}', 'so', now() + interval '1 hour', 'production', 'test')"
        );
        admin.batch_execute(&say).await.unwrap();
        dispatch(&bundle).await;
    }
    let rows = admin
        .query("select address is null, ended_because from ops.subscribers order by ended_at nulls last", &[])
        .await
        .unwrap();
    let rows: Vec<(bool, Option<String>)> =
        rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(rows, [(true, Some("refused".to_owned())), (false, None)]);
    assert_eq!(mails(&bundle, "anna@example.com").len(), 0);
    assert_eq!(
        mails(&bundle, "bo@wine.example").len(),
        3,
        "one to confirm, two of news"
    );
}

#[tokio::test]
async fn tokens_that_are_none_and_clients_that_ask_too_often_are_refused() {
    let bundle = Bundle::start().await;
    let app = bundle.instance(Endpoint::Status);
    for place in ["confirm", "manage", "unsubscribe"] {
        let path = format!("/status/{place}");
        assert_eq!(
            get(&app, &format!("{path}?token=AAAA")).send().await.status,
            StatusCode::UNAUTHORIZED
        );
        assert_eq!(
            send(&app, &path, "token=AAAA").await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    assert_eq!(
        send(&app, "/status/subscribe", "email=none").await.status,
        StatusCode::BAD_REQUEST
    );
    let json = call(&app, Method::POST, "/status/subscribe")
        .header("content-type", "application/json")
        .body("{}")
        .send()
        .await;
    assert_eq!(json.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    for number in 0..10 {
        // Each instance counts with the others.
        let app = bundle.instance(Endpoint::Status);
        let body = format!("email=a{number}%40wine.example");
        assert_eq!(
            send(&app, "/status/subscribe", &body).await.status,
            StatusCode::OK,
            "{number}"
        );
    }
    let limited = send(&app, "/status/subscribe", "email=b%40wine.example").await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    let other = call(&app, Method::POST, "/status/subscribe")
        .from("198.51.100.7")
        .header("content-type", FORM)
        .body("email=b%40wine.example")
        .send()
        .await;
    assert_eq!(other.status, StatusCode::OK, "another client");
}

#[tokio::test]
async fn without_a_sender_nobody_can_subscribe_and_the_page_offers_nothing() {
    let mut bundle = broken().await;
    bundle.env.remove("RESEND_FROM_EMAIL");
    let app = bundle.instance(Endpoint::Status);
    assert!(!text(&get(&app, "/status").send().await).contains("<form"));
    let refused = send(&app, "/status/subscribe", "email=a%40wine.example").await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_page_that_is_not_public_is_not_there() {
    let bundle = broken().await;
    let close =
        "update ops.settings set value = 'false', updated_by = 'test' where key = 'status.public'";
    bundle.admin().await.batch_execute(close).await.unwrap();
    let app = bundle.instance(Endpoint::Status);
    for path in PAGES {
        let answer = get(&app, path).send().await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        let problem: Value = answer.json();
        assert_eq!(problem["status"], 404);
    }
}
