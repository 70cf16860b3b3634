//! A body in the operator's own form: a JSON document in whose strings names in double
//! braces are replaced. What replaces them is put into strings of a document and never
//! into its text, so that no message can break out of its place.

use serde_json::Value;

use crate::messages::{
    channels::plain_lines,
    message::{Content, Digest, Message},
    message_links, plain_text,
};

/// The name that stands for the whole of what is posted without a template.
const DATA: &str = "data";

/// The names that stand for a text.
const NAMES: [&str; 9] = [
    "headline",
    "label",
    "severity",
    "kind",
    "alert",
    "body",
    "since",
    "link",
    "acknowledge",
];

/// A template whose names are all known.
#[derive(Debug, Clone)]
pub(super) struct Template(Value);

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, in words that do not repeat it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let document = serde_json::from_str(text).map_err(|_| "not JSON")?;
        check(&document)?;
        Ok(Self(document))
    }

    /// The body for that content, of which the document without a template is given.
    pub(super) fn filled(&self, content: &Content, data: &Value) -> Value {
        fill(&self.0, &texts(content), data)
    }
}

fn check(value: &Value) -> Result<(), &'static str> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        Value::String(text) => check_text(text),
        Value::Array(values) => values.iter().try_for_each(check),
        Value::Object(fields) => {
            if fields.keys().any(|key| key.contains("{{")) {
                return Err("has {{ in a key, where nothing is replaced");
            }
            fields.values().try_for_each(check)
        }
    }
}

fn check_text(text: &str) -> Result<(), &'static str> {
    if name(text) == Some(DATA) {
        return Ok(());
    }
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        let (name, after) = after
            .split_once("}}")
            .ok_or("has {{ without the }} that ends a name")?;
        match name.trim() {
            DATA => return Err("has {{data}} beside other text: it has to be a string of its own"),
            name if NAMES.contains(&name) => {}
            _ => {
                return Err(
                    "names something else than headline, label, severity, kind, alert, body, since, link, acknowledge or data",
                );
            }
        }
        rest = after;
    }
    Ok(())
}

/// The name that a string consists of.
fn name(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("{{")?.strip_suffix("}}")?;
    Some(inner.trim())
}

fn fill(value: &Value, texts: &[String; 9], data: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(text) if name(text) == Some(DATA) => data.clone(),
        Value::String(text) => fill_text(text, texts).into(),
        Value::Array(values) => values
            .iter()
            .map(|value| fill(value, texts, data))
            .collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), fill(value, texts, data)))
            .collect(),
    }
}

/// One pass: what is put in is not looked at again.
fn fill_text(text: &str, texts: &[String; 9]) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        result.push_str(before);
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        let known = NAMES.iter().position(|known| *known == name.trim());
        result.push_str(known.map_or("", |at| &texts[at]));
        rest = after;
    }
    result + rest
}

/// What each name stands for, in the order of the names; empty where there is nothing.
fn texts(content: &Content) -> [String; 9] {
    let body = plain_lines::of(content).join("\n");
    match content {
        Content::Message(message) => of_message(message, body),
        Content::Digest(digest) => of_digest(digest, body),
    }
}

fn of_message(message: &Message, body: String) -> [String; 9] {
    let facts = &message.facts;
    let link = message.links.iter().find(|link| link.leads_on());
    let acknowledge = message_links::acknowledging(&message.links);
    let url =
        |link: Option<&message_links::Link>| link.map_or_else(String::new, |link| link.url.clone());
    [
        plain_text::line(&message.headline),
        message.label().to_owned(),
        message.severity.as_str().to_owned(),
        message.kind.as_str().to_owned(),
        facts.alert.map_or_else(String::new, |id| id.to_string()),
        body,
        facts.since.map_or_else(String::new, |at| at.to_string()),
        url(link),
        url(acknowledge),
    ]
}

