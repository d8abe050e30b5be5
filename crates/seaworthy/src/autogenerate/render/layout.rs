//! Rust code as values, and how it is laid out: one line where it fits, the way rustfmt does it otherwise.

/// A piece of Rust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// A name or a literal.
    Word(String),
    /// A call: `string_len("title", 200)`.
    Call(String, Vec<Self>),
    /// Several values in round or square brackets.
    Group(char, Vec<Self>),
    /// Calls one after another: `Table::alter().table("tasks")`.
    Chain(Box<Self>, Vec<Link>),
}

/// One link of a chain; without arguments it has no brackets either: `.await?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    name: &'static str,
    arguments: Option<Vec<Code>>,
}

/// rustfmt's limits at its default settings.
const LINE: usize = 100;
const CHAIN: usize = 60;
const ARGUMENTS: usize = 60;

pub(super) fn word(text: impl Into<String>) -> Code {
    Code::Word(text.into())
}

/// Returns a text as a literal, raw where it has quotes in it.
pub(super) fn literal(text: &str) -> Code {
    let is_plain = !text.contains(['"', '\\']) || text.contains('\r');
    if is_plain || text.chars().any(|letter| letter.is_control() && letter != '\n') {
        return word(format!("{text:?}"));
    }
    let mut hashes = "#".to_owned();
    while text.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    word(format!("r{hashes}\"{text}\"{hashes}"))
}

pub(super) fn call(name: impl Into<String>, arguments: impl IntoIterator<Item = Code>) -> Code {
    Code::Call(name.into(), arguments.into_iter().collect())
}

impl Code {
    /// Returns the code with one more call at its end.
    pub(super) fn then(self, name: &'static str, arguments: impl IntoIterator<Item = Self>) -> Self {
        self.link(Link {
            name,
            arguments: Some(arguments.into_iter().collect()),
        })
    }

    /// Returns the code as a statement that waits for its end.
    pub(super) fn awaited(self) -> String {
        let code = self.link(Link {
            name: "await?",
            arguments: None,
        });
        format!("        {};\n", code.print(8, 1))
    }

    /// Returns the code as an expression whose first line stands so far in.
    pub(super) fn expression(&self, indent: usize) -> String {
        self.print(indent, 0)
    }

    fn link(self, link: Link) -> Self {
        match self {
            Self::Chain(head, mut links) => {
                links.push(link);
                Self::Chain(head, links)
            }
            head => Self::Chain(Box::new(head), vec![link]),
        }
    }

    fn flat(&self) -> String {
        match self {
            Self::Word(text) => text.clone(),
            Self::Call(name, arguments) => format!("{name}({})", flat(arguments)),
            Self::Group('(', values) => format!("({})", flat(values)),
            Self::Group(_, values) => format!("[{}]", flat(values)),
            Self::Chain(head, links) => {
                let links: String = links.iter().map(Link::flat).collect();
                format!("{}{links}", head.flat())
            }
        }
    }

    fn fits(&self, room: usize) -> bool {
        let is_narrow = |arguments: &[Self]| {
            let is_simple = arguments.len() == 1 && matches!(arguments[0], Self::Word(_));
            (is_simple || flat(arguments).len() <= ARGUMENTS)
                && arguments.iter().all(|argument| argument.fits(room))
        };
        let flat = self.flat();
        flat.len() <= room
            && !flat.contains('\n')
            && match self {
                Self::Word(_) => true,
                Self::Call(_, arguments) | Self::Group(_, arguments) => is_narrow(arguments),
                Self::Chain(head, links) => {
                    (links.len() == 1 || flat.len() <= CHAIN)
                        && head.fits(room)
                        && links
                            .iter()
                            .all(|link| is_narrow(link.arguments.as_deref().unwrap_or_default()))
                }
            }
    }

    /// Lays the code out; `after` is what follows on its last line.
    fn print(&self, indent: usize, after: usize) -> String {
        if self.fits(LINE.saturating_sub(indent + after)) {
            return self.flat();
        }
        match self {
            Self::Word(text) => text.clone(),
            Self::Call(name, arguments) => format!("{name}{}", brackets('(', arguments, indent)),
            Self::Group(open, values) => brackets(*open, values, indent),
            Self::Chain(head, links) => {
                let mut text = head.print(indent, 0);
                // Behind a head of several lines the links stand at its margin.
                let inner = if text.ends_with("\n        )") {
                    indent
                } else {
                    indent + 4
                };
                let margin = " ".repeat(inner);
                for link in links {
                    text.push_str(&format!("\n{margin}{}", link.print(inner)));
                }
                text
            }
        }
    }
}

impl Link {
    fn flat(&self) -> String {
        match &self.arguments {
            Some(arguments) => format!(".{}({})", self.name, flat(arguments)),
            None => format!(".{}", self.name),
        }
    }

    fn print(&self, indent: usize) -> String {
        match &self.arguments {
            Some(arguments) => {
                let call = call(format!(".{}", self.name), arguments.iter().cloned());
                call.print(indent, 0)
            }
            None => self.flat(),
        }
    }
}

fn flat(values: &[Code]) -> String {
    values.iter().map(Code::flat).collect::<Vec<_>>().join(", ")
}

fn brackets(open: char, values: &[Code], indent: usize) -> String {
    let close = if open == '(' { ')' } else { ']' };
    // A call alone in brackets shares them.
    if let [only @ Code::Call(..)] = values {
        return format!("{open}{}{close}", only.print(indent, 1));
    }
    let inner = indent + 4;
    let margin = " ".repeat(inner);
    let mut text = format!("{open}\n");
    for value in values {
        text.push_str(&format!("{margin}{},\n", value.print(inner, 1)));
    }
    text.push_str(&" ".repeat(indent));
    text.push(close);
    text
}
