//! What comes in, whoever sent it: items of a few kinds, bounded so that the database takes
//! every one of them.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use super::{
    fingerprint::{self, Issue, Judged},
    scrub,
};

/// How long a name may be, in characters.
const NAME: usize = 200;

/// How long any other word may be.
const WORD: usize = 100;

/// How long an address may be, as those of mail.
const CONTACT: usize = 254;

/// How long a text among the details may be.
const TEXT: usize = 8 * 1024;

/// How many details an item has, at each level.
const DETAILS: usize = 100;

/// How deep they nest.
const LEVELS: usize = 6;

/// How large they are in all, in bytes of JSON.
const DETAIL: usize = 64 * 1024;

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// Something went wrong.
    Error,
    /// A request that the app answered.
    Request,
    /// A request that it made, of a database or of somebody else.
    Span,
    /// A page was looked at.
    PageView,
    /// Something happened.
    Event,
    /// How a page felt.
    WebVital,
    /// A visit, and how it ended.
    Session,
    /// A number that the app counts itself.
    Metric,
    /// What somebody wrote.
    Feedback,
    /// What a browser reports by itself.
    Report,
}

/// One of them. Texts are without control characters and without what may be secret or
/// personal; numbers are finite.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Item {
    /// The client's, so that what is sent twice is taken once.
    pub(super) id: Uuid,
    pub(super) kind: Kind,
    /// When it happened; the database takes now where nothing is known.
    pub(super) time: Option<Timestamp>,
    /// `development`, `preview` or `production`.
    environment: &'static str,
    release: Option<String>,
    /// What it is of.
    name: String,
    method: Option<String>,
    status: Option<u16>,
    value: Option<f64>,
    /// Who did it, as the app knows them.
    person: Option<String>,
    session: Option<String>,
    /// Where whoever wrote feedback wants to be answered. It is kept apart from the item, and
    /// until somebody has dealt with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<String>,
    detail: Map<String, Value>,
}

impl Item {
    /// An item of that kind and name; one without an id of its own gets one of what it says,
    /// which `same` tells apart.
    pub(super) fn new(kind: Kind, name: &str, id: Option<Uuid>, same: &[u8]) -> Self {
        Self {
            id: id.unwrap_or_else(|| of_content(same)),
            kind,
            time: None,
            environment: "production",
            release: None,
            name: word(&scrub::text(name), NAME).unwrap_or_else(|| "unknown".to_owned()),
            method: None,
            status: None,
            value: None,
            person: None,
            session: None,
            contact: None,
            detail: Map::new(),
        }
    }

    /// When it happened.
    pub(super) fn at(mut self, time: Option<Timestamp>) -> Self {
        self.time = time;
        self
    }

    /// Where.
    pub(super) fn environment(mut self, word: Option<&str>) -> Self {
        self.environment = environment(word);
        self
    }

    /// The version of the app.
    pub(super) fn release(mut self, release: Option<&str>) -> Self {
        self.release = release.and_then(|release| word(&scrub::text(release), WORD));
        self
    }

    /// The method and status of a request.
    pub(super) fn request(mut self, method: Option<&str>, status: Option<u64>) -> Self {
        let is_letter = |letter: char| letter.is_ascii_alphabetic() || letter == '-';
        let method = method
            .filter(|method| method.chars().all(is_letter))
            .and_then(|method| word(method, 20));
        self.method = method.map(|method| method.to_ascii_uppercase());
        self.status = status
            .and_then(|status| u16::try_from(status).ok())
            .filter(|status| (100..=599).contains(status));
        self
    }

    /// Its number; one that cannot be real is left out.
    pub(super) fn value(mut self, value: Option<f64>) -> Self {
        self.value = value.filter(|value| value.abs() <= 1e12);
        self
    }

    /// Who did it, and in which visit.
    pub(super) fn by(mut self, person: Option<&str>, session: Option<&str>) -> Self {
        // An address of mail names somebody; the app's own number does not.
        let number = |said: &&str| scrub::text(said) == **said;
        self.person = person.filter(number).and_then(|person| word(person, WORD));
        self.session = session
            .filter(number)
            .and_then(|session| word(session, WORD));
        self
    }

    /// Where to answer it; of feedback alone.
    pub(super) fn contact(mut self, contact: Option<&str>) -> Self {
        let of_feedback = contact.filter(|_| self.kind == Kind::Feedback);
        self.contact = of_feedback.and_then(|contact| word(contact, CONTACT));
        self
    }

    /// Finds the issue of an error, and notes it among the details.
    ///
    /// # Errors
    /// The reason why it is no error of the app's.
    pub(super) fn judge(&mut self) -> Result<(), &'static str> {
        if self.kind != Kind::Error {
            return Ok(());
        }
        match fingerprint::judge(&self.name, &self.detail) {
            Judged::Issue(Issue {
                key,
                title,
                culprit,
            }) => {
                let issue = json!({ "key": key, "title": title, "culprit": culprit });
                self.detail.insert("issue".to_owned(), issue);
                Ok(())
            }
            Judged::Nothing(reason) => Err(reason),
        }
    }

    /// The rest.
    pub(super) fn detail(mut self, detail: Map<String, Value>) -> Self {
        let mut detail = bounded(detail, LEVELS);
        while serde_json::to_string(&detail).map_or(0, |text| text.len()) > DETAIL {
            // The largest of them is worth the least.
            let size = |value: &Value| value.to_string().len();
            let largest = detail.iter().max_by_key(|(_, value)| size(value));
            let Some(name) = largest.map(|(name, _)| name.clone()) else {
                break;
            };
            detail.shift_remove(&name);
        }
        self.detail = detail;
        self
    }
}

