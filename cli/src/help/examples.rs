//! Examples that `--help` of a noun ends with: the commands that somebody looks for first, as
//! they are typed.

use clap::Command;

/// Each noun with its examples, a command a line.
const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "alerts",
        &[
            "pourtrait alerts list",
            "pourtrait alerts acknowledge 3f2a --for 2h --note 'at it'",
            "pourtrait alerts silence --rule app_slow --for 90m --reason 'load test'",
            "pourtrait alerts prove",
        ],
    ),
    (
        "audit",
        &[
            "pourtrait audit list --limit 20",
            "pourtrait audit verify",
            "pourtrait audit export --output audit-log.jsonl",
            "pourtrait audit verify --file audit-log.jsonl",
            "pourtrait audit security --days 31 --out security.md",
        ],
    ),
    (
        "backup",
        &[
            "pourtrait backup list",
            "pourtrait backup verify all",
            "pourtrait backup store-test",
            "pourtrait backup export --format directory --output ../backup.dir",
            "pourtrait backup restore latest --into \"$NEW_DATABASE_URL\" --yes",
            "pourtrait backup restore-files latest --into \"$NEW_DATABASE_URL\" --project \"$NEW_SUPABASE_URL\" --yes",
            "pourtrait backup application run --repository .",
            "pourtrait backup prune --dry-run",
            "pourtrait backup replicate",
            "pourtrait backup heal 20261125T090008Z",
            "pourtrait backup pin latest --reason \"before the migration\"",
            "pourtrait backup restore --into-live --missing-only --dry-run --table public.wines",
            "pourtrait backup restore --into-live --missing-only --dry-run --where public.profiles:id=7",
            "pourtrait backup verify --before 2026-11-25T09:00:00Z",
            "pourtrait backup history --table public.wines --key id=7 --values",
            "pourtrait backup diff 20261125T090008Z latest --table public.wines --rows",
            "pourtrait backup mask-template --output masks.toml",
            "pourtrait backup restore --into \"$STAGING_DATABASE_URL\" --mask masks.toml --yes",
            "pourtrait backup evidence --from 2026-11-01 --to 2026-11-30 --output evidence.md",
            "pourtrait backup evidence --verify",
            "pourtrait backup evidence review --from 2026-11-01 --to 2026-11-30 --by \"Anna Weber\" --yes",
        ],
    ),
    (
        "check",
        &[
            "pourtrait check --live",
            "pourtrait check --all --plan hobby",
        ],
    ),
    (
        "checks",
        &[
            "pourtrait checks add search http url=https://app.example.com/search status=200",
            "pourtrait checks test search",
            "pourtrait checks history search --limit 50",
        ],
    ),
    (
        "completions",
        &[
            "pourtrait completions bash > ~/.local/share/bash-completion/completions/pourtrait",
            "pourtrait completions zsh > ~/.zfunc/_pourtrait",
        ],
    ),
    (
        "components",
        &[
            "pourtrait components list",
            "pourtrait components set app --state partial_outage",
        ],
    ),
    (
        "contacts",
        &[
            "pourtrait contacts list",
            "pourtrait contacts edit Anna --address sms=+491701234567",
            "pourtrait contacts test Anna",
        ],
    ),
    (
        "database",
        &[
            "pourtrait database show",
            "pourtrait database advise",
            "pourtrait database resources",
        ],
    ),
    (
        "door",
        &[
            "pourtrait door add web --origin https://app.example.com",
            "pourtrait door keys",
        ],
    ),
    (
        "errors",
        &[
            "pourtrait errors list",
            "pourtrait errors show 3f2a",
            "pourtrait errors resolve 3f2a",
        ],
    ),
    (
        "feedback",
        &[
            "pourtrait feedback list",
            "pourtrait feedback answer 5b1d 'It works again. Thank you!'",
        ],
    ),
    (
        "funnels",
        &[
            "pourtrait funnels set first-wine user_registered wine_added --within 7d",
            "pourtrait funnels show first-wine",
        ],
    ),
    (
        "incidents",
        &[
            "pourtrait incidents list",
            "pourtrait incidents show 17",
            "pourtrait incidents update 17 --status resolved --public 'It works again.'",
            "pourtrait incidents postmortem 17",
        ],
    ),
    (
        "maintenance",
        &[
            "pourtrait maintenance add --reason 'Move the database' --until 2026-11-28T23:30Z",
            "pourtrait maintenance list",
            "pourtrait maintenance plan",
        ],
    ),
    (
        "man",
        &["pourtrait man | man -l -", "pourtrait man --out man1"],
    ),
    (
        "migrate",
        &[
            "pourtrait migrate plan",
            "pourtrait migrate",
            "pourtrait migrate status",
        ],
    ),
    (
        "oncall",
        &[
            "pourtrait oncall show",
            "pourtrait oncall override 'Max Roth' --until 2026-11-25T08:00+01:00 --reason dentist",
        ],
    ),
    ("retention", &["pourtrait retention --weeks 4"]),
    (
        "roles",
        &[
            "pourtrait roles list",
            "pourtrait roles grant responder anna@example.com",
        ],
    ),
    (
        "schedule",
        &["pourtrait schedule install", "pourtrait schedule status"],
    ),
    (
        "settings",
        &[
            "pourtrait settings list",
            "pourtrait settings set alert.bad_after 5",
            "pourtrait settings set alert.bad_after null",
        ],
    ),
    (
        "sourcemaps",
        &["pourtrait sourcemaps upload .next --release \"$VERCEL_GIT_COMMIT_SHA\""],
    ),
    (
        "training",
        &[
            "pourtrait training list",
            "pourtrait training start restore",
            "pourtrait training record",
        ],
    ),
    (
        "deploy",
        &[
            "pourtrait deploy --dry-run",
            "pourtrait deploy --project ops",
        ],
    ),
    (
        "status",
        &[
            "pourtrait status",
            "pourtrait status --project ops --deployments",
        ],
    ),
    (
        "rollback",
        &["pourtrait rollback", "pourtrait rollback --release"],
    ),
    (
        "setup",
        &[
            "pourtrait setup --dry-run",
            "pourtrait setup --answers answers.env --identity ~/backup-key.txt",
        ],
    ),
    (
        "uninstall",
        &["pourtrait uninstall", "pourtrait uninstall --yes"],
    ),
    (
        "verify",
        &[
            "pourtrait verify https://ops.example.com",
            "pourtrait verify https://app.example.com --project app --format junit",
        ],
    ),
    (
        "monitor",
        &[
            "pourtrait monitor https://ops.example.com --once",
            "pourtrait monitor https://ops.example.com --dispatch --log monitor.log",
        ],
    ),
    (
        "privacy",
        &[
            "pourtrait privacy show anna@wine.example",
            "pourtrait privacy report --days 31 --out privacy.md",
            "pourtrait privacy export anna@wine.example --output /tmp/anna.zip",
            "pourtrait privacy export anna@wine.example --link",
            "pourtrait privacy erase anna@wine.example --proof /tmp --yes",
            "pourtrait privacy consent anna@wine.example analytics refuse",
        ],
    ),
    (
        "recover",
        &[
            "pourtrait recover database --folder ~/recovery --into \"$NEW_DATABASE_URL\" --dry-run",
            "pourtrait recover database --folder ~/drill --drill --into \"$SCRATCH_SERVER_URL\" --yes",
            "pourtrait recover application --folder ~/recovery --repository \"$NEW_REPOSITORY\" --dry-run",
        ],
    ),
    (
        "report",
        &[
            "pourtrait report daily",
            "pourtrait report monthly --at 2026-11-01 --format html",
        ],
    ),
    ("costs", &["pourtrait costs"]),
    (
        "validate",
        &[
            "pourtrait validate",
            "pourtrait validate --only format --only configuration",
        ],
    ),
];

/// The grammar, with the examples of each noun at the end of its help.
pub(super) fn added_to(grammar: Command) -> Command {
    EXAMPLES.iter().fold(grammar, |grammar, &(noun, lines)| {
        grammar.mut_subcommand(noun, |noun| {
            noun.after_help(format!("Examples:\n  {}", lines.join("\n  ")))
        })
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::{arguments::Arguments, help::typed};

    #[test]
    fn every_noun_has_examples() {
        for noun in Arguments::command().get_subcommands() {
            let name = noun.get_name();
            let has = EXAMPLES.iter().any(|(known, _)| *known == name);
            assert!(
                has || noun.is_hide_set(),
                "cli/src/help/examples.rs has none of {name}"
            );
        }
    }

    #[test]
    fn every_example_is_understood() {
        for (noun, lines) in EXAMPLES {
            for line in *lines {
                let words = typed::words(line);
                assert_eq!(words[1], *noun, "{line}");
                typed::understood(&words).unwrap_or_else(|error| panic!("{line}: {error}"));
            }
        }
    }
}
