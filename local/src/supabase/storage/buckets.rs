//! Buckets: made, shown, changed, emptied and removed.

use bytes::Bytes;
use http::{Method, Response};
use serde_json::{Value, json};
use tokio_postgres::types::ToSql;

use super::{Call, Refusal, ok};
use crate::{answer, supabase::connect};

/// A bucket as the API shows it.
const SHOWN: &str = "
    id, name, owner, public, file_size_limit, allowed_mime_types, created_at, updated_at, type";

/// What limits the files of a bucket.
pub(super) struct Limits {
    pub(super) public: bool,
    size: Option<i64>,
    types: Option<Vec<String>>,
}

impl Limits {
    /// Refuses a file that the bucket does not take.
    pub(super) fn check(&self, bytes: usize, mimetype: &str) -> Result<(), Refusal> {
        let most = self.size.and_then(|size| usize::try_from(size).ok());
        if most.is_some_and(|most| bytes > most) {
            let message = "The object exceeded the maximum allowed size";
            return Err(Refusal::new("413", "Payload too large", message));
        }
        let fits = |allowed: &String| match allowed.strip_suffix("/*") {
            Some(kind) => mimetype.split('/').next() == Some(kind),
            None => allowed == mimetype,
        };
        match &self.types {
            Some(types) if !types.iter().any(fits) => {
                let message = format!("mime type {mimetype} is not supported");
                Err(Refusal::new("415", "invalid_mime_type", message))
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl Call<'_> {
    pub(super) async fn bucket(&self, rest: &[&str]) -> Result<Response<Bytes>, Refusal> {
        match (self.request.method(), rest) {
            (&Method::GET, [] | [""]) => self.buckets().await,
            (&Method::POST, [] | [""]) => self.make_bucket().await,
            (&Method::GET, [id]) => self.show_bucket(id).await,
            (&Method::PUT, [id]) => self.change_bucket(id).await,
            (&Method::POST, [id, "empty"]) => self.empty_bucket(id).await,
            (&Method::DELETE, [id]) => self.remove_bucket(id).await,
            (method, _) => {
                let message = format!("Route {method}:/bucket not found");
                Err(Refusal::new("404", "Not Found", message))
            }
        }
    }

    /// What limits a bucket, whoever asks; a bucket that is not there is refused.
    pub(super) async fn limits(&self, bucket: &str) -> Result<Limits, Refusal> {
        let admin = connect(&self.project.admin).await?;
        let sql = "select coalesce(public, false), file_size_limit, allowed_mime_types
            from storage.buckets where id = $1";
        let row = admin.query_opt(sql, &[&bucket]).await?;
        let row = row.ok_or_else(Refusal::no_bucket)?;
        Ok(Limits {
            public: row.get(0),
            size: row.get(1),
            types: row.get(2),
        })
    }

    /// The buckets that the caller may see.
    async fn buckets(&self) -> Result<Response<Bytes>, Refusal> {
        let number =
            |name| answer::query(self.request, name).and_then(|text| text.parse::<i64>().ok());
        let sql = format!(
            "select coalesce(jsonb_agg(to_jsonb(listed)), '[]'::jsonb)::text
            from (select {SHOWN} from storage.buckets order by id limit $1 offset $2) as listed"
        );
        let (limit, offset) = (
            number("limit").unwrap_or(100),
            number("offset").unwrap_or(0),
        );
        let listed = self.documents(&sql, &[&limit, &offset]).await?;
        Ok(ok(listed.first().unwrap_or(&Value::Null)))
    }

    async fn make_bucket(&self) -> Result<Response<Bytes>, Refusal> {
        let body = self.body()?;
        let Some(name) = body["name"].as_str().filter(|name| !name.is_empty()) else {
            return Err(Refusal::invalid("body must have required property 'name'"));
        };
        let id = body["id"].as_str().unwrap_or(name);
        let sql = "insert into storage.buckets
                (id, name, public, file_size_limit, allowed_mime_types, owner, owner_id)
            values ($1, $2, $3, $4, $5, $6::text::uuid, $6)
            returning to_jsonb(name)::text";
        let public = body["public"].as_bool().unwrap_or(false);
        let size = body["file_size_limit"].as_i64();
        let (types, owner) = (types(&body), self.owner());
        let arguments: [&(dyn ToSql + Sync); 6] = [&id, &name, &public, &size, &types, &owner];
        self.documents(sql, &arguments).await?;
        Ok(ok(&json!({ "name": name })))
    }

    async fn show_bucket(&self, id: &str) -> Result<Response<Bytes>, Refusal> {
        let sql = format!(
            "select to_jsonb(found)::text
            from (select {SHOWN} from storage.buckets where id = $1) as found"
        );
        let found = self.documents(&sql, &[&id]).await?;
        found.first().map(ok).ok_or_else(Refusal::no_bucket)
    }

    async fn change_bucket(&self, id: &str) -> Result<Response<Bytes>, Refusal> {
        let body = self.body()?;
        let sql = "update storage.buckets
            set public = coalesce($2, public), file_size_limit = $3, allowed_mime_types = $4,
                updated_at = now()
            where id = $1
            returning to_jsonb(id)::text";
        let public = body["public"].as_bool();
        let size = body["file_size_limit"].as_i64();
        let types = types(&body);
        let arguments: [&(dyn ToSql + Sync); 4] = [&id, &public, &size, &types];
        self.done(sql, &arguments, "Successfully updated").await
    }

    async fn empty_bucket(&self, id: &str) -> Result<Response<Bytes>, Refusal> {
        self.limits(id).await?;
        self.delete_where("bucket_id = $1", &[&id]).await?;
        Ok(ok(&json!({ "message": "Successfully emptied" })))
    }

    async fn remove_bucket(&self, id: &str) -> Result<Response<Bytes>, Refusal> {
        let sql = "select to_jsonb(id)::text from storage.objects where bucket_id = $1 limit 1";
        if !self.documents(sql, &[&id]).await?.is_empty() {
            let message = "The bucket you tried to delete is not empty";
            return Err(Refusal::new("409", "InvalidRequest", message));
        }
        let sql = "delete from storage.buckets where id = $1 returning to_jsonb(id)::text";
        self.done(sql, &[&id], "Successfully deleted").await
    }

    /// Changes a bucket, which has to be there.
    async fn done(
        &self,
        sql: &str,
        arguments: &[&(dyn ToSql + Sync)],
        message: &str,
    ) -> Result<Response<Bytes>, Refusal> {
        if self.documents(sql, arguments).await?.is_empty() {
            return Err(Refusal::no_bucket());
        }
        Ok(ok(&json!({ "message": message })))
    }

    /// Runs a statement as the caller. Each of its rows is one document, as text.
    pub(super) async fn documents(
        &self,
        sql: &str,
        arguments: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Value>, Refusal> {
        let mut client = self.session().await?;
        let transaction = self.begin(&mut client).await?;
        let rows = transaction.query(sql, arguments).await?;
        let documents = rows
            .iter()
            .map(|row| serde_json::from_str(row.get(0)).unwrap_or_default())
            .collect();
        transaction.commit().await?;
        Ok(documents)
    }
}

fn types(body: &Value) -> Option<Vec<String>> {
    let types = body["allowed_mime_types"].as_array()?;
    let words = types.iter().filter_map(Value::as_str);
    Some(words.map(str::to_owned).collect())
}
