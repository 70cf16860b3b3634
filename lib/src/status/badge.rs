//! The state in a small picture, and for those who draw it themselves.

use serde_json::{Value, json};

use super::{
    document::{Document, State},
    words,
};
use crate::messages::plain_text;

/// How long a label may be, in characters.
const LABEL: usize = 60;

/// What a badge shows: its label and its state.
fn shown(document: &Document, component: Option<&str>) -> (String, State) {
    match component {
        Some(id) => {
            let known = document.component(id);
            let label = known.map_or(id, |component| component.name.as_str());
            (
                label_of(label),
                known.map_or(State::Unknown, |component| component.state),
            )
        }
        None => (label_of("status"), document.state),
    }
}

fn label_of(text: &str) -> String {
    plain_text::cut(&plain_text::line(text), LABEL)
}

fn color(state: State) -> &'static str {
    match state {
        State::Operational => "#1a7f37",
        State::Maintenance => "#0b63a5",
        State::Degraded => "#8a6100",
        State::PartialOutage | State::MajorOutage => "#b3261e",
        State::Unknown => "#5f5b57",
    }
}

/// The form that shields.io reads.
pub(super) fn shields(document: &Document, component: Option<&str>) -> Value {
    let (label, state) = shown(document, component);
    json!({
        "schemaVersion": 1,
        "label": label,
        "message": words::state(state).to_lowercase(),
        "color": color(state),
        "isError": matches!(state, State::PartialOutage | State::MajorOutage),
        "cacheSeconds": 60,
    })
}

/// A picture of 20 pixels. The width of each text is given, so that it fits in any font.
pub(super) fn picture(document: &Document, component: Option<&str>) -> String {
    let (label, state) = shown(document, component);
    let message = words::state(state).to_lowercase();
    let [left, right] = [&label, &message].map(|text| width(text));
    let [label, message] = [&label, &message].map(|text| plain_text::html(text, 1_000));
    let whole = left + right;
    let text = |x: usize, width: usize, text: &str| {
        format!(
            "<text x=\"{x}\" y=\"14\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\">{text}</text>",
            width - 12
        )
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole}\" height=\"20\" viewBox=\"0 0 {whole} 20\" \
         role=\"img\" aria-label=\"{label}: {message}\"><title>{label}: {message}</title>\
         <rect width=\"{whole}\" height=\"20\" rx=\"3\" fill=\"#333\"/>\
         <path d=\"M{left} 0h{}a3 3 0 0 1 3 3v14a3 3 0 0 1 -3 3h-{}z\" fill=\"{}\"/>\
         <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">{}{}</g></svg>\n",
        right - 3,
        right - 3,
        color(state),
        text(6, left, &label),
        text(left + 6, right, &message),
    )
}

/// About how wide a text is at 11 pixels, with its margins.
fn width(text: &str) -> usize {
    let pixels: usize = text
        .chars()
        .map(|letter| match letter {
            'i' | 'l' | 'j' | '.' | ',' | ':' | ' ' | '\'' => 4,
            'm' | 'w' | 'M' | 'W' => 10,
            letter if letter.is_ascii() => 7,
            _ => 11,
        })
        .sum();
    pixels.max(7) + 12
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::sample;

    #[test]
    fn a_badge_shows_the_whole_or_one_part_and_what_is_none_is_not_known() {
        let document = sample::document(&[State::Operational, State::MajorOutage]);
        for (component, label, message) in [
            (None, "status", "not working"),
            (Some("part-0"), "Part 0", "working"),
            (Some("nothing"), "nothing", "not known"),
        ] {
            let shields = shields(&document, component);
            assert_eq!(
                (&shields["label"], &shields["message"]),
                (&json!(label), &json!(message))
            );
            assert!(
                picture(&document, component)
                    .contains(&format!("aria-label=\"{label}: {message}\""))
            );
        }
    }

    #[test]
    fn a_name_is_text_in_the_picture_and_never_runs_away() {
        let mut document = sample::document(&[State::Operational]);
        document.components[0].name = format!("\"><script>\u{202e}{}", "x".repeat(10_000));
        let picture = picture(&document, Some("part-0"));
        assert!(
            !picture.contains("<script") && !picture.contains('\u{202e}'),
            "{picture}"
        );
        assert!(picture.len() < 3_000);
    }
}
