//! What the database accepts as a check or a setting, the function that probes can
//! read and use: held against definitions that are made at random, most of them odd.
//!
//! `DEFINITIONS=10000 cargo test --test database readable_definitions` tries ten
//! thousand, and `SEED=` says which.

use http::{HeaderName, HeaderValue, Method, Uri};
use ops::monitoring::{
    probe_targets::{Probe, Request, Target, of_app, of_check},
    sample::Status,
};
use serde_json::{Map, Value, json};
use tokio_rustls::rustls::pki_types::ServerName;

use crate::{
    chance::{Dice, any_seed, wanted},
    support::{World, app, array},
};

/// How many definitions are tried unless the environment says otherwise.
const DEFINITIONS: u64 = 2000;

/// How many are tried in one call.
const BATCH: usize = 500;

/// One of these.
fn one<'a>(dice: &mut Dice, of: &[&'a str]) -> &'a str {
    of[usize::try_from(dice.roll(of.len() as u64)).unwrap()]
}

/// A word of letters that hosts, addresses and numbers are made of.
fn scrap(dice: &mut Dice) -> String {
    let signs: Vec<char> = "abcxyz0123459-_.:[]%@/?#\\ üß٣ノ*+,;=&'\"<>{}|^`~$()!\u{200b}"
        .chars()
        .collect();
    (0..=dice.roll(6))
        .map(|_| signs[usize::try_from(dice.roll(signs.len() as u64)).unwrap()])
        .collect()
}

fn label(dice: &mut Dice) -> String {
    let plain = [
        "app",
        "a",
        "a-b",
        "x1",
        "1x",
        "localhost",
        "example",
        "my_host",
        "EXAMPLE",
    ];
    let odd = [
        "-a",
        "a-",
        "",
        "123",
        "0x7f",
        "0x",
        "a--b",
        "xn--mnchen-3ya",
        "xn--strae-oqa",
        "xn--a",
        "xn--",
        "xn--zzzzzz",
        "xn--fiqs8s",
        "XN--MNCHEN-3YA",
        "xn--ls8h",
        "xn--mgbh0fb",
        "xn--99999999999999",
        "xn---a",
        "xn--abc-",
        "xn--hxajbheg2az3al",
        "xn--80akhbyknj4f",
        "xn--eckwd4c7cu47r2wf",
        "xn--3e0b707e",
        "münchen",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ];
    match dice.roll(8) {
        0..=3 => one(dice, &plain).to_owned(),
        4 | 5 => one(dice, &odd).to_owned(),
        // Mostly no letter of any script, and sometimes one of any.
        6 => format!("xn--{}", punycode(dice)),
        _ => scrap(dice),
    }
}

fn punycode(dice: &mut Dice) -> String {
    (0..=dice.roll(8))
        .map(|_| {
            char::from(
                b"abcdefghijklmnopqrstuvwxyz0123456789-"[usize::try_from(dice.roll(37)).unwrap()],
            )
        })
        .collect()
}

fn ipv6(dice: &mut Dice) -> String {
    let whole = [
        "::1",
        "::",
        "2001:db8::1",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8",
        "1::3:4:5:6:7:8",
        "::ffff:10.0.0.1",
        "1:2:3:4:5:6:1.2.3.4",
        "fe80::1%eth0",
        ":::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "12345::",
        "::1.2.3",
        "::1.2.3.4.5",
        "1.2.3.4::",
        "::01.2.3.4",
        "1::2::3",
        "::g",
        ":1::",
        "::1:",
    ];
    if dice.roll(2) == 0 {
        return one(dice, &whole).to_owned();
    }
    let parts = ["", "0", "1", "ab", "FFFF", "12345", "1.2.3.4", "256.1.1.1"];
    let parts: Vec<_> = (0..=dice.roll(9)).map(|_| one(dice, &parts)).collect();
    parts.join(":")
}

fn host(dice: &mut Dice) -> String {
    let addresses = [
        "10.99.99.355",
        "127.1",
        "127.0.0.1",
        "127.0.0.01",
        "127.999.1.1",
        "1.2.3.4",
        "0x7f.1",
        "256.1.1.1",
        "1.2.3.4.5",
        "2130706433",
        "1.2.3.4.",
        "010.1.1.1",
    ];
    match dice.roll(6) {
        0 => one(dice, &addresses).to_owned(),
        1 => ipv6(dice),
        2 => format!("{}.", label(dice)),
        _ => {
            let labels: Vec<_> = (0..=dice.roll(3)).map(|_| label(dice)).collect();
            labels.join(".")
        }
    }
}

