//! The schemas that generated revisions lead through, each made of the one before.

use seaworthy::autogenerate::{Fill, Rename};
use seaworthy::catalog::{
    Action, Catalog, Check, Column, Conflict, Dialect, Exclusion, ForeignKey, Generated, Index, IndexPart,
    Need, NeedKind, Numbering, Object, ObjectKind, PrimaryKey, Sequence, Table, TablePart, Unique,
};

/// A change of a schema.
pub(super) struct Step {
    pub(super) message: &'static str,
    pub(super) change: fn(&mut Catalog),
    pub(super) renames: Vec<Rename>,
    pub(super) fills: Vec<Fill>,
}

/// Returns the steps for a kind of database, in order.
pub(super) fn steps(dialect: Dialect) -> Vec<Step> {
    let mut steps = vec![
        step("make tables that refer to each other", make_tables),
        step("add columns of every type", add_columns),
        step("add columns with defaults", add_defaults),
        Step {
            fills: vec![fill("tasks", "owner", "'nobody'")],
            ..step("say who a task belongs to", add_owner)
        },
        Step {
            renames: vec![column("tasks", "owner", "owned_by")],
            ..step("call the owner by another name", rename_column)
        },
        Step {
            renames: vec!["labels=tags".parse().unwrap()],
            ..step("call labels tags", rename_table)
        },
        step("change the types of columns", change_types),
        Step {
            fills: vec![fill("tasks", "note", "''")],
            ..step("demand a note", demand_note)
        },
        step("change defaults", change_defaults),
        step("compute a column", add_generated),
        step("compute it in another way", change_generated),
        step("compare letters in another way", change_collation),
        step("add constraints", add_constraints),
        step("give constraints other names", rename_constraints),
        step("change what happens to rows that refer to others", change_actions),
        step("build indexes of every kind", add_indexes),
        step("change the primary key", change_key),
        step("go back to one key", change_key_back),
        step("remove constraints", drop_constraints),
        step("remove indexes", drop_indexes),
    ];
    steps.extend(match dialect {
        Dialect::Postgresql => on_postgresql(),
        Dialect::Sqlite => on_sqlite(),
    });
    steps.push(step("remove columns", drop_columns));
    steps.push(step("remove tables", drop_tables));
    if dialect == Dialect::Postgresql {
        steps.extend(objects());
        steps.extend(readers_and_guards());
    }
    steps
}

/// Functions, and objects that a table needs.
fn objects() -> Vec<Step> {
    vec![
        step("say how to double", |catalog| {
            catalog.objects = Some(vec![twice("n * 2")]);
        }),
        step("double in another way", |catalog| {
            catalog.objects = Some(vec![twice("n + n")]);
        }),
        step("double no more", |catalog| {
            catalog.objects = Some(Vec::new());
        }),
        step("measure depths and find them by letters", |catalog| {
            // Tables that need objects are taken in the server's words.
            column_of(catalog, "tasks", "title").data_type = "character varying(200)".to_owned();
            column_of(catalog, "tasks", "owned_by").data_type = "character varying(40)".to_owned();
            let mut depths = Table::new("depths");
            depths.columns = vec![Column::new("depth", "fathoms"), Column::new("place", "citext")];
            catalog.tables.push(depths);
            let mut domain = object(ObjectKind::Domain, "fathoms", "CREATE DOMAIN fathoms AS numeric");
            let check = "ALTER DOMAIN fathoms ADD CONSTRAINT deep CHECK ((VALUE >= (0)::numeric))";
            domain.sql.push(check.to_owned());
            domain.used_by = vec!["depths".to_owned()];
            let comment = "COMMENT ON DOMAIN fathoms IS 'six feet each'";
            let mut extension = object(
                ObjectKind::Extension,
                "citext",
                "CREATE EXTENSION IF NOT EXISTS citext",
            );
            extension.used_by = vec!["depths".to_owned()];
            catalog.objects = Some(vec![
                extension,
                domain,
                needing(
                    object(ObjectKind::Comment, "DOMAIN fathoms", comment),
                    ObjectKind::Domain,
                    "fathoms",
                ),
            ]);
        }),
    ]
}

