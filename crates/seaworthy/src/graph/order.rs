//! The order of steps: a topological order that stays on one line as long as it can, which is Alembic's.
//!
//! Several lines are walked from their tips downwards. A line goes on until its next revision is still needed by
//! another line; then the first such line has its turn. A line that ends hands over to the one before it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use super::reach::PositionSet;
use super::{Position, RevisionGraph};

/// Lines are numbered as they appear and keep their number, so a smaller number means an earlier line.
type Line = usize;

const NO_LINE: Line = Line::MAX;

/// A search is cheap where branches are short, a remembered set where the same revision waits again and again.
const SEARCHES: usize = 16;

impl RevisionGraph {
    /// Returns the members so that each comes after what needs it; the lines start from the tips.
    pub(super) fn newest_first(&self, members: &PositionSet, tips: &[Position]) -> Vec<Position> {
        if members.is_empty() {
            return Vec::new();
        }
        let mut order = Walk::new(self, members, tips).run();
        order.retain(|&position| members.contains(position));
        order
    }

    /// Returns the members so that each comes after what it needs.
    pub(super) fn oldest_first(&self, members: &PositionSet, tips: &[Position]) -> Vec<Position> {
        let mut order = self.newest_first(members, tips);
        order.reverse();
        order
    }
}

struct Walk<'graph> {
    graph: &'graph RevisionGraph,
    waiting: PositionSet,
    /// For each revision, how many waiting ones directly need it.
    needed: Vec<usize>,
    /// The next revision of each line, and the lines before and after it.
    lines: Vec<LineState>,
    first: Line,
    last: Line,
    line_of: Vec<Line>,
    /// For revisions that had to wait: the waiting ones right above, each with a lower bound of the first line that
    /// needs it. Lines only move down and new ones only come last, so a bound never has to shrink.
    queues: HashMap<Position, BinaryHeap<Reverse<(Line, Position)>>>,
    waits: HashMap<Position, Wait>,
}

/// What is known about a revision that had to wait.
enum Wait {
    /// How often the first line above it was searched for.
    Searched(usize),
    /// All that needed it after some searches, and the first line that still may.
    Remembered { above: HashSet<Position>, line: Line },
}

struct LineState {
    next: Position,
    before: Line,
    after: Line,
}

enum Probe {
    Found(Line),
    Above(Position),
}

impl<'graph> Walk<'graph> {
    fn new(graph: &'graph RevisionGraph, members: &PositionSet, tips: &[Position]) -> Self {
        // Members may leave holes, for example where an older revision was never applied. What lies in a hole takes
        // part in the walk so that the order holds across it.
        let starts: Vec<Position> = members.iter().collect();
        let mut waiting = graph.needs(&starts);
        let above = graph.needed_by(&starts);
        waiting.retain(|position| above.contains(position));

        let mut needed = vec![0; graph.nodes.len()];
        for position in waiting.iter() {
            for &lower in &graph.nodes[position].below {
                needed[lower] += 1;
            }
        }
        let mut walk = Self {
            graph,
            needed,
            lines: Vec::new(),
            first: NO_LINE,
            last: NO_LINE,
            line_of: vec![NO_LINE; graph.nodes.len()],
            queues: HashMap::new(),
            waits: HashMap::new(),
            waiting,
        };
        let mut tips = tips.to_vec();
        tips.sort_unstable();
        let others: Vec<Position> = walk
            .waiting
            .iter()
            .filter(|&position| walk.needed[position] == 0)
            .collect();
        for tip in tips.into_iter().chain(others) {
            if walk.is_fresh(tip) {
                walk.append(tip);
            }
        }
        walk
    }

    fn run(mut self) -> Vec<Position> {
        let mut order = Vec::with_capacity(self.waiting.len());
        let mut line = self.first;
        while line != NO_LINE {
            let position = self.lines[line].next;
            if self.needed[position] > 0 {
                line = self.first_line_above(position);
            } else {
                order.push(position);
                line = self.advance(line);
            }
        }
        order
    }

    /// Takes the line's next revision off and returns the line to go on with.
    fn advance(&mut self, line: Line) -> Line {
        let graph = self.graph;
        let position = self.lines[line].next;
        self.waiting.remove(position);
        self.line_of[position] = NO_LINE;
        self.waits.remove(&position);
        self.queues.remove(&position);
        let mut has_next = false;
        for &lower in &graph.nodes[position].below {
            self.needed[lower] -= 1;
            if !self.is_fresh(lower) {
                continue;
            }
            if has_next {
                self.append(lower);
            } else {
                self.lines[line].next = lower;
                self.line_of[lower] = line;
                has_next = true;
            }
        }
        if has_next { line } else { self.close(line) }
    }