fn of_digest(digest: &Digest, body: String) -> [String; 9] {
    let worst = digest.messages.iter().map(|message| message.severity).max();
    [
        digest.headline(),
        digest.worst().map_or("Digest", Message::label).to_owned(),
        worst.unwrap_or_default().as_str().to_owned(),
        "digest".to_owned(),
        String::new(),
        body,
        String::new(),
        digest
            .links
            .first()
            .map_or_else(String::new, |link| link.url.clone()),
        String::new(),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::messages::{
        message_facts::Facts,
        message_links::{Link, Places},
    };

    fn facts(over: &Value) -> Facts {
        let mut row = json!({
            "alert": uuid::Uuid::from_u128(7), "rule": "external", "kind": "firing",
            "severity": "high", "since": "2026-11-24T03:12:07Z", "subject": "cellar",
            "title": "The cellar is warm", "message": "19 degrees",
        });
        for (key, value) in over.as_object().unwrap() {
            row[key] = value.clone();
        }
        Facts::read(&row)
    }

    fn content(over: &Value) -> Content {
        let base = "https://ops.wine.example/".parse().unwrap();
        let places = Places {
            base: Some(&base),
            runbook: None,
        };
        let mut message = Message::new(&facts(over), places);
        if message.kind.is_open() {
            message.links.insert(
                0,
                Link {
                    label: message_links::ACKNOWLEDGE,
                    url: "https://ops.wine.example/api/alerts/acknowledge?token=t0k3n".to_owned(),
                },
            );
        }
        Content::Message(message)
    }

    fn filled(template: &Value, content: &Content) -> Value {
        let template = Template::parse(&template.to_string()).unwrap();
        template.filled(content, &json!({"type": "x"}))
    }

    fn every_name() -> Value {
        let names = NAMES.iter();
        names
            .map(|name| ((*name).to_owned(), json!(format!("{{{{{name}}}}}"))))
            .collect()
    }

    #[test]
    fn every_name_stands_for_what_it_says() {
        insta::assert_json_snapshot!(filled(&every_name(), &content(&json!({}))), @r#"
        {
          "headline": "The cellar is warm",
          "label": "High",
          "severity": "high",
          "kind": "firing",
          "alert": "00000000-0000-0000-0000-000000000007",
          "body": "19 degrees\nSince: 2026-11-24 03:12 UTC",
          "since": "2026-11-24T03:12:07Z",
          "link": "https://ops.wine.example/dashboard#alert=00000000-0000-0000-0000-000000000007",
          "acknowledge": "https://ops.wine.example/api/alerts/acknowledge?token=t0k3n"
        }
        "#);
        let end = filled(
            &every_name(),
            &content(&json!({"kind": "resolved", "alert": null})),
        );
        assert_eq!(
            (&end["acknowledge"], &end["alert"]),
            (&json!(""), &json!(""))
        );
        assert_eq!(
            (&end["label"], &end["kind"]),
            (&json!("Resolved"), &json!("resolved"))
        );
    }

    #[test]
    fn a_digest_has_the_same_names() {
        let items = [
            facts(&json!({})),
            facts(&json!({"kind": "resolved", "severity": "low"})),
        ];
        let digest = Content::Digest(Digest::new(&items, Places::default()));
        insta::assert_json_snapshot!(filled(&every_name(), &digest), @r#"
        {
          "headline": "Daily digest: 1 alert, 1 resolved",
          "label": "Digest",
          "severity": "high",
          "kind": "digest",
          "alert": "",
          "body": "High: The cellar is warm\nResolved: The cellar is warm",
          "since": "",
          "link": "",
          "acknowledge": ""
        }
        "#);
    }

    #[test]
    fn a_string_may_hold_several_names_and_the_whole_is_a_string_of_its_own() {
        let template = json!({
            "text": "[{{label}}] {{ headline }}!", "nested": [{"all": "{{data}}"}, 7, null, true],
            "single": "{ {{severity}} }", "plain": "}} {",
        });
        let expected = json!({
            "text": "[High] The cellar is warm!", "nested": [{"all": {"type": "x"}}, 7, null, true],
            "single": "{ high }", "plain": "}} {",
        });
        assert_eq!(filled(&template, &content(&json!({}))), expected);
    }

    #[test]
    fn what_is_put_in_stays_text_and_is_not_looked_at_again() {
        for title in [
            "\", \"admin\": true, \"x\": \"",
            "{{acknowledge}} {{data}}",
            "\\\" \u{202e}\u{1} </script>",
        ] {
            let over = json!({"title": title});
            let template = json!({"a": "{{headline}}", "b": "-{{headline}}-"});
            let filled = filled(&template, &content(&over));
            let expected = plain_text::line(title);
            assert_eq!(filled, json!({"a": expected, "b": format!("-{expected}-")}));
        }
    }

    #[test]
    fn a_template_that_is_none_is_told_in_words() {
        for (template, fault) in [
            ("{\"a\": ", "not JSON"),
            ("text {{headline}}", "not JSON"),
            (r#"{"a": "{{secret}}"}"#, "names something else"),
            (r#"["{{Headline}}"]"#, "names something else"),
            (r#"["{{}}"]"#, "names something else"),
            (r#"["{{headline}"]"#, "has {{ without the }}"),
            (r#"["all: {{data}}"]"#, "has {{data}} beside other text"),
            (r#"["{{data}}{{data}}"]"#, "has {{data}} beside other text"),
            (r#"{"{{label}}": 1}"#, "has {{ in a key"),
        ] {
            let error = Template::parse(template).unwrap_err();
            assert!(error.starts_with(fault), "{template}: {error}");
        }
        for template in ["{}", "[]", "7", "null", r#""{{data}}""#] {
            assert!(Template::parse(template).is_ok(), "{template}");
        }
    }
}
