//! What serves production on Vercel, and the one way in which `deploy` and `rollback`
//! change it.
//!
//! In reading order: [`Platform`] is the project that is meant, [`Scene`] what a look at it
//! showed, [`way_back`] which deployments one can go back to, [`change`] the change itself,
//! [`Report`] what came of it, [`proof`] whether what serves works.

pub(crate) mod change;
mod platform;
pub(crate) mod proof;
mod report;
mod scene;
mod wanted;
pub(crate) mod way_back;

#[cfg(test)]
mod schedules;

pub(crate) use change::Patience;
pub(crate) use platform::{Platform, Which};
pub(crate) use report::{Outcome, Report};
pub(crate) use scene::{Pin, Scene, Serving};
pub(crate) use wanted::{Kind, Wanted};
