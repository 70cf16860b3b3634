//! Where a request leads: the addresses of the page.

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The page itself.
    Page,
    /// One incident.
    Incident(String),
    /// The page's document.
    Document,
    /// Something that a reader follows, of one component or of all.
    Feed(Format, Option<String>),
    /// The state in a picture or for one.
    Badge(BadgeFormat, Option<String>),
    /// An address of the read API that clients of Statuspage know.
    Api(ApiPath),
    /// Asks for a subscription.
    Subscribe,
    /// Confirms one.
    Confirm,
    /// Changes one.
    Manage,
    /// Ends one.
    Unsubscribe,
    /// Lets a device hear.
    SubscribeDevice,
    /// Ends that.
    EndDevice,
}

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Atom,
    Rss,
    Json,
    Calendar,
}

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadgeFormat {
    Picture,
    Shields,
}

/// What of the read API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ApiPath {
    Summary,
    Status,
    Components,
    Incidents,
    Unresolved,
    Maintenances,
    Upcoming,
    Active,
}

impl ApiPath {
    /// Every address, as it stands behind `/api/v2/`.
    pub(super) const ALL: [(Self, &'static str); 8] = [
        (Self::Summary, "summary.json"),
        (Self::Status, "status.json"),
        (Self::Components, "components.json"),
        (Self::Incidents, "incidents.json"),
        (Self::Unresolved, "incidents/unresolved.json"),
        (Self::Maintenances, "scheduled-maintenances.json"),
        (Self::Upcoming, "scheduled-maintenances/upcoming.json"),
        (Self::Active, "scheduled-maintenances/active.json"),
    ];
}

const FEEDS: [(Format, &str); 4] = [
    (Format::Atom, "feed.atom"),
    (Format::Rss, "feed.rss"),
    (Format::Json, "feed.json"),
    (Format::Calendar, "maintenance.ics"),
];

impl Format {
    /// The last part of its address.
    pub(super) fn file(self) -> &'static str {
        let known = FEEDS.into_iter().find(|(format, _)| *format == self);
        known.map_or("", |(_, file)| file)
    }

    /// Its address below the page's, for one component or for all.
    pub(super) fn path(self, component: Option<&str>) -> String {
        below(component, self.file())
    }
}

/// A file's address, for one component or for all.
fn below(component: Option<&str>, file: &str) -> String {
    match component {
        Some(id) => format!("/status/components/{id}/{file}"),
        None => format!("/status/{file}"),
    }
}

/// The place at a path; `None` where there is none.
pub(super) fn at(path: &str) -> Option<Place> {
    if let Some(name) = path.strip_prefix("/api/v2/") {
        let known = ApiPath::ALL.into_iter().find(|(_, known)| *known == name);
        return known.map(|(path, _)| Place::Api(path));
    }
    let rest = match path {
        "/api/status" | "/status" | "/status/" => return Some(Place::Page),
        path => path.strip_prefix("/status/")?,
    };
    match rest.split('/').collect::<Vec<_>>()[..] {
        ["status.json"] => Some(Place::Document),
        ["subscribe"] => Some(Place::Subscribe),
        ["confirm"] => Some(Place::Confirm),
        ["manage"] => Some(Place::Manage),
        ["unsubscribe"] => Some(Place::Unsubscribe),
        ["push"] => Some(Place::SubscribeDevice),
        ["push", "end"] => Some(Place::EndDevice),
        ["incidents", id] => Some(Place::Incident(id.to_owned())),
        ["components", id, file] => file_of(file, Some(id.to_owned())),
        [file] => file_of(file, None),
        _ => None,
    }
}

fn file_of(file: &str, component: Option<String>) -> Option<Place> {
    match file {
        "badge.svg" => return Some(Place::Badge(BadgeFormat::Picture, component)),
        "badge.json" => return Some(Place::Badge(BadgeFormat::Shields, component)),
        _ => {}
    }
    let known = FEEDS.into_iter().find(|(_, known)| *known == file);
    known.map(|(format, _)| Place::Feed(format, component))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_one_place_or_nowhere() {
        for (path, expected) in [
            ("/status", Some(Place::Page)),
            ("/api/status", Some(Place::Page)),
            ("/status/feed.atom", Some(Place::Feed(Format::Atom, None))),
            (
                "/status/components/app/maintenance.ics",
                Some(Place::Feed(Format::Calendar, Some("app".into()))),
            ),
            (
                "/status/components/app/badge.svg",
                Some(Place::Badge(BadgeFormat::Picture, Some("app".into()))),
            ),
            (
                "/status/incidents/1c1d",
                Some(Place::Incident("1c1d".into())),
            ),
            ("/api/v2/summary.json", Some(Place::Api(ApiPath::Summary))),
            (
                "/api/v2/scheduled-maintenances/active.json",
                Some(Place::Api(ApiPath::Active)),
            ),
            ("/status/push", Some(Place::SubscribeDevice)),
            ("/status/push/end", Some(Place::EndDevice)),
            ("/status/push/other", None),
            ("/status/nothing", None),
            ("/status/components/app", None),
            ("/status/components/a/b/feed.atom", None),
            ("/api/v2/", None),
            ("/api/v2/summary", None),
            ("/", None),
        ] {
            assert_eq!(at(path), expected, "{path}");
        }
        for (format, file) in FEEDS {
            assert_eq!(format.file(), file);
            assert_eq!(at(&format.path(None)), Some(Place::Feed(format, None)));
        }
    }
}
