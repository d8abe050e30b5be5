//! What the catalog says of something that would go: whether it is there, and what goes with it.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{DbErr, QueryResult};

use crate::script::Script;
use crate::session::{Session, dialect_of};
use crate::sql::{Dialect, Object, Reading, Removal, Statement, literal, name_parts, quoted, quoted_name};

/// Something that goes because something else does.
pub(super) enum Dependent {
    /// A table.
    Table(String),
    /// A column of a table.
    Column(String, String),
}

/// Returns whether a table or a column of one is there.
pub(super) async fn is_there(session: &Session, table: &str, column: Option<&str>) -> Result<bool, DbErr> {
    let sql = match (dialect_of(session.backend()), column) {
        (Dialect::Postgresql, None) => format!(
            "SELECT 1 WHERE to_regclass({}) IS NOT NULL",
            literal(&quoted_name(table))
        ),
        (Dialect::Postgresql, Some(column)) => format!(
            "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass({}) AND attname = {} AND attnum > 0 AND NOT attisdropped",
            literal(&quoted_name(table)),
            literal(column)
        ),
        (Dialect::Sqlite, None) => format!(
            "SELECT 1 FROM {} WHERE type IN ('table', 'view') AND lower(name) = lower({})",
            schema_table(table),
            literal(&crate::sql::bare(table))
        ),
        (Dialect::Sqlite, Some(column)) => format!(
            "SELECT 1 FROM pragma_table_xinfo({}) WHERE lower(name) = lower({})",
            literal(&crate::sql::bare(table)),
            literal(column)
        ),
    };
    Ok(!session.rows(&sql).await?.is_empty())
}

/// Returns whether there is a table in any schema, but for those of this tool and of extensions.
pub(in crate::command) async fn has_tables(session: &Session) -> Result<bool, DbErr> {
    let sql = match dialect_of(session.backend()) {
        Dialect::Postgresql => {
            "SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace \
             LEFT JOIN pg_depend ON classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e' \
             WHERE relkind IN ('r', 'p', 'm', 'f') AND objid IS NULL AND nspname NOT IN ('pg_catalog', 'information_schema') \
             AND nspname NOT LIKE 'pg\\_toast%' AND relname NOT LIKE 'seaworthy\\_%' AND relname <> 'seaql_migrations' LIMIT 1"
        }
        Dialect::Sqlite => {
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
             AND name NOT LIKE 'seaworthy\\_%' ESCAPE '\\' AND name <> 'seaql_migrations' LIMIT 1"
        }
    };
    Ok(!session.rows(sql).await?.is_empty())
}

/// Returns SQLite's table of tables of the database that a name is in.
fn schema_table(name: &str) -> String {
    match name_parts(name).as_slice() {
        [database, _] => format!("{}.sqlite_master", quoted(database)),
        _ => "sqlite_master".to_owned(),
    }
}

/// A column that a table will not have when it is built again.
pub(super) struct LeftOut {
    pub(super) name: String,
    /// Whether its values are computed from others, so that none is lost.
    pub(super) is_computed: bool,
}

/// Returns the columns that a table has and will not have when it is built again.
pub(super) async fn left_out(
    session: &Session,
    table: &str,
    is_kept: impl Fn(&str) -> bool,
) -> Result<Vec<LeftOut>, DbErr> {
    let sql = match dialect_of(session.backend()) {
        Dialect::Postgresql => format!(
            "SELECT attname::text AS name, attgenerated <> '' AS is_computed FROM pg_attribute \
             WHERE attrelid = to_regclass({}) AND attnum > 0 AND NOT attisdropped",
            literal(&quoted_name(table))
        ),
        // Hidden is 1 for those of virtual tables.
        Dialect::Sqlite => format!(
            "SELECT name, hidden IN (2, 3) AS is_computed FROM pragma_table_xinfo({}) WHERE hidden <> 1",
            literal(&crate::sql::bare(table))
        ),
    };
    let mut left_out = Vec::new();
    for row in session.rows(&sql).await? {
        let column = LeftOut {
            name: row.try_get("", "name")?,
            is_computed: row.try_get("", "is_computed")?,
        };
        let is_kept = match dialect_of(session.backend()) {
            Dialect::Postgresql => is_kept(&column.name),
            Dialect::Sqlite => is_kept(&column.name.to_ascii_lowercase()),
        };
        if !is_kept {
            left_out.push(column);
        }
    }
    Ok(left_out)
}

