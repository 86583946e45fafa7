//! A look at the text before the parser sees it: the parser recurses, so what it gets must not be able to exhaust the stack.

use super::error::{ExpressionError, Position};
use super::{MAX_BYTES, MAX_DEPTH};

/// How deep the tree can get within one bracket: operators chain to the left, branches (`?:`) nest to the right.
#[derive(Default)]
struct Level {
    operators: usize,
    branches: usize,
}

/// Refuses texts that are too long, nest too deeply, or hold something that is no token. It is as strict about texts in
/// quotes as the parser's lexer, which would read what follows a broken one as tokens.
pub(super) fn prescan(text: &str) -> Result<(), ExpressionError> {
    if text.len() > MAX_BYTES {
        return Err(ExpressionError::TooLong { bytes: text.len() });
    }
    let characters: Vec<char> = text.chars().collect();
    let position =
        |at: usize| Position::of_byte(text, characters.iter().take(at).map(|c| c.len_utf8()).sum());
    let syntax = |at: usize, message: &str| ExpressionError::Syntax {
        position: position(at),
        message: message.to_owned(),
    };
    let mut levels = vec![Level::default()];
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        let start = at;
        let next = characters.get(at + 1).copied();
        at += 1;
        let Some(level) = levels.last_mut() else {
            return Err(syntax(start, "a closing bracket too many"));
        };
        match character {
            ' ' | '\t' | '\n' | '\r' | '\x0c' => {}
            '/' if next == Some('/') => {
                at += characters[at..].iter().take_while(|c| **c != '\n').count()
            }
            '\'' | '"' => {
                at = end_of_text(&characters, start, false)
                    .map_err(|message| syntax(start, message))?
            }
            'a'..='z' | 'A'..='Z' | '_' | '0'..='9' => {
                at += characters[at..]
                    .iter()
                    .take_while(|c| c.is_ascii_alphanumeric() || **c == '_')
                    .count();
                let word: String = characters[start..at].iter().collect();
                let quoted = matches!(characters.get(at), Some('\'' | '"'));
                match word.as_str() {
                    "r" | "R" if quoted => {
                        at = end_of_text(&characters, at, true)
                            .map_err(|message| syntax(start, message))?;
                    }
                    "b" | "B" | "br" | "bR" | "Br" | "BR" if quoted => {
                        return Err(syntax(start, "bytes (b'…') are not available; use a text"));
                    }
                    "in" => level.operators += 1,
                    "and" | "AND" => return Err(syntax(start, "write && for `and`")),
                    "or" | "OR" => return Err(syntax(start, "write || for `or`")),
                    "not" | "NOT" => return Err(syntax(start, "write ! for `not`")),
                    _ => {}
                }
            }
            '(' | '[' | '{' => {
                level.operators += 1;
                levels.push(Level::default());
            }
            ')' | ']' | '}' => {
                levels.pop();
            }
            ',' => *level = Level::default(),
            '&' | '|' if next == Some(character) => {
                // The parser balances `&&` and `||`, so they add no depth.
                at += 1;
                level.operators = 0;
            }
            '?' => {
                *level = Level {
                    operators: 0,
                    branches: level.branches + 1,
                }
            }
            ':' => level.operators = 0,
            '=' | '<' | '>' | '!' if next == Some('=') => {
                at += 1;
                level.operators += 1;
            }
            '=' => return Err(syntax(start, "write == to compare")),
            '<' if next == Some('>') => return Err(syntax(start, "write != for `<>`")),
            '&' | '|' => return Err(syntax(start, "write && and || for `and` and `or`")),
            '<' | '>' | '!' | '+' | '-' | '*' | '/' | '%' | '.' => level.operators += 1,
            _ => {
                return Err(syntax(
                    start,
                    &format!("unexpected `{}`", character.escape_debug()),
                ));
            }
        }
        if levels
            .iter()
            .map(|level| 1 + level.operators + level.branches)
            .sum::<usize>()
            > MAX_DEPTH
        {
            return Err(ExpressionError::TooDeep {
                position: position(start),
            });
        }
    }
    match levels.len() {
        1 => Ok(()),
        0 => Err(syntax(characters.len(), "a closing bracket too many")),
        _ => Err(syntax(characters.len(), "a bracket is not closed")),
    }
}

/// The index after the text in quotes that starts here.
fn end_of_text(characters: &[char], start: usize, raw: bool) -> Result<usize, &'static str> {
    let quote = characters[start];
    if characters[start..].starts_with(&[quote; 3]) {
        return Err("texts in three quotes are not available; use one quote");
    }
    let mut at = start + 1;
    loop {
        match characters.get(at) {
            None | Some('\n' | '\r') => return Err("a text in quotes is not closed"),
            Some('\\') if !raw => {
                at += length_of_escape(&characters[at + 1..])
                    .ok_or("unknown escape in a text; write \\\\ for a backslash")?
            }
            Some(character) if *character == quote => return Ok(at + 1),
            Some(_) => at += 1,
        }
    }
}

/// How many characters an escape takes, with its backslash, if it is one.
fn length_of_escape(after: &[char]) -> Option<usize> {
    let digits = |count: usize| {
        after
            .get(1..=count)
            .is_some_and(|digits| digits.iter().all(char::is_ascii_hexdigit))
    };
    match after.first()? {
        'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '"' | '\'' | '\\' | '?' | '`' => Some(2),
        'x' | 'X' if digits(2) => Some(4),
        'u' if digits(4) => Some(6),
        'U' if digits(8) => Some(10),
        '0'..='3'
            if after
                .get(1..3)
                .is_some_and(|rest| rest.iter().all(|c| ('0'..='7').contains(c))) =>
        {
            Some(4)
        }
        _ => None,
    }
}
