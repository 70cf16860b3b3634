//! The page itself: whole without script, so that it can be read wherever it is kept.

use std::fmt::Write;

use jiff::Timestamp;
use url::Url;

use super::{
    assets,
    document::{
        Component, Document, Incident, Maintenance, Progress, State, Trust, Update, UpdateKind,
        WorkState,
    },
    place::Format,
    strip, words,
};
use crate::messages::{
    plain_text,
    quantities::{self, duration},
};

/// How old a page may be before it says that it knows nothing, in seconds.
pub(super) const FRESH_S: i64 = 180;

/// The same of a copy that is made every five minutes.
pub(super) const FRESH_COPY_S: i64 = 420;

/// How long a text may be in HTML, with what escaping adds to it.
const LIMIT: usize = 40_000;

/// How many past incidents the page tells in full.
const PAST: usize = 15;

/// What a page is made of, beside its document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting<'a> {
    /// Where the page lies that takes subscriptions; `None` for links within it.
    pub(super) base: Option<&'a Url>,
    /// The page under another name, which outlives this one.
    pub(super) second: Option<&'a Url>,
    /// Whether somebody can subscribe by email.
    pub(super) takes_subscribers: bool,
    /// To which key a browser subscribes, where devices can be told.
    pub(super) push_key: Option<&'a str>,
    /// How old it may become before it says that it knows nothing, in seconds.
    pub(super) fresh_s: i64,
    /// The time at which it is made.
    pub(super) now: Timestamp,
}

impl Setting<'_> {
    /// An address of the page, whole where it is kept elsewhere.
    fn link(&self, path: &str) -> String {
        let base = self
            .base
            .map_or("", |base| base.as_str().trim_end_matches('/'));
        html(&format!("{base}{path}"))
    }

    fn is_stale(&self, document: &Document) -> bool {
        self.now.duration_since(document.generated_at).as_secs() > self.fresh_s
    }
}

/// A text in HTML.
pub(super) fn html(text: &str) -> String {
    plain_text::html(text, LIMIT)
}

/// A line that somebody wrote, in HTML.
fn line(text: &str) -> String {
    html(&plain_text::line(text))
}

/// A text with its lines, in HTML.
fn paragraphs(text: &str) -> String {
    html(text).replace('\n', "<br>")
}

/// A time that a script may show as the reader's clock has it.
fn moment(at: Timestamp) -> String {
    format!("<time datetime=\"{at}\">{}</time>", quantities::time(at))
}

/// A whole HTML document.
pub(super) fn frame(title: &str, head: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"description\" content=\"What works right now, what is planned, and what happened.\">\n<title>{}</title>\n\
         <link rel=\"stylesheet\" href=\"{}\">\n<link rel=\"icon\" href=\"data:,\">\n{head}</head>\n<body>\n{body}</body>\n</html>\n",
        html(title),
        assets::STYLE,
    )
}

/// The page of everything.
pub(super) fn whole(document: &Document, setting: &Setting<'_>) -> String {
    let name = words::page_name(&document.name);
    let stale = setting.is_stale(document);
    let headline = if stale {
        "How things are is not known right now.".to_owned()
    } else {
        words::headline(document)
    };
    let mut main = format!(
        "<section class=\"now\"><h1>{}<span>{}</span></h1>\n<p class=\"asof\">As of {}.{}</p>\n<p class=\"stale\" role=\"status\"{}>What stands below was so, and \
         whether it still is, nobody here knows.</p></section>\n",
        mark(if stale {
            State::Unknown
        } else {
            document.state
        }),
        html(&headline),
        moment(document.generated_at),
        document
            .last_look_at
            .map(|at| format!(" Our last look was at {}.", moment(at)))
            .unwrap_or_default(),
        if stale { "" } else { " hidden" },
    );
    open_incidents(&mut main, document, setting);
    maintenances(&mut main, document);
    components(&mut main, document);
    past_incidents(&mut main, document, setting);
    trust(&mut main, &document.trust);
    let body = format!(
        "<header><p>{}</p></header>\n<main id=\"status\" data-generated-at=\"{}\" data-fresh=\"{}\">\n{main}</main>\n{}{HATCH}",
        line(&name),
        document.generated_at,
        setting.fresh_s,
        footer(document, setting),
    );
    frame(&format!("{headline} – {name}"), &head(setting), &body)
}