/// A number in any of the forms that JSON knows.
fn number(dice: &mut Dice, usual: u64) -> String {
    let forms = [
        format!("{usual}"),
        format!("{usual}.0"),
        format!("{usual}e0"),
        format!("{usual}.00"),
        format!("{usual}.5"),
        format!("{usual}0e-1"),
        "2e2".into(),
        "1e3".into(),
        "0".into(),
        "-1".into(),
        "-0".into(),
        "-0.0".into(),
        "1e400".into(),
        "99999999999999999999".into(),
        "65536".into(),
        "60.0".into(),
        "1e-400".into(),
    ];
    forms[usize::try_from(dice.roll(forms.len() as u64)).unwrap()].clone()
}

fn port(dice: &mut Dice) -> String {
    let ports = [
        "",
        ":443",
        ":0",
        ":65535",
        ":65536",
        ":44433333",
        ":0443",
        ":",
        ":-1",
        ":8e1",
        ":80.0",
        ":x",
    ];
    one(dice, &ports).to_owned()
}

fn url(dice: &mut Dice) -> String {
    let scheme = match dice.roll(4) {
        0 => one(dice, &["http://", "HTTPS://", "ftp://", "https:/", ""]),
        _ => "https://",
    };
    let host = match dice.roll(4) {
        0 => format!("[{}]", ipv6(dice)),
        1 => "app.example".to_owned(),
        _ => host(dice),
    };
    let end = match dice.roll(6) {
        0 => String::new(),
        1 => format!("/{}?{}#{}", scrap(dice), scrap(dice), scrap(dice)),
        2 => scrap(dice),
        _ => "/".to_owned(),
    };
    let port = if dice.roll(2) == 0 {
        String::new()
    } else {
        port(dice)
    };
    format!("{scheme}{host}{port}{end}")
}

fn statuses(dice: &mut Dice) -> String {
    match dice.roll(3) {
        0 => number(dice, 200),
        1 => format!("[{}, {}]", number(dice, 204), number(dice, 200)),
        _ => one(dice, &["[]", "\"200\"", "null", "[[200]]", "{}", "true"]).to_owned(),
    }
}

fn text(dice: &mut Dice) -> String {
    let text = match dice.roll(3) {
        0 => "ok".to_owned(),
        1 => String::new(),
        _ => scrap(dice),
    };
    json!(text).to_string()
}

/// Some of these fields, each with its value.
fn some(dice: &mut Dice, fields: Vec<(&str, String)>, needed: usize) -> String {
    let fields: Vec<_> = fields
        .into_iter()
        .enumerate()
        .filter(|(place, _)| *place < needed || dice.roll(3) == 0)
        .map(|(_, (field, value))| format!(", {}: {value}", json!(field)))
        .collect();
    fields.concat()
}

/// A check as somebody may define it: mostly of the form that its kind has.
fn check(dice: &mut Dice) -> String {
    let kind = one(dice, &["http", "http", "http", "tls", "dns", "tcp"]);
    let header = format!("{{{}: {}}}", text(dice), text(dice));
    let framing = one(
        dice,
        &["Content-Length", "x-a", "Transfer-Encoding", "Host", "TE"],
    );
    let headers = match dice.roll(3) {
        0 => header,
        1 => format!("{{\"{framing}\": \"5\"}}"),
        _ => "{\"Authorization\": \"Bearer ${CHECK_A}\"}".to_owned(),
    };
    let path = one(
        dice,
        &[
            "$.a",
            "$",
            "$.a[0].b",
            "$[9999]",
            "$.a-b",
            "a",
            "$.",
            "$serde_json::private::Number",
        ],
    );
    let wanted = match dice.roll(3) {
        0 => number(dice, 7),
        1 => text(dice),
        _ => one(dice, &["null", "true", "[]", "{}", "1e15", "1e16"]).to_owned(),
    };
    let fields = match kind {
        "http" => vec![
            ("url", json!(url(dice)).to_string()),
            ("status", statuses(dice)),
            (
                "method",
                one(
                    dice,
                    &["\"GET\"", "\"HEAD\"", "\"get\"", "\"BREW\"", "null"],
                )
                .to_owned(),
            ),
            ("headers", headers),
            ("body", text(dice)),
            ("contains", text(dice)),
            ("json", format!("{{{}: {wanted}}}", json!(path))),
            ("redirects", number(dice, 2)),
        ],
        "dns" => {
            let address = if dice.roll(2) == 0 {
                ipv6(dice)
            } else {
                host(dice)
            };
            vec![
                ("host", json!(host(dice)).to_string()),
                ("address", json!(address).to_string()),
            ]
        }
        _ => vec![
            ("host", json!(host(dice)).to_string()),
            ("port", number(dice, 443)),
        ],
    };
    let common = vec![
        ("timeoutMs", number(dice, 1000)),
        ("everySeconds", number(dice, 300)),
        ("maxLatencyMs", number(dice, 800)),
    ];
    let needed = if kind == "tcp" { 2 } else { 1 };
    let kind = format!("{{\"kind\": \"{kind}\"");
    format!(
        "{kind}{}{}}}",
        some(dice, fields, needed),
        some(dice, common, 0)
    )
}