/// `development`, `preview` or `production`: words for what is no production are many.
pub(super) fn environment(word: Option<&str>) -> &'static str {
    match word.map(str::to_ascii_lowercase).as_deref() {
        Some("development" | "dev" | "local" | "test") => "development",
        Some("preview" | "staging" | "stage" | "qa") => "preview",
        _ => "production",
    }
}

/// The same id for the same content.
pub(super) fn of_content(content: &[u8]) -> Uuid {
    let digest = Sha256::digest(content);
    let start = digest.first_chunk().copied().unwrap_or_default();
    Builder::from_random_bytes(start).into_uuid()
}

/// A word on one line and not longer than that; none if nothing is left.
pub(super) fn word(text: &str, length: usize) -> Option<String> {
    let clean = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    let clean: String = clean.take(length).collect();
    let clean = clean.trim();
    (!clean.is_empty()).then(|| clean.to_owned())
}

/// A path or a URL's path, without its query: that holds personal data, and its variety has
/// no end.
pub(super) fn path(place: &str) -> String {
    let path = place.split(['?', '#']).next().unwrap_or_default();
    let path = match path.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => path,
    };
    if path.is_empty() {
        "/".to_owned()
    } else {
        path.to_owned()
    }
}

fn bounded(detail: Map<String, Value>, levels: usize) -> Map<String, Value> {
    detail
        .into_iter()
        .take(DETAILS)
        .filter_map(|(name, value)| {
            let value = scrub::field(&name, value);
            let name = word(&scrub::text(&name), WORD)?;
            Some((name, bounded_value(value, levels)?))
        })
        .collect()
}

fn bounded_value(value: Value, levels: usize) -> Option<Value> {
    let levels = levels.checked_sub(1)?;
    Some(match value {
        Value::Number(number) => scrub::number(number),
        Value::Null | Value::Bool(_) => value,
        Value::String(text) => {
            let text = text.replace('\0', "");
            Value::String(scrub::text(&text).chars().take(TEXT).collect())
        }
        Value::Array(values) => values
            .into_iter()
            .take(DETAILS)
            .filter_map(|value| bounded_value(value, levels))
            .collect(),
        Value::Object(fields) => Value::Object(bounded(fields, levels)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn detailed(detail: Value) -> Map<String, Value> {
        let Value::Object(detail) = detail else {
            panic!("no object")
        };
        let item = Item::new(Kind::Event, "x", None, b"x").detail(detail);
        item.detail
    }

    #[test]
    fn an_items_words_fit_whatever_is_sent() {
        let long = "a\0b\n".repeat(1_000);
        let item = Item::new(Kind::Request, &long, None, b"x")
            .release(Some(&long))
            .request(Some("get"), Some(99_999))
            .value(Some(f64::NAN))
            .by(Some("anna@wine.example"), Some(" "));
        assert!(item.name.chars().count() <= NAME && !item.name.contains(char::is_control));
        assert_eq!(item.method.as_deref(), Some("GET"));
        assert_eq!((item.status, item.value), (None, None));
        assert_eq!((item.person, item.session), (None, None));
        assert_eq!(Item::new(Kind::Event, "\0", None, b"x").name, "unknown");
    }

    #[test]
    fn details_are_bounded_in_number_depth_and_size() {
        let many: Map<String, Value> = (0..10_000).map(|n| (format!("p{n}"), json!(n))).collect();
        assert_eq!(detailed(Value::Object(many)).len(), DETAILS);
        let deep = (0..50).fold(json!(1), |inner, _| json!({ "a": inner }));
        let deep = detailed(json!({ "a": deep, "b": 1 }));
        assert_eq!(deep["b"], 1);
        assert!(json!(deep).to_string().matches('a').count() <= LEVELS + 1);
        let large: Map<String, Value> = (0..50)
            .map(|n| (format!("p{n}"), json!("x".repeat(TEXT))))
            .collect();
        let large = detailed(Value::Object(large));
        assert!(json!(large).to_string().len() <= DETAIL && !large.is_empty());
    }

    #[test]
    fn a_place_is_its_path_alone() {
        for (place, expected) in [
            ("https://wine.example/wines/7?token=x#y", "/wines/7"),
            ("https://wine.example", "/"),
            ("/wines?x", "/wines"),
            ("?x", "/"),
            ("GET /wines", "GET /wines"),
        ] {
            assert_eq!(path(place), expected, "{place}");
        }
    }

    #[test]
    fn what_says_the_same_has_the_same_id() {
        let id = |same: &[u8]| Item::new(Kind::Event, "x", None, same).id;
        assert_eq!(id(b"a"), id(b"a"));
        assert_ne!(id(b"a"), id(b"b"));
    }
}
