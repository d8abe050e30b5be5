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
