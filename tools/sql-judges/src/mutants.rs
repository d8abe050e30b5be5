//! Statements that nobody wrote: those of the corpus with other words, comments and surroundings.
//!
//! What the server would refuse falls out later, as everything does that it cannot read.

use fastrand::Rng;
use pg_query::protobuf::Token as Sort;

use crate::corpus::Text;

/// What may stand between two words and says nothing.
const GAPS: [&str; 6] = [
    "/* DROP TABLE a; ' \" /* $$ */ */",
    "-- DROP TABLE a; ' $$\n",
    "\n\t",
    "\r\n",
    "/**/",
    "\u{c}",
];

/// What a statement may stand in.
const AROUND: [(&str, &str); 12] = [
    ("EXPLAIN ANALYZE ", ""),
    ("EXPLAIN (COSTS OFF, ANALYZE true) ", ""),
    ("DO $m$ BEGIN ", "; END $m$"),
    (
        "DO $m$ DECLARE a int := 1; b text; BEGIN IF a > 0 THEN ",
        "; END IF; END $m$",
    ),
    (
        "DO $m$ <<l>> BEGIN FOR i IN 1..3 LOOP ",
        "; EXIT l WHEN i > 1; END LOOP; END $m$",
    ),
    (
        "DO $m$ BEGIN CASE WHEN true THEN ",
        "; ELSE NULL; END CASE; EXCEPTION WHEN others THEN NULL; END $m$",
    ),
    (
        "CREATE FUNCTION m() RETURNS void LANGUAGE plpgsql AS $m$ BEGIN WHILE true LOOP ",
        "; END LOOP; END $m$",
    ),
    ("WITH m AS (", ") SELECT * FROM m"),
    ("WITH m AS (", " RETURNING 1) SELECT * FROM m"),
    ("COPY (", ") TO STDOUT"),
    ("PREPARE m AS ", ""),
    ("CREATE TABLE m AS ", ""),
];

/// Returns a number of texts that are made from others.
pub(crate) fn of(texts: &[Text], count: usize, seed: u64) -> Vec<Text> {
    let mut random = Rng::with_seed(seed);
    let pieces: Vec<(&str, &str)> = match count {
        0 => Vec::new(),
        _ => texts.iter().flat_map(pieces).collect(),
    };
    if pieces.is_empty() {
        return Vec::new();
    }
    let made = (0..count).map(|_| {
        let (origin, sql) = pieces[random.usize(..pieces.len())];
        let (_, other) = pieces[random.usize(..pieces.len())];
        Text {
            origin: format!("made from {origin}"),
            sql: mutant(sql, other, &mut random),
        }
    });
    made.collect()
}

fn pieces(text: &Text) -> Vec<(&str, &str)> {
    /// Longest statement that is changed, in bytes: in a long one most changes are the same.
    const LONGEST: usize = 600;
    let (pieces, _) = crate::postgres::split(&text.sql);
    let short = pieces.into_iter().filter(|piece| piece.len() <= LONGEST);
    short.map(|piece| (&text.origin[..], piece)).collect()
}

fn mutant(sql: &str, other: &str, random: &mut Rng) -> String {
    let mut words = words(sql);
    let others = self::words(other);
    for _ in 0..random.usize(1..4) {
        change(&mut words, &others, random);
    }
    let sql = words
        .iter()
        .map(|word| &word.text[..])
        .collect::<Vec<_>>()
        .join(" ");
    // A block in a block would need its own quotes.
    let is_block = words.first().is_some_and(|word| word.sort == Sort::Do as i32);
    match random.usize(..5) {
        0 if !is_block => {
            let (before, after) = AROUND[random.usize(..AROUND.len())];
            format!("{before}{sql}{after}")
        }
        1 => format!("{sql};{other}"),
        _ => sql,
    }
}

#[derive(Clone)]
struct Word {
    text: String,
    sort: i32,
}

fn words(sql: &str) -> Vec<Word> {
    let Ok(found) = pg_query::scan(sql) else {
        return Vec::new();
    };
    let words = found.tokens.iter().filter_map(|token| {
        let start = usize::try_from(token.start).ok()?;
        let end = usize::try_from(token.end).ok()?;
        let text = sql.get(start..end)?.to_owned();
        let is_comment = [Sort::SqlComment as i32, Sort::CComment as i32].contains(&token.token);
        let sort = token.token;
        (!is_comment).then_some(Word { text, sort })
    });
    words.collect()
}

fn change(words: &mut Vec<Word>, others: &[Word], random: &mut Rng) {
    if words.is_empty() || others.is_empty() {
        return;
    }
    let at = random.usize(..words.len());
    match random.usize(..9) {
        0 => drop(words.remove(at)),
        1 => words.insert(at, others[random.usize(..others.len())].clone()),
        2 => {
            let alike: Vec<_> = others.iter().filter(|word| word.sort == words[at].sort).collect();
            if let Some(word) = random.choice(alike) {
                words[at] = word.clone();
            }
        }
        3 => {
            words.truncate(at);
            words.extend_from_slice(&others[random.usize(..others.len())..]);
        }
        4 => {
            let from = random.usize(..others.len());
            let to = random.usize(from..others.len()).min(from + 6);
            let piece = others[from..=to.min(others.len() - 1)].to_vec();
            words.splice(at..at, piece);
        }
        5 => {
            let name = words.iter().position(|word| word.sort == Sort::Ident as i32);
            if let Some(name) = name {
                let folded = words[name].text.to_lowercase();
                if !folded.contains('"') {
                    words[name].text = format!("\"{folded}\"");
                }
            }
        }
        6 => {
            if words[at].sort > Sort::Uident as i32 {
                words[at].text = words[at].text.to_uppercase();
            }
        }
        _ => {
            let gap = GAPS[random.usize(..GAPS.len())];
            words[at].text.push_str(gap);
        }
    }
}
