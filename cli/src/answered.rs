//! Documents of the database: as it answered them, which is what `--json` prints,
//! and as this build reads them.
//!
//! A newer database may use a word or a shape that this build does not know. Such
//! a document is odd: it is shown as it stands, counted, and takes none of its
//! neighbours along.

use ops::messages::plain_text;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, ser::SerializeSeq,
};
use serde_json::Value;
use uuid::Uuid;

use terminal::output;

/// A document that the database answered.
#[derive(Debug, Clone)]
pub(crate) struct Answered<T> {
    document: Value,
    /// What this build reads in it, or why it cannot.
    read: Result<T, String>,
}

#[derive(Debug, Deserialize)]
struct Identified {
    id: Uuid,
}

impl<T: DeserializeOwned> Answered<T> {
    /// Reads a document as far as this build can.
    pub(crate) fn read(document: Value) -> Self {
        let read = T::deserialize(&document).map_err(|error| error.to_string());
        Self { document, read }
    }
}

impl<T> Answered<T> {
    /// What this build reads in it; `None` if the document is odd.
    pub(crate) fn known(&self) -> Option<&T> {
        self.read.as_ref().ok()
    }

    /// The same, on its own.
    pub(crate) fn into_known(self) -> Option<T> {
        self.read.ok()
    }

    /// The id that it goes by, which an odd document has as well.
    pub(crate) fn id(&self) -> Option<Uuid> {
        Identified::deserialize(&self.document)
            .ok()
            .map(|Identified { id }| id)
    }

    /// The document as it was answered.
    pub(crate) fn document(&self) -> &Value {
        &self.document
    }

    /// What `describe` says of it; an odd document speaks for itself.
    pub(crate) fn describe(&self, describe: impl FnOnce(&T) -> String) -> String {
        match &self.read {
            Ok(known) => describe(known),
            Err(reason) => {
                let document = plain_text::line(&self.document.to_string());
                format!("not understood ({}): {document}", plain_text::line(reason))
            }
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Answered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::read)
    }
}

impl<T> Serialize for Answered<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.document.serialize(serializer)
    }
}

/// Writes documents as this build reads them, with times in its own form, for those
/// whose form scripts know from the dashboard. Odd ones stay as they are.
pub(crate) fn as_read<T: Serialize, S: Serializer>(
    answered: &[Answered<T>],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut written = serializer.serialize_seq(Some(answered.len()))?;
    for answered in answered {
        match answered.known() {
            Some(known) => written.serialize_element(known)?,
            None => written.serialize_element(answered)?,
        }
    }
    written.end()
}

/// Those of the documents that this build can read.
pub(crate) fn known<T>(answered: &[Answered<T>]) -> impl Iterator<Item = &T> {
    answered.iter().filter_map(Answered::known)
}

/// The document that is looked for, as it was answered and as it is read.
pub(crate) fn find<T>(
    answered: &[Answered<T>],
    is_it: impl Fn(&T) -> bool,
) -> Option<(&Answered<T>, &T)> {
    answered
        .iter()
        .filter_map(|answered| Some((answered, answered.known()?)))
        .find(|(_, known)| is_it(known))
}

/// A table with a row for each document that this build can read, and below it
/// what it cannot. `what` names several of them: "alerts".
pub(crate) fn table<T, const N: usize>(
    what: &str,
    answered: &[Answered<T>],
    heading: [&str; N],
    row: impl Fn(&T) -> [String; N],
) -> String {
    let rows: Vec<_> = known(answered).map(row).collect();
    let mut lines = vec![output::table(heading, &rows)];
    lines.extend(oddities(what, answered));
    lines.join("\n")
}

/// A line for each document that this build cannot read, and how many there are.
pub(crate) fn oddities<T>(what: &str, answered: &[Answered<T>]) -> Vec<String> {
    let odd = answered.iter().filter(|one| one.read.is_err());
    let mut lines: Vec<_> = odd.map(|one| one.describe(|_| String::new())).collect();
    if !lines.is_empty() {
        lines.push(format!(
            "{} of {} {what} cannot be read by this build; the database may be newer",
            lines.len(),
            answered.len()
        ));
    }
    lines
}

/// The word by which documents name a value, such as `on_call_primary`.
pub(crate) fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Door {
        name: String,
        state: State,
    }

    #[derive(Debug, Clone, Copy, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum State {
        WideOpen,
    }

    fn doors() -> (Value, Vec<Answered<Door>>) {
        let document = json!([
            {"name": "a", "state": "wide_open", "colour": "red"},
            {"name": "b", "state": "ajar\u{1b}"},
            {"name": "c", "state": "wide_open"},
        ]);
        let doors = serde_json::from_value(document.clone()).unwrap();
        (document, doors)
    }

    #[test]
    fn an_unknown_word_makes_its_own_document_odd_and_no_other() {
        let (_, doors) = doors();
        let table = table("doors", &doors, ["name", "state"], |door| {
            [door.name.clone(), word(door.state)]
        });
        assert_eq!(
            table,
            "NAME  STATE\n\
             a     wide_open\n\
             c     wide_open\n\
             not understood (unknown variant `ajar `, expected `wide_open`): \
             {\"name\":\"b\",\"state\":\"ajar\\u001b\"}\n\
             1 of 3 doors cannot be read by this build; the database may be newer"
        );
    }

    #[test]
    fn an_odd_document_still_has_its_id() {
        let id = "00000000-0000-4000-8000-000000000001";
        let odd: Answered<Door> = Answered::read(json!({"id": id, "state": "ajar"}));
        assert_eq!(odd.id(), id.parse().ok());
        let nameless: Answered<Door> = Answered::read(json!({"name": "d"}));
        assert_eq!(nameless.id(), None);
    }

    #[test]
    fn what_was_answered_is_printed_as_it_stands() {
        let (document, doors) = doors();
        assert_eq!(json!(doors), document);
    }
}
