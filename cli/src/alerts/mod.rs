//! `pourtrait alerts`: which alerts are open, whom they ask next, and what people
//! do about them.

pub(crate) mod arguments;
mod messages;
mod open_alerts;
mod prove;
mod replay;
mod silences;

use ops::alerts::acknowledge::Action;

use crate::{environment::Environment, project::Project, times::end_of};
use arguments::Alerts;
use open_alerts::Change;
use terminal::{failure::Verdict, output::Output};

pub(crate) async fn run(
    action: Alerts,
    environment: &Environment,
    output: Output,
) -> anyhow::Result<Verdict> {
    let project = Project::of(environment)?;
    if !only_reads(&action) {
        project.show(environment);
    }
    let change = match action {
        Alerts::List => return open_alerts::list(&project, output).await,
        Alerts::Silence {
            what,
            length,
            begins_in,
            reason,
        } => return silences::add(&project, what, begins_in, length, reason, output).await,
        Alerts::Unsilence { silence } => return silences::end(&project, silence, output).await,
        Alerts::Messages { dead, alert, limit } => {
            return messages::list(&project, dead, alert, limit, output).await;
        }
        Alerts::Resend { message, channel } => {
            return messages::resend(&project, &message, channel, output).await;
        }
        Alerts::Prove => return prove::run(&project, environment, output).await,
        Alerts::Replay(what) => return replay::run(&what, &project, output).await,
        Alerts::Acknowledge {
            which,
            length,
            note,
        } => Change {
            which,
            action: Action::Acknowledge,
            until: length.map(end_of).transpose()?,
            note,
        },
        Alerts::Unacknowledge { which, note } => Change {
            which,
            action: Action::Unacknowledge,
            until: None,
            note,
        },
        Alerts::Resolve { which, note } => Change {
            which,
            action: Action::Resolve,
            until: None,
            note,
        },
    };
    open_alerts::change(&project, change, output).await
}

/// Whether an action leaves the project as it is, so that its target need not be
/// shown beforehand.
fn only_reads(action: &Alerts) -> bool {
    match action {
        Alerts::List | Alerts::Messages { .. } | Alerts::Replay(_) => true,
        Alerts::Acknowledge { .. }
        | Alerts::Unacknowledge { .. }
        | Alerts::Resolve { .. }
        | Alerts::Silence { .. }
        | Alerts::Unsilence { .. }
        | Alerts::Resend { .. }
        | Alerts::Prove => false,
    }
}
