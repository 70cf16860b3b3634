//! Whom to ask where the fault may be somebody else's: the vendors behind what
//! suffers, each with the page that says how it is doing and the one that takes
//! reports.

use super::{message_facts::Facts, message_links::Link};

/// The services of ours that stand on a vendor, and its two pages.
type Vendor = (&'static [&'static str], [(&'static str, &'static str); 2]);

const VENDORS: [Vendor; 5] = [
    (
        &["ai"],
        [
            ("OpenAI status", "https://status.openai.com"),
            ("OpenAI support", "https://help.openai.com"),
        ],
    ),
    (
        &["database", "storage", "backups"],
        [
            ("Supabase status", "https://status.supabase.com"),
            ("Supabase support", "https://supabase.com/support"),
        ],
    ),
    (
        &["app", "monitoring"],
        [
            ("Vercel status", "https://www.vercel-status.com"),
            ("Vercel support", "https://vercel.com/help"),
        ],
    ),
    (
        &["imageProcessing"],
        [
            ("Google Cloud status", "https://status.cloud.google.com"),
            ("Google Cloud support", "https://cloud.google.com/support"),
        ],
    ),
    (
        &["email"],
        [
            ("Resend status", "https://resend-status.com"),
            ("Resend support", "https://resend.com/help"),
        ],
    ),
];

/// The pages of the vendors of what suffers; of all of them where it is not
/// known what does.
pub(super) fn links(facts: &Facts) -> impl Iterator<Item = Link> {
    let suffers = |service: &&str| {
        facts.affects.iter().any(|affected| affected == service)
            || facts.service.as_deref() == Some(service)
    };
    let concerns = move |vendor: &&Vendor| vendor.0.iter().any(&suffers);
    let unknown = !VENDORS.iter().any(|vendor| concerns(&vendor));
    VENDORS
        .iter()
        .filter(move |vendor| unknown || concerns(vendor))
        .flat_map(|(_, pages)| pages)
        .map(|(label, url)| Link {
            label,
            url: (*url).to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(affects: &[&str]) -> Vec<&'static str> {
        let facts = Facts {
            affects: affects.iter().map(|name| (*name).to_owned()).collect(),
            ..Facts::default()
        };
        links(&facts).map(|link| link.label).collect()
    }

    #[test]
    fn only_the_vendors_of_what_suffers_are_named() {
        assert_eq!(labels(&["ai"]), ["OpenAI status", "OpenAI support"]);
        assert_eq!(
            labels(&["database", "app"]),
            [
                "Supabase status",
                "Supabase support",
                "Vercel status",
                "Vercel support"
            ]
        );
    }

    #[test]
    fn all_are_named_where_it_is_not_known_what_suffers() {
        assert_eq!(labels(&[]).len(), 10);
        assert_eq!(labels(&["cellar"]).len(), 10);
    }

    #[test]
    fn every_service_of_health_has_a_vendor() {
        for service in crate::health::service::Service::ALL {
            assert_eq!(labels(&[service.as_str()]).len(), 2, "{service:?}");
        }
    }
}
