//! Rows of Supabase's edge, one a request: those that it answered with an error of its own
//! are kept. The others are the app's own requests to its database, which nobody misses.

use super::row::{Row, only};
use crate::ingest::{
    detail::Details,
    item::{self, Item, Kind},
};

/// The request that a row is, if it failed.
pub(super) fn read(row: &Row) -> Option<Item> {
    let (request, response) = (row.part("request"), row.part("response"));
    let status = response["status_code"].as_u64()?;
    if !(500..600).contains(&status) {
        return None;
    }
    let path = request["path"].as_str().or(request["url"].as_str());
    let path = item::path(path.unwrap_or("/"));
    let place = only(&request["cf"])["colo"].as_str();
    let details = Details::default()
        .with("service", Some("supabase"))
        .with("region", place);
    Some(
        Item::new(Kind::Request, &path, None, row.same().as_bytes())
            .at(row.time)
            .request(request["method"].as_str(), Some(status))
            .value(response["origin_time"].as_f64())
            .detail(details.all()),
    )
}
