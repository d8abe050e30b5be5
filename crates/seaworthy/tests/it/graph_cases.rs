//! Cases of the revision graph whose outcomes were observed with Alembic 1.20.1, or decided where ours differs.
//!
//! `fixtures/revision_graph.json` holds graphs in the order of loading and cases: what is stored, a verb with its
//! arguments, and what is expected. All cases run; the ones that fail are listed by name.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use seaworthy::graph::{
    Applied, GraphError, HistoryRange, Listed, Merge, Placed, Placement, Plan, RevisionGraph, Splice, Target,
};
use seaworthy::revision::{Direction, Header, RevisionId};

#[derive(Deserialize)]
struct Fixture {
    graphs: BTreeMap<String, Vec<Row>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    #[serde(default)]
    parents: Vec<String>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    needs: Vec<String>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    graph: String,
    stored: Vec<String>,
    verb: String,
    #[serde(default)]
    arguments: Vec<String>,
    id: Option<String>,
    head: Option<String>,
    label: Option<String>,
    needs: Option<String>,
    expect: Value,
}

#[test]
fn every_case_has_its_outcome() {
    let fixture = fixture();
    let mut failures = Vec::new();
    for case in &fixture.cases {
        let outcome = run(case, headers(&fixture.graphs[&case.graph]));
        let mut expected = case.expect.clone();
        let fields = expected.as_object_mut().expect("an expectation is an object");
        fields.remove("steps_reversed");
        if fields.remove("not_of_the_graph").is_some() {
            continue;
        }
        let differs = fields
            .iter()
            .any(|(field, value)| outcome.get(field) != Some(value));
        if differs {
            failures.push(format!(
                "{}\n  expected {expected}\n  got      {outcome}",
                case.name
            ));
        }
    }
    assert!(
        failures.is_empty(),
        "{} cases failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn ties_follow_the_order_of_loading() {
    let fixture = fixture();
    let mut compared = 0;
    for case in &fixture.cases {
        let Some(expected) = case.expect.get("steps_reversed") else {
            continue;
        };
        let mut headers = headers(&fixture.graphs[&case.graph]);
        headers.reverse();
        assert_eq!(run(case, headers)["steps"], *expected, "{}", case.name);
        compared += 1;
    }
    assert_eq!(compared, 2);
}

#[test]
fn every_error_has_a_message_in_lower_case_and_a_hint() {
    let fixture = fixture();
    for case in &fixture.cases {
        let outcome = run(case, headers(&fixture.graphs[&case.graph]));
        if let Some(message) = outcome["message"].as_str() {
            assert!(!message.ends_with('.'), "{}: {message}", case.name);
            assert!(
                !message.starts_with(char::is_uppercase),
                "{}: {message}",
                case.name
            );
            assert!(outcome["hint"].is_string(), "{}: {message}", case.name);
        }
    }
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("fixtures/revision_graph.json"))
        .expect("the fixture is JSON of this shape")
}

fn headers(rows: &[Row]) -> Vec<Header> {
    let header = |row: &Row| {
        let mut header = Header::new(row.id.as_str());
        header.revises = row
            .parents
            .iter()
            .map(|parent| RevisionId::from(parent.as_str()))
            .collect();
        header.labels.clone_from(&row.labels);
        header.depends_on.clone_from(&row.needs);
        header
    };
    rows.iter().map(header).collect()
}

fn run(case: &Case, headers: Vec<Header>) -> Value {
    outcome(case, headers).unwrap_or_else(
        |error| json!({"kind": error.kind(), "message": error.to_string(), "hint": error.hint()}),
    )
}