/// The setting `app.urls` as somebody may set it.
fn pages(dice: &mut Dice) -> String {
    let pages: Vec<_> = (0..=dice.roll(2))
        .map(|_| {
            let fields = vec![
                ("url", json!(url(dice)).to_string()),
                ("status", statuses(dice)),
                ("contains", text(dice)),
                (
                    "name",
                    one(dice, &["\"home\"", "\"Home\"", "\"a b\"", "7", "\"login\""]).to_owned(),
                ),
            ];
            let fields = some(dice, fields, 1);
            format!("{{{}}}", fields.trim_start_matches(", "))
        })
        .collect();
    format!("[{}]", pages.join(", "))
}

/// Whether nothing but the place itself can make a probe of it fail.
fn can_be_probed(target: &Target) -> bool {
    let named = |host: &str| ServerName::try_from(host.to_owned()).is_ok();
    match &target.probe {
        Probe::Http(http) => {
            let url = &http.request.url.url;
            let host = url.host_str().unwrap_or_default();
            let host = host.trim_start_matches('[').trim_end_matches(']');
            named(host) && Uri::try_from(url.as_str()).is_ok() && can_be_sent(&http.request)
        }
        Probe::Tls(tls) => named(&tls.host),
        Probe::Dns(dns) => named(&dns.host),
        Probe::Tcp(tcp) => named(&tcp.host) && tcp.port > 0,
    }
}

fn can_be_sent(request: &Request) -> bool {
    let method = request.method.as_deref().unwrap_or("GET");
    Method::from_bytes(method.as_bytes()).is_ok()
        && request.headers.iter().all(|(name, value)| {
            HeaderName::try_from(name).is_ok()
                && HeaderValue::try_from(value.as_str().unwrap_or_default()).is_ok()
        })
}

/// Adds each of these as a check, as an operator does, and returns what a claim says of
/// those that were accepted; nothing of them stays.
async fn accepted_checks(world: &World, checks: &[String]) -> Vec<Value> {
    world
        .execute(
            "create temporary table if not exists made (place bigint, definition text);
             create temporary table if not exists refused (state text, said text);
             truncate made, refused",
        )
        .await;
    let insert = "insert into made select * from unnest($1::bigint[], $2::text[])";
    let places: Vec<i64> = (0..).take(checks.len()).collect();
    world
        .admin
        .execute(insert, &[&places, &checks])
        .await
        .unwrap();
    world
        .execute(
            "do $$
             declare
                 v_made record;
             begin
                 for v_made in select * from made order by place loop
                     begin
                         perform public.ops_add_check('c' || v_made.place, v_made.definition::jsonb, 'anna');
                     exception when others then
                         insert into refused values (sqlstate, sqlerrm || ': ' || v_made.definition);
                     end;
                 end loop;
             end $$",
        )
        .await;
    let odd = world
        .rows("select * from refused where state <> '22023'")
        .await;
    assert_eq!(odd, json!([]), "a refusal that names no field");
    let claimed = world.value("ops.due_checks(now(), true)").await;
    world
        .execute("delete from ops.custom_checks where true")
        .await;
    array(&claimed).clone()
}

