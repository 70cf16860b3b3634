//! The steps of a recovery: from what is known to what is done, to be done, or left to a person.
//! It knows no clock, no network and no folder.

use std::collections::BTreeMap;

use ops::backups::recovery_receipts::Kind;
use serde::{Deserialize, Serialize};

/// A step, in the order in which steps are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    Store,
    Project,
    Restore,
    Files,
    Archive,
    Repository,
    Functions,
    Configuration,
    VercelProject,
    Variables,
    Domains,
    PointApp,
    PointBundle,
    DeployApp,
    DeployBundle,
    Check,
    FirstBackup,
    Uncovered,
    Jobs,
    Release,
    Addresses,
    Removal,
}

impl Step {
    /// What it does, in words.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Store => "look which place of the backups answers",
            Self::Project => "make the project on Supabase",
            Self::Restore => "restore the database, and compare it",
            Self::Files => "restore the files of Storage",
            Self::Archive => "open the archive of the application",
            Self::Repository => "push the repository",
            Self::Functions => "deploy the Edge Functions",
            Self::Configuration => "set the project up: Auth, REST, Postgres, Storage, network",
            Self::VercelProject => "make the app's project on Vercel",
            Self::Variables => "set the app's variables",
            Self::Domains => "give the app its domains",
            Self::PointApp => "point the app's variables at the new database",
            Self::PointBundle => "point this bundle's variables at the new database",
            Self::DeployApp => "deploy the app anew",
            Self::DeployBundle => "deploy this bundle anew",
            Self::Check => "look whether everything works: pourtrait check --live",
            Self::FirstBackup => "take the first backup of the new database",
            Self::Uncovered => "bring back what no backup holds",
            Self::Jobs => "make the database's jobs, publications and webhooks",
            Self::Release => "let Vercel build the app",
            Self::Addresses => "change what names the former place",
            Self::Removal => "throw away what was made",
        }
    }
}

/// How a step stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    /// It was done, in so many seconds.
    Done(f64),
    Todo,
    /// Only a person can do it: how.
    ByHand(String),
}

/// A step with how it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planned {
    pub(super) step: Step,
    pub(super) state: State,
}

/// What is known before a step is taken.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that a step may need, and any may be there without another"
)]
pub(super) struct Facts {
    /// What was done by earlier calls, with its seconds.
    pub(super) done: BTreeMap<Step, f64>,
    /// Whether a project is made for the database.
    pub(super) makes_project: bool,
    /// Whether the project's API is known, or will be.
    pub(super) has_api: bool,
    /// Whether the backup has files.
    pub(super) has_files: bool,
    /// Whether Supabase's management may be asked.
    pub(super) has_management: bool,
    /// Whether Vercel may be asked.
    pub(super) has_vercel: bool,
    /// Whether the app's project on Vercel is named.
    pub(super) has_app_project: bool,
    /// Whether this bundle's is.
    pub(super) has_own_project: bool,
    /// Whether a new repository is named.
    pub(super) has_repository: bool,
    /// Whether a new project on Vercel is named.
    pub(super) makes_vercel_project: bool,
    /// Where the opened archive lies.
    pub(super) archive: String,
    /// Where it stands what the backup does not hold.
    pub(super) uncovered: String,
    /// Where the new variables stand.
    pub(super) recovered: String,
}

/// The steps of a recovery, in order.
pub(super) fn plan(kind: Kind, is_drill: bool, facts: &Facts) -> Vec<Planned> {
    let steps = match kind {
        Kind::Database => database(is_drill, facts),
        Kind::Application => application(is_drill, facts),
        Kind::Region => {
            let mut steps = vec![(Step::Store, None)];
            steps.extend(database(is_drill, facts));
            steps.extend(application(is_drill, facts));
            if !is_drill {
                steps.push((Step::Addresses, Some(addresses(facts))));
            }
            steps
        }
    };
    let mut steps: Vec<Planned> = steps
        .into_iter()
        .map(|(step, by_hand)| Planned {
            step,
            state: match (facts.done.get(&step), by_hand) {
                (Some(seconds), _) => State::Done(*seconds),
                (None, Some(how)) => State::ByHand(how),
                (None, None) => State::Todo,
            },
        })
        .collect();
    steps.sort_by_key(|planned| planned.step);
    steps.dedup_by_key(|planned| planned.step);
    steps
}

