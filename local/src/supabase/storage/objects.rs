//! Files: read, described, listed and deleted.

use std::ops::Range;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio_postgres::{Client, types::ToSql};
use uuid::Uuid;

use super::{Call, Refusal, ok};
use crate::{answer, supabase::connect};

const FOUND: &str =
    "select to_jsonb(found)::text from storage.objects as found where bucket_id = $1 and name = $2";

/// A folder's own files, and the folders in it, as the API lists them.
const LISTED: &str = "
with below as (
    select substr(name, length($2) + 1) as rest, id, updated_at, created_at, last_accessed_at, metadata
    from storage.objects
    where bucket_id = $1 and starts_with(name, $2)
), listed as (
    select rest as name, id, updated_at, created_at, last_accessed_at, metadata
    from below where strpos(rest, '/') = 0
    union all
    select distinct split_part(rest, '/', 1), null::uuid, null::timestamptz, null::timestamptz,
        null::timestamptz, null::jsonb
    from below where strpos(rest, '/') > 0
)
select to_jsonb(listed)::text from listed
where name ilike $3 || '%'
order by name collate \"C\" limit $4 offset $5";

impl Call<'_> {
    pub(super) async fn read(&self, bucket: &str, name: &str) -> Result<Response<Bytes>, Refusal> {
        let found = self.documents(FOUND, &[&bucket, &name]).await?;
        let row = found.first().ok_or_else(Refusal::no_object)?;
        self.served(row)
    }

    pub(super) async fn read_public(
        &self,
        bucket: &str,
        name: &str,
    ) -> Result<Response<Bytes>, Refusal> {
        if !self.limits(bucket).await?.public {
            return Err(Refusal::no_bucket());
        }
        let admin = connect(&self.project.admin).await?;
        self.found(&admin, bucket, name).await
    }

    /// Serves a file that is read by whoever the session belongs to.
    pub(super) async fn found(
        &self,
        client: &Client,
        bucket: &str,
        name: &str,
    ) -> Result<Response<Bytes>, Refusal> {
        let row = client.query_opt(FOUND, &[&bucket, &name]).await?;
        let row = row.ok_or_else(Refusal::no_object)?;
        self.served(&serde_json::from_str(row.get(0)).unwrap_or_default())
    }

    pub(super) async fn info(&self, bucket: &str, name: &str) -> Result<Response<Bytes>, Refusal> {
        let found = self.documents(FOUND, &[&bucket, &name]).await?;
        let row = found.first().ok_or_else(Refusal::no_object)?;
        Ok(ok(&json!({
            "id": row["id"],
            "name": row["name"],
            "version": row["version"],
            "bucket_id": row["bucket_id"],
            "size": row["metadata"]["size"],
            "content_type": row["metadata"]["mimetype"],
            "cache_control": row["metadata"]["cacheControl"],
            "etag": row["metadata"]["eTag"],
            "metadata": row["user_metadata"],
            "last_modified": row["updated_at"],
            "created_at": row["created_at"],
        })))
    }

    pub(super) async fn list(&self, bucket: &str) -> Result<Response<Bytes>, Refusal> {
        let body = self.body()?;
        let mut prefix = body["prefix"].as_str().unwrap_or_default().to_owned();
        if !prefix.is_empty() && !prefix.ends_with('/') {
            prefix.push('/');
        }
        let search = body["search"].as_str().unwrap_or_default();
        let limit = body["limit"].as_i64().unwrap_or(100);
        let offset = body["offset"].as_i64().unwrap_or(0);
        let arguments: [&(dyn ToSql + Sync); 5] = [&bucket, &prefix, &search, &limit, &offset];
        let listed = self.documents(LISTED, &arguments).await?;
        Ok(ok(&Value::Array(listed)))
    }

    pub(super) async fn delete(
        &self,
        bucket: &str,
        name: &str,
    ) -> Result<Response<Bytes>, Refusal> {
        let arguments: [&(dyn ToSql + Sync); 2] = [&bucket, &name];
        let gone = self.delete_where("bucket_id = $1 and name = $2", &arguments);
        if gone.await?.is_empty() {
            return Err(Refusal::no_object());
        }
        Ok(ok(&json!({ "message": "Successfully deleted" })))
    }

    /// Deletes those of the named files that are there, and answers which those were.
    pub(super) async fn delete_many(&self, bucket: &str) -> Result<Response<Bytes>, Refusal> {
        let body = self.body()?;
        let names: Option<Vec<&str>> = body["prefixes"]
            .as_array()
            .and_then(|names| names.iter().map(Value::as_str).collect());
        let names =
            names.ok_or_else(|| Refusal::invalid("body must have required property 'prefixes'"))?;
        let arguments: [&(dyn ToSql + Sync); 2] = [&bucket, &names];
        let gone = self.delete_where("bucket_id = $1 and name = any ($2)", &arguments);
        Ok(ok(&Value::Array(gone.await?)))
    }

    /// Deletes rows as the caller, and then what they held.
    pub(super) async fn delete_where(
        &self,
        condition: &str,
        arguments: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Value>, Refusal> {
        let sql = format!(
            "delete from storage.objects as gone where {condition} returning to_jsonb(gone)::text"
        );
        let gone = self.documents(&sql, arguments).await?;
        for version in gone.iter().filter_map(version) {
            self.project.content.remove(version)?;
        }
        Ok(gone)
    }

    /// The content of a row's file.
    fn served(&self, row: &Value) -> Result<Response<Bytes>, Refusal> {
        let content = match version(row) {
            Some(version) => self.project.content.read(version)?,
            None => None,
        };
        let content = content.ok_or_else(Refusal::no_object)?;
        let whole = content.len();
        let range = range(self.request.headers(), whole)?;
        let content = match range.clone() {
            Some(range) => content.slice(range),
            None => content,
        };
        let metadata = &row["metadata"];
        let length = content.len();
        let body = match *self.request.method() {
            Method::HEAD => Bytes::new(),
            _ => content,
        };
        let mut response = Response::new(body);
        if range.is_some() {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, length.into());
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Some(Range { start, end }) = range {
            let range = format!("bytes {start}-{}/{whole}", end - 1);
            headers
                .extend(HeaderValue::try_from(range).map(|range| (header::CONTENT_RANGE, range)));
        }
        for (name, field) in [
            (header::CONTENT_TYPE, "mimetype"),
            (header::CACHE_CONTROL, "cacheControl"),
            (header::ETAG, "eTag"),
        ] {
            let value = metadata[field].as_str().map(HeaderValue::from_str);
            if let Some(Ok(value)) = value {
                headers.insert(name, value);
            }
        }
        Ok(response)
    }
}