/// What reads tables, and what looks after their rows.
fn readers_and_guards() -> Vec<Step> {
    vec![
        step("show how deep tasks are and guard them", |catalog| {
            let view = view_of_two(&["tasks.id", "tasks.title", "depths.depth"]);
            let columns = ["id integer", "title character varying(200)", "depth fathoms"];
            let view = Object {
                shape: columns.map(str::to_owned).to_vec(),
                ..object(ObjectKind::View, "deep_tasks", &view)
            };
            let looks = "CREATE OR REPLACE FUNCTION look()\n RETURNS trigger\n LANGUAGE plpgsql\n\
                         AS $function$BEGIN RETURN new; END$function$";
            let mut function = object(ObjectKind::Function, "look()", looks);
            function.shape = vec!["trigger".to_owned(), String::new()];
            let on_tasks = |kind, name: &str, sql: &str| Object::new(kind, name, Some("tasks"), sql);
            let security = "ALTER TABLE tasks ENABLE ROW LEVEL SECURITY";
            let policy = "CREATE POLICY own ON tasks FOR ALL TO PUBLIC USING ((place >= 0))";
            let trigger = "CREATE TRIGGER looks BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION look()";
            catalog.objects.as_mut().unwrap().extend([
                view,
                function,
                on_tasks(ObjectKind::RowSecurity, "tasks", security),
                on_tasks(ObjectKind::Policy, "own ON tasks", policy),
                needing(
                    on_tasks(ObjectKind::Trigger, "looks ON tasks", trigger),
                    ObjectKind::Function,
                    "look()",
                ),
            ]);
        }),
        step("put tasks in the order of their key", |catalog| {
            let sql = "ALTER TABLE tasks CLUSTER ON tasks_pkey";
            let clustering = Object::new(ObjectKind::Clustering, "tasks_pkey ON tasks", Some("tasks"), sql);
            catalog.objects.as_mut().unwrap().push(clustering);
            column_of(catalog, "tasks", "title").storage.options = vec!["n_distinct=-0.5".to_owned()];
        }),
        step("show where tasks are, and guard nothing", |catalog| {
            let view = view_of_two(&["tasks.id", "depths.place"]);
            let objects = catalog.objects.as_mut().unwrap();
            let is_kept = |kind| {
                matches!(
                    kind,
                    ObjectKind::Extension | ObjectKind::Domain | ObjectKind::Comment
                )
            };
            objects.retain(|object| is_kept(object.kind));
            objects.push(Object {
                shape: vec!["id integer".to_owned(), "place citext".to_owned()],
                ..object(ObjectKind::View, "deep_tasks", &view)
            });
            column_of(catalog, "tasks", "title").storage.options.clear();
        }),
        step("measure nothing", |catalog| {
            catalog.tables.retain(|table| table.name != "depths");
            catalog.objects = Some(Vec::new());
        }),
    ]
}

/// The same text on all versions of PostgreSQL: of one table alone newer ones print the columns without it.
fn view_of_two(columns: &[&str]) -> String {
    let columns = columns.join(",\n    ");
    format!("CREATE OR REPLACE VIEW deep_tasks AS\n SELECT {columns}\n   FROM tasks,\n    depths")
}

fn object(kind: ObjectKind, name: &str, sql: &str) -> Object {
    Object::new(kind, name, None, sql)
}

/// The same object, which needs another.
fn needing(mut object: Object, kind: ObjectKind, name: &str) -> Object {
    object.needs.push(Need {
        kind: NeedKind::Object(kind),
        name: name.to_owned(),
        column: None,
    });
    object
}

/// A function as the server prints it.
fn twice(expression: &str) -> Object {
    Object {
        kind: ObjectKind::Function,
        name: "twice(integer)".to_owned(),
        relation: None,
        sql: vec![format!(
            "CREATE OR REPLACE FUNCTION twice(n integer)\n RETURNS integer\n LANGUAGE sql\nAS $function$SELECT {expression}$function$"
        )],
        needs: Vec::new(),
        used_by: Vec::new(),
        shape: vec!["integer".to_owned(), "n integer".to_owned()],
    }
}

fn on_postgresql() -> Vec<Step> {
    let mut steps = names_types_and_sequences();
    steps.extend(checks_partitions_and_storage());
    steps
}

