//! `pourtrait completions`: the script by which a shell completes the command.

use clap_complete::Shell;
use serde_json::json;

use super::grammar;
use terminal::{failure::Verdict, output::Output};

/// Prints the script of one shell.
pub(crate) fn completions(shell: Shell, output: Output) -> Verdict {
    let script = script(shell);
    output.result(
        &json!({ "shell": shell.to_string(), "script": script }),
        &script,
    );
    Verdict::Good
}

fn script(shell: Shell) -> String {
    let mut written = Vec::new();
    clap_complete::generate(shell, &mut grammar(), "pourtrait", &mut written);
    String::from_utf8_lossy(&written).into_owned()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_shell_completes_nouns_and_what_they_do() {
        for shell in Shell::value_variants() {
            let script = script(*shell);
            for word in ["incidents", "postmortem", "completions"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}