/// Returns the tables and columns that hold rows and go with something, by PostgreSQL's own dependencies; nothing when it is not
/// there.
///
/// Source: PostgreSQL manual, "`pg_depend`" and "Dependency Tracking".
pub(super) async fn taken(
    session: &Session,
    object: &Object,
    cascade: bool,
) -> Result<Option<Vec<Dependent>>, DbErr> {
    taken_of_kinds(session, object, cascade, "'r', 'p'").await
}

/// Returns the same for other kinds of relations.
async fn taken_of_kinds(
    session: &Session,
    object: &Object,
    cascade: bool,
    relations: &str,
) -> Result<Option<Vec<Dependent>>, DbErr> {
    let Some(start) = address(object) else {
        return Ok(Some(Vec::new()));
    };
    if session
        .rows(&format!(
            "SELECT 1 FROM ({start}) AS start WHERE objid IS NOT NULL"
        ))
        .await?
        .is_empty()
    {
        return Ok(None);
    }
    // Members of an extension and parts of an object go in any case, dependents only with CASCADE.
    let kinds = if cascade {
        "'n', 'a', 'i', 'e', 'P', 'S'"
    } else {
        "'a', 'i', 'e', 'P', 'S'"
    };
    let sql = format!(
        "WITH RECURSIVE taken(classid, objid, objsubid) AS ( \
           SELECT classid, objid, objsubid FROM ({start}) AS start WHERE objid IS NOT NULL \
           UNION \
           SELECT next.classid, next.objid, next.objsubid FROM taken, LATERAL ( \
             SELECT d.classid, d.objid, d.objsubid FROM pg_depend d \
             WHERE d.refclassid = taken.classid AND d.refobjid = taken.objid \
             AND (taken.objsubid = 0 OR d.refobjsubid = taken.objsubid) AND d.deptype IN ({kinds}) \
             UNION ALL \
             SELECT d.refclassid, d.refobjid, 0 FROM pg_depend d \
             WHERE d.classid = taken.classid AND d.objid = taken.objid AND d.deptype = 'i' \
             AND taken.classid = 'pg_rewrite'::regclass \
           ) AS next \
         ), relations AS ( \
           SELECT c.oid, t.objsubid, c.relname, n.nspname, n.nspname = current_schema() AS is_home \
           FROM taken t JOIN pg_class c ON t.classid = 'pg_class'::regclass AND c.oid = t.objid \
           JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ({relations}) \
         ) \
         SELECT r.relname::text AS name, CASE WHEN r.is_home THEN NULL ELSE r.nspname::text END AS schema, \
         a.attname::text AS column_name FROM relations r \
         LEFT JOIN pg_attribute a ON r.objsubid > 0 AND a.attrelid = r.oid AND a.attnum = r.objsubid \
         WHERE (r.objsubid = 0 OR NOT EXISTS (SELECT 1 FROM relations whole WHERE whole.oid = r.oid AND whole.objsubid = 0)) \
         AND NOT EXISTS (SELECT 1 FROM pg_inherits i JOIN relations whole ON whole.oid = i.inhparent AND whole.objsubid = 0 \
           JOIN pg_class p ON p.oid = i.inhparent AND p.relkind = 'p' WHERE i.inhrelid = r.oid) \
         AND (r.objsubid = 0 OR a.attgenerated = '') \
         ORDER BY 2 NULLS FIRST, 1, 3"
    );
    let rows = session.rows(&sql).await?;
    rows.iter().map(taken_of).collect::<Result<Vec<_>, _>>().map(Some)
}