fn names_types_and_sequences() -> Vec<Step> {
    vec![
        step("give an index another name", |catalog| {
            index_of(catalog, "tasks").name = Some("idx_tasks_owner".to_owned());
        }),
        step("number rows in another way", |catalog| {
            column_of(catalog, "tags", "id").auto = Some(Numbering::IdentityAlways);
        }),
        step("say what tables and columns are for", |catalog| {
            table(catalog, "tasks").comment = Some("What's to be done".to_owned());
            column_of(catalog, "tasks", "title").comment = Some("In a few words".to_owned());
        }),
        step("add a type of moods", |catalog| {
            let moods = ["bad", "fair", "good", "none"].map(str::to_owned).to_vec();
            catalog.enums.insert("mood".to_owned(), moods);
            let mood = Column::new("mood", "mood").not_null().default("'fair'::mood");
            table(catalog, "tasks").columns.push(mood);
            let index = Index::new(Some("idx_tasks_good"), ["id"]).filter("mood = 'good'::mood");
            table(catalog, "tasks").indexes.push(index);
            let check = Check::new(Some("ck_tasks_mood"), "mood <> 'none'::mood");
            table(catalog, "tasks").checks.push(check);
        }),
        step("add a mood", |catalog| {
            moods(catalog).insert(1, "poor".to_owned());
        }),
        step("remove a mood", |catalog| {
            moods(catalog).retain(|mood| mood != "poor");
        }),
        step("put moods in another order", |catalog| moods(catalog).reverse()),
        step("count orders", |catalog| {
            catalog.sequences.push(Sequence::new("order_no"));
        }),
        step("count orders in tens", |catalog| {
            catalog.sequences[0].increment = Some(10);
        }),
        step("count no orders", |catalog| catalog.sequences.clear()),
    ]
}

fn checks_partitions_and_storage() -> Vec<Step> {
    vec![
        step("check new rows only", |catalog| {
            let mut check = Check::new(Some("ck_tasks_place"), "place >= 0");
            check.valid = false;
            table(catalog, "tasks").checks.push(check);
            let mut key = ForeignKey::new(["parent"], "tasks", ["id"]);
            key.name = Some("fk_tasks_parent".to_owned());
            key.valid = false;
            table(catalog, "tasks").foreign_keys.push(key);
        }),
        step("check all rows", |catalog| {
            let tasks = table(catalog, "tasks");
            tasks.checks.iter_mut().for_each(|check| check.valid = true);
            tasks.foreign_keys.iter_mut().for_each(|key| key.valid = true);
        }),
        step("keep bookings apart", |catalog| {
            let mut bookings = Table::new("bookings");
            bookings.columns = vec![Column::new("during", "tstzrange")];
            bookings.exclusions.push(Exclusion {
                name: Some("ex_bookings_during".to_owned()),
                definition: "EXCLUDE USING gist (during WITH &&)".to_owned(),
            });
            catalog.tables.push(bookings);
        }),
        step("let bookings overlap", |catalog| {
            table(catalog, "bookings").exclusions.clear();
        }),
        step("keep bookings apart again", |catalog| {
            table(catalog, "bookings").exclusions.push(Exclusion {
                name: Some("ex_bookings_during".to_owned()),
                definition: "EXCLUDE USING gist (during WITH &&)".to_owned(),
            });
        }),
        step("keep fewer rows on a page", |catalog| {
            table(catalog, "tasks").storage.options = vec!["fillfactor=70".to_owned()];
            column_of(catalog, "tasks", "title").storage.strategy = Some("EXTERNAL".to_owned());
        }),
        step("keep events by day and in a table of their own", |catalog| {
            let mut events = Table::new("events");
            events.columns = vec![Column::new("day", "date").not_null()];
            events.partitioned_by = Some("RANGE (day)".to_owned());
            events.partitions = vec![part("2024-01-01", "2024-02-01")];
            let mut alarms = Table::new("alarms");
            alarms.columns = vec![Column::new("during", "tstzrange")];
            catalog.tables.extend([events, alarms]);
        }),
        step("keep events of another month", |catalog| {
            let events = table(catalog, "events");
            events.partitions[0].bound = part("2024-01-01", "2024-01-31").bound;
            events.partitions.push(part("2024-02-01", "2024-03-01"));
            table(catalog, "alarms").inherits = vec!["bookings".to_owned()];
            column_of(catalog, "alarms", "during").inherited = true;
        }),
        step("keep no events of that month", |catalog| {
            table(catalog, "events").partitions.truncate(1);
        }),
        step("keep events of that month in a table of their own", |catalog| {
            let part = table(catalog, "events").partitions.remove(0);
            let mut alone = Table::new(part.name);
            alone.columns = vec![Column::new("day", "date").not_null()];
            catalog.tables.push(alone);
        }),
        step("keep events together again", |catalog| {
            catalog.tables.retain(|table| !table.name.starts_with("events_"));
            table(catalog, "events").partitions = vec![part("2024-01-01", "2024-01-31")];
        }),
        step("have no moods", |catalog| {
            catalog.enums.clear();
            let tasks = table(catalog, "tasks");
            tasks.columns.retain(|column| column.name != "mood");
            tasks
                .indexes
                .retain(|index| index.name.as_deref() != Some("idx_tasks_good"));
            tasks
                .checks
                .retain(|check| check.name.as_deref() != Some("ck_tasks_mood"));
        }),
    ]
}