/// The pattern of what is not known, once a page.
const HATCH: &str = "<svg width=\"0\" height=\"0\" aria-hidden=\"true\" class=\"defs\"><defs><pattern id=\"hatch\" width=\"4\" \
     height=\"4\" patternUnits=\"userSpaceOnUse\"><path d=\"M-1 1l2 -2M0 4l4 -4M3 5l2 -2\" class=\"line\"/></pattern></defs></svg>\n";

/// What starts the page's script.
pub(super) fn script() -> String {
    format!(
        "<script type=\"module\" src=\"{}\"></script>\n",
        assets::SCRIPT
    )
}

/// What readers and scripts find in the head.
fn head(setting: &Setting<'_>) -> String {
    let mut head = script();
    for (format, kind, title) in [
        (Format::Atom, "application/atom+xml", "Atom"),
        (Format::Rss, "application/rss+xml", "RSS"),
        (Format::Json, "application/feed+json", "JSON Feed"),
        (Format::Calendar, "text/calendar", "Maintenance"),
    ] {
        let _ = writeln!(
            head,
            "<link rel=\"alternate\" type=\"{kind}\" title=\"{title}\" href=\"{}\">",
            setting.link(&format.path(None))
        );
    }
    head
}

/// A state as a shape: it is never told by its colour alone.
fn mark(state: State) -> String {
    let shape = match state {
        State::Operational => "<circle class=\"ink\" cx=\"8\" cy=\"8\" r=\"6\"/>",
        State::Degraded => {
            "<circle class=\"ring\" cx=\"8\" cy=\"8\" r=\"5.5\"/><path class=\"ink\" d=\"M8 2.5a5.5 5.5 0 0 1 0 11z\"/>"
        }
        State::PartialOutage => {
            "<path class=\"ring\" d=\"M3 3h10v10h-10z\"/><path class=\"ink\" d=\"M3 13v-10l10 10z\"/>"
        }
        State::MajorOutage => "<path class=\"ink\" d=\"M2 2h12v12h-12z\"/>",
        State::Maintenance => "<path class=\"ink\" d=\"M2 3h12l-6 10z\"/>",
        State::Unknown => {
            "<circle class=\"ring\" cx=\"8\" cy=\"8\" r=\"5.5\"/><path class=\"cut\" d=\"M5 11l6 -6M4.5 7.5l3 -3M8.5 11.5l3 -3\"/>"
        }
    };
    format!(
        "<svg class=\"mark {}\" viewBox=\"0 0 16 16\" width=\"16\" height=\"16\" aria-hidden=\"true\" focusable=\"false\">{shape}</svg>",
        state.as_str()
    )
}

fn open_incidents(main: &mut String, document: &Document, setting: &Setting<'_>) {
    let open = document
        .incidents
        .iter()
        .filter(|incident| incident.status != Progress::Resolved);
    for incident in open {
        let _ = write!(
            main,
            "<section class=\"incident\" id=\"incident-{}\"><h2><a href=\"{}\">{}</a></h2>\n{}</section>\n",
            html(&incident.id),
            setting.link(&format!("/status/incidents/{}", incident.id)),
            html(&words::standing_title(incident, document)),
            story(incident, document),
        );
    }
}

/// What is told of an incident, the newest first.
fn story(incident: &Incident, document: &Document) -> String {
    let mut text = String::new();
    let names: Vec<String> = document
        .names(&incident.components)
        .into_iter()
        .map(line)
        .collect();
    if !names.is_empty() {
        let _ = writeln!(text, "<p class=\"about\">About {}</p>", names.join(", "));
    }
    if let Some(meanwhile) = words::meanwhile(incident, document.last_look_at) {
        let _ = writeln!(text, "<p class=\"meanwhile\">{}</p>", html(&meanwhile));
    }
    text.push_str("<ol class=\"updates\">\n");
    for update in incident.updates.iter().rev() {
        let _ = writeln!(
            text,
            "<li id=\"{}\"><p class=\"when\"><strong>{}</strong> {}</p><p dir=\"auto\">{}</p></li>",
            html(&update.id),
            words::progress(update.status),
            moment(update.at),
            paragraphs(&words::update(update, incident)),
        );
    }
    text + "</ol>\n"
}

