//! How far long work has come, on standard error.

use std::sync::Mutex;

use backup::restore::{Event, Step};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use terminal::output;

/// One bar for the step under way, where a person looks; a line a step where
/// nobody does.
pub(crate) struct Progress {
    bar: Mutex<ProgressBar>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            bar: Mutex::new(ProgressBar::hidden()),
        }
    }

    pub(crate) fn show(&self, event: Event) {
        // Whoever panicked while drawing leaves a bar that can still be drawn.
        let mut bar = self
            .bar
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        match event {
            Event::Begun(step, of) => {
                bar.finish();
                *bar = begin(step, of);
                if bar.is_hidden() {
                    output::note(name(step));
                }
            }
            Event::Advanced(by) => bar.inc(by),
        }
    }

    pub(crate) fn finish(&self) {
        let bar = self
            .bar
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        bar.finish();
    }
}

fn begin(step: Step, of: u64) -> ProgressBar {
    let measure = match step {
        Step::Rows => "{bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
        Step::Objects | Step::Constraints | Step::Statistics | Step::Comparison => COUNTED,
    };
    bar(name(step), of, measure)
}

/// Of what is counted: how many there are, and how long the rest takes.
pub(crate) const COUNTED: &str = "{pos}/{len}, {eta} left";

/// A bar for one thing that is being done, so far; hidden where nobody looks.
pub(crate) fn bar(what: &'static str, of: u64, measure: &str) -> ProgressBar {
    let template = format!("{{msg:24}} {{bar:30}} {measure}");
    let style = ProgressStyle::with_template(&template);
    ProgressBar::with_draw_target(Some(of), ProgressDrawTarget::stderr())
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what)
}

fn name(step: Step) -> &'static str {
    match step {
        Step::Objects => "making tables",
        Step::Rows => "loading rows",
        Step::Constraints => "making indexes and keys",
        Step::Statistics => "gathering statistics",
        Step::Comparison => "comparing",
    }
}
