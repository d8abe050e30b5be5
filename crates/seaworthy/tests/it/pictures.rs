//! Pictures of revisions and schemas in every format, with ordinary names and with nasty ones.

use std::time::{Duration, Instant};

use insta::assert_snapshot;
use seaworthy::autogenerate::{Policy, diff};
use seaworthy::catalog::{Catalog, Column, Dialect, ForeignKey, Index, PrimaryKey, Table};
use seaworthy::graph::{Applied, RevisionGraph};
use seaworthy::picture::{RevisionPicture, SchemaPicture};
use seaworthy::revision::{Header, Stage};

#[test]
fn a_fork_a_merge_and_a_dependency_read_like_a_log() {
    assert_snapshot!(picture().text().join("\n"), @"
    * 004 (head) (pending) go on
    * 003 (mergepoint) (pending) merge
    ├─╮
    │ @ shop2 (current) (contract) sell more
    │ ├─╮
    │ * ┊ shop1 (branch shop) sell
    ├─┼─╯
    * │ 002 add tags
    │ │ * alone (head) (pending) on its own
    ├─┴─╯
    * 001 (branchpoint) (phase II) create tasks
    ");
}

#[test]
fn branches_that_cross_keep_their_lanes() {
    let graph = RevisionGraph::build([
        Header::new("a"),
        Header::new("b").revises("a"),
        Header::new("c").revises("a"),
        Header::new("d").revises("a"),
        Header::new("e").revises("b").revises("d"),
        Header::new("f").revises("c").revises("e").revises("d"),
    ]);
    let picture = RevisionPicture::of(&graph.unwrap(), None);
    assert_snapshot!(picture.text().join("\n"), @"
    * f (head) (mergepoint)
    ├─┬─╮
    * │ │ c
    │ * │ e (mergepoint)
    │ ├─┼─╮
    │ * │ │ b
    │ │ ├─╯
    │ │ * d (branchpoint)
    ├─┴─╯
    * a (branchpoint)
    ");
}

#[test]
fn mermaid_names_parents_and_dependencies() {
    assert_snapshot!(picture().mermaid(), @r#"
    flowchart BT
        r0["004<br/>head<br/>pending<br/>go on"]
        r1["003<br/>mergepoint<br/>pending<br/>merge"]
        r2["shop2<br/>current<br/>contract<br/>sell more"]
        r3["shop1<br/>branch shop<br/>sell"]
        r4["002<br/>add tags"]
        r5["alone<br/>head<br/>pending<br/>on its own"]
        r6["001<br/>branchpoint<br/>phase II<br/>create tasks"]
        r1 --> r0
        r2 --> r1
        r4 --> r1
        r3 --> r2
        r4 -.-> r2
        r6 --> r3
        r6 --> r4
        r6 -.-> r5
        classDef head stroke-width:3px
        classDef current stroke-width:3px,stroke-dasharray:6 3
        class r0 head
        class r2 current
        class r5 head
    "#);
}

#[test]
fn dot_names_parents_and_dependencies() {
    assert_snapshot!(picture().dot(), @r#"
    digraph revisions {
        rankdir=BT;
        node [shape=box, style=rounded, fontname="sans-serif"];
        r0 [label="004\nhead\npending\ngo on", penwidth=2];
        r1 [label="003\nmergepoint\npending\nmerge"];
        r2 [label="shop2\ncurrent\ncontract\nsell more", penwidth=2];
        r3 [label="shop1\nbranch shop\nsell"];
        r4 [label="002\nadd tags"];
        r5 [label="alone\nhead\npending\non its own", penwidth=2];
        r6 [label="001\nbranchpoint\nphase II\ncreate tasks"];
        r1 -> r0;
        r2 -> r1;
        r4 -> r1;
        r3 -> r2;
        r4 -> r2 [style=dashed];
        r6 -> r3;
        r6 -> r4;
        r6 -> r5 [style=dashed];
    }
    "#);
}

#[test]
fn no_name_breaks_out_of_its_format() {
    let nasty = "\"]; click x \\ <script>&'`\u{202e}\n-->%%{init}%% } é 表";
    let graph = RevisionGraph::build([
        Header::new("<b>\"1\\").message(nasty),
        Header::new("2")
            .revises("<b>\"1\\")
            .message(nasty)
            .label("\"><script>")
            .phase(nasty),
    ]);
    let picture = RevisionPicture::of(&graph.unwrap(), None);
    assert!(!picture.svg().contains("<script>"));
    assert_snapshot!(picture.text().join("\n"), @r#"
    * 2 (head) (branch "><script>) (phase "]; click x \ <script>&'`� -->%%{init}%% } é 表) "]; click x \ <script>&'`� -->%%{init}%% } é 表
    * <b>"1\ "]; click x \ <script>&'`� -->%%{init}%% } é 表
    "#);
    assert_snapshot!(picture.mermaid(), @r##"
    flowchart BT
        r0["2<br/>head<br/>branch #34;#62;#60;script#62;<br/>phase #34;#93;#59; click x #92; #60;script#62;#38;#39;#96;#65533; --#62;#37;#37;#123;init#125;#37;#37; #125; é 表<br/>#34;#93;#59; click x #92; #60;script#62;#38;#39;#96;#65533; --#62;#37;#37;#123;init#125;#37;#37; #125; é 表"]
        r1["#60;b#62;#34;1#92;<br/>#34;#93;#59; click x #92; #60;script#62;#38;#39;#96;#65533; --#62;#37;#37;#123;init#125;#37;#37; #125; é 表"]
        r1 --> r0
        classDef head stroke-width:3px
        classDef current stroke-width:3px,stroke-dasharray:6 3
        class r0 head
    "##);
    assert_snapshot!(picture.dot(), @r#"
    digraph revisions {
        rankdir=BT;
        node [shape=box, style=rounded, fontname="sans-serif"];
        r0 [label="2\nhead\nbranch \"><script>\nphase \"]; click x \\ <script>&'`� -->%%{init}%% } é 表\n\"]; click x \\ <script>&'`� -->%%{init}%% } é 表", penwidth=2];
        r1 [label="<b>\"1\\\n\"]; click x \\ <script>&'`� -->%%{init}%% } é 表"];
        r1 -> r0;
    }
    "#);
}

#[test]
fn a_thousand_revisions_are_drawn_at_once() {
    let headers = (0..1000).map(|number: usize| {
        let header = Header::new(format!("r{number}"));
        match number {
            0 => header,
            // Ten branches side by side, joined again and again.
            _ if number % 100 == 99 => header
                .revises(format!("r{}", number - 1))
                .revises(format!("r{}", number - 2)),
            _ => header.revises(format!("r{}", number.saturating_sub(10))),
        }
    });
    let graph = RevisionGraph::build(headers).unwrap();
    let started = Instant::now();
    let picture = RevisionPicture::of(&graph, None);
    assert_eq!(picture.svg().matches("<circle").count(), 1000);
    assert!(picture.text().len() >= 1000);
    assert!(picture.mermaid().lines().count() > 2000);
    assert!(picture.dot().lines().count() > 2000);
    // Unoptimised and beside other tests it takes a fraction of this.
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
}

fn picture() -> RevisionPicture {
    let graph = RevisionGraph::build([
        Header::new("001").message("create tasks").phase("II"),
        Header::new("002").revises("001").message("add tags"),
        Header::new("shop1").revises("001").label("shop").message("sell"),
        Header::new("shop2")
            .revises("shop1")
            .depends_on("002")
            .message("sell more")
            .stage(Stage::Contract),
        Header::new("003")
            .revises("002")
            .revises("shop2")
            .message("merge"),
        Header::new("004").revises("003").message("go on"),
        Header::new("alone").message("on its own").depends_on("001"),
    ])
    .unwrap();
    let applied: Applied = graph.applied_at(&"shop2".parse().unwrap()).unwrap();
    RevisionPicture::of(&graph, Some(&applied))
}

#[test]
fn a_change_is_marked_by_words_and_signs_and_not_by_colour_alone() {
    let picture = change();
    assert_snapshot!(picture.mermaid(), @r#"
    erDiagram
        "tasks" {
            integer id PK
            text title
            integer done "changed, may be NULL"
            integer priority "new, may be NULL"
            text gone "removed, may be NULL"
        }
        "tags" {
            integer task_id FK "new"
        }
        "old" {
            integer id "removed, may be NULL"
        }
        "tags" }o--|| "tasks" : "task_id (new)"
        %% new: tags
        %% changed: tasks
        %% removed: old
    "#);
    let svg = picture.svg();
    for words in [
        "+ new",
        "~ changed",
        "− removed",
        "add index by_title (title)",
        "tags new",
        "old removed",
    ] {
        assert!(svg.contains(words), "no {words:?} in {svg}");
    }
}

#[test]
fn no_table_or_column_breaks_out_of_its_format() {
    let nasty = "\"} %% <script>alert(1)</script> \\ ' ` \n end\u{202e} 表";
    let mut catalog = Catalog::new(Dialect::Sqlite);
    for name in [nasty, "\"} _% <script>alert(1)</script> \\ ' ` \n end\u{202e} 表"] {
        let mut table = Table::new(name);
        table.columns = vec![Column::new(nasty, nasty), Column::new("", "")];
        table.foreign_keys = vec![ForeignKey::new([nasty], nasty, [nasty])];
        catalog.tables.push(table);
    }
    let picture = SchemaPicture::of(nasty, &catalog);
    assert!(!picture.svg().contains("<script>"));
    assert_snapshot!(picture.mermaid(), @r#"
    erDiagram
        "'} __ _script_alert(1)_/script_ / ' _ end� 表" {
            _______script_alert(1)__script__________end___ _______script_alert(1)__script__________end___ FK "'} __ _script_alert(1)_/script_ / ' _ end� 表, may be NULL"
            _ _ "_, may be NULL"
        }
        "'} __ _script_alert(1)_/script_ / ' _ end� 表 (1)" {
            _______script_alert(1)__script__________end___ _______script_alert(1)__script__________end___ FK "'} __ _script_alert(1)_/script_ / ' _ end� 表, may be NULL"
            _ _ "_, may be NULL"
        }
        "'} __ _script_alert(1)_/script_ / ' _ end� 表" }o--o| "'} __ _script_alert(1)_/script_ / ' _ end� 表" : "'} __ _script_alert(1)_/script_ / ' _ end� 表"
        "'} __ _script_alert(1)_/script_ / ' _ end� 表 (1)" }o--o| "'} __ _script_alert(1)_/script_ / ' _ end� 表" : "'} __ _script_alert(1)_/script_ / ' _ end� 表"
    "#);
}

#[test]
fn tables_that_refer_to_each_other_and_to_themselves_are_drawn() {
    let mut catalog = Catalog::new(Dialect::Sqlite);
    for (name, other) in [
        ("hen", "egg"),
        ("egg", "hen"),
        ("tree", "tree"),
        ("alone", "nowhere"),
    ] {
        let mut table = Table::new(name);
        table.columns = vec![Column::new("id", "integer"), Column::new("other", "integer")];
        table.foreign_keys = vec![ForeignKey::new(["other"], other, ["id"])];
        catalog.tables.push(table);
    }
    let picture = SchemaPicture::of("circles", &catalog);
    let svg = picture.svg();
    assert_eq!(svg.matches("class=\"box\"").count(), 4);
    // A line and a foot for each of the three whose other end is in the picture.
    assert_eq!(svg.matches("class=\"edge\"").count(), 6);
}

#[test]
fn two_hundred_tables_are_drawn_at_once() {
    let mut catalog = Catalog::new(Dialect::Postgresql);
    for number in 0..200_usize {
        let mut table = Table::new(format!("table_{number}"));
        table.columns = (0..20)
            .map(|column| Column::new(format!("column_{column}"), "integer"))
            .collect();
        table.primary_key = Some(PrimaryKey::new(["column_0"]));
        table.foreign_keys = (1..4)
            .filter(|step| number >= step * step)
            .map(|step| {
                let other = format!("table_{}", (number - step * step) / step);
                ForeignKey::new([format!("column_{step}")], other, ["column_0"])
            })
            .collect();
        catalog.tables.push(table);
    }
    let started = Instant::now();
    let picture = SchemaPicture::of("many", &catalog);
    assert_eq!(picture.svg().matches("class=\"box\"").count(), 200);
    assert!(picture.mermaid().lines().count() > 4000);
    // Unoptimised and beside other tests it takes a fraction of this.
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
}

fn change() -> SchemaPicture {
    let mut before = Catalog::new(Dialect::Sqlite);
    let mut tasks = Table::new("tasks");
    tasks.columns = vec![
        Column::new("id", "integer").not_null(),
        Column::new("title", "text").not_null(),
        Column::new("done", "boolean"),
        Column::new("gone", "text"),
    ];
    tasks.primary_key = Some(PrimaryKey::new(["id"]));
    let mut old = Table::new("old");
    old.columns = vec![Column::new("id", "integer")];
    before.tables = vec![tasks.clone(), old];
    let mut after = Catalog::new(Dialect::Sqlite);
    tasks.columns.pop();
    tasks.columns[2].data_type = "integer".to_owned();
    tasks.columns.push(Column::new("priority", "integer"));
    tasks.indexes = vec![Index::new(Some("by_title"), ["title"])];
    let mut tags = Table::new("tags");
    tags.columns = vec![Column::new("task_id", "integer").not_null()];
    tags.foreign_keys = vec![ForeignKey::new(["task_id"], "tasks", ["id"])];
    after.tables = vec![tasks, tags];
    let difference = diff(&before, &after, &Policy::default()).unwrap();
    SchemaPicture::of_change("a change", &before, &after, &difference)
}
