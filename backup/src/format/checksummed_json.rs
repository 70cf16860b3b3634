//! JSON whose last member is a checksum of the others.
//!
//! The two kinds of JSON in a store are small, read first and vouched for by
//! nothing else; a flipped bit in them must not look like another truth.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::hex;

use super::{FormatError, VERSION};

const CHECKSUM: &str = "checksum";

/// Writes a value whose first member is `format`.
pub(super) fn render<T: Serialize>(value: &T) -> Result<Vec<u8>, FormatError> {
    let Value::Object(mut members) = serde_json::to_value(value).map_err(json)? else {
        return Err(FormatError::Json("not an object".into()));
    };
    let checksum = checksum(&members)?;
    members.insert(CHECKSUM.into(), checksum.into());
    let mut text = serde_json::to_vec_pretty(&members).map_err(json)?;
    text.push(b'\n');
    Ok(text)
}

/// Reads what [`render`] wrote.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FormatError> {
    let mut members: Map<String, Value> = serde_json::from_slice(bytes).map_err(json)?;
    match members.get("format") {
        Some(version) if *version == VERSION => {}
        Some(other) => return Err(FormatError::Version(other.to_string())),
        None => return Err(FormatError::Json("it names no format".into())),
    }
    let written = members.shift_remove(CHECKSUM);
    if written != Some(checksum(&members)?.into()) {
        return Err(FormatError::Damaged);
    }
    serde_json::from_value(Value::Object(members)).map_err(json)
}

fn checksum(members: &Map<String, Value>) -> Result<String, FormatError> {
    let text = serde_json::to_vec(members).map_err(json)?;
    Ok(hex::sha256(&text))
}

/// The parser's words name members and positions; what is parsed holds no
/// secrets.
#[expect(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
fn json(error: serde_json::Error) -> FormatError {
    FormatError::Json(error.to_string())
}
