//! The text format of Prometheus, made of `OpenMetrics` text: the samples are the same, what is said of them differs.

/// Returns the same in the other format.
///
/// There a counter is announced under the name of its samples, which end in `_total`, and there are neither units nor an end.
pub(super) fn from(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(said) = line.strip_prefix("# ") else {
            push(&mut plain, &[line]);
            continue;
        };
        match said.split_once(' ') {
            Some(("HELP", rest)) => {
                // The kind is said in the line after it.
                let is_counter = lines.peek().is_some_and(|next| is_counter(next));
                let (name, words) = rest.split_once(' ').unwrap_or((rest, ""));
                push(&mut plain, &["# HELP ", name, suffix(is_counter), " ", words]);
            }
            Some(("TYPE", rest)) => {
                let (name, kind) = rest.split_once(' ').unwrap_or((rest, "untyped"));
                push(
                    &mut plain,
                    &["# TYPE ", name, suffix(is_counter(line)), " ", kind],
                );
            }
            _ => {}
        }
    }
    plain
}

fn is_counter(line: &str) -> bool {
    line.starts_with("# TYPE ") && line.ends_with(" counter")
}

fn suffix(is_counter: bool) -> &'static str {
    if is_counter { "_total" } else { "" }
}

fn push(text: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| text.push_str(part));
    text.push('\n');
}
