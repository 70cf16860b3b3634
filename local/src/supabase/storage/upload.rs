//! A file taken in: its bytes first, then the row that names them.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Method, Response, header};
use md5::{Digest, Md5};
use serde_json::{Value, json};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::{
    Call, Refusal,
    form::{self, Form},
    objects::{uploaded, version},
};
use crate::clock;

/// What a name may hold beside letters, digits and the underscore.
const SIGNS: &str = "/!-.*'() &$@=;:+,?";

const INSERT: &str = "
insert into storage.objects as stored
    (bucket_id, name, owner, owner_id, version, metadata, user_metadata)
values ($1, $2, $3::text::uuid, $3, $4, $5::text::jsonb, $6::text::jsonb)";

const OVERWRITE: &str = "
on conflict (bucket_id, name) do update
set owner = excluded.owner, owner_id = excluded.owner_id, version = excluded.version,
    metadata = excluded.metadata, user_metadata = excluded.user_metadata, updated_at = now()";

impl Call<'_> {
    pub(super) async fn upload(
        &self,
        bucket: &str,
        name: &str,
    ) -> Result<Response<Bytes>, Refusal> {
        if !is_valid(name) {
            return Err(Refusal::new(
                "400",
                "InvalidKey",
                format!("Invalid key: {name}"),
            ));
        }
        let Form {
            content,
            mimetype,
            cache_control,
            user_metadata,
        } = self.file();
        let mimetype = mimetype.unwrap_or_else(|| "application/octet-stream".to_owned());
        self.limits(bucket).await?.check(content.len(), &mimetype)?;
        let new = Uuid::new_v4();
        self.project.content.write(new, &content)?;
        let metadata = json!({
            "eTag": format!("\"{}\"", hex(&Md5::digest(&content))),
            "size": content.len(),
            "mimetype": mimetype,
            "cacheControl": cache_control.unwrap_or_else(|| "no-cache".to_owned()),
            "lastModified": clock::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            "contentLength": content.len(),
            "httpStatusCode": 200,
        });
        let user_metadata = user_metadata.filter(|text| is_json(text));
        let metadata = metadata.to_string();
        let version_text = new.to_string();
        let owner = self.owner();
        let arguments: [&(dyn ToSql + Sync); 6] = [
            &bucket,
            &name,
            &owner,
            &version_text,
            &metadata,
            &user_metadata,
        ];
        match self.write_row(&arguments).await {
            Ok((id, replaced)) => {
                if let Some(replaced) = replaced {
                    self.project.content.remove(replaced)?;
                }
                Ok(uploaded(&id, bucket, name))
            }
            Err(refusal) => {
                self.project.content.remove(new)?;
                Err(refusal)
            }
        }
    }

    /// Writes the row; returns its id, and the version that it named before.
    async fn write_row(
        &self,
        arguments: &[&(dyn ToSql + Sync)],
    ) -> Result<(Value, Option<Uuid>), Refusal> {
        let upsert = self.request.headers().get("x-upsert");
        let overwrites =
            self.request.method() == Method::PUT || upsert.is_some_and(|word| word == "true");
        let mut client = self.session().await?;
        let transaction = self.begin(&mut client).await?;
        let found = "select to_jsonb(found)::text from storage.objects as found
            where bucket_id = $1 and name = $2 for update";
        let before = if overwrites {
            transaction.query_opt(found, &arguments[..2]).await?
        } else {
            None
        };
        let overwrite = if overwrites { OVERWRITE } else { "" };
        let sql = format!("{INSERT} {overwrite} returning to_jsonb(id)::text");
        let row = transaction.query_one(&sql, arguments).await?;
        transaction.commit().await?;
        let document = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        let replaced = before.and_then(|row| version(&document(row.get(0))));
        Ok((document(row.get(0)), replaced))
    }

    /// What is uploaded, from a form or as the body itself.
    fn file(&self) -> Form {
        let headers = self.request.headers();
        let text = |name| headers.get(name)?.to_str().ok().map(str::to_owned);
        let content_type: Option<String> = text(header::CONTENT_TYPE);
        let body = self.request.body();
        let form = content_type
            .as_deref()
            .and_then(|kind| form::read(kind, body));
        form.unwrap_or_else(|| Form {
            content: body.clone(),
            mimetype: content_type,
            cache_control: text(header::CACHE_CONTROL),
            user_metadata: text(header::HeaderName::from_static("x-metadata"))
                .and_then(|encoded| BASE64_STANDARD.decode(encoded).ok())
                .and_then(|decoded| String::from_utf8(decoded).ok()),
        })
    }
}

fn is_valid(name: &str) -> bool {
    let is_sign = |sign: char| sign.is_ascii_alphanumeric() || sign == '_' || SIGNS.contains(sign);
    !name.is_empty() && name.chars().all(is_sign)
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|half| DIGITS[usize::from(half)]);
    bytes.iter().flat_map(digits).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_storage_takes() {
        for (name, expected) in [
            ("a/b c.png", true),
            ("Ch\u{e2}teau.png", false),
            ("a#b", false),
            ("", false),
            ("a?b", true),
        ] {
            assert_eq!(is_valid(name), expected, "{name}");
        }
    }
}
