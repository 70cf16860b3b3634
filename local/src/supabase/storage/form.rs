//! A file in a form, as browsers upload it.

use bytes::Bytes;

/// The file of a form, with what stands beside it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) content: Bytes,
    pub(super) mimetype: Option<String>,
    pub(super) cache_control: Option<String>,
    pub(super) user_metadata: Option<String>,
}

/// Reads a form whose content type this is; `None` where it is none.
pub(super) fn read(content_type: &str, body: &Bytes) -> Option<Form> {
    let (kind, rest) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = rest.trim().strip_prefix("boundary=")?.trim_matches('"');
    let delimiter = format!("--{boundary}");
    let mut form = Form::default();
    let mut starts = positions(body, delimiter.as_bytes());
    starts.push(body.len());
    for pair in starts.windows(2) {
        let part = body.slice(pair[0] + delimiter.len().min(pair[1] - pair[0])..pair[1]);
        let Some(end) = positions(&part, b"\r\n\r\n").first().copied() else {
            continue;
        };
        let headers = String::from_utf8_lossy(&part[..end]).into_owned();
        let content = part.slice(end + 4..part.len().saturating_sub(2).max(end + 4));
        let text = || String::from_utf8_lossy(&content).into_owned();
        let disposition = header(&headers, "content-disposition").unwrap_or_default();
        if disposition.contains("filename=") {
            form.mimetype = header(&headers, "content-type");
            form.content = content;
        } else if disposition.contains("name=\"cacheControl\"") {
            form.cache_control = Some(format!("max-age={}", text()));
        } else if disposition.contains("name=\"metadata\"") {
            form.user_metadata = Some(text());
        }
    }
    Some(form)
}

fn header(headers: &str, name: &str) -> Option<String> {
    headers.split("\r\n").find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    })
}

/// Where a word stands.
fn positions(bytes: &[u8], word: &[u8]) -> Vec<usize> {
    bytes
        .windows(word.len())
        .enumerate()
        .filter(|(_, part)| *part == word)
        .map(|(at, _)| at)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_its_file_and_what_stands_beside_it() {
        let body = Bytes::from_static(
            b"--x\r\nContent-Disposition: form-data; name=\"cacheControl\"\r\n\r\n60\r\n\
              --x\r\nContent-Disposition: form-data; name=\"\"; filename=\"blob\"\r\nContent-Type: image/png\r\n\r\na\r\n\r\nb\r\n--x--\r\n",
        );
        let form = read("multipart/form-data; boundary=x", &body).unwrap();
        assert_eq!(form.content, "a\r\n\r\nb");
        assert_eq!(form.mimetype.as_deref(), Some("image/png"));
        assert_eq!(form.cache_control.as_deref(), Some("max-age=60"));
        assert_eq!(read("image/png", &body), None);
    }
}
