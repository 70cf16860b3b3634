//! `public/index.html`: what this deployment is, and all that answers on it, from the table of
//! endpoints.

use std::fmt::Write;

use ops::{endpoint::Endpoint, router};

/// What the page is about.
pub(super) const ABOUT: &str = "This deployment watches the Pourtrait app, remembers what it saw, and tells someone when it breaks.";

const BEGINNING: &str = "<h1>Pourtrait Ops</h1>
<p>This deployment watches the Pourtrait app: it checks it every minute, remembers what it saw, and tells someone when it breaks. It is not the app itself.</p>
<h2>For people</h2>
<table>
<thead><tr><th>Page</th><th>What it is</th><th>Who may look</th></tr></thead>
<tbody>
<tr><td><a href=\"/dashboard\">Dashboard</a></td><td>Is anything wrong, since when, who has it, and what comes next; then everything known</td><td>operators, signed-in people with a role</td></tr>
<tr><td><a href=\"/status\">Status page</a></td><td>What works now, what is planned and what happened, in public words</td><td>anyone</td></tr>
<tr><td><a href=\"/runbook.html\">Runbooks</a></td><td>For every alert: the first command to run, what you should see, and what to do</td><td>anyone</td></tr>
</tbody>
</table>
<h2>For programs</h2>
<table>
<thead><tr><th>Path</th><th>What it is</th><th>Who may ask</th></tr></thead>
<tbody>
";

const END: &str = "</tbody>
</table>
<h2>An alert brought you here?</h2>
<p>Every alert names its rule, and every rule has an entry in the <a href=\"/runbook.html\">runbook</a> that starts with the first command to run.</p>
";

/// The body of the page.
pub(super) fn body() -> String {
    let mut text = BEGINNING.to_owned();
    for endpoint in Endpoint::ALL {
        let methods: Vec<String> = router::routes(endpoint)
            .methods()
            .iter()
            .map(|method| format!("<code>{method}</code>"))
            .collect();
        let (what, who) = words(endpoint);
        let _ = writeln!(
            text,
            "<tr><td>{}<br>{}</td><td>{what}</td><td>{who}</td></tr>",
            path(endpoint),
            methods.join(" ")
        );
    }
    text + END
}

/// The path, as a link where a browser may look without a proof.
fn path(endpoint: Endpoint) -> String {
    let path = endpoint.spec().path;
    if endpoint == Endpoint::Health {
        format!("<a href=\"{path}\"><code>{path}</code></a>")
    } else {
        format!("<code>{path}</code>")
    }
}

/// What an endpoint is for, and for whom.
fn words(endpoint: Endpoint) -> (&'static str, &'static str) {
    match endpoint {
        Endpoint::Health => (
            "Is everything that the app stands on working? Also at <code>/health</code>",
            "anyone; operators see why",
        ),
        Endpoint::Dashboard => (
            "Everything known, in one JSON document; for scrapers, <code>/api/metrics</code>",
            "operators, signed-in people with a role",
        ),
        Endpoint::Monitor => ("One tick of watching", "the scheduler, operators"),
        Endpoint::Dispatch => (
            "GET delivers messages, POST raises alerts",
            "the scheduler, operators",
        ),
        Endpoint::Acknowledge => (
            "Answers an alert or an incident, by a link in its message or by JSON",
            "whoever got the link, operators, signed-in responders",
        ),
        Endpoint::Backup => ("One backup of the database", "the scheduler, operators"),
        Endpoint::Maintenance => (
            "Rolls up what is past and deletes what is old",
            "the scheduler, operators",
        ),
        Endpoint::Heartbeat => (
            "A job reports that it started, succeeded or failed",
            "jobs, each by the token of its own heartbeat",
        ),
        Endpoint::Account => (
            "Signs people in and out, for the pages",
            "people of the project",
        ),
        Endpoint::Status => (
            "The public status page, its feeds and subscriptions; also at <code>/status</code>",
            "anyone",
        ),
        Endpoint::Ingest => (
            "The door for what apps and platforms send",
            "whoever has a project key",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_is_listed_once_with_its_methods() {
        let body = body();
        for endpoint in Endpoint::ALL {
            let path = endpoint.spec().path;
            assert_eq!(
                body.matches(&format!("<code>{path}</code>")).count(),
                1,
                "{path}"
            );
        }
        assert!(
            body.contains("<code>GET</code> <code>HEAD</code>"),
            "{body}"
        );
    }
}
