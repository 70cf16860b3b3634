//! The lines of which a calendar consists: a name, parameters and a value, folded
//! where they are long.

/// A line, unfolded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ContentLine {
    /// In capitals.
    pub(super) name: String,
    /// Names in capitals, values without quotes.
    parameters: Vec<(String, String)>,
    /// As it stands.
    pub(super) value: String,
}

impl ContentLine {
    /// The value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.parameters.iter();
        parameters
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The value as a text, which escapes what separates.
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(self.value.len());
        let mut characters = self.value.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => match characters.next() {
                    Some('n' | 'N') => text.push(' '),
                    Some(escaped) => text.push(escaped),
                    None => {}
                },
                plain => text.push(plain),
            }
        }
        text.trim().to_owned()
    }

    fn read(line: &str) -> Option<Self> {
        let (head, value) = split_outside_quotes(line, ':')?;
        let mut parts = Vec::new();
        let mut rest = head;
        while let Some((part, after)) = split_outside_quotes(rest, ';') {
            parts.push(part);
            rest = after;
        }
        parts.push(rest);
        let (name, parameters) = parts.split_first()?;
        let parameters = parameters.iter().filter_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            Some((
                name.to_ascii_uppercase(),
                value.trim_matches('"').to_owned(),
            ))
        });
        Some(Self {
            name: name.to_ascii_uppercase(),
            parameters: parameters.collect(),
            value: value.to_owned(),
        })
    }
}

fn split_outside_quotes(text: &str, separator: char) -> Option<(&str, &str)> {
    let mut quoted = false;
    let place = text.char_indices().find_map(|(place, character)| {
        if character == '"' {
            quoted = !quoted;
        }
        (character == separator && !quoted).then_some(place)
    })?;
    Some((&text[..place], &text[place + separator.len_utf8()..]))
}

/// All lines that are one; what is none is passed over.
pub(super) fn read(calendar: &str) -> Vec<ContentLine> {
    let mut unfolded: Vec<String> = Vec::new();
    for line in calendar.trim_start_matches('\u{feff}').lines() {
        match (line.strip_prefix([' ', '\t']), unfolded.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => unfolded.push(line.to_owned()),
        }
    }
    let lines = unfolded.iter();
    lines.filter_map(|line| ContentLine::read(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folded_line_is_one_and_quotes_hold_separators() {
        let lines = read(
            "\u{feff}dtstart;TZID=\"Europe/Berlin\";X=\"a;b:c\":2026\r\n 1123T0\r\n\t90000\r\nnonsense\r\nSUMMARY:Ada\\, Bo\\; \\nCy\\\\\r\n",
        );
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].name, "DTSTART");
        assert_eq!(lines[0].parameter("TZID"), Some("Europe/Berlin"));
        assert_eq!(lines[0].parameter("X"), Some("a;b:c"));
        assert_eq!(lines[0].value, "20261123T090000");
        assert_eq!(lines[1].text(), "Ada, Bo;  Cy\\");
    }
}