/// Returns what goes because a script drops or renames something that it belongs to or depends on, as applications name it: also
/// the columns that tables which are built anew do not have any more.
pub(in crate::command) async fn taken_along(
    session: &Session,
    script: &Script,
    rebuilt: &BTreeMap<String, BTreeSet<String>>,
) -> Result<Vec<String>, DbErr> {
    let mut names = Vec::new();
    for (table, columns) in rebuilt {
        let left_out = left_out(session, table, |column| columns.contains(column)).await?;
        names.extend(left_out.iter().map(|column| format!("{table}.{}", column.name)));
    }
    match dialect_of(session.backend()) {
        Dialect::Sqlite => return Ok(names),
        Dialect::Postgresql => {}
    }
    let facts = script.statements.iter().map(Statement::facts);
    for facts in facts {
        let removals = facts.removes.into_iter();
        let moved = facts
            .renames
            .into_iter()
            .filter(|rename| matches!(rename.object, Object::Schema { .. }));
        // What is in a schema depends on it.
        let moved = moved.map(|rename| Removal {
            object: rename.object,
            if_exists: true,
            cascade: true,
        });
        names.extend(taken_by(session, removals.chain(moved)).await?);
    }
    Ok(names)
}

async fn taken_by(session: &Session, removals: impl Iterator<Item = Removal>) -> Result<Vec<String>, DbErr> {
    let mut names = Vec::new();
    for removal in removals {
        // A table or a column without CASCADE takes nothing along that an application could name.
        let is_alone = matches!(
            removal.object,
            Object::Table { .. } | Object::Column { .. } | Object::Index { .. }
        );
        if is_alone && !removal.cascade {
            continue;
        }
        let taken = taken_of_kinds(
            session,
            &removal.object,
            removal.cascade,
            "'r', 'p', 'f', 'v', 'm'",
        )
        .await?;
        names.extend(taken.into_iter().flatten().map(|one| match one {
            Dependent::Table(table) => crate::sql::bare(&table),
            Dependent::Column(table, column) => format!("{}.{column}", crate::sql::bare(&table)),
        }));
    }
    Ok(names)
}

fn taken_of(row: &QueryResult) -> Result<Dependent, DbErr> {
    let name: String = row.try_get("", "name")?;
    let schema: Option<String> = row.try_get("", "schema")?;
    let parts: Vec<String> = schema.into_iter().chain([name]).collect();
    let table = crate::sql::joined_name(&parts);
    Ok(match row.try_get("", "column_name")? {
        Some(column) => Dependent::Column(table, column),
        None => Dependent::Table(table),
    })
}

/// Returns a query for the address of an object in `pg_depend`; its `objid` is NULL where nothing of this name is there.
fn address(object: &Object) -> Option<String> {
    let class = |catalog: &str, id: &str| {
        format!("SELECT '{catalog}'::regclass::oid AS classid, {id} AS objid, 0 AS objsubid")
    };
    let named = |name: &str| literal(&quoted_name(name));
    Some(match object {
        Object::Table { name } | Object::View { name } | Object::Sequence { name } => {
            class("pg_class", &format!("to_regclass({})::oid", named(name)))
        }
        Object::Column { table, column } => format!(
            "SELECT 'pg_class'::regclass::oid AS classid, a.attrelid AS objid, a.attnum::int AS objsubid FROM pg_attribute a \
             WHERE a.attrelid = to_regclass({}) AND a.attname = {} AND NOT a.attisdropped",
            named(table),
            literal(column)
        ),
        Object::Type { name } => class("pg_type", &format!("to_regtype({})::oid", named(name))),
        Object::Schema { name } => class(
            "pg_namespace",
            &format!(
                "(SELECT oid FROM pg_namespace WHERE nspname = {})",
                literal(&crate::sql::bare(name))
            ),
        ),
        Object::Extension { name } => class(
            "pg_extension",
            &format!(
                "(SELECT oid FROM pg_extension WHERE extname = {})",
                literal(&crate::sql::bare(name))
            ),
        ),
        Object::Function { name } => format!(
            "SELECT 'pg_proc'::regclass::oid AS classid, p.oid AS objid, 0 AS objsubid FROM pg_proc p WHERE p.proname = {}",
            literal(&crate::sql::bare(name))
        ),
        Object::Collation { name } => format!(
            "SELECT 'pg_collation'::regclass::oid AS classid, c.oid AS objid, 0 AS objsubid FROM pg_collation c \
             WHERE c.collname = {}",
            literal(&crate::sql::bare(name))
        ),
        Object::Index { .. } | Object::Database { .. } => return None,
    })
}

/// What the database says of a function that is called.
pub(super) enum Called {
    /// It reads, or it is the server's own.
    Harmless,
    /// Its code, of each function of this name.
    Bodies(Vec<Vec<Statement>>),
    /// It cannot be read, or is not there.
    Unknown,
}

