//! To whom a message goes and where the ladder stands: what facts say beside
//! what happened. Read as leniently as the rest of them.

use jiff::Timestamp;
use serde_json::Value;

/// To whom a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipients {
    /// Whether those hear it whom the channel reaches anyway.
    pub usual: bool,
    /// Those who are addressed by name.
    pub people: Vec<Person>,
}

/// A contact, as of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Its name.
    pub name: String,
    /// Its role, as a word of the matrix.
    pub role: String,
    /// The address for emails.
    pub email: Option<String>,
    /// The id of a Slack member or user group.
    pub slack: Option<String>,
}

/// Where the ladder of an alert stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// When this step was taken.
    pub at: Option<Timestamp>,
    /// The level that is asked; none where only a channel is added or an
    /// acknowledgement ended.
    pub level: Option<u64>,
    /// Levels that had nobody, whose place this one takes.
    pub passed: Vec<u64>,
    /// Who was told before.
    pub told: Vec<Told>,
    /// How many more alerts of the incident ask the same people.
    pub others: u64,
    /// Who had acknowledged the alert, where that has ended.
    pub acknowledged: Option<Acknowledged>,
}

/// Somebody who was told before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The name.
    pub name: String,
    /// The level.
    pub level: Option<u64>,
    /// When.
    pub at: Option<Timestamp>,
}

/// An acknowledgement that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// By whom.
    pub by: String,
    /// When.
    pub at: Option<Timestamp>,
}

/// An acknowledgement in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// By whom.
    pub by: String,
    /// Until when.
    pub until: Option<Timestamp>,
}

/// The level from which on vendors are asked too.
const VENDORS_FROM: u64 = 3;

impl Default for Recipients {
    fn default() -> Self {
        Self {
            usual: true,
            people: Vec::new(),
        }
    }
}

impl Recipients {
    pub(super) fn read(value: &Value) -> Self {
        let people = value["people"].as_array().into_iter().flatten();
        let people: Vec<_> = people.filter_map(Person::read).collect();
        Self {
            usual: people.is_empty() || value["usual"].as_bool().unwrap_or(true),
            people,
        }
    }

    /// The addresses that an email goes to, given those that it usually goes to:
    /// each once, and never none.
    #[must_use]
    pub fn addresses(&self, usual: &[String]) -> Vec<String> {
        let own = self.people.iter().filter_map(|person| person.email.clone());
        let mut addresses: Vec<String> = Vec::new();
        if self.usual || self.people.iter().all(|person| person.email.is_none()) {
            addresses.extend_from_slice(usual);
        }
        for address in own {
            if !addresses
                .iter()
                .any(|known| known.eq_ignore_ascii_case(&address))
            {
                addresses.push(address);
            }
        }
        addresses
    }
}

impl Person {
    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            name: word(value, "name")?,
            role: word(value, "role").unwrap_or_default(),
            email: word(value, "email"),
            slack: word(value, "slack").filter(|id| is_slack_id(id)),
        })
    }

    /// `Anna (on-call primary)`.
    #[must_use]
    pub fn described(&self) -> String {
        if self.role.is_empty() {
            self.name.clone()
        } else {
            format!("{} ({})", self.name, role(&self.role))
        }
    }
}

impl Escalation {
    pub(super) fn read(value: &Value) -> Option<Self> {
        value.as_object()?;
        let told = value["told"].as_array().into_iter().flatten();
        let passed = value["passed"].as_array().into_iter().flatten();
        Some(Self {
            at: time(value, "at"),
            level: value["level"].as_u64(),
            passed: passed.filter_map(Value::as_u64).collect(),
            told: told
                .filter_map(|told| {
                    Some(Told {
                        name: word(told, "name")?,
                        level: told["level"].as_u64(),
                        at: time(told, "at"),
                    })
                })
                .collect(),
            others: value["others"].as_u64().unwrap_or(0),
            acknowledged: word(value, "acknowledgedBy").map(|by| Acknowledged {
                by,
                at: time(value, "acknowledgedAt"),
            }),
        })
    }

    /// Whether the vendors of what suffers are to be asked too.
    #[must_use]
    pub fn asks_vendors(&self) -> bool {
        self.level.is_some_and(|level| level >= VENDORS_FROM)
    }
}

impl Held {
    pub(super) fn read(value: &Value) -> Option<Self> {
        Some(Self {
            by: word(value, "by")?,
            until: time(value, "until"),
        })
    }
}

/// A role in words.
#[must_use]
pub fn role(word: &str) -> String {
    match word {
        "on_call_primary" => "on-call primary".into(),
        "on_call_secondary" => "on-call secondary".into(),
        "cto" => "CTO".into(),
        other => other.replace('_', " "),
    }
}

/// Nothing but letters and digits: what goes into a mention as it is.
fn is_slack_id(id: &str) -> bool {
    id.starts_with(['U', 'W', 'S']) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn word(object: &Value, key: &str) -> Option<String> {
    let text = object[key].as_str()?;
    (!text.trim().is_empty()).then(|| text.to_owned())
}

fn time(object: &Value, key: &str) -> Option<Timestamp> {
    object[key].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn addresses(recipients: &Value) -> Vec<String> {
        let usual = [
            "ops@wine.example".to_owned(),
            "Anna@wine.example".to_owned(),
        ];
        Recipients::read(recipients).addresses(&usual)
    }

    #[test]
    fn an_email_goes_to_each_address_once_and_never_to_none() {
        let anna = json!({"name": "Anna", "role": "cto", "email": "anna@wine.example"});
        let bo = json!({"name": "Bo", "role": "cto", "email": "bo@wine.example"});
        let cleo = json!({"name": "Cleo", "role": "cto", "email": null});
        let usual = ["ops@wine.example", "Anna@wine.example"];
        for (recipients, expected) in [
            (json!(null), usual.to_vec()),
            (json!({"usual": false, "people": []}), usual.to_vec()),
            (json!({"usual": false, "people": [cleo]}), usual.to_vec()),
            (
                json!({"usual": false, "people": [bo]}),
                vec!["bo@wine.example"],
            ),
            (json!({"usual": true, "people": [anna]}), usual.to_vec()),
            (
                json!({"usual": true, "people": [bo]}),
                vec!["ops@wine.example", "Anna@wine.example", "bo@wine.example"],
            ),
        ] {
            assert_eq!(addresses(&recipients), expected, "{recipients}");
        }
    }

    #[test]
    fn nothing_but_an_id_becomes_a_mention() {
        for (id, taken) in [
            ("U0ABC12", true),
            ("S0ABC12", true),
            ("!channel", false),
            ("U1> <!here", false),
            ("C0ABC12", false),
        ] {
            let person = Person::read(&json!({"name": "Anna", "slack": id})).unwrap();
            assert_eq!(person.slack.is_some(), taken, "{id}");
        }
    }

    #[test]
    fn a_ladder_of_another_shape_spoils_nothing() {
        assert_eq!(Escalation::read(&json!(null)), None);
        let read = Escalation::read(&json!({"level": "two", "told": 3, "passed": [1, "x"]}));
        let read = read.unwrap();
        assert_eq!((read.level, read.passed), (None, vec![1]));
        assert_eq!(Recipients::read(&json!([1])), Recipients::default());
    }
}