fn part(from: &str, to: &str) -> TablePart {
    TablePart {
        name: format!("events_{}", from.replace('-', "_")),
        of: None,
        bound: format!("FOR VALUES FROM ('{from}') TO ('{to}')"),
        partitioned_by: None,
    }
}

fn on_sqlite() -> Vec<Step> {
    vec![
        step("be strict about tags", |catalog| {
            table(catalog, "tags").strict = true;
            let name = column_of(catalog, "tags", "name");
            name.data_type = "TEXT".to_owned();
            name.on_null = Conflict::Fail;
        }),
        step("show tasks and trim their titles", |catalog| {
            let trigger = "CREATE TRIGGER trim_titles AFTER INSERT ON tasks \
                           BEGIN UPDATE tasks SET title = trim(new.title) WHERE id = new.id; END";
            catalog.objects = Some(vec![
                titles("CREATE VIEW titles AS SELECT id, title FROM tasks"),
                Object::new(ObjectKind::Trigger, "trim_titles", Some("tasks"), trigger),
            ]);
        }),
        step("show notes too", |catalog| {
            let objects = catalog.objects.iter_mut().flatten();
            let mut views = objects.filter(|object| object.kind == ObjectKind::View);
            *views.next().unwrap() = titles("CREATE VIEW titles AS SELECT id, title, note FROM tasks");
        }),
    ]
}

fn titles(sql: &str) -> Object {
    Object::new(ObjectKind::View, "titles", None, sql)
}

fn make_tables(catalog: &mut Catalog) {
    let mut tasks = Table::new("tasks");
    tasks.columns = vec![
        id(),
        Column::new("title", "varchar(100)").not_null(),
        Column::new("note", "text"),
        Column::new("parent", "integer"),
        Column::new("label", "integer"),
        Column::new("place", "integer").not_null().default("0"),
    ];
    tasks.primary_key = Some(PrimaryKey::new(["id"]));
    tasks.foreign_keys = vec![foreign_key("fk_tasks_label", "label", "labels", Action::SetNull)];
    tasks.indexes = vec![Index::new(Some("idx_tasks_label"), ["label"])];
    let mut labels = Table::new("labels");
    labels.columns = vec![id(), Column::new("name", "varchar(50)").not_null()];
    labels.primary_key = Some(PrimaryKey::new(["id"]));
    labels.uniques = vec![Unique::new(Some("uq_labels_name"), ["name"])];
    catalog.tables = vec![tasks, labels];
}