type Wanted = Vec<(Step, Option<String>)>;

fn database(is_drill: bool, facts: &Facts) -> Wanted {
    let mut steps = Vec::new();
    if facts.makes_project {
        steps.push((Step::Project, None));
    }
    steps.push((Step::Restore, None));
    if facts.has_files && !is_drill {
        steps.push((Step::Files, files(facts)));
    }
    if is_drill {
        if facts.makes_project {
            steps.push((Step::Removal, None));
        }
        return steps;
    }
    let projects = [
        (facts.has_app_project, Step::PointApp, Step::DeployApp),
        (facts.has_own_project, Step::PointBundle, Step::DeployBundle),
    ];
    for (is_named, point, deploy) in projects {
        let by_hand = (!facts.has_vercel || !is_named).then(|| point_by_hand(facts));
        steps.push((point, by_hand.clone()));
        steps.push((deploy, by_hand.map(|_| deploy_by_hand())));
    }
    let api = (!facts.has_api).then(|| with_recovered(facts, "check --live"));
    steps.push((Step::Check, api));
    let api = (!facts.has_api).then(|| with_recovered(facts, "backup run"));
    steps.push((Step::FirstBackup, api));
    let uncovered = format!(
        "{} names each: passwords of roles, secrets of Vault, what Realtime publishes, and more, with where \
         it comes from",
        facts.uncovered
    );
    steps.push((Step::Uncovered, Some(uncovered)));
    steps
}

fn application(is_drill: bool, facts: &Facts) -> Wanted {
    let mut steps = vec![(Step::Archive, None)];
    let pushed = facts.has_repository || is_drill;
    let repository = format!(
        "make a new and empty repository, then `git clone --mirror {0}/repository.bundle mirror.git` and \
         `git -C mirror.git push --mirror REMOTE`; or call this again with --repository REMOTE",
        facts.archive
    );
    steps.push((Step::Repository, (!pushed).then_some(repository)));
    let vercel = facts.has_vercel && facts.makes_vercel_project;
    if is_drill {
        if vercel {
            steps.push((Step::VercelProject, None));
            steps.push((Step::Removal, None));
        }
        return steps;
    }
    for (step, what) in [
        (Step::Functions, "supabase.functions.json"),
        (Step::Configuration, "supabase.*.json"),
    ] {
        let how = format!(
            "as {}/{what} says; or call this again with SUPABASE_ACCESS_TOKEN and SUPABASE_PROJECT_REF set",
            facts.archive
        );
        steps.push((step, (!facts.has_management).then_some(how)));
    }
    for (step, what) in [
        (Step::VercelProject, "vercel.app.project.json"),
        (Step::Variables, "vercel.app.variables.json"),
        (Step::Domains, "vercel.app.domains.json"),
    ] {
        let how = format!(
            "as {}/{what} says; or call this again with VERCEL_TOKEN set and --vercel-project NAME",
            facts.archive
        );
        steps.push((step, (!vercel).then_some(how)));
    }
    let jobs = format!(
        "`psql \"$DATABASE_URL\" -f {0}/jobs.sql` makes those of pg_cron; {0}/database.publications.json \
         and database.webhooks.json say what else to make",
        facts.archive
    );
    steps.push((Step::Jobs, Some(jobs)));
    let release = "link the new repository in the project's settings on Vercel (Git → Connect) and push, or \
                   `vercel deploy --prod`; crons come with the deployment";
    steps.push((Step::Release, Some(release.to_owned())));
    steps
}

fn files(facts: &Facts) -> Option<String> {
    (!facts.has_api).then(|| {
        "`pourtrait backup restore-files` with the new project's URL and secret key; or call this again \
         with --project-url and --secret-key"
            .to_owned()
    })
}

fn point_by_hand(facts: &Facts) -> String {
    format!(
        "on Vercel (Settings → Environment Variables) replace what {} has otherwise: the project's URL and \
         keys, DATABASE_URL and DATABASE_CA; or call this again with VERCEL_TOKEN and the project's id set",
        facts.recovered
    )
}