fn maintenances(main: &mut String, document: &Document) {
    let shown: Vec<&Maintenance> = document
        .maintenances
        .iter()
        .filter(|work| matches!(work.state, WorkState::Planned | WorkState::Active))
        .collect();
    if shown.is_empty() {
        return;
    }
    main.push_str("<section><h2>Maintenance</h2>\n");
    for work in shown {
        let names: Vec<String> = document
            .names(&work.components)
            .into_iter()
            .map(line)
            .collect();
        let _ = write!(
            main,
            "<article id=\"maintenance-{}\"><h3>{}</h3>\n<p class=\"when\"><strong>{}</strong> {} to {}</p>\n\
             <p dir=\"auto\">{}</p>\n{}</article>\n",
            html(&work.id),
            html(&words::maintenance_title(work)),
            words::work_state(work.state),
            moment(work.from),
            moment(work.to),
            paragraphs(&words::text(&work.words)),
            if names.is_empty() {
                String::new()
            } else {
                format!("<p class=\"about\">About {}</p>\n", names.join(", "))
            },
        );
    }
    main.push_str("</section>\n");
}

fn components(main: &mut String, document: &Document) {
    main.push_str("<section><h2>What works</h2>\n");
    if document.components.is_empty() {
        main.push_str("<p>Nothing is shown here yet.</p>\n");
    }
    let mut group = None;
    let mut is_open = false;
    for component in &document.components {
        let own = component.group.as_deref();
        if own != group || !is_open {
            if is_open {
                main.push_str("</ul>\n");
            }
            if let Some(name) = own {
                let _ = writeln!(main, "<h3 class=\"group\">{}</h3>", line(name));
            }
            main.push_str("<ul class=\"components\">\n");
            (group, is_open) = (own, true);
        }
        main.push_str(&shown(component));
    }
    if is_open {
        main.push_str("</ul>\n");
    }
    main.push_str("</section>\n");
}

fn shown(component: &Component) -> String {
    let mut text = format!(
        "<li id=\"component-{}\" class=\"{}\"><div class=\"line\"><h3 dir=\"auto\">{}</h3><p class=\"state\">{}{}</p></div>\n",
        html(&component.id),
        component.state.as_str(),
        line(&component.name),
        mark(component.state),
        words::state(component.state),
    );
    if let Some(description) = &component.description {
        let _ = writeln!(
            text,
            "<p class=\"about\" dir=\"auto\">{}</p>",
            line(description)
        );
    }
    if let Some(since) = component.since {
        let _ = writeln!(text, "<p class=\"about\">Since {}</p>", moment(since));
    }
    if component.by_hand {
        let note = component
            .note
            .as_deref()
            .map(|note| format!(": {}", line(note)));
        let _ = writeln!(
            text,
            "<p class=\"byhand\" dir=\"auto\">Set by hand{}. Our checks say: {}.</p>",
            note.unwrap_or_default().trim_end_matches('.'),
            words::state(component.measured).to_lowercase(),
        );
    }
    let sentence = strip::sentence(&component.days);
    let days = strip::day_sentences(&component.days);
    let _ = write!(
        text,
        "<div class=\"strip\" role=\"img\" aria-label=\"{}: {}\" data-days=\"{}\">{}</div>\n\
         <p class=\"scale\" aria-hidden=\"true\"><span>90 days ago</span><span>today</span></p>\n\
         <p class=\"sum\">{}</p></li>\n",
        line(&component.name),
        html(&sentence),
        html(&days.join("|")),
        strip::picture(&component.days),
        html(&sentence),
    );
    text
}

