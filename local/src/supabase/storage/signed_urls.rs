//! URLs at which anybody reads one file for a while: what they prove is a token that names it.

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use serde_json::json;

use super::{Call, Refusal, ok};
use crate::{answer, clock, supabase::connect};

impl Call<'_> {
    /// Signs a URL of a file that the caller may read.
    pub(super) async fn sign(&self, bucket: &str, name: &str) -> Result<Response<Bytes>, Refusal> {
        self.info(bucket, name).await?;
        let seconds = self.body()?["expiresIn"].as_i64();
        let seconds = seconds.filter(|seconds| *seconds > 0);
        let seconds = seconds.ok_or_else(|| Refusal::invalid("body/expiresIn must be >= 1"))?;
        let now = clock::now().as_second();
        let claims = json!({ "url": format!("{bucket}/{name}"), "iat": now, "exp": now + seconds });
        let signed = self.project.keys.sign(&claims);
        let token = signed.map_err(|error| Refusal::new("500", "Internal", error.to_string()))?;
        // The name as it is: whoever asks writes it into a URL.
        let signed = format!("/object/sign/{bucket}/{name}?token={token}");
        Ok(ok(&json!({ "signedURL": signed })))
    }

    /// Serves the file that a signed URL names, whoever asks.
    pub(super) async fn read_signed(
        &self,
        bucket: &str,
        name: &str,
    ) -> Result<Response<Bytes>, Refusal> {
        let token = answer::query(self.request, "token").unwrap_or_default();
        let claims = self.project.gateway.verify_token(&token);
        let claims =
            claims.map_err(|refused| Refusal::new("400", "InvalidJWT", refused.message))?;
        if claims.get("url") != Some(&json!(format!("{bucket}/{name}"))) {
            return Err(Refusal::new("400", "InvalidSignature", "Invalid signature"));
        }
        let admin = connect(&self.project.admin).await?;
        let mut response = self.found(&admin, bucket, name).await?;
        if let Some(file) = answer::query(self.request, "download") {
            let disposition = format!("attachment; filename=\"{}\"", file.replace('"', ""));
            if let Ok(value) = HeaderValue::from_str(&disposition) {
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_DISPOSITION, value);
            }
        }
        Ok(response)
    }
}
