//! What holds for every revision graph, checked on random ones.

use std::collections::HashSet;

use proptest::prelude::{Just, Strategy, any, prop};
use proptest::{prop_assert, prop_assert_eq, prop_oneof, proptest};

use seaworthy::graph::{Applied, HistoryRange, Placement, Plan, RevisionGraph, Target};
use seaworthy::revision::{Header, RevisionId};

/// Each revision gets up to two parents and perhaps a dependency among the earlier ones; then the list is shuffled.
fn graphs() -> impl Strategy<Value = RevisionGraph> {
    let links = prop::collection::vec((any::<u16>(), any::<u16>(), any::<u16>(), 0_u8..10), 0..30);
    links
        .prop_map(headers)
        .prop_shuffle()
        .prop_map(|headers| RevisionGraph::build(headers).expect("links go back"))
}

fn headers(links: Vec<(u16, u16, u16, u8)>) -> Vec<Header> {
    let id = |index: usize| format!("r{index:03}");
    let mut headers = Vec::new();
    for (index, (parent, other, dependency, shape)) in links.into_iter().enumerate() {
        let mut header = Header::new(id(index));
        if index > 0 {
            let pick = |number: u16| id(usize::from(number) % index);
            if shape > 0 {
                header = header.revises(pick(parent));
            }
            if shape > 7 {
                header = header.revises(pick(other));
            }
            if shape % 3 == 0 && !header.revises.contains(&RevisionId::from(pick(dependency))) {
                header = header.depends_on(pick(dependency));
            }
            if shape == 5 {
                header = header.label(format!("label-{index}"));
            }
        }
        headers.push(header);
    }
    headers
}

fn texts() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just(String::new()),
        Just("head".to_owned()),
        Just("heads".to_owned()),
        Just("base".to_owned()),
        Just("current".to_owned()),
        "r0[0-2][0-9]",
        "label-[0-9]",
        "\\PC{0,6}",
        "[-+@:0-9]{0,25}",
    ];
    (
        part.clone(),
        prop_oneof![Just("@"), Just("+"), Just("-"), Just(":"), Just("")],
        part,
    )
        .prop_map(|(left, sign, right)| format!("{left}{sign}{right}"))
}

fn ids(plan: &Plan) -> Vec<RevisionId> {
    plan.revisions().cloned().collect()
}

fn chosen(graph: &RevisionGraph, choice: u64) -> Vec<RevisionId> {
    let headers = graph.headers().enumerate();
    headers
        .filter(|(index, _)| choice >> (index % 64) & 1 == 1)
        .map(|(_, header)| header.id.clone())
        .collect()
}

#[test]
fn a_line_of_a_hundred_thousand_revisions_is_no_problem() {
    const LENGTH: usize = 100_000;
    let id = |index: usize| format!("r{index:06}");
    let line = (0..LENGTH).map(|index| {
        let header = Header::new(id(index));
        if index == 0 {
            header
        } else {
            header.revises(id(index - 1))
        }
    });
    let graph = RevisionGraph::build(line).expect("the line is a graph");
    let up = graph
        .upgrade(&Applied::default(), &Target::head())
        .expect("there is one head");
    assert_eq!(up.steps.len(), LENGTH);
    let all = up.applied_after(&graph, &Applied::default());
    let steps: Target = format!("-{LENGTH}").parse().expect("the steps are a number");
    assert_eq!(
        graph
            .downgrade(&all, &steps)
            .expect("the base is that far")
            .steps
            .len(),
        LENGTH
    );
}

