//! Stand-ins for the platforms' own APIs: Vercel, GitHub and Supabase's management. Each
//! behaves as its documentation says over a state that lasts as long as the server, and
//! can be made to fail in the ways that networks and platforms do.
//!
//! [`stand_in`] is what they share; each platform is a folder with one file for each part
//! of its API.

pub mod github;
pub mod stand_in;
pub mod supabase;
pub mod vercel;
