//! The gateway against a real PostgreSQL, asked as its clients ask.

// The modules are marked as tests because that is how lints know helpers of
// tests from code that ships.
#[cfg(test)]
mod auth;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod reads;
#[cfg(test)]
mod surface;
#[cfg(test)]
mod writes;