/// The bytes that `range: bytes=FIRST-LAST` asks for, without a last one up to the end. What else it
/// may say is not understood, and all is served, as RFC 9110 has it.
fn range(headers: &HeaderMap, whole: usize) -> Result<Option<Range<usize>>, Refusal> {
    let asked = headers.get(header::RANGE).and_then(|range| {
        let (first, last) = range
            .to_str()
            .ok()?
            .strip_prefix("bytes=")?
            .split_once('-')?;
        let first: usize = first.parse().ok()?;
        let end = match last {
            "" => whole,
            last => last.parse::<usize>().ok()?.saturating_add(1).min(whole),
        };
        Some((first, end))
    });
    match asked {
        None => Ok(None),
        Some((first, end)) if first < end => Ok(Some(first..end)),
        Some(_) => Err(Refusal::new(
            "416",
            "InvalidRange",
            "The requested range is not satisfiable",
        )),
    }
}

/// The version that a row names, where it names one of ours.
pub(super) fn version(row: &Value) -> Option<Uuid> {
    row["version"].as_str()?.parse().ok()
}

/// The answer to an upload.
pub(super) fn uploaded(id: &Value, bucket: &str, name: &str) -> Response<Bytes> {
    let body = json!({ "Key": format!("{bucket}/{name}"), "Id": id });
    answer::json(StatusCode::OK, &body)
}