fn past_incidents(main: &mut String, document: &Document, setting: &Setting<'_>) {
    let past: Vec<&Incident> = document
        .incidents
        .iter()
        .filter(|incident| incident.status == Progress::Resolved)
        .collect();
    main.push_str("<section><h2>Past incidents</h2>\n");
    if past.is_empty() {
        main.push_str("<p class=\"quiet\">None in the last 90 days.</p>\n");
    }
    for (nth, incident) in past.iter().enumerate() {
        let lasted = incident.resolved_at.map(|end| {
            let seconds = end.duration_since(incident.started_at).as_secs();
            format!(
                ", lasted {}",
                duration(u64::try_from(seconds).unwrap_or_default())
            )
        });
        let _ = write!(
            main,
            "<article id=\"incident-{}\"><h3><a href=\"{}\" dir=\"auto\">{}</a></h3>\n<p class=\"when\">{}{}</p>\n",
            html(&incident.id),
            setting.link(&format!("/status/incidents/{}", incident.id)),
            html(&words::standing_title(incident, document)),
            moment(incident.started_at),
            lasted.unwrap_or_default(),
        );
        if nth < PAST
            && let Some(update) = newest_words(incident)
        {
            let _ = writeln!(
                main,
                "<p dir=\"auto\">{}</p>",
                paragraphs(&words::update(update, incident))
            );
        }
        main.push_str("</article>\n");
    }
    main.push_str("</section>\n");
}

/// What somebody wrote last, else what is known by itself.
fn newest_words(incident: &Incident) -> Option<&Update> {
    let written = incident.updates.iter().rev();
    written
        .clone()
        .find(|update| update.kind == UpdateKind::Words)
        .or_else(|| written.clone().next())
}

fn trust(main: &mut String, trust: &Trust) {
    let mut sentences = Vec::new();
    if let Some(at) = trust.last_backup_at {
        let age = trust.age_seconds.and_then(length);
        let age = age.map_or_else(String::new, |age| {
            format!(", {age} before this page was made")
        });
        sentences.push(format!(
            "The last backup of the data was taken at {}{age}.",
            moment(at)
        ));
    }
    sentences.extend(places(trust));
    if let Some(at) = trust.last_restore_at {
        let took = trust.last_restore_seconds.and_then(length);
        let took = took.map(|took| format!(", which took {took}"));
        sentences.push(format!(
            "One was last restored for a test, and compared, at {}{}.",
            moment(at),
            took.unwrap_or_default()
        ));
    }
    if !sentences.is_empty() {
        let _ = writeln!(
            main,
            "<section class=\"trust\"><h2>Backups</h2>\n<p>{}</p></section>",
            sentences.join(" ")
        );
    }
}

/// In how many places backups lie, where that is to be known.
fn places(trust: &Trust) -> Option<String> {
    match (trust.places?, trust.behind_seconds.and_then(length)) {
        (0, _) => None,
        (1, _) => Some("Backups lie in one place.".to_owned()),
        (places, None) => Some(format!("Backups lie in {places} places.")),
        (places, Some(behind)) => Some(format!(
            "Backups lie in {places} places, of which the second is {behind} behind."
        )),
    }
}

fn length(seconds: f64) -> Option<String> {
    let length = std::time::Duration::try_from_secs_f64(seconds).ok()?;
    Some(duration(length.as_secs()))
}

fn footer(document: &Document, setting: &Setting<'_>) -> String {
    let mut text = String::from("<footer>\n");
    if setting.takes_subscribers {
        text.push_str(&subscribe_form(document, setting));
    }
    if let Some(key) = setting.push_key {
        text.push_str(&device_form(document, key));
    }
    let link = |format: Format, name: &str| {
        format!(
            "<a href=\"{}\">{name}</a>",
            setting.link(&format.path(None))
        )
    };
    let _ = writeln!(
        text,
        "<p>Follow this page: {} · {} · {} · {} · <a href=\"{}\">badge</a> · <a href=\"{}\">API</a></p>",
        link(Format::Atom, "Atom"),
        link(Format::Rss, "RSS"),
        link(Format::Json, "JSON Feed"),
        link(Format::Calendar, "calendar of maintenance"),
        setting.link("/status/badge.svg"),
        setting.link("/api/v2/summary.json"),
    );
    if let Some(second) = setting.second {
        let second = html(second.as_str());
        let _ = writeln!(
            text,
            "<p>This page also lies with another provider: <a href=\"{second}\">{second}</a></p>"
        );
    }
    text.push_str(
        "<p>Days are days in UTC. Of a day, the height of the filled part is the time down, hatching the time that was not \
         measured, a notch maintenance.</p>\n</footer>\n",
    );
    text
}

