//! `TwiML`, what Twilio does next.

use crate::messages::plain_text;

/// Twilio refuses more than 4,000 characters.
const SPEECH_LIMIT: usize = 1_500;

/// A document of these verbs.
pub(super) fn document(verbs: &str) -> String {
    format!(r#"<?xml version="1.0" encoding="UTF-8"?><Response>{verbs}</Response>"#)
}

/// Says something.
pub(super) fn say(text: &str) -> String {
    let text = plain_text::html(&plain_text::line(text), SPEECH_LIMIT);
    format!(r#"<Say voice="Polly.Joanna" language="en-US">{text}</Say>"#)
}

/// Texts something back; nothing where there is nothing to say.
pub(super) fn text(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let text = plain_text::html(&plain_text::line(text), SPEECH_LIMIT);
    format!("<Message>{text}</Message>")
}

/// An attribute's value.
pub(super) fn attribute(text: &str) -> String {
    plain_text::html(text, SPEECH_LIMIT)
}
