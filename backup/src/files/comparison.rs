//! What comes in, compared with a content, part by part.

use crate::{
    format::{Content, object_path},
    keys::{DedupeKey, Naming},
};

/// A comparison under way.
pub(crate) struct Comparison {
    key: DedupeKey,
    /// What has to come: the keyed hash of each stretch, and its length.
    stretches: std::vec::IntoIter<(String, u64)>,
    current: Option<Stretch>,
    is_like: bool,
}

/// A stretch that is coming in.
struct Stretch {
    id: String,
    missing: u64,
    naming: Naming,
}

impl Comparison {
    pub(super) fn new(key: DedupeKey, content: &Content) -> Self {
        let stretches = match &content.pieces[..] {
            [] | [_] => vec![(content.id.clone(), content.size)],
            pieces => pieces
                .iter()
                .map(|piece| (object_path::id_of(&piece.name).to_owned(), piece.raw_len))
                .collect(),
        };
        let mut comparison = Self {
            key,
            stretches: stretches.into_iter(),
            current: None,
            is_like: true,
        };
        comparison.go_on();
        comparison
    }

    pub(crate) fn update(&mut self, mut part: &[u8]) {
        while !part.is_empty() {
            let Some(stretch) = &mut self.current else {
                self.is_like = false;
                return;
            };
            let missing = usize::try_from(stretch.missing).unwrap_or(usize::MAX);
            let (now, rest) = part.split_at(missing.min(part.len()));
            stretch.naming.update(now);
            stretch.missing -= now.len() as u64;
            part = rest;
            self.go_on();
        }
    }

    /// Ends the stretch that is whole, and begins the next.
    fn go_on(&mut self) {
        while self
            .current
            .as_ref()
            .is_none_or(|current| current.missing == 0)
        {
            if let Some(ended) = self.current.take() {
                self.is_like &= ended.naming.finish() == ended.id;
            }
            let Some((id, missing)) = self.stretches.next() else {
                return;
            };
            let naming = self.key.naming();
            self.current = Some(Stretch {
                id,
                missing,
                naming,
            });
        }
    }

    /// Whether that was all of it, and nothing else.
    pub(crate) fn is_equal(&self) -> bool {
        self.is_like && self.current.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{files::fetching::content_id, format::ContentPiece};

    fn key() -> DedupeKey {
        DedupeKey::from_hex(&"17".repeat(32)).unwrap()
    }

    fn content(pieces: &[&str]) -> Content {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|text| ContentPiece {
                name: format!("{}-5", key().name_of(text.as_bytes())),
                raw_len: text.len() as u64,
            })
            .collect();
        Content {
            size: pieces.iter().map(|piece| piece.raw_len).sum(),
            id: match pieces[..] {
                [] => key().name_of(b""),
                _ => content_id(&key(), &pieces),
            },
            offset: 0,
            pieces,
        }
    }

    fn is_equal(content: &Content, text: &str, at_once: usize) -> bool {
        let mut comparison = Comparison::new(key(), content);
        for part in text.as_bytes().chunks(at_once) {
            comparison.update(part);
        }
        comparison.is_equal()
    }

    #[test]
    fn a_content_is_equal_to_itself_alone_however_it_comes() {
        for (pieces, text) in [
            (&[][..], ""),
            (&["one"], "one"),
            (&["one", "two"], "onetwo"),
            (&["one", "", "three"], "onethree"),
        ] {
            let content = content(pieces);
            for at_once in 1..8 {
                assert!(is_equal(&content, text, at_once), "{text:?} by {at_once}");
                for other in [
                    format!("{text}x"),
                    text.replace('e', "f"),
                    text.get(1..).unwrap_or("x").to_owned(),
                    text.get(..2).unwrap_or("x").to_owned(),
                ] {
                    let is_equal = is_equal(&content, &other, at_once);
                    assert_eq!(is_equal, other == text, "{other:?} for {text:?}");
                }
            }
        }
    }
}
