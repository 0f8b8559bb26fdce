//! Subtitles: WebVTT (W3C) and SubRip. A cue is a turn, or one for each voice in it.

use super::lines;
use super::turns::Turns;
use crate::base::text::count;
use crate::base::{Error, Result};
use crate::formats::clock;

/// A block of lines between empty ones: the number of the first, and the lines.
type Block<'t> = (u64, Vec<&'t str>);

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut open = false;
    for (number, line) in lines(text) {
        if line.trim().is_empty() {
            open = false;
        } else if open && let Some((_, block)) = blocks.last_mut() {
            block.push(line);
        } else {
            blocks.push((number, vec![line]));
            open = true;
        }
    }
    blocks
}

/// Reads WebVTT; gives notices.
pub(super) fn vtt(text: &str, turns: &mut Turns<'_>) -> Result<Vec<String>> {
    let mut comments = 0usize;
    let mut blocks = blocks(text).into_iter();
    let headed = blocks.next().is_some_and(|(number, block)| {
        number == 1
            && block.first().is_some_and(|l| *l == "WEBVTT" || l.starts_with("WEBVTT ") || l.starts_with("WEBVTT\t"))
    });
    if !headed {
        return Err(Error::user(
            "the file is not WebVTT: its first line is not WEBVTT",
            "Save it as .vtt anew, or name it .srt if it is SubRip.",
        ));
    }
    for (number, block) in blocks {
        let first = block.first().map_or("", |l| l.split_whitespace().next().unwrap_or(""));
        let Some(timing) = block.iter().take(2).position(|l| l.contains("-->")) else {
            match first {
                "NOTE" => comments += 1,
                "STYLE" | "REGION" => {}
                _ => return Err(no_times(number)),
            }
            continue;
        };
        let times = timing_line(block[timing]).ok_or_else(|| no_times(number + timing as u64))?;
        for (voice, words) in voices(&block[timing + 1..].join("\n")) {
            turns.cue(number + timing as u64, times, voice.as_deref(), &words)?;
        }
    }
    Ok(if comments > 0 { vec![format!("Left out: {}.", count(comments, "comment", "comments"))] } else { Vec::new() })
}

/// Reads SubRip.
pub(super) fn srt(text: &str, turns: &mut Turns<'_>) -> Result<()> {
    let mut cue: Option<(u64, (u64, u64), String)> = None;
    for (number, block) in blocks(text) {
        let Some(timing) = block.iter().take(2).position(|l| l.contains("-->")) else {
            // An empty line inside a cue: what follows still belongs to it.
            let Some((_, _, words)) = &mut cue else { return Err(no_times(number)) };
            words.push('\n');
            words.push_str(&block.join("\n"));
            continue;
        };
        if let Some(cue) = cue.take() {
            srt_cue(turns, &cue)?;
        }
        let line = number + timing as u64;
        let times = timing_line(block[timing]).ok_or_else(|| no_times(line))?;
        cue = Some((line, times, block[timing + 1..].join("\n")));
    }
    let cue = cue.ok_or_else(|| {
        Error::user("the file is not SubRip: there is no cue in it", "Check that it is the right file.")
    })?;
    srt_cue(turns, &cue)
}

fn srt_cue(turns: &mut Turns<'_>, (line, times, words): &(u64, (u64, u64), String)) -> Result<()> {
    let mut bare = String::with_capacity(words.len());
    let mut rest = words.as_str();
    // Positions of SubStation Alpha: {\an8}
    while let Some(at) = rest.find("{\\") {
        bare.push_str(&rest[..at]);
        let Some(end) = rest[at..].find('}') else {
            rest = &rest[at..];
            break;
        };
        rest = &rest[at + end + 1..];
    }
    bare.push_str(rest);
    for (voice, words) in voices(&bare) {
        turns.cue(*line, *times, voice.as_deref(), &words)?;
    }
    Ok(())
}

/// From and to of `00:00:01.000 --> 00:00:02.500 align:start`.
fn timing_line(line: &str) -> Option<(u64, u64)> {
    let (from, rest) = line.split_once("-->")?;
    let to = rest.split_whitespace().next()?;
    let (from, to) = (clock::parse(from, false)?, clock::parse(to, false)?);
    (from <= to).then_some((from, to))
}

