//! The colours of emails, which are those of the pages (`web/tokens.css`): light ones stand
//! in each element, dark ones in a style sheet for the clients that read it.

use std::fmt::Write;

use crate::messages::{
    message::Message,
    message_facts::{Kind, Severity},
};

/// A colour in both themes, and the class by which the dark one is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Colour {
    pub(super) class: &'static str,
    pub(super) light: &'static str,
    dark: &'static str,
}

const fn colour(class: &'static str, light: &'static str, dark: &'static str) -> Colour {
    Colour { class, light, dark }
}

pub(super) const GROUND: Colour = colour("ground", "#fdfbf8", "#171412");
pub(super) const TEXT: Colour = colour("text", "#1d1a17", "#efe9e2");
pub(super) const MUTED: Colour = colour("muted", "#665e56", "#a9a198");
pub(super) const RULE: Colour = colour("rule", "#e4dcd2", "#38312b");
pub(super) const ACCENT: Colour = colour("accent", "#7b1e3a", "#e58aa4");
/// On a button, whose ground is [`ACCENT`].
pub(super) const ON_ACCENT: Colour = colour("act", "#fffdfa", "#1d1014");
pub(super) const UP: Colour = colour("up", "#1b7a49", "#63c592");
const DEGRADED: Colour = colour("degraded", "#8a5800", "#e3ab45");
pub(super) const DOWN: Colour = colour("down", "#b5330f", "#ff8d69");
const NOTED: Colour = colour("noted", "#2a5fa3", "#82b3ec");

/// Colours of texts on the ground.
const TEXTS: [Colour; 7] = [TEXT, MUTED, ACCENT, UP, DEGRADED, DOWN, NOTED];

/// The colour of what a message says first, and a sign for those who do not tell it apart.
pub(super) fn state(message: &Message) -> (Colour, &'static str) {
    match (message.kind, message.severity) {
        (Kind::Resolved, _) if message.facts.ended.is_none() => (UP, "\u{25cf}"),
        (Kind::Resolved | Kind::Notice, _) => (MUTED, "\u{25cb}"),
        (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Critical | Severity::High) => {
            (DOWN, "\u{25a0}")
        }
        (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Medium) => {
            (DEGRADED, "\u{25cf}")
        }
        (Kind::Firing | Kind::Escalation | Kind::Reminder, Severity::Low) => (NOTED, "\u{25c6}"),
    }
}

/// The style sheet of a letter: what is dark for whoever wants it dark.
pub(super) fn style_sheet() -> String {
    let mut sheet =
        ":root{color-scheme:light dark;supported-color-schemes:light dark}@media (prefers-color-scheme:dark){"
            .to_owned();
    // Nothing but `!important` wins over what stands in an element.
    for Colour { class, dark, .. } in TEXTS {
        let _ = write!(sheet, ".{class}{{color:{dark}!important}}");
    }
    let _ = write!(
        sheet,
        ".{}{{background:{}!important}}.{}{{border-color:{}!important}}.{}{{background:{}!important;color:{}!important}}}}",
        GROUND.class,
        GROUND.dark,
        RULE.class,
        RULE.dark,
        ON_ACCENT.class,
        ACCENT.dark,
        ON_ACCENT.dark,
    );
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance, as WCAG 2.2 defines it.
    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn contrast_is_measured_as_the_standard_has_it() {
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9);
        assert!((contrast("#777777", "#ffffff") - 4.478).abs() < 1e-3);
    }

    #[test]
    fn every_text_can_be_read_in_both_themes() {
        let on_ground = TEXTS.map(|text| (text, GROUND));
        for (text, ground) in on_ground.into_iter().chain([(ON_ACCENT, ACCENT)]) {
            for (text, ground) in [(text.light, ground.light), (text.dark, ground.dark)] {
                let contrast = contrast(text, ground);
                assert!(contrast >= 4.5, "{text} on {ground}: {contrast:.2}");
            }
        }
    }

    #[test]
    fn emails_and_pages_look_like_one_thing() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let page = std::fs::read_to_string(format!("{root}/web/colours.css"));
        let page = page.unwrap();
        let (light, dark) = page.split_once("prefers-color-scheme: dark").unwrap();
        for (
            name,
            Colour {
                light: day,
                dark: night,
                ..
            },
        ) in [
            ("ground", GROUND),
            ("text", TEXT),
            ("muted", MUTED),
            ("rule", RULE),
            ("accent", ACCENT),
            ("on-accent", ON_ACCENT),
            ("up", UP),
            ("degraded", DEGRADED),
            ("down", DOWN),
            ("maintenance", NOTED),
        ] {
            assert!(light.contains(&format!("--{name}: {day};")), "{name}");
            assert!(dark.contains(&format!("--{name}: {night};")), "{name}");
        }
    }
}
