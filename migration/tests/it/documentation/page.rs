//! A page and the commands in it.

use std::fs;
use std::path::{Path, PathBuf};

use super::transcript::{presentable, with_lines_left_out};
use crate::databases::variable;

/// A page of the documentation.
pub(super) struct Page {
    path: PathBuf,
    lines: Vec<String>,
    /// The commands in the order of reading.
    pub(super) steps: Vec<Step>,
    replacements: Vec<(usize, usize, Vec<String>)>,
}

/// A command and what the page says it prints.
pub(super) struct Step {
    /// Counted from one.
    pub(super) line: usize,
    pub(super) command: String,
    pub(super) expected: Vec<String>,
    /// Where the expected output begins among the lines.
    begin: usize,
}

impl Page {
    pub(super) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let steps = steps(&lines);
        Self {
            path: path.to_path_buf(),
            lines,
            steps,
            replacements: Vec::new(),
        }
    }

    /// Notes what a command really printed.
    pub(super) fn replace(&mut self, index: usize, output: &str) {
        let step = &self.steps[index];
        let printed: Vec<String> = presentable(output).lines().map(str::to_owned).collect();
        let text = with_lines_left_out(&step.expected, &printed);
        self.replacements
            .push((step.begin, step.begin + step.expected.len(), text));
    }

    pub(super) fn is_to_be_updated(&self) -> bool {
        variable("UPDATE_DOCUMENTATION").is_some()
    }

    pub(super) fn write(mut self) {
        for (begin, end, text) in self.replacements.into_iter().rev() {
            self.lines.splice(begin..end, text);
        }
        fs::write(&self.path, self.lines.join("\n") + "\n").unwrap();
    }
}

fn steps(lines: &[String]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut is_inside = false;
    let mut goes_on = false;
    for (index, line) in lines.iter().enumerate() {
        if line.starts_with("```") {
            is_inside = !is_inside && line == "```console";
            continue;
        }
        if !is_inside {
            continue;
        }
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step {
                line: index + 1,
                command: command.to_owned(),
                expected: Vec::new(),
                begin: index + 1,
            });
        } else if let Some(step) = steps.last_mut() {
            if goes_on {
                step.command.push('\n');
                step.command.push_str(line);
                step.begin = index + 1;
            } else {
                step.expected.push(line.clone());
            }
        }
        goes_on = line.ends_with('\\') && (goes_on || line.starts_with("$ "));
    }
    steps
}