/// The stretches of a cue by voice (`<v Name>`), without tags, with the characters that `&amp;` and the like stand for.
fn voices(text: &str) -> Vec<(Option<String>, String)> {
    let mut out: Vec<(Option<String>, String)> = vec![(None, String::new())];
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        push(&mut out, &rest[..at]);
        rest = &rest[at..];
        if let Some(tag) = tag(rest) {
            rest = &rest[tag.len() + 2..];
            let named = tag.strip_prefix('v').filter(|t| t.starts_with(['.', ' ', '\t', '\n']));
            if let Some(named) = named {
                let name = named.split_once(char::is_whitespace).map_or("", |(_, name)| name.trim());
                let name = voices_name(name);
                out.push(((!name.is_empty()).then_some(name), String::new()));
            } else if tag == "/v" {
                out.push((None, String::new()));
            }
        } else if let Some((character, length)) = entity(rest) {
            push(&mut out, character);
            rest = &rest[length..];
        } else {
            push(&mut out, &rest[..1]);
            rest = &rest[1..];
        }
    }
    push(&mut out, rest);
    out.retain(|(_, words)| !words.trim().is_empty());
    out
}

fn push(out: &mut [(Option<String>, String)], words: &str) {
    if let Some((_, text)) = out.last_mut() {
        text.push_str(words);
    }
}

/// A name within a tag: its entities resolved, on one line.
fn voices_name(name: &str) -> String {
    let mut out = String::new();
    let mut rest = name;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let (character, length) = entity(&rest[at..]).unwrap_or(("&", 1));
        out.push_str(character);
        rest = &rest[at + length..];
    }
    out.push_str(rest);
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What stands between `<` and `>`, if that is a tag: a letter, a slash or a time follows the bracket.
fn tag(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('<')?;
    if !inner.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/') {
        return None;
    }
    let end = inner.find(['>', '<'])?;
    inner[end..].starts_with('>').then(|| &inner[..end])
}

fn entity(text: &str) -> Option<(&'static str, usize)> {
    const KNOWN: [(&str, &str); 9] = [
        ("&amp;", "&"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&nbsp;", "\u{a0}"),
        ("&lrm;", "\u{200e}"),
        ("&rlm;", "\u{200f}"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&#39;", "'"),
    ];
    KNOWN.iter().find(|(name, _)| text.starts_with(name)).map(|(name, character)| (*character, name.len()))
}

fn no_times(line: u64) -> Error {
    Error::user(
        format!("line {line}: a cue has no times, or they are wrong"),
        "Write them as in 00:00:01.000 --> 00:00:02.500.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_entities() {
        let shown = |text: &str| {
            voices(text).into_iter().map(|(v, w)| format!("{}={w}", v.unwrap_or_default())).collect::<Vec<_>>()
        };
        assert_eq!(shown("<v R1>Hi <i>there</i>\n<v.loud Anna &amp; co>Yes"), ["R1=Hi there\n", "Anna & co=Yes"]);
        assert_eq!(shown("<v R>a</v> b <00:00:01.000>c"), ["R=a", "= b c"]);
        assert_eq!(shown("1 < 2 &amp; 3 > 2 <3 &foo; <b"), ["=1 < 2 & 3 > 2 <3 &foo; <b"]);
        assert_eq!(shown("<c.x.y>a</c>&lt;b&gt;"), ["=a<b>"]);
        assert_eq!(shown("<vader>a"), ["=a"]);
        assert!(shown("<i></i>").is_empty());
    }

    #[test]
    fn timing_lines() {
        assert_eq!(timing_line("00:01.000 --> 00:02.500 align:start"), Some((1_000, 2_500)));
        assert_eq!(timing_line("00:00:01,000 --> 00:00:02,500"), Some((1_000, 2_500)));
        for bad in ["-->", "1 --> 2", "00:02.000 --> 00:01.000", "00:01.000 -->"] {
            assert_eq!(timing_line(bad), None, "{bad}");
        }
    }
}
