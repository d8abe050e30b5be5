//! What a page says a command prints, held against what it printed.

use std::sync::LazyLock;

use regex::Regex;

/// What differs from run to run and machine to machine, and the word that stands for it in a comparison.
static VARYING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r#"postgres(?:ql)?://[^\s"']+"#, "DATABASE"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", "TIME"),
        // Revisions of the project are from before 2025; what a page writes is from now.
        (r"m20(?:2[5-9]|[3-9]\d)\d{4}_\d{6}", "mTIME"),
        (r"20(?:2[5-9]|[3-9]\d)-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?", "TIME"),
        (r"\b\d+(?:\.\d+)? (?:ms|s|min)\b", "DURATION"),
        (r"\b\d+ rows/s\b", "RATE"),
        (r#""duration_ms": \d+"#, r#""duration_ms": 0"#),
        (r"\b[0-9a-f]{12}\b", "REVISION"),
        (r#""run": "[0-9a-f]{8}""#, r#""run": """#),
        (r"\('[0-9a-f]{8}'", "('RUN'"),
        (r#""(by|user|host)": "[^"]*""#, r#""$1": """#),
        (r"\b(by|what) [^\s@]+@[^\s,]+", "$1 SOMEBODY"),
        (r"\brunning: [^()]+ \(process \d+", "running: ROLE (process ID"),
        (r"\bprocess \d+ \([^,()]+,", "process ID (ROLE,"),
        (r"\bprocess \d+", "process ID"),
    ]
    .into_iter()
    .map(|(pattern, word)| (Regex::new(pattern).unwrap(), word))
    .collect()
});

/// Returns whether an output is what a page says.
pub(super) fn matches(expected: &[String], output: &str) -> bool {
    let mut pattern = String::from(r"\A");
    for line in normalised(&expected.join("\n")).lines() {
        if line.trim() == "..." {
            pattern.push_str(r"(?:.*\n)*?");
        } else {
            pattern.push_str(&regex::escape(line).replace(r"\.\.\.", ".*"));
            pattern.push('\n');
        }
    }
    pattern.push_str(r"\z");
    Regex::new(&pattern).unwrap().is_match(&normalised(output))
}

/// Returns an output as a page may show it: by nobody in particular, and no wider than a page.
pub(super) fn presentable(output: &str) -> String {
    const WIDTH: usize = 110;
    let text = trimmed(output);
    let text = Regex::new(r"\b(by|what) [^\s@]+@[^\s,]+")
        .unwrap()
        .replace_all(&text, "$1 ada@laptop");
    let text = Regex::new(r#""by": "[^"]*""#)
        .unwrap()
        .replace_all(&text, r#""by": "ada@laptop""#);
    let text = Regex::new(r#""user": "[^"]*""#)
        .unwrap()
        .replace_all(&text, r#""user": "ada""#);
    let text = Regex::new(r#""host": "[^"]*""#)
        .unwrap()
        .replace_all(&text, r#""host": "laptop""#);
    let text = Regex::new(r#"postgres(?:ql)?://[^\s"']+"#)
        .unwrap()
        .replace_all(&text, "postgres://ada@localhost/todo");
    let lines = text.lines().map(|line| match line.get(..WIDTH) {
        Some(start) if line.len() > WIDTH + 3 => {
            let end = start.rfind(' ').unwrap_or(WIDTH);
            format!("{} ...\n", &line[..end])
        }
        _ => format!("{line}\n"),
    });
    lines.collect()
}

/// Returns an output without the lines that a page leaves out by `...`, as far as what stands around them is still there.
pub(super) fn with_lines_left_out(expected: &[String], printed: &[String]) -> Vec<String> {
    let is = |line: &String, other: &String| normalised(line) == normalised(other);
    let pieces: Vec<&[String]> = expected.split(|line| line.trim() == "...").collect();
    let mut shown = Vec::new();
    let mut from = 0;
    for (index, piece) in pieces.iter().enumerate() {
        let rest = &printed[from..];
        let is_last = index + 1 == pieces.len();
        let begin = match piece.first() {
            _ if index == 0 => 0,
            Some(_) => match where_it_is(piece, rest, is_last) {
                Some(begin) => begin,
                None if is_last => rest.len().saturating_sub(piece.len()),
                // What begins after the dots is not known any more: somebody has to look.
                None => return printed.to_vec(),
            },
            None => rest.len(),
        };
        let rest = &rest[begin..];
        let near = rest.iter().take(piece.len() + 1);
        let last = |last| near.clone().rposition(|line| is(line, last)).map(|at| at + 1);
        let length = match piece.last().and_then(last) {
            _ if is_last => rest.len(),
            Some(length) => length,
            None => piece.len().min(rest.len()),
        };
        if begin > 0 {
            shown.push("...".to_owned());
        }
        shown.extend_from_slice(&rest[..length]);
        from += begin + length;
    }
    shown
}

/// Returns where most lines of a piece are, if its first line is anywhere: the last such place for what ends an output.
fn where_it_is(piece: &[String], printed: &[String], is_last: bool) -> Option<usize> {
    let is = |(line, other): &(&String, &String)| normalised(line) == normalised(other);
    let begins = (0..printed.len()).filter(|&at| is(&(&piece[0], &printed[at])));
    let lines = |&at: &usize| piece.iter().zip(&printed[at..]).filter(is).count();
    match is_last {
        true => begins.max_by_key(lines),
        false => begins.rev().max_by_key(lines),
    }
}

fn normalised(text: &str) -> String {
    let mut text = trimmed(text);
    for (varying, word) in VARYING.iter() {
        text = varying.replace_all(&text, *word).into_owned();
    }
    text
}

/// Returns the text without blanks at the ends of lines and without blank lines at its end.
fn trimmed(text: &str) -> String {
    let lines: String = text
        .trim_end()
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect();
    lines
}

#[test]
fn dots_stand_for_text_and_lines() {
    let expected = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let output = "upgrade 001 (12 ms)\nby root@vm\nthe end\n";
    assert!(matches(&expected("upgrade ... (3.5 s)\n...\nthe end"), output));
    assert!(matches(
        &expected("upgrade 001 (1 ms)\nby ada@laptop\nthe end"),
        output
    ));
    assert!(!matches(&expected("upgrade 002 (12 ms)\n..."), output));
    assert!(!matches(&expected("upgrade 001 (12 ms)"), output));
}

#[test]
fn what_a_page_leaves_out_stays_left_out() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let shown = |page: &str, printed: &str| with_lines_left_out(&lines(page), &lines(printed)).join("\n");
    let printed = "28 steps\nupgrade 001 (4 ms)\nupgrade 002\nupgrade 003\nDone: 3 steps";
    assert_eq!(
        shown("27 steps\nupgrade 001 (9 ms)\n...\nDone: 2 steps", printed),
        "28 steps\nupgrade 001 (4 ms)\n...\nDone: 3 steps"
    );
    assert_eq!(shown("27 steps\n...", printed), "28 steps\n...");
    assert_eq!(
        shown("...\nupgrade 003\nDone", printed),
        "...\nupgrade 003\nDone: 3 steps"
    );
    let printed_twice = "{\na\n}\n{\nb\n}\nend";
    assert_eq!(shown("{\na\n}\n...\n{\nb\n}\nend", printed_twice), printed_twice);
    assert_eq!(shown("{\n...\n}\nend", printed_twice), "{\n...\n}\nend");
    // Nothing was left out, or nobody knows where it would go on.
    assert_eq!(shown("27 steps", printed), printed);
    assert_eq!(shown("a\n...\ngone\n...\nDone", printed), printed);
}
