//! Building the graph: names are claimed, links are resolved, circles are refused.

use std::collections::{HashMap, HashSet};

use crate::revision::{Header, RevisionId};

use super::{GraphError, Node, Position, RevisionGraph, cycle};

/// Characters that the target grammar uses itself, which is why Alembic forbids them in ids too.
const GRAMMAR_CHARACTERS: [char; 4] = ['@', '-', '+', ':'];

/// Words that a target always understands as something else.
const RESERVED_WORDS: [&str; 4] = ["head", "heads", "base", "current"];

/// Builds and checks the graph.
pub(super) fn build(headers: Vec<Header>) -> Result<RevisionGraph, GraphError> {
    for header in &headers {
        check_header(header)?;
    }
    let names = claim_names(&headers)?;
    let labels = claim_labels(&headers, &names)?;
    let mut links = Vec::with_capacity(headers.len());
    for header in &headers {
        links.push((parents(header, &names)?, dependencies(header, &names, &labels)?));
    }
    let nodes = headers
        .into_iter()
        .zip(links)
        .map(|(header, (parents, dependencies))| Node {
            header,
            parents,
            dependencies,
            below: Vec::new(),
            children: Vec::new(),
            above: Vec::new(),
        });
    let mut graph = RevisionGraph {
        nodes: nodes.collect(),
        names,
        labels,
    };
    link_upwards(&mut graph.nodes);
    let ranks = cycle::ranks(&graph)?;
    link_downwards(&mut graph, &ranks);
    Ok(graph)
}

/// Refuses an id that could not be written as a target.
pub(super) fn check_id(id: &RevisionId) -> Result<(), GraphError> {
    let text = id.as_str();
    let characters: String = GRAMMAR_CHARACTERS
        .into_iter()
        .filter(|&c| text.contains(c))
        .collect();
    if characters.is_empty() && !text.trim().is_empty() && !RESERVED_WORDS.contains(&text) {
        return Ok(());
    }
    Err(GraphError::IllegalId {
        id: id.clone(),
        characters,
    })
}

/// Refuses a label that could not be written as a target.
pub(super) fn check_label(label: &str, revision: &RevisionId) -> Result<(), GraphError> {
    // A hyphen is fine: a label is looked up as a whole before it is taken for a relative step.
    if label.contains(['@', ':']) || label.trim().is_empty() || RESERVED_WORDS.contains(&label) {
        return Err(GraphError::IllegalLabel {
            label: label.to_owned(),
            revision: revision.clone(),
        });
    }
    Ok(())
}

fn check_header(header: &Header) -> Result<(), GraphError> {
    if header.revises.contains(&header.id) {
        return Err(GraphError::SelfLoop {
            revision: header.id.clone(),
        });
    }
    if header
        .depends_on
        .iter()
        .any(|dependency| dependency == header.id.as_str())
    {
        return Err(GraphError::DependencyLoop {
            revision: header.id.clone(),
        });
    }
    check_id(&header.id)?;
    header
        .labels
        .iter()
        .try_for_each(|label| check_label(label, &header.id))
}

fn claim_names(headers: &[Header]) -> Result<HashMap<RevisionId, Position>, GraphError> {
    let mut names: HashMap<RevisionId, Position> = HashMap::with_capacity(headers.len() * 2);
    for (position, header) in headers.iter().enumerate() {
        if let Some(first) = names.insert(header.id.clone(), position) {
            return Err(GraphError::DuplicateId {
                id: header.id.clone(),
                first: headers[first].name.clone(),
                second: header.name.clone(),
            });
        }
    }
    for (position, header) in headers.iter().enumerate() {
        if header.name == header.id.as_str() {
            continue;
        }
        if let Some(first) = names.insert(RevisionId::from(header.name.as_str()), position) {
            return Err(GraphError::DuplicateName {
                name: header.name.clone(),
                first: headers[first].id.clone(),
                second: header.id.clone(),
            });
        }
    }
    Ok(names)
}

fn claim_labels(
    headers: &[Header],
    names: &HashMap<RevisionId, Position>,
) -> Result<HashMap<String, Position>, GraphError> {
    let mut labels = HashMap::new();
    for (position, header) in headers.iter().enumerate() {
        for label in &header.labels {
            let taken = names.get(&RevisionId::from(label.as_str())).copied();
            let taken = taken.or_else(|| labels.get(label).copied());
            if let Some(first) = taken {
                return Err(GraphError::DuplicateLabel {
                    label: label.clone(),
                    first: headers[first].id.clone(),
                    second: header.id.clone(),
                });
            }
            labels.insert(label.clone(), position);
        }
    }
    Ok(labels)
}

fn parents(header: &Header, names: &HashMap<RevisionId, Position>) -> Result<Vec<Position>, GraphError> {
    let mut parents = Vec::with_capacity(header.revises.len());
    for parent in &header.revises {
        let position = names.get(parent).ok_or_else(|| GraphError::MissingParent {
            revision: header.id.clone(),
            name: header.name.clone(),
            parent: parent.clone(),
        })?;
        parents.push(*position);
    }
    Ok(without_repetitions(parents))
}

fn dependencies(
    header: &Header,
    names: &HashMap<RevisionId, Position>,
    labels: &HashMap<String, Position>,
) -> Result<Vec<Position>, GraphError> {
    let mut dependencies = Vec::with_capacity(header.depends_on.len());
    for dependency in &header.depends_on {
        let position = names
            .get(&RevisionId::from(dependency.as_str()))
            .or_else(|| labels.get(dependency));
        let position = position.ok_or_else(|| GraphError::MissingDependency {
            revision: header.id.clone(),
            name: header.name.clone(),
            dependency: dependency.clone(),
        })?;
        dependencies.push(*position);
    }
    Ok(without_repetitions(dependencies))
}