fn outcome(case: &Case, headers: Vec<Header>) -> Result<Value, GraphError> {
    let graph = RevisionGraph::build(headers)?;
    let applied = graph.applied_from_heads(&case.stored)?;
    let targets = || {
        case.arguments
            .iter()
            .map(|text| text.parse())
            .collect::<Result<Vec<Target>, _>>()
    };
    Ok(match case.verb.as_str() {
        "upgrade" => plan(&graph, &applied, &graph.upgrade(&applied, &targets()?[0])?),
        "downgrade" => plan(&graph, &applied, &graph.downgrade(&applied, &targets()?[0])?),
        "offline-upgrade" => {
            let range: Option<HistoryRange> = case.arguments[0]
                .contains(':')
                .then(|| case.arguments[0].parse())
                .transpose()?;
            let from = range
                .as_ref()
                .and_then(|range| range.start.clone())
                .unwrap_or_else(Target::base);
            let to = range.map_or_else(
                || case.arguments[0].parse(),
                |range| Ok(range.end.unwrap_or_else(Target::head)),
            )?;
            plan(
                &graph,
                &graph.applied_at(&from)?,
                &graph.upgrade_range(&from, &to)?,
            )
        }
        "stamp" | "offline-stamp" => {
            json!({"heads": sorted(&graph.stamp(&applied, &targets()?)?.after.heads(&graph))})
        }
        "history" => {
            let range = case
                .arguments
                .first()
                .map(|text| text.parse::<HistoryRange>())
                .transpose()?;
            listed(&graph.history(range.as_ref(), &applied)?)
        }
        "heads" => listed(&graph.listed(&graph.heads(), &applied)),
        "heads-resolved" => listed(&graph.listed(&graph.heads_resolving_dependencies(), &applied)),
        "current" => {
            let mut current = graph.current(&applied);
            current.sort_by(|left, right| left.revision.cmp(&right.revision));
            listed(&current)
        }
        "show" => listed(&graph.show(&targets()?, &applied)?),
        "branches" => {
            let points = graph.branches();
            json!({"points": points.iter().map(|point| json!([point.revision, sorted(&point.children)])).collect::<Vec<_>>()})
        }
        "revision" => placed(&graph.place(&placement(case)?)?),
        "merge" => {
            let id = case.id.as_deref().expect("a merge has an id").into();
            let revisions = targets()?;
            placed(&graph.place_merge(&Merge {
                id,
                revisions,
                splice: Splice::Refuse,
                branch_label: None,
            })?)
        }
        verb => panic!("{}: there is no verb {verb}", case.name),
    })
}

fn placement(case: &Case) -> Result<Placement, GraphError> {
    Ok(Placement {
        head: case.head.as_deref().map(str::parse).transpose()?,
        branch_label: case.label.clone(),
        depends_on: case
            .needs
            .iter()
            .map(|text| text.parse())
            .collect::<Result<_, _>>()?,
        ..Placement::on_head(case.id.as_deref().expect("a new revision has an id"))
    })
}

fn plan(graph: &RevisionGraph, applied: &Applied, plan: &Plan) -> Value {
    let sign = if plan.direction == Direction::Up { '+' } else { '-' };
    let heads = plan.heads_after_each_step(graph, applied);
    json!({
        "steps": plan.revisions().map(|revision| format!("{sign}{revision}")).collect::<Vec<_>>(),
        "heads_each": heads.iter().map(|heads| sorted(heads)).collect::<Vec<_>>(),
        "noted": !plan.notes.is_empty(),
    })
}

fn listed(rows: &[Listed]) -> Value {
    let row = |listed: &Listed| {
        let marks = [
            (listed.is_branch_point, "branch point"),
            (listed.is_current, "current"),
            (listed.is_effective_head, "effective head"),
            (listed.is_head, "head"),
            (listed.is_merge_point, "merge point"),
        ];
        let marks: Vec<&str> = marks
            .into_iter()
            .filter(|(is_set, _)| *is_set)
            .map(|(_, mark)| mark)
            .collect();
        let mut labels = listed.labels.clone();
        labels.sort();
        let mut row = json!({"id": listed.revision, "marks": marks});
        if !labels.is_empty() {
            row["labels"] = json!(labels);
        }
        row
    };
    json!({
        "rows": rows.iter().map(row).collect::<Vec<_>>(),
        "ids": rows.iter().map(|listed| listed.revision.as_str()).collect::<Vec<_>>(),
    })
}

fn placed(placed: &Placed) -> Value {
    json!({"placed": {"parents": placed.revises, "labels": placed.labels, "needs": placed.depends_on}})
}

fn sorted(revisions: &[RevisionId]) -> Vec<&str> {
    let mut sorted: Vec<&str> = revisions.iter().map(RevisionId::as_str).collect();
    sorted.sort_unstable();
    sorted
}