/// Looks at the functions of a name.
pub(super) async fn called(session: &Session, name: &str) -> Result<Called, DbErr> {
    let parts = name_parts(name);
    let (schema, bare) = match parts.as_slice() {
        [schema, name] => (Some(schema), name),
        [name] => (None, name),
        _ => return Ok(Called::Unknown),
    };
    let in_schema = match schema {
        Some(schema) => format!("n.nspname = {}", literal(schema)),
        None => "n.nspname = ANY (current_schemas(true))".to_owned(),
    };
    // A type's name before parentheses is a cast or a length, and keywords before them are no functions at all.
    let sql = format!(
        "SELECT p.prosrc AS code, l.lanname::text AS language, n.nspname = 'pg_catalog' OR p.provolatile <> 'v' AS is_harmless \
         FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang \
         WHERE p.proname = {} AND {in_schema}",
        literal(bare)
    );
    let rows = session.rows(&sql).await?;
    if rows.is_empty() {
        return Ok(Called::Harmless);
    }
    let mut bodies = Vec::new();
    for row in &rows {
        if row.try_get("", "is_harmless")? {
            continue;
        }
        let (code, language): (String, String) = (row.try_get("", "code")?, row.try_get("", "language")?);
        match language.as_str() {
            // Code of the server and of extensions is what their authors say; nobody could read it here.
            "internal" | "c" => {}
            "sql" | "plpgsql" if !code.trim().is_empty() => {
                bodies.push(crate::sql::body_of(
                    &code,
                    &language,
                    &Reading::from(Dialect::Postgresql),
                ));
            }
            _ => return Ok(Called::Unknown),
        }
    }
    Ok(match bodies.is_empty() {
        true => Called::Harmless,
        false => Called::Bodies(bodies),
    })
}

/// Returns the tables whose rows go with rows of a table, by the foreign keys that say so.
pub(super) async fn children(session: &Session, table: &str, truncated: bool) -> Result<Vec<String>, DbErr> {
    let sql = match dialect_of(session.backend()) {
        Dialect::Postgresql => format!(
            "WITH RECURSIVE children(oid) AS ( \
               SELECT conrelid FROM pg_constraint WHERE contype = 'f' AND confrelid = to_regclass({name}) {kind} \
               UNION SELECT conrelid FROM pg_constraint JOIN children ON confrelid = children.oid WHERE contype = 'f' {kind} \
             ) SELECT c.relname::text AS name, CASE WHEN n.nspname = current_schema() THEN NULL ELSE n.nspname::text END AS schema, \
             NULL::text AS column_name FROM children JOIN pg_class c ON c.oid = children.oid \
             JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.oid <> to_regclass({name}) AND NOT c.relispartition ORDER BY 1",
            name = literal(&quoted_name(table)),
            kind = if truncated { "" } else { "AND confdeltype = 'c'" },
        ),
        Dialect::Sqlite => format!(
            "WITH RECURSIVE keys(child, parent) AS (SELECT m.name, k.\"table\" FROM sqlite_master m, \
             pragma_foreign_key_list(m.name) k WHERE m.type = 'table' AND k.on_delete = 'CASCADE'), \
             children(name) AS (SELECT child FROM keys WHERE lower(parent) = lower({}) \
             UNION SELECT child FROM keys JOIN children ON lower(parent) = lower(children.name)) \
             SELECT name, NULL AS schema, NULL AS column_name FROM children WHERE lower(name) <> lower({}) ORDER BY 1",
            literal(&crate::sql::bare(table)),
            literal(&crate::sql::bare(table))
        ),
    };
    let mut names = Vec::new();
    for row in &session.rows(&sql).await? {
        if let Dependent::Table(name) = taken_of(row)? {
            names.push(name);
        }
    }
    Ok(names)
}

/// Returns the type of a column as PostgreSQL prints it.
pub(super) async fn type_of(session: &Session, table: &str, column: &str) -> Result<Option<String>, DbErr> {
    let sql = format!(
        "SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = to_regclass({}) AND attname = {} \
         AND attnum > 0 AND NOT attisdropped",
        literal(&quoted_name(table)),
        literal(column)
    );
    session
        .rows(&sql)
        .await?
        .first()
        .map(|row| row.try_get("", "type"))
        .transpose()
}
