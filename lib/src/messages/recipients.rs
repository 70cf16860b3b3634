//! To whom a message goes, as its facts say. They are read as leniently as the rest
//! of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::json_fields::text;

/// To whom a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipients {
    /// Whether it also goes to those whom the channel reaches anyway.
    pub usual: bool,
    /// Those who are addressed by name.
    pub people: Vec<Person>,
}

/// A contact, as of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Its name.
    pub name: String,
    /// Its role, as a word of the escalation plan.
    pub role: String,
    /// The address for emails.
    pub email: Option<String>,
    /// The id of a Slack member or user group.
    pub slack: Option<String>,
    /// The addresses on other channels, by channel.
    pub addresses: BTreeMap<String, String>,
}

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

    /// The address on a channel of whom a message addresses alone.
    #[must_use]
    pub fn address_on(&self, channel: &str) -> Option<&str> {
        self.people
            .iter()
            .find_map(|person| person.addresses.get(channel))
            .map(String::as_str)
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
            name: text(value, "name")?,
            role: text(value, "role").unwrap_or_default(),
            email: text(value, "email"),
            slack: text(value, "slack").filter(|id| is_slack_id(id)),
            addresses: value["addresses"]
                .as_object()
                .into_iter()
                .flatten()
                .filter_map(|(channel, address)| {
                    Some((channel.clone(), address.as_str()?.to_owned()))
                })
                .collect(),
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

/// Whether it is letters and digits alone, because it goes into a mention as it is.
fn is_slack_id(id: &str) -> bool {
    id.starts_with(['U', 'W', 'S']) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
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
    fn recipients_of_another_shape_spoil_nothing() {
        assert_eq!(Recipients::read(&json!([1])), Recipients::default());
    }
}
