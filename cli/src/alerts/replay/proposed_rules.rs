//! Rules to try, as a file has them: a JSON object, or a line `KEY=VALUE` each.
//! The database decides which rules are valid.

use std::path::Path;

use anyhow::Context;
use serde_json::{Map, Value};

use crate::project;
use terminal::failure::Misuse;

pub(super) fn read(path: &Path) -> anyhow::Result<Map<String, Value>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| Misuse(format!("{} cannot be read", path.display())))?;
    parse(&text).map_err(|problem| Misuse(format!("{}: {problem}", path.display())).into())
}

fn parse(text: &str) -> Result<Map<String, Value>, String> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| error.to_string());
    }
    let lines = text.lines().enumerate().filter_map(|(index, line)| {
        let line = line.trim();
        (!line.is_empty() && !line.starts_with('#')).then_some((index + 1, line))
    });
    let mut rules = Map::new();
    for (number, line) in lines {
        let (key, value) = line
            .split_once('=')
            .ok_or_else(|| format!("line {number}: expected KEY=VALUE"))?;
        let value = project::read(value.trim().to_owned());
        if rules.insert(key.trim().to_owned(), value).is_some() {
            return Err(format!("line {number}: {} stands there twice", key.trim()));
        }
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_and_an_object_say_the_same() {
        let lines = "# calmer\nalert.bad_after = 5\n\nseverity.app_slow=low\nthreshold.cls=0.2\n";
        let object = r#" {"alert.bad_after": 5, "severity.app_slow": "low", "threshold.cls": 0.2}"#;
        for text in [lines, object] {
            let rules = Value::Object(parse(text).unwrap());
            let expected =
                json!({"alert.bad_after": 5, "severity.app_slow": "low", "threshold.cls": 0.2});
            assert_eq!(rules, expected, "{text}");
        }
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn what_is_neither_is_named() {
        for (text, problem) in [
            ("alert.bad_after", "line 1: expected KEY=VALUE"),
            ("a=1\n# b\na=2", "line 3: a stands there twice"),
        ] {
            assert_eq!(parse(text).unwrap_err(), problem, "{text}");
        }
        parse("{\"a\": }").unwrap_err();
        parse("{\"a\": 1} b").unwrap_err();
    }
}