/// The components among which a form lets choose.
fn choices(document: &Document) -> impl Iterator<Item = (&str, &str, bool)> {
    let components = document.components.iter();
    components.map(|component| (component.id.as_str(), component.name.as_str(), false))
}

/// The form by which somebody asks for a subscription.
fn subscribe_form(document: &Document, setting: &Setting<'_>) -> String {
    format!(
        "<section class=\"subscribe\"><h2>Be told by email</h2>\n<form method=\"post\" action=\"{}\">\n\
         <p><label>Your address <input type=\"email\" name=\"email\" required maxlength=\"254\" autocomplete=\"email\"></label></p>\n\
         {}<p><button type=\"submit\">Subscribe</button></p>\n</form>\n\
         <p class=\"about\">You will be asked to confirm. The address is kept encrypted, used for this alone, and erased when you \
         unsubscribe.</p></section>\n",
        setting.link("/status/subscribe"),
        choose(choices(document)),
    )
}

/// The form that lets this device be told. The page's script shows it where the browser can,
/// and does what its buttons say.
fn device_form(document: &Document, key: &str) -> String {
    format!(
        "<section class=\"subscribe\" id=\"device\" data-key=\"{}\" hidden><h2>Be told on this device</h2>\n\
         <form method=\"post\" action=\"/status/push\">\n{}<p><button type=\"submit\">Notify this device</button>\n\
         <button type=\"button\" hidden>Stop notifying this device</button></p>\n</form>\n<p role=\"status\"></p>\n\
         <p class=\"about\">Your browser asks whether it may. Nothing is kept but where it is reached, encrypted, until you stop \
         it.</p></section>\n",
        html(key),
        choose(choices(document)),
    )
}

/// Boxes to choose components by.
pub(super) fn choose<'a>(choices: impl Iterator<Item = (&'a str, &'a str, bool)>) -> String {
    let mut boxes = String::new();
    for (id, name, chosen) in choices {
        let _ = writeln!(
            boxes,
            "<label><input type=\"checkbox\" name=\"component\" value=\"{}\"{}> {}</label>",
            html(id),
            if chosen { " checked" } else { "" },
            line(name)
        );
    }
    if boxes.is_empty() {
        return String::new();
    }
    format!(
        "<fieldset><legend>Only of these; all of them if you choose none</legend>\n{boxes}</fieldset>\n"
    )
}

/// The page of one incident.
pub(super) fn one_incident(
    incident: &Incident,
    document: &Document,
    setting: &Setting<'_>,
) -> String {
    let name = words::page_name(&document.name);
    let title = words::standing_title(incident, document);
    let body = format!(
        "<header><p><a href=\"{}\">{}</a></p></header>\n<main>\n<section class=\"incident\"><h1><span>{}</span></h1>\n\
         <p class=\"when\">Began {}{}</p>\n{}</section>\n</main>\n<footer><p>As of {}</p></footer>\n",
        setting.link("/status"),
        line(&name),
        html(&title),
        moment(incident.started_at),
        incident
            .resolved_at
            .map(|at| format!(", ended {}", moment(at)))
            .unwrap_or_default(),
        story(incident, document),
        moment(document.generated_at),
    );
    frame(&format!("{title} – {name}"), &script(), &body)
}