fn add_columns(catalog: &mut Catalog) {
    let is_postgres = catalog.dialect == Some(Dialect::Postgresql);
    let mut types = vec![
        "bigint",
        "smallint",
        "boolean",
        "date",
        "time",
        "timestamp",
        "timestamp with time zone",
        "numeric(10,2)",
        "numeric",
        "real",
        "double precision",
        "char(3)",
        "varchar",
        "uuid",
        "json",
    ];
    types.extend(match is_postgres {
        true => ["bytea", "jsonb", "text[]", "inet"],
        false => ["blob", "jsonb_text", "datetime_text", "year"],
    });
    let mut kinds = Table::new("kinds");
    kinds.columns = vec![id()];
    kinds.primary_key = Some(PrimaryKey::new(["id"]));
    let columns = types.iter().enumerate();
    kinds
        .columns
        .extend(columns.map(|(place, data_type)| Column::new(format!("c{place}"), *data_type)));
    catalog.tables.push(kinds);
}

fn add_defaults(catalog: &mut Catalog) {
    let kinds = table(catalog, "kinds");
    kinds.columns.extend([
        Column::new("done", "boolean").not_null().default("false"),
        Column::new("size", "integer").not_null().default("7"),
        Column::new("word", "varchar(20)")
            .not_null()
            .default("'it''s \"so\"'"),
        Column::new("part", "numeric(4,2)").default("1.5"),
    ]);
    let made = Column::new("made", "timestamp").default("CURRENT_TIMESTAMP");
    kinds.columns.push(made);
}

fn add_owner(catalog: &mut Catalog) {
    let owner = Column::new("owner", "varchar(40)").not_null();
    table(catalog, "tasks").columns.push(owner);
    // On SQLite this takes a table that is built again, and comes first.
    column_of(catalog, "tasks", "parent").default = Some("0".to_owned());
}

fn rename_column(catalog: &mut Catalog) {
    column_of(catalog, "tasks", "owner").name = "owned_by".to_owned();
}

fn rename_table(catalog: &mut Catalog) {
    table(catalog, "labels").name = "tags".to_owned();
    table(catalog, "tasks").foreign_keys[0].ref_table = "tags".to_owned();
}

fn change_types(catalog: &mut Catalog) {
    column_of(catalog, "tasks", "title").data_type = "varchar(200)".to_owned();
    column_of(catalog, "tasks", "place").data_type = "bigint".to_owned();
    column_of(catalog, "kinds", "word").data_type = "varchar(10)".to_owned();
    column_of(catalog, "kinds", "done").data_type = "integer".to_owned();
    column_of(catalog, "kinds", "done").default = Some("0".to_owned());
}

fn demand_note(catalog: &mut Catalog) {
    column_of(catalog, "tasks", "note").nullable = false;
    column_of(catalog, "kinds", "size").nullable = true;
}

fn change_defaults(catalog: &mut Catalog) {
    column_of(catalog, "tasks", "place").default = Some("1".to_owned());
    column_of(catalog, "tasks", "note").default = Some("''".to_owned());
    column_of(catalog, "kinds", "made").default = None;
}

fn add_generated(catalog: &mut Catalog) {
    table(catalog, "kinds").columns.push(Column {
        generated: Some(Generated {
            expr: "size * 2".to_owned(),
            stored: true,
        }),
        ..Column::new("twice", "integer")
    });
}

fn change_generated(catalog: &mut Catalog) {
    let expr = "size + size".to_owned();
    column_of(catalog, "kinds", "twice").generated = Some(Generated { expr, stored: true });
}

fn change_collation(catalog: &mut Catalog) {
    let collation = match catalog.dialect {
        Some(Dialect::Postgresql) => "C",
        _ => "NOCASE",
    };
    column_of(catalog, "tags", "name").collation = Some(collation.to_owned());
}

fn add_constraints(catalog: &mut Catalog) {
    let tasks = table(catalog, "tasks");
    tasks
        .uniques
        .push(Unique::new(Some("uq_tasks_id_place"), ["id", "place"]));
    tasks
        .checks
        .push(Check::new(Some("ck_tasks_title"), "length(title) > 0"));
    tasks
        .foreign_keys
        .push(foreign_key("fk_tasks_above", "parent", "tasks", Action::NoAction));
}

fn rename_constraints(catalog: &mut Catalog) {
    let tasks = table(catalog, "tasks");
    tasks.checks[0].name = Some("tasks_have_titles".to_owned());
    tasks.uniques[0].name = Some("tasks_have_places".to_owned());
}

fn change_actions(catalog: &mut Catalog) {
    for key in &mut table(catalog, "tasks").foreign_keys {
        key.on_delete = Action::Cascade;
    }
}