proptest! {
    #[test]
    fn up_to_heads_and_down_to_base_leaves_nothing(graph in graphs(), choice in any::<u64>()) {
        let applied = graph.applied(&chosen(&graph, choice)).expect("the ids are the graph's");
        let up = graph.upgrade(&applied, &Target::heads()).expect("heads is always a target");
        let all = up.applied_after(&graph, &applied);
        prop_assert_eq!(all.len(), graph.len());
        prop_assert_eq!(all.heads(&graph), graph.heads_resolving_dependencies());
        let down = graph.downgrade(&all, &Target::base()).expect("base is always a target");
        prop_assert!(down.applied_after(&graph, &all).is_empty());
        prop_assert_eq!(down.steps.len(), graph.len());
    }

    #[test]
    fn everything_is_applied_after_what_it_needs(graph in graphs(), choice in any::<u64>()) {
        let mut applied = graph.applied(&chosen(&graph, choice)).expect("the ids are the graph's");
        for revision in ids(&graph.upgrade(&applied, &Target::heads()).expect("heads is always a target")) {
            for needed in graph.ancestors(&revision) {
                prop_assert!(applied.contains(&graph, &needed), "{} before {}", revision, needed);
            }
            applied.insert(&graph, &revision);
        }
    }

    #[test]
    fn nothing_is_undone_before_what_needs_it(graph in graphs(), choice in any::<u64>()) {
        let mut applied = graph.applied(&chosen(&graph, choice)).expect("the ids are the graph's");
        for revision in ids(&graph.downgrade(&applied, &Target::base()).expect("base is always a target")) {
            for needing in graph.descendants(&revision) {
                prop_assert!(!applied.contains(&graph, &needing), "{} before {}", revision, needing);
            }
            prop_assert!(applied.remove(&graph, &revision));
        }
    }

    #[test]
    fn heads_after_each_step_are_the_heads_of_what_is_applied(graph in graphs(), choice in any::<u64>()) {
        let mut applied = graph.applied(&chosen(&graph, choice)).expect("the ids are the graph's");
        let up = graph.upgrade(&applied, &Target::heads()).expect("heads is always a target");
        for (step, heads) in up.steps.iter().zip(up.heads_after_each_step(&graph, &applied.clone())) {
            applied.insert(&graph, &step.revision);
            prop_assert_eq!(heads, applied.heads(&graph));
        }
        let mut partly = graph.applied(&chosen(&graph, choice)).expect("the ids are the graph's");
        let down = graph.downgrade(&partly, &Target::base()).expect("base is always a target");
        for (step, heads) in down.steps.iter().zip(down.heads_after_each_step(&graph, &partly.clone())) {
            partly.remove(&graph, &step.revision);
            prop_assert_eq!(heads, partly.heads(&graph));
        }
    }

    #[test]
    fn gaps_are_what_a_complete_set_would_add(graph in graphs(), choice in any::<u64>()) {
        let some = chosen(&graph, choice);
        let applied = graph.applied(&some).expect("the ids are the graph's");
        let complete = graph.applied_from_heads(some.iter().map(RevisionId::as_str)).expect("the ids are the graph's");
        let gaps = graph.gaps(&applied);
        let unique: HashSet<&RevisionId> = gaps.iter().collect();
        prop_assert_eq!(unique.len(), gaps.len());
        prop_assert_eq!(gaps.len() + applied.len(), complete.len());
        prop_assert!(gaps.iter().all(|gap| complete.contains(&graph, gap)));
        prop_assert!(graph.gaps(&complete).is_empty());
    }

    #[test]
    fn history_lists_every_revision_once(graph in graphs(), choice in any::<u64>()) {
        let applied = graph.applied(&chosen(&graph, choice)).expect("the ids are the graph's");
        let listed = graph.history(None, &applied).expect("there is no range to fail");
        let unique: HashSet<&RevisionId> = listed.iter().map(|listed| &listed.revision).collect();
        prop_assert_eq!(listed.len(), graph.len());
        prop_assert_eq!(unique.len(), graph.len());
    }

    #[test]
    fn a_stamp_adds_and_removes_what_it_says(graph in graphs(), choice in any::<u64>(), text in texts()) {
        let mut applied = graph.applied(&chosen(&graph, choice)).expect("the ids are the graph's");
        if let Ok(stamp) = text.parse().and_then(|target| graph.stamp(&applied, &[target])) {
            for revision in &stamp.removed {
                prop_assert!(applied.remove(&graph, revision));
            }
            for revision in &stamp.added {
                prop_assert!(applied.insert(&graph, revision));
            }
            prop_assert_eq!(applied, stamp.after);
        }
    }

    #[test]
    fn no_text_makes_the_graph_panic(graph in graphs(), choice in any::<u64>(), text in texts()) {
        let applied = graph.applied(&chosen(&graph, choice)).expect("the ids are the graph's");
        if let Ok(target) = text.parse::<Target>() {
            prop_assert_eq!(target.to_string(), text.trim());
            let mut kinds = Vec::new();
            kinds.extend(graph.upgrade(&applied, &target).map_err(|error| error.kind()).err());
            kinds.extend(graph.downgrade(&applied, &target).map_err(|error| error.kind()).err());
            kinds.extend(graph.upgrade_range(&target, &Target::heads()).map_err(|error| error.kind()).err());
            kinds.extend(graph.show(std::slice::from_ref(&target), &applied).map_err(|error| error.kind()).err());
            let placement = Placement { head: Some(target), ..Placement::on_head("new") };
            kinds.extend(graph.place(&placement).map_err(|error| error.kind()).err());
            prop_assert!(kinds.iter().all(|kind| !kind.is_empty()));
        }
        if let Ok(range) = text.parse::<HistoryRange>()
            && let Err(error) = graph.history(Some(&range), &applied)
        {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