/// A page that says one thing, with what can be done about it.
pub(super) fn note(name: &str, title: &str, body: &str) -> String {
    let name = words::page_name(name);
    frame(
        &format!("{title} – {name}"),
        "<meta name=\"robots\" content=\"noindex\">\n",
        &format!(
            "<header><p><a href=\"/status\">{}</a></p></header>\n<main>\n<section><h1><span>{}</span></h1>\n{body}</section>\n</main>\n",
            line(&name),
            html(title)
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::sample;

    fn at(now: &str) -> Setting<'static> {
        Setting {
            base: None,
            second: None,
            takes_subscribers: true,
            push_key: Some("BP4z9Ksb"),
            fresh_s: FRESH_S,
            now: now.parse().unwrap(),
        }
    }

    fn hostile() -> Document {
        let mut document = sample::document(&[State::MajorOutage]);
        let bad = format!(
            "</h3><script>alert(1)</script>]]>\u{8}\u{202e}{}",
            "x".repeat(10_000)
        );
        document.name = bad.clone();
        let component = &mut document.components[0];
        component.name = bad.clone();
        component.id = "\"><script>".to_owned();
        component.group = Some(bad.clone());
        component.description = Some(bad.clone());
        component.note = Some(bad.clone());
        component.by_hand = true;
        let incident = &mut document.incidents[0];
        incident.title = Some(bad.clone());
        incident.updates[1].words = Some(bad.clone());
        document.maintenances[0].title = Some(bad.clone());
        document.maintenances[0].words = bad;
        document
    }

    #[test]
    fn what_people_wrote_stays_text() {
        let document = hostile();
        let setting = at("2026-11-24T10:10:30Z");
        let incident = &document.incidents[0];
        for page in [
            whole(&document, &setting),
            one_incident(incident, &document, &setting),
        ] {
            assert_eq!(page.matches("<script").count(), 1, "our own alone");
            for raw in ["\u{8}", "\u{202e}", "<script>alert"] {
                assert!(!page.contains(raw), "{raw:?}");
            }
        }
    }

    #[test]
    fn the_page_needs_nothing_that_the_policy_forbids() {
        let page = whole(&sample::document(&State::ALL), &at("2026-11-24T10:10:30Z"));
        for inline in [
            "<style",
            " style=",
            " onclick",
            " onload",
            "javascript:",
            "src=\"http",
        ] {
            assert!(!page.contains(inline), "{inline}");
        }
    }

    #[test]
    fn how_many_copies_there_are_is_said_where_the_document_has_it() {
        let mut document = sample::document(&[State::Operational]);
        let said = |document: &Document| whole(document, &at("2026-11-24T10:10:30Z"));
        assert!(!said(&document).contains("Backups lie"));
        document.trust.age_seconds = Some(900.0);
        for (places, behind, text) in [
            (1, None, "Backups lie in one place."),
            (2, None, "Backups lie in 2 places."),
            (
                2,
                Some(1800.0),
                "Backups lie in 2 places, of which the second is 30 min behind.",
            ),
        ] {
            document.trust.places = Some(places);
            document.trust.behind_seconds = behind;
            let page = said(&document);
            assert!(page.contains(text), "{text}");
            assert!(
                page.contains(", 15 min before this page was made."),
                "{page}"
            );
        }
    }

    #[test]
    fn a_page_older_than_three_minutes_says_that_it_knows_nothing() {
        let document = sample::document(&[State::Operational]);
        let fresh = whole(&document, &at("2026-11-24T10:13:00Z"));
        assert!(
            fresh.contains("<span>Everything works.</span>")
                && fresh.contains("role=\"status\" hidden")
        );
        let stale = whole(&document, &at("2026-11-24T10:13:01Z"));
        assert!(!stale.contains("Everything works") && !stale.contains("role=\"status\" hidden"));
        assert!(stale.contains("not known right now"));
    }

    #[test]
    fn a_page_of_nothing_is_still_a_page() {
        let now = "2026-11-24T10:10:30Z".parse().unwrap();
        let page = whole(&Document::of_nothing(now), &at("2026-11-24T10:10:30Z"));
        assert!(
            page.contains("not known right now") && page.contains("Nothing is shown here yet.")
        );
    }

    #[test]
    fn a_state_has_a_shape_and_a_word_of_its_own() {
        let page = whole(&sample::document(&State::ALL), &at("2026-11-24T10:10:30Z"));
        let mut shapes: Vec<String> = State::ALL.map(mark).into();
        shapes.sort();
        shapes.dedup();
        assert_eq!(shapes.len(), State::ALL.len());
        for state in State::ALL {
            assert!(
                page.contains(&format!("</svg>{}</p>", words::state(state))),
                "{state:?}"
            );
        }
    }
}