fn add_indexes(catalog: &mut Catalog) {
    let is_postgres = catalog.dialect == Some(Dialect::Postgresql);
    let tasks = table(catalog, "tasks");
    tasks.indexes.extend([
        Index::new(Some("idx_tasks_open"), ["place"]).filter("place > 0"),
        Index::new(Some("idx_tasks_lower"), [""; 0]).part(IndexPart::expression("lower(title)")),
        Index::new(Some("idx_tasks_newest"), ["parent"]).part(IndexPart::column("id").descending()),
        Index::new(Some("uq_tasks_place"), ["place", "id"]).unique(),
    ]);
    if is_postgres {
        tasks
            .indexes
            .push(Index::new(Some("idx_tasks_note"), ["note"]).include(["title"]));
        let search = IndexPart::expression("to_tsvector('english'::regconfig, note)");
        tasks.indexes.push(
            Index::new(Some("idx_tasks_words"), [""; 0])
                .part(search)
                .method("gin"),
        );
    }
}

fn change_key(catalog: &mut Catalog) {
    column_of(catalog, "kinds", "size").nullable = false;
    column_of(catalog, "kinds", "size").default = Some("7".to_owned());
    if catalog.dialect == Some(Dialect::Sqlite) {
        column_of(catalog, "kinds", "id").auto = None;
    }
    table(catalog, "kinds").primary_key = Some(PrimaryKey::new(["id", "size"]));
}

fn change_key_back(catalog: &mut Catalog) {
    column_of(catalog, "kinds", "id").auto = id().auto;
    table(catalog, "kinds").primary_key = Some(PrimaryKey::new(["id"]));
}

fn drop_constraints(catalog: &mut Catalog) {
    let tasks = table(catalog, "tasks");
    tasks.uniques.clear();
    tasks.checks.clear();
    tasks.foreign_keys.truncate(1);
}

fn drop_indexes(catalog: &mut Catalog) {
    table(catalog, "tasks").indexes.truncate(1);
}

fn drop_columns(catalog: &mut Catalog) {
    table(catalog, "kinds")
        .columns
        .retain(|column| !["twice", "size"].contains(&column.name.as_str()));
    let tasks = table(catalog, "tasks");
    tasks.columns.retain(|column| column.name != "label");
    tasks.foreign_keys.retain(|key| key.columns != ["label"]);
    tasks
        .indexes
        .retain(|index| index.columns[0].plain_column() != Some("label"));
}

fn drop_tables(catalog: &mut Catalog) {
    catalog.tables.retain(|table| table.name == "tasks");
}

fn step(message: &'static str, change: fn(&mut Catalog)) -> Step {
    Step {
        message,
        change,
        renames: Vec::new(),
        fills: Vec::new(),
    }
}

fn fill(table: &str, column: &str, value: &str) -> Fill {
    Fill {
        table: table.to_owned(),
        column: column.to_owned(),
        value: value.to_owned(),
    }
}

fn column(table: &str, from: &str, to: &str) -> Rename {
    Rename::Column {
        table: table.to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
    }
}

fn foreign_key(name: &str, column: &str, table: &str, on_delete: Action) -> ForeignKey {
    ForeignKey {
        name: Some(name.to_owned()),
        on_delete,
        ..ForeignKey::new([column], table, ["id"])
    }
}

fn id() -> Column {
    Column::new("id", "integer").not_null().auto(Numbering::Any)
}

fn table<'a>(catalog: &'a mut Catalog, name: &str) -> &'a mut Table {
    catalog
        .tables
        .iter_mut()
        .find(|table| table.name == name)
        .unwrap()
}

fn column_of<'a>(catalog: &'a mut Catalog, of: &str, name: &str) -> &'a mut Column {
    let columns = table(catalog, of).columns.iter_mut();
    columns.into_iter().find(|column| column.name == name).unwrap()
}

fn index_of<'a>(catalog: &'a mut Catalog, of: &str) -> &'a mut Index {
    &mut table(catalog, of).indexes[0]
}

fn moods(catalog: &mut Catalog) -> &mut Vec<String> {
    catalog.enums.get_mut("mood").unwrap()
}
