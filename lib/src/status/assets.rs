//! The page's style sheet and script: static files, named after what is in them.

/// The address of the style sheet.
pub(super) const STYLE: &str = "/assets/status.f67bc0efadbd.css";

/// The address of the script.
pub(super) const SCRIPT: &str = "/assets/status.9470dbfc607e.js";

/// What stands in them, for the copy that lies elsewhere: address, type and text.
pub(super) const FILES: [(&str, &str, &str); 2] = [
    (
        STYLE,
        "text/css; charset=utf-8",
        include_str!("../../../public/assets/status.f67bc0efadbd.css"),
    ),
    (
        SCRIPT,
        "text/javascript; charset=utf-8",
        include_str!("../../../public/assets/status.9470dbfc607e.js"),
    ),
];
