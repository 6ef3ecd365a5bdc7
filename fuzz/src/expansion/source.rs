//! Makes Rust of an arbitrary text.

use proc_macro2::TokenStream;

/// Deeper than any real code, and not so deep that a parser runs out of stack.
const MAX_DEPTH: usize = 24;
const MAX_LENGTH: usize = 4096;

/// The tokens of the text, without the characters that belong to none: delimiters that were not opened, quotation marks
/// that are not closed, characters that Rust does not know. An open group ends at the end of the text.
pub(super) fn tokens(text: &str) -> Option<TokenStream> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let mut mended = String::with_capacity(text.len());
    let mut open = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let length = match character {
            '"' => literal(rest).unwrap_or(1),
            character => character.len_utf8(),
        };
        let (lexeme, after) = rest.split_at(length);
        rest = after;
        match character {
            '(' | '[' | '{' if open.len() < MAX_DEPTH => {
                open.push(closing(character));
                mended.push(character);
            }
            ')' | ']' | '}' if open.last() == Some(&character) => {
                open.pop();
                mended.push(character);
            }
            '(' | '[' | '{' | ')' | ']' | '}' | '\\' | '`' => {}
            '"' if length == 1 => {}
            character if character.is_control() && !character.is_whitespace() => {}
            _ => mended.push_str(lexeme),
        }
    }
    mended.extend(open.into_iter().rev());
    mended.parse().ok()
}

/// The length of the text in quotes that begins here, if it ends.
fn literal(text: &str) -> Option<usize> {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    Some(end + 2)
}

fn closing(opening: char) -> char {
    match opening {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}
