//! The page's style sheet and script: static files, named after what is in them.

/// The address of the style sheet.
pub(super) const STYLE: &str = "/assets/status.5a81c34d1e61.css";

/// The address of the script.
pub(super) const SCRIPT: &str = "/assets/status.0e26d75dcb6d.js";

/// What stands in them, for the copy that lies elsewhere: address, type and text.
pub(super) const FILES: [(&str, &str, &str); 2] = [
    (
        STYLE,
        "text/css; charset=utf-8",
        include_str!("../../../web/status/status.css"),
    ),
    (
        SCRIPT,
        "text/javascript; charset=utf-8",
        include_str!("../../../web/status/status.js"),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_served_is_what_was_written() {
        let public = concat!(env!("CARGO_MANIFEST_DIR"), "/../public");
        for (address, _, text) in FILES {
            let served = std::fs::read_to_string(format!("{public}{address}"));
            assert_eq!(served.unwrap(), text, "{address}: copy it and rename it");
        }
    }
}
