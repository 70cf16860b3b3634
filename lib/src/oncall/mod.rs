//! The on-call calendar, as far as functions do something about it: they read the
//! calendars from outside. Who is on call when, the database decides.

mod calendar_feeds;
pub mod icalendar;

pub use calendar_feeds::{Report, read_calendars};