fn deploy_by_hand() -> String {
    "on Vercel (Deployments → the newest of production → Redeploy), once the variables are set"
        .to_owned()
}

fn with_recovered(facts: &Facts, command: &str) -> String {
    format!(
        "add the new project's URL and secret key to {0}, then `pourtrait --env-file {0} {command}`",
        facts.recovered
    )
}

fn addresses(facts: &Facts) -> String {
    format!(
        "DNS: the app's and this bundle's domains, where their records named the former place; monitors \
         outside (uptime services, `pourtrait monitor`, the second platform's watcher): BASE_URL and the \
         app's URL; webhooks of Supabase, Vercel and mail that name the former project; secrets of GitHub's \
         workflows, by `pourtrait --env-file {} setup`",
        facts.recovered
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: Kind, is_drill: bool, facts: &Facts) -> Vec<(Step, &'static str)> {
        let state = |planned: &Planned| match planned.state {
            State::Done(_) => "done",
            State::Todo => "todo",
            State::ByHand(_) => "by hand",
        };
        let steps = plan(kind, is_drill, facts);
        steps
            .iter()
            .map(|planned| (planned.step, state(planned)))
            .collect()
    }

    fn all() -> Facts {
        Facts {
            makes_project: true,
            has_api: true,
            has_files: true,
            has_management: true,
            has_vercel: true,
            has_app_project: true,
            has_own_project: true,
            has_repository: true,
            makes_vercel_project: true,
            ..Facts::default()
        }
    }

    #[test]
    fn what_no_token_is_there_for_is_left_to_a_person() {
        let bare = told(Kind::Database, false, &Facts::default());
        assert_eq!(
            bare,
            [
                (Step::Restore, "todo"),
                (Step::PointApp, "by hand"),
                (Step::PointBundle, "by hand"),
                (Step::DeployApp, "by hand"),
                (Step::DeployBundle, "by hand"),
                (Step::Check, "by hand"),
                (Step::FirstBackup, "by hand"),
                (Step::Uncovered, "by hand"),
            ]
        );
        let whole = told(Kind::Database, false, &all());
        let by_hand: Vec<_> = whole
            .iter()
            .filter(|(_, state)| *state == "by hand")
            .collect();
        assert_eq!(by_hand, [&(Step::Uncovered, "by hand")]);
        let application = told(Kind::Application, false, &all());
        let by_hand = application.iter().filter(|(_, state)| *state == "by hand");
        assert_eq!(
            by_hand.map(|(step, _)| *step).collect::<Vec<_>>(),
            [Step::Jobs, Step::Release]
        );
    }

    #[test]
    fn what_an_earlier_call_did_is_not_done_again() {
        let facts = Facts {
            done: [(Step::Project, 61.5), (Step::Restore, 12.0)].into(),
            ..all()
        };
        let steps = plan(Kind::Database, false, &facts);
        assert_eq!(steps[0].state, State::Done(61.5));
        assert_eq!(steps[1].state, State::Done(12.0));
        assert_eq!(steps[2].state, State::Todo);
    }

    #[test]
    fn a_drill_changes_nothing_that_serves_and_ends_with_nothing_left() {
        for kind in Kind::ALL {
            let steps = told(kind, true, &all());
            assert_eq!(steps.last(), Some(&(Step::Removal, "todo")), "{kind:?}");
            let serving = [
                Step::PointApp,
                Step::PointBundle,
                Step::DeployApp,
                Step::Configuration,
                Step::Domains,
            ];
            assert!(
                !steps.iter().any(|(step, _)| serving.contains(step)),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn a_region_is_the_database_first_and_then_the_application() {
        let steps: Vec<Step> = told(Kind::Region, false, &all())
            .into_iter()
            .map(|(step, _)| step)
            .collect();
        assert!(steps.is_sorted());
        assert_eq!(steps.first(), Some(&Step::Store));
        assert_eq!(steps.last(), Some(&Step::Addresses));
        assert!(steps.contains(&Step::Restore) && steps.contains(&Step::Repository));
    }
}
