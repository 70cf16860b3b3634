//! The steps of a deployment, each shown with its time as it begins and as it ends, and what
//! becomes of them when a signal comes.
//!
//! A step is cut off where that leaves nothing but what can be gone on from. A change of
//! traffic, and what belongs to it, is waited for: only a second signal cuts it off, and then
//! it is said what is not known.

use std::{fmt, time::Instant};

use anyhow::Context;
use futures_util::FutureExt;
use outside::clock;
use serde_json::{Value, json};
use terminal::output;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::times;

/// The steps that were taken.
#[derive(Debug)]
pub(super) struct Steps {
    taken: Vec<Value>,
    signals: Signals,
    /// Whether a signal came in a step that was waited for.
    is_to_end: bool,
    /// What is left where the next step is not begun.
    left: String,
    /// Whether a step was begun that changes what serves.
    has_changed_traffic: bool,
}

/// A deployment that a signal ended.
#[derive(Debug)]
pub(super) struct Cut {
    /// Before a step, or at one.
    place: String,
    leaves: String,
    /// Whether it may have changed what serves.
    pub(super) has_changed_traffic: bool,
}

/// What asks a program to end.
#[derive(Debug)]
struct Signals([Signal; 3]);

impl Steps {
    /// No step yet. From here on a signal does not kill this program.
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            taken: Vec::new(),
            signals: Signals::heard()?,
            is_to_end: false,
            left: "nothing was changed".to_owned(),
            has_changed_traffic: false,
        })
    }

    /// Says what is left by the steps so far.
    pub(super) fn leave(&mut self, left: impl Into<String>) {
        self.left = left.into();
    }

    /// Takes a step; a signal cuts it off, which leaves what the steps before it left.
    pub(super) async fn take<T>(
        &mut self,
        step: &str,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let left = self.left.clone();
        self.take_leaving(step, &left, work).await
    }

    /// Takes a step; a signal cuts it off, which leaves what `leaves` says.
    pub(super) async fn take_leaving<T>(
        &mut self,
        step: &str,
        leaves: &str,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        self.go_on(step)?;
        let began = begin(step);
        let outcome = tokio::select! {
            () = self.signals.next() => None,
            outcome = work => Some(outcome),
        };
        self.end(step, leaves, began, outcome)
    }

    /// Takes a step that changes what serves: a signal is heard after it, a second one cuts it
    /// off, which leaves unknown what `leaves` says.
    pub(super) async fn take_whole<T>(
        &mut self,
        step: &str,
        leaves: &str,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        self.go_on(step)?;
        self.has_changed_traffic = true;
        let began = begin(step);
        let mut work = std::pin::pin!(work);
        let outcome = loop {
            tokio::select! {
                outcome = &mut work => break Some(outcome),
                () = self.signals.next() => {
                    if self.is_to_end {
                        break None;
                    }
                    self.is_to_end = true;
                    output::note("a signal: this step is waited for, and a second signal ends at once");
                }
            }
        };
        self.end(step, leaves, began, outcome)
    }

    /// Whether a step may begin: no signal came since the last one began.
    fn go_on(&mut self, step: &str) -> Result<(), Cut> {
        if self.is_to_end || self.signals.next().now_or_never().is_some() {
            return Err(Cut {
                place: format!("before `{step}`"),
                leaves: self.left.clone(),
                has_changed_traffic: self.has_changed_traffic,
            });
        }
        Ok(())
    }

    /// Does something that is no step, unless a signal comes first.
    pub(super) async fn unless_signalled(&mut self, work: impl Future<Output = ()>) {
        tokio::select! {
            () = self.signals.next() => {}
            () = work => {}
        }
    }

    fn end<T>(
        &mut self,
        step: &str,
        leaves: &str,
        began: Instant,
        outcome: Option<anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let seconds = began.elapsed().as_secs_f64();
        let ending = match &outcome {
            Some(Ok(_)) => "done",
            Some(Err(_)) => "failed",
            None => "cut off by a signal",
        };
        output::note(&format!(
            "{}  {step}: {ending} in {seconds:.1} s",
            times::to_the_second(clock::now())
        ));
        let seconds = (seconds * 1_000.0).round() / 1_000.0;
        let is_done = matches!(outcome, Some(Ok(_)));
        self.taken
            .push(json!({"step": step, "seconds": seconds, "done": is_done}));
        match outcome {
            Some(outcome) => outcome.with_context(|| format!("{step} failed")),
            None => Err(Cut {
                place: format!("at `{step}`"),
                leaves: leaves.to_owned(),
                has_changed_traffic: self.has_changed_traffic,
            }
            .into()),
        }
    }

    /// For scripts.
    pub(super) fn document(&self) -> Value {
        Value::from(self.taken.clone())
    }
}

fn begin(step: &str) -> Instant {
    output::note(&format!("{}  {step}", times::to_the_second(clock::now())));
    clock::instant()
}

impl Signals {
    fn heard() -> std::io::Result<Self> {
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    /// Waits for one, or for none that came since the last.
    async fn next(&mut self) {
        let [interrupted, terminated, hung_up] = &mut self.0;
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
            _ = hung_up.recv() => {}
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, leaves, .. } = self;
        write!(formatter, "ended by a signal {place}: {leaves}")
    }
}

impl std::error::Error for Cut {}
