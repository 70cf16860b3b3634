//! Text from outside, made fit to be shown: no controls, no overlong lines.

/// One line: every run of blanks and controls is one blank, invisible
/// characters that reorder or hide text are gone. Empty where nothing would show.
#[must_use]
pub fn line(text: &str) -> String {
    if !shows(text) {
        return String::new();
    }
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let mut line = String::with_capacity(text.len());
    for word in words {
        let start = line.len();
        line.extend(word.chars().filter(|letter| !is_invisible(*letter)));
        if line.len() > start && start > 0 {
            line.insert(start, ' ');
        }
    }
    line
}

/// Several lines, each as [`line()`] has it but with its inner blanks kept; empty
/// ones are gone.
#[must_use]
pub fn paragraph(text: &str) -> String {
    let lines = text.lines().map(|line| {
        line.chars()
            .map(|letter| if letter == '\t' { ' ' } else { letter })
            .filter(|letter| !letter.is_control() && !is_invisible(*letter))
            .collect::<String>()
    });
    let lines: Vec<String> = lines
        .map(|line| line.trim_end().to_owned())
        .filter(|line| shows(line))
        .collect();
    lines.join("\n")
}

/// At most `limit` characters, the last of which says that there was more.
#[must_use]
pub fn cut(text: &str, limit: usize) -> String {
    escaped(text, limit, |_| None)
}

/// A line of at most `limit` characters that is not cut inside a word, unless the word
/// is longer than anybody wants to lose.
#[must_use]
pub fn cut_at_word(text: &str, limit: usize) -> String {
    const LONGEST_LOST: usize = 40;
    let cut = cut(text, limit);
    if cut == text {
        return cut;
    }
    let kept = cut.trim_end_matches('…');
    // Where the next character begins a word, none was cut.
    let whole = text[kept.len()..].starts_with(' ');
    match kept.rfind(' ') {
        Some(end) if !whole && kept.len() - end <= LONGEST_LOST => format!("{}…", &kept[..end]),
        _ => format!("{}…", kept.trim_end()),
    }
}

/// The text with some characters replaced, at most `limit` characters long.
/// Never cut inside a replacement. Characters are counted as UTF-16 does, for
/// so do the services that refuse what is too long.
#[must_use]
pub fn escaped(
    text: &str,
    limit: usize,
    mut escape: impl FnMut(char) -> Option<&'static str>,
) -> String {
    let mut result = String::with_capacity(text.len());
    let mut length = 0;
    // Where to cut, should more come than fits.
    let mut fits = 0;
    for letter in text.chars() {
        let mut buffer = [0; 4];
        let piece = escape(letter).unwrap_or_else(|| letter.encode_utf8(&mut buffer));
        length += piece.encode_utf16().count();
        if length > limit {
            result.truncate(fits);
            result.push('…');
            return result;
        }
        result.push_str(piece);
        if length < limit {
            fits = result.len();
        }
    }
    result
}

/// The text as HTML shows it, at most `limit` characters long.
#[must_use]
pub fn html(text: &str, limit: usize) -> String {
    escaped(text, limit, |letter| match letter {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        _ => None,
    })
}

/// Characters that show nothing and change how others show: direction marks,
/// line separators, byte order marks, and the tags that can smuggle text.
fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// Whether anything of a text can be seen.
fn shows(text: &str) -> bool {
    text.chars().any(|letter| {
        !(letter.is_whitespace()
            || letter.is_control()
            || is_invisible(letter)
            || only_changes_others(letter))
    })
}

/// Characters that are of use beside others and show nothing alone: joiners, which
/// emoji and many scripts need, variation selectors, fillers of Hangul and Braille.
fn only_changes_others(letter: char) -> bool {
    matches!(
        letter,
        '\u{34f}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200c}'
            | '\u{200d}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_without_controls() {
        for (text, expected) in [
            ("plain", "plain"),
            ("  a\r\nBcc: b\t\u{0}c  ", "a Bcc: b c"),
            ("a\u{202e}b\u{feff}", "ab"),
            ("a \u{200b} b", "a b"),
            ("\u{7}\u{9b}", ""),
            ("", ""),
            ("née 🍷", "née 🍷"),
            ("👩\u{200d}🚒", "👩\u{200d}🚒"),
            (
                "\u{200b}\u{200d}\u{2060} \u{3164}\u{2800}\u{fe0f}\u{115f}",
                "",
            ),
        ] {
            assert_eq!(line(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_paragraph_keeps_its_lines() {
        assert_eq!(paragraph("a\r\n\n\tb\u{0}\n  c  "), "a\n b\n  c");
        assert_eq!(paragraph("a\n\u{200b}\u{3164}\nb"), "a\nb");
    }

    #[test]
    fn a_cut_says_so_and_never_splits_a_character_or_a_replacement() {
        for (text, limit, expected) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("ééé", 2, "é…"),
            ("🍷🍷", 4, "🍷🍷"),
            ("🍷🍷", 3, "🍷…"),
            ("a🍷", 2, "a…"),
            ("", 0, ""),
        ] {
            assert_eq!(cut(text, limit), expected, "{text} at {limit}");
        }
        for (text, limit, expected) in [
            ("one two", 7, "one two"),
            ("one two three", 9, "one two…"),
            ("one two three", 8, "one two…"),
            ("one two three", 7, "one…"),
            ("one", 2, "o…"),
        ] {
            assert_eq!(cut_at_word(text, limit), expected, "{text} at {limit}");
        }
        let escape = |letter| (letter == '&').then_some("&amp;");
        assert_eq!(escaped("a&b", 7, escape), "a&amp;b");
        assert_eq!(
            escaped("a&b", 6, escape),
            "a&amp;…".replace("&amp;…", "…").as_str()
        );
    }
}