    fn is_fresh(&self, position: Position) -> bool {
        self.waiting.contains(position) && self.line_of[position] == NO_LINE
    }

    fn append(&mut self, next: Position) {
        let line = self.lines.len();
        self.lines.push(LineState {
            next,
            before: self.last,
            after: NO_LINE,
        });
        self.line_of[next] = line;
        if self.last == NO_LINE {
            self.first = line;
        } else {
            self.lines[self.last].after = line;
        }
        self.last = line;
    }

    fn close(&mut self, line: Line) -> Line {
        let LineState { before, after, .. } = self.lines[line];
        if before == NO_LINE {
            self.first = after;
        } else {
            self.lines[before].after = after;
        }
        if after == NO_LINE {
            self.last = before;
        } else {
            self.lines[after].before = before;
        }
        if before == NO_LINE { after } else { before }
    }

    /// Returns the earliest line whose next revision needs this one, which is known to be needed.
    fn first_line_above(&mut self, position: Position) -> Line {
        match self.waits.remove(&position) {
            Some(Wait::Remembered { above, line }) => self.next_line_above(position, above, line),
            Some(Wait::Searched(SEARCHES)) => {
                let above = self.waiting_above(position);
                self.next_line_above(position, above, self.first)
            }
            searched => {
                let before = if let Some(Wait::Searched(times)) = searched {
                    times
                } else {
                    0
                };
                self.waits.insert(position, Wait::Searched(before + 1));
                self.search_line_above(position)
            }
        }
    }

    /// Goes on to the first line, from this one on, whose next revision is one of those above.
    fn next_line_above(&mut self, position: Position, above: HashSet<Position>, mut line: Line) -> Line {
        while !self.is_open(line) || !above.contains(&self.lines[line].next) {
            line += 1;
        }
        self.waits.insert(position, Wait::Remembered { above, line });
        line
    }

    fn is_open(&self, line: Line) -> bool {
        self.line_of[self.lines[line].next] == line
    }

    fn waiting_above(&self, position: Position) -> HashSet<Position> {
        let mut above = HashSet::new();
        let mut todo = vec![position];
        while let Some(lower) = todo.pop() {
            let waiting = self.graph.nodes[lower]
                .above
                .iter()
                .filter(|&&upper| self.waiting.contains(upper));
            todo.extend(waiting.filter(|&&upper| above.insert(upper)));
        }
        above
    }

    /// Finds the line by way of the most promising revisions above.
    fn search_line_above(&mut self, position: Position) -> Line {
        let mut path = vec![position];
        let mut known = None;
        loop {
            let at = *path
                .last()
                .expect("the path is left when its first revision is answered");
            let line = match known.take() {
                Some(line) => line,
                None => match self.probe(at) {
                    Probe::Found(line) => line,
                    Probe::Above(upper) => {
                        path.push(upper);
                        continue;
                    }
                },
            };
            let queue = self.queues.get_mut(&at).expect("probing made the queue");
            if let Some(mut entry) = queue.peek_mut() {
                entry.0.0 = line;
            }
            if queue.peek().is_some_and(|entry| entry.0.0 == line) {
                path.pop();
                if path.is_empty() {
                    return line;
                }
                known = Some(line.min(self.line_of[at]));
            }
        }
    }

    /// Looks at the most promising revision above: either its first line is evident or it must be looked at first.
    fn probe(&mut self, at: Position) -> Probe {
        let Self {
            graph,
            waiting,
            needed,
            line_of,
            queues,
            ..
        } = self;
        let queue = queues.entry(at).or_insert_with(|| {
            let above = graph.nodes[at]
                .above
                .iter()
                .filter(|&&upper| waiting.contains(upper));
            above.map(|&upper| Reverse((0, upper))).collect()
        });
        loop {
            let &Reverse((bound, upper)) = queue
                .peek()
                .expect("a revision that is still needed has a waiting one above it");
            if !waiting.contains(upper) {
                queue.pop();
            } else if needed[upper] == 0 || line_of[upper] <= bound {
                return Probe::Found(line_of[upper]);
            } else {
                return Probe::Above(upper);
            }
        }
    }
}