#[tokio::test]
async fn what_is_accepted_can_be_read_and_probed() {
    let seed = wanted("SEED").unwrap_or_else(any_seed);
    println!("definitions of SEED={seed}");
    let mut dice = Dice(seed);
    let world = World::migrated().await;
    let mut accepted = 0;
    let checks: Vec<_> = (0..wanted("DEFINITIONS").unwrap_or(DEFINITIONS))
        .map(|_| check(&mut dice))
        .collect();
    for checks in checks.chunks(BATCH) {
        for check in accepted_checks(&world, checks).await {
            let target = of_check(&check).unwrap_or_else(|error| panic!("{error:?}: {check}"));
            assert!(can_be_probed(&target), "{check}");
            accepted += 1;
        }
    }
    assert!(
        accepted * 40 > checks.len(),
        "only {accepted} of {} say anything",
        checks.len()
    );
}

#[tokio::test]
async fn every_page_that_is_accepted_can_be_probed() {
    let seed = wanted("SEED").unwrap_or_else(any_seed);
    println!("settings of SEED={seed}");
    let mut dice = Dice(seed);
    let world = World::migrated().await;
    let mut accepted = 0;
    for _ in 0..wanted("DEFINITIONS").unwrap_or(DEFINITIONS) / 4 {
        let pages = pages(&mut dice);
        let set = format!("public.ops_set_setting('app.urls', $json${pages}$json$, 'anna')");
        let sql = format!("select {set}::text");
        let Err(error) = world.admin.query_one(&sql, &[]).await else {
            accepted += 1;
            let settings = world.value("ops.read_settings()").await;
            for page in of_app(settings.as_object().unwrap(), None) {
                let page = page.unwrap_or_else(|error| panic!("{error:?}: {pages}"));
                assert!(can_be_probed(&page), "{pages}");
                assert!(page.name.len() <= 1100, "{pages}");
            }
            continue;
        };
        let error = error.as_db_error().unwrap();
        assert_eq!(error.code().code(), "22023", "{pages}: {error}");
    }
    assert!(accepted > 10, "only {accepted} say anything");
}

/// What must go on being accepted, beside all that must not.
#[tokio::test]
async fn places_that_are_real_are_accepted() {
    let world = World::migrated().await;
    let checks = [
        json!({"kind": "http", "url": "https://app.example.com/a%20b?c=d&e=[f]#g"}),
        json!({"kind": "http", "url": "https://xn--mnchen-3ya.example:8443"}),
        json!({"kind": "http", "url": "https://[2001:db8::1]:443/"}),
        json!({"kind": "http", "url": "http://127.0.0.1:8080/"}),
        json!({"kind": "http", "url": "http://LOCALHOST?x"}),
        json!({"kind": "http", "url": "https://xn--80akhbyknj4f.xn--fiqs8s/", "redirects": 2.0}),
        json!({"kind": "tls", "host": "my_host.example"}),
        json!({"kind": "dns", "host": "xn--strae-oqa.example", "address": "::ffff:10.0.0.1"}),
        json!({"kind": "dns", "host": "1.2.3.4", "address": "255.255.255.255"}),
        json!({"kind": "tcp", "host": "localhost", "port": 80.0, "timeoutMs": 1e3}),
    ];
    let texts: Vec<_> = checks.iter().map(Value::to_string).collect();
    let accepted = accepted_checks(&world, &texts).await;
    assert_eq!(accepted.len(), checks.len(), "{accepted:?}");
    assert_eq!(accepted[9]["timeoutMs"], 1000);
    assert_eq!(accepted[9]["port"], 80);
    assert!(
        accepted
            .iter()
            .all(|check| can_be_probed(&of_check(check).unwrap()))
    );
}

