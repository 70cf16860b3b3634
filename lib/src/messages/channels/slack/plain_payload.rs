//! A payload without its layout: the same texts, one below the other.

use serde_json::{Value, json};

/// Slack asks for no more characters than that.
const LIMIT: usize = 3_000;

/// Whether there is a layout to leave out.
pub(super) fn is_laid_out(payload: &Value) -> bool {
    payload["blocks"].is_array()
}

/// The texts of the blocks, as many as fit; each is escaped already and stays whole.
pub(super) fn of(payload: &Value) -> Value {
    let blocks = payload["blocks"].as_array().into_iter().flatten();
    let mut length = 0;
    let texts: Vec<&str> = blocks
        .flat_map(texts)
        .take_while(|text| {
            length += text.encode_utf16().count() + 1;
            length <= LIMIT
        })
        .collect();
    if texts.is_empty() {
        return json!({ "text": payload["text"] });
    }
    json!({ "text": texts.join("\n") })
}

/// The texts of one block, in the order in which it shows them.
fn texts(block: &Value) -> impl Iterator<Item = &str> {
    let fields = block["fields"].as_array().into_iter().flatten();
    std::iter::once(&block["text"])
        .chain(fields)
        .filter_map(|text| text["text"].as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(text: &str) -> Value {
        json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
    }

    #[test]
    fn every_text_is_kept_in_its_order_as_long_as_it_fits() {
        let fields = json!({"type": "section", "fields": [{"text": "a"}, {"text": "b"}]});
        let payload = json!({"text": "t", "blocks": [section("<@U1>"), fields, section("c")]});
        assert!(is_laid_out(&payload));
        assert_eq!(of(&payload), json!({"text": "<@U1>\na\nb\nc"}));
        let long = "x".repeat(LIMIT - 3);
        let payload = json!({"text": "t", "blocks": [section("a"), section(&long), section("b")]});
        assert_eq!(of(&payload), json!({"text": format!("a\n{long}")}));
    }

    #[test]
    fn without_blocks_the_text_is_left() {
        let plain = json!({"text": "t"});
        assert!(!is_laid_out(&plain));
        assert_eq!(of(&json!({"text": "t", "blocks": []})), plain);
    }
}