fn without_repetitions(mut positions: Vec<Position>) -> Vec<Position> {
    if positions.len() > 1 {
        let mut seen = HashSet::with_capacity(positions.len());
        positions.retain(|&position| seen.insert(position));
    }
    positions
}

fn link_upwards(nodes: &mut [Node]) {
    for position in 0..nodes.len() {
        for index in 0..nodes[position].parents.len() {
            let parent = nodes[position].parents[index];
            nodes[parent].children.push(position);
            nodes[parent].above.push(position);
        }
        for index in 0..nodes[position].dependencies.len() {
            let dependency = nodes[position].dependencies[index];
            // Positions are visited in order, so a link that exists already is the last one.
            if nodes[dependency].above.last() != Some(&position) {
                nodes[dependency].above.push(position);
            }
        }
    }
}

/// Fills `below`: the parents, then those dependencies that no ancestor declares as well.
fn link_downwards(graph: &mut RevisionGraph, ranks: &[usize]) {
    let implied = implied_dependencies(graph, ranks);
    for (position, node) in graph.nodes.iter_mut().enumerate() {
        let declared = node.dependencies.iter().copied();
        let below = declared.filter(|&dependency| !implied.contains(&(position, dependency)));
        node.below = without_repetitions(node.parents.iter().copied().chain(below).collect());
    }
}

/// Returns the dependencies that an ancestor in the line declares too, as pairs of dependent and dependency.
fn implied_dependencies(graph: &RevisionGraph, ranks: &[usize]) -> HashSet<(Position, Position)> {
    let mut dependents: HashMap<Position, Vec<Position>> = HashMap::new();
    for (position, node) in graph.nodes.iter().enumerate() {
        for &dependency in &node.dependencies {
            dependents.entry(dependency).or_default().push(position);
        }
    }
    let mut implied = HashSet::new();
    let mut reached_for: Vec<Option<Position>> = vec![None; graph.nodes.len()];
    for (dependency, declaring) in dependents {
        let highest = declaring
            .iter()
            .map(|&position| ranks[position])
            .max()
            .unwrap_or_default();
        if declaring.len() < 2 {
            continue;
        }
        // Only what lies between the declaring revisions matters, which keeps the search short.
        let mut todo = declaring.clone();
        while let Some(position) = todo.pop() {
            for &child in &graph.nodes[position].children {
                if ranks[child] <= highest && reached_for[child] != Some(dependency) {
                    reached_for[child] = Some(dependency);
                    todo.push(child);
                }
            }
        }
        let covered = declaring
            .into_iter()
            .filter(|&position| reached_for[position] == Some(dependency));
        implied.extend(covered.map(|position| (position, dependency)));
    }
    implied
}

#[cfg(test)]
mod tests {
    use super::{Header, build};

    fn failure(headers: Vec<Header>) -> (&'static str, String) {
        let error = build(headers).unwrap_err();
        (error.kind(), error.to_string())
    }

    #[test]
    fn a_duplicate_id_names_both_migrations() {
        let headers = vec![
            Header::new("001").name("m1_first"),
            Header::new("001").name("m2_second"),
        ];
        let message = "revision id 001 is used twice, by 'm1_first' and by 'm2_second'".to_owned();
        assert_eq!(failure(headers), ("duplicate_id", message));
    }

    #[test]
    fn a_label_may_not_be_another_label_or_an_id() {
        let twice = vec![Header::new("001").label("core"), Header::new("002").label("core")];
        assert_eq!(failure(twice).0, "duplicate_label");
        let id = vec![Header::new("001"), Header::new("002").label("001")];
        assert_eq!(failure(id).0, "duplicate_label");
    }

    #[test]
    fn a_missing_parent_is_named_with_its_revision() {
        let headers = vec![Header::new("002").name("m2_tasks").revises("001")];
        let message = "revision 002 ('m2_tasks') revises 001, which does not exist".to_owned();
        assert_eq!(failure(headers), ("missing_revision_file", message));
        assert_eq!(
            failure(vec![Header::new("002").depends_on("core")]).0,
            "missing_revision_file"
        );
    }

    #[test]
    fn loops_and_circles_are_told_apart() {
        assert_eq!(failure(vec![Header::new("a").revises("a")]).0, "self_loop");
        assert_eq!(
            failure(vec![Header::new("a").depends_on("a")]).0,
            "dependency_loop"
        );
        assert_eq!(
            failure(vec![Header::new("a").label("own").depends_on("own")]).0,
            "dependency_loop"
        );
        let circle = vec![
            Header::new("z"),
            Header::new("a").revises("c"),
            Header::new("b").revises("a"),
            Header::new("c").revises("b").revises("z"),
            Header::new("d").revises("c"),
        ];
        assert_eq!(
            failure(circle),
            (
                "cycle",
                "revisions revise each other in a circle: a, c, b".to_owned()
            )
        );
        let dependency = vec![
            Header::new("a").depends_on("c"),
            Header::new("b").revises("a"),
            Header::new("c").depends_on("b"),
        ];
        assert_eq!(failure(dependency).0, "dependency_cycle");
    }

    #[test]
    fn ids_that_the_target_grammar_could_not_express_are_refused() {
        for id in ["", " ", "a@b", "a-b", "a+b", "a:b", "head", "base"] {
            assert_eq!(failure(vec![Header::new(id)]).0, "illegal_id", "{id}");
        }
        assert!(build(vec![Header::new("m20241225_100000_create_tables")]).is_ok());
    }
}