/// Numbers that are whole in another form are as good as those that are.
#[tokio::test]
async fn a_tick_lives_with_every_number_that_a_setting_accepts() {
    let seed = wanted("SEED").unwrap_or_else(any_seed);
    println!("numbers of SEED={seed}");
    let mut dice = Dice(seed);
    let world = World::migrated().await;
    let settings = world
        .rows("select key, value from ops.settings where kind in ('integer', 'number')")
        .await;
    for setting in array(&settings) {
        let value = setting["value"].to_string();
        let forms = [
            format!("{value}e0"),
            format!("{value}0e-1"),
            number(&mut dice, 60),
        ];
        for form in forms {
            let form = if form.starts_with("0.") || form.starts_with("00") {
                value.clone()
            } else {
                form
            };
            let key = setting["key"].as_str().unwrap();
            let sql = format!("select public.ops_set_setting('{key}', '{form}', 'anna')::text");
            if let Err(error) = world.admin.query_one(&sql, &[]).await {
                let error = error.as_db_error().unwrap();
                assert_eq!(error.code().code(), "22023", "{key} = {form}: {error}");
            }
        }
    }
    world.tick("12:00:05", &[app("up")]).await;
    world.dashboard(3600, "12:00:06").await;
}

#[tokio::test]
async fn a_tick_lives_with_a_fraction_in_every_setting_that_takes_one() {
    let world = World::migrated().await;
    world
        .execute(
            "select public.ops_set_setting(key, to_jsonb(minimum + (maximum - minimum) / 7), 'anna')
             from ops.settings where kind = 'number'",
        )
        .await;
    for now in ["12:00:05", "12:05:05"] {
        world.tick(now, &[app("up")]).await;
    }
    world.dashboard(3600, "12:05:06").await;
}

/// What an older release accepted, or SQL behind a trigger's back, is down under its
/// own name and opens its alert; of the application nothing is known through it.
#[tokio::test]
async fn a_definition_that_cannot_be_used_is_an_alert_about_itself() {
    let settings: Map<String, Value> = [(
        "app.urls".to_owned(),
        json!([{"url": "https://app.example/"}, {"url": "https://shop.example:44433333/"}]),
    )]
    .into_iter()
    .collect();
    let world = World::migrated().await;
    let unusable = of_app(&settings, None)[1].as_ref().unwrap_err().sample();
    assert_eq!(unusable.status, Status::Down);
    let mut seen = Vec::new();
    for now in ["12:00:05", "12:01:05", "12:02:05"] {
        let tick = world.tick(now, &[app("up"), json!(unusable)]).await;
        seen.extend(crate::support::transitions(&tick));
    }
    assert_eq!(seen, ["opened app_down https://shop.example:44433333/"]);
    let health = world.dashboard(3600, "12:02:06").await["systemHealth"].clone();
    let of_app = ["status", "reason", "check"].map(|key| &health["services"]["app"][key]);
    let page = "app:https://shop.example:44433333/";
    assert_eq!(of_app, ["unknown", "definition", page]);
    let health = world.value("(select max(status) from public.system_health)");
    assert_eq!(health.await, "degraded");
    let cause = world.value("(select services #>> '{0,status}' from ops.incidents)");
    assert_eq!(cause.await, "unknown");
    // A page that was looked at and is down is what counts.
    world
        .tick("12:03:05", &[app("down"), json!(unusable)])
        .await;
    let health = world.dashboard(3600, "12:03:06").await["systemHealth"].clone();
    assert_eq!(health["services"]["app"]["status"], "unhealthy");
    assert_eq!(
        health["services"]["app"]["check"],
        "app:https://app.example/"
    );
}

#[tokio::test]
async fn no_page_at_all_is_a_critical_alert() {
    let world = World::migrated().await;
    let mut seen = Vec::new();
    for (now, pages) in [
        ("12:00:05", json!(0)),
        ("12:01:05", json!(0)),
        // As a release before this one ticks.
        ("12:02:05", Value::Null),
    ] {
        let tick = world.tick_with(now, &[], json!({"pages": pages})).await;
        seen.extend(crate::support::transitions(&tick));
    }
    assert!(seen.is_empty(), "{seen:?}");
    for now in ["12:03:05", "12:04:05", "12:05:05"] {
        let tick = world.tick_with(now, &[], json!({"pages": 0})).await;
        seen.extend(crate::support::transitions(&tick));
    }
    let alert = world.rows("select rule, severity from ops.alerts").await;
    assert_eq!(
        alert,
        json!([{"rule": "pages_unwatched", "severity": "critical"}])
    );
    for now in ["12:06:05", "12:07:05"] {
        let tick = world
            .tick_with(now, &[app("up")], json!({"pages": 1}))
            .await;
        seen.extend(crate::support::transitions(&tick));
    }
    assert_eq!(
        seen,
        ["opened pages_unwatched app", "resolved pages_unwatched app"]
    );
}
