//! Reads what arrived as its readers do: who was told what, in which words.

use serde_json::Value;

/// What is said of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// `Critical`, `Resolved`, …
    pub(super) label: String,
    pub(super) headline: String,
}

const LABELS: [&str; 9] = [
    "Critical",
    "High",
    "Medium",
    "Low",
    "Resolved",
    "Closed",
    "Not watched",
    "Notice",
    "Incident",
];

/// Everything that a message says, in its order.
pub(super) fn read(channel: &str, body: &Value) -> Vec<Word> {
    match channel {
        "slack" => of_slack(body),
        "email" => of_letter(body),
        "discord" => of_discord(body),
        _ => of_machine(body),
    }
}

/// To whom a message goes, beside all readers of its channel.
pub(super) fn addresses(channel: &str, body: &Value) -> Vec<String> {
    if channel != "email" {
        return vec![String::new()];
    }
    let to = body["to"].as_array().expect("addresses").iter();
    to.map(|address| address.as_str().unwrap().to_owned())
        .collect()
}

/// `Label: headline`, where it is that.
fn word(line: &str) -> Option<Word> {
    let (label, headline) = line.split_once(": ")?;
    LABELS.contains(&label).then(|| Word {
        label: label.to_owned(),
        headline: headline.to_owned(),
    })
}

/// The same after a sign.
fn marked(line: &str) -> Option<Word> {
    word(line.split_once(' ')?.1)
}

fn of_slack(body: &Value) -> Vec<Word> {
    if let Some(single) = word(body["text"].as_str().unwrap_or_default()) {
        return vec![single];
    }
    let blocks = body["blocks"].as_array().into_iter().flatten();
    let texts = blocks.filter_map(|block| block["text"]["text"].as_str());
    let first_lines = texts.filter_map(|text| text.lines().next());
    first_lines
        .filter_map(|line| marked(line.strip_prefix('*')?.strip_suffix('*')?))
        .collect()
}

fn of_letter(body: &Value) -> Vec<Word> {
    let lines = body["text"].as_str().unwrap_or_default().lines();
    // `Resolved: 2027-03-01 …` is a fact about an end, and `Incident: #7` about an alert.
    lines
        .filter_map(word)
        .filter(|word| {
            !word
                .headline
                .starts_with(|first: char| first.is_ascii_digit() || first == '#')
        })
        .collect()
}

fn of_discord(body: &Value) -> Vec<Word> {
    if let Some(single) = marked(body["content"].as_str().unwrap_or_default()) {
        return vec![single];
    }
    let list = body["embeds"][0]["description"]
        .as_str()
        .unwrap_or_default();
    list.lines()
        .filter_map(|line| marked(line.strip_prefix("**")?.strip_suffix("**")?))
        .collect()
}

fn of_machine(body: &Value) -> Vec<Word> {
    let single = [body["data"].clone()];
    let messages = body["data"]["messages"]
        .as_array()
        .map_or(&single[..], Vec::as_slice);
    messages.iter().map(of_data).collect()
}

fn of_data(data: &Value) -> Word {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let label = match (text(&data["kind"]).as_str(), data["ended"]["how"].as_str()) {
        ("resolved", Some("closed")) => "Closed".to_owned(),
        ("resolved", Some(_)) => "Not watched".to_owned(),
        ("resolved", None) => "Resolved".to_owned(),
        ("notice", _) if !data["incidentChange"].is_null() => "Incident".to_owned(),
        ("notice", _) => "Notice".to_owned(),
        _ => {
            let severity = text(&data["severity"]);
            severity[..1].to_uppercase() + &severity[1..]
        }
    };
    Word {
        label,
        headline: text(&data["headline"]),
    }
}
