//! Circles: revisions that build on each other, directly or through dependencies.

use super::{GraphError, Node, Position, RevisionGraph};

/// Returns each revision's rank in one topological order, parents and dependencies first.
///
/// Expects the upward links; the downward ones are made later.
pub(super) fn ranks(graph: &RevisionGraph) -> Result<Vec<usize>, GraphError> {
    let nodes = &graph.nodes;
    if let Err(circle) = rank(nodes, |node| &node.children, |node| node.parents.clone()) {
        return Err(GraphError::Cycle {
            revisions: graph.ids(&circle),
        });
    }
    let all_below = |node: &Node| [node.parents.as_slice(), node.dependencies.as_slice()].concat();
    rank(nodes, |node| &node.above, all_below).map_err(|circle| match circle.as_slice() {
        [revision] => GraphError::DependencyLoop {
            revision: graph.id(*revision),
        },
        _ => GraphError::DependencyCycle {
            revisions: graph.ids(&circle),
        },
    })
}

/// Ranks the nodes, or returns one circle: each revision in it builds on the next, the last on the first.
fn rank(
    nodes: &[Node],
    above: impl Fn(&Node) -> &Vec<Position>,
    below: impl Fn(&Node) -> Vec<Position>,
) -> Result<Vec<usize>, Vec<Position>> {
    const UNRANKED: usize = usize::MAX;
    let mut missing = vec![0_usize; nodes.len()];
    for node in nodes {
        for &upper in above(node) {
            missing[upper] += 1;
        }
    }
    let mut ready: Vec<Position> = (0..nodes.len())
        .filter(|&position| missing[position] == 0)
        .collect();
    let mut ranks = vec![UNRANKED; nodes.len()];
    let mut ranked = 0;
    while let Some(position) = ready.pop() {
        ranks[position] = ranked;
        ranked += 1;
        for &upper in above(&nodes[position]) {
            missing[upper] -= 1;
            if missing[upper] == 0 {
                ready.push(upper);
            }
        }
    }
    let Some(start) = ranks.iter().position(|&rank| rank == UNRANKED) else {
        return Ok(ranks);
    };
    // What has no rank needs something without a rank: going down must come back to where it has been.
    let mut path = Vec::new();
    let mut step_of = vec![UNRANKED; nodes.len()];
    let mut at = start;
    while step_of[at] == UNRANKED {
        step_of[at] = path.len();
        path.push(at);
        let unranked = below(&nodes[at])
            .into_iter()
            .find(|&lower| ranks[lower] == UNRANKED);
        at = unranked.expect("a revision stays unranked only because something below it does");
    }
    Err(path.split_off(step_of[at]))
}
