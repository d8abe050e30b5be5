//! What operations refuse, and in which words.

use seaworthy::online::DualColumn;

use super::*;

async fn refused(session: &Session, call: Call) -> String {
    let error = call(&SchemaManager::new(session.connection())).await.unwrap_err();
    error.to_string()
}

#[tokio::test]
async fn rows_that_are_in_the_way_are_named_and_nothing_is_left() {
    for database in databases().await {
        let session = session(&database).await;
        prepare(&session, &CASES[0]).await;
        session
            .send("INSERT INTO tasks (id, user_id, title) VALUES (11, 5, ''), (12, NULL, ''), (13, 5, 'Buy milk')")
            .await
            .unwrap();
        session
            .send("INSERT INTO users VALUES (3, 'Ann@example.com')")
            .await
            .unwrap();
        let before = schema(&session).await;
        let mut said = String::new();
        for case in [&CASES[1], &CASES[3], &CASES[4], &CASES[6]] {
            said.push_str(&format!(
                "{}: {}\n",
                case.name,
                refused(&session, case.call).await
            ));
        }
        let unique: Call =
            |manager| Box::pin(online::add_unique(manager, "tasks", "tasks_title_key", ["title"]));
        said.push_str(&format!("add_unique: {}\n", refused(&session, unique).await));
        // PostgreSQL shows the key as it has understood it.
        let said = said.replace("email::text", "email");
        insta::allow_duplicates! {
            assert_snapshot!(said, @r#"
            create_index, unique, of an expression: Migration Error: the index users_email_lower_key cannot be unique: in the table users these are there more than once: lower(email) = ann@example.com. Change all but one of each, then run it again
            add_check: Migration Error: the check tasks_title_check ("title" <> '') cannot hold for the table tasks: these rows break it: id = 11; 12. Change them, then run it again
            add_foreign_key: Migration Error: the foreign key tasks_user_id_fkey to users (id) cannot hold for the table tasks: these rows break it: id = 11; 13. Change them, then run it again
            set_not_null: Migration Error: NOT NULL of user_id cannot hold for the table tasks: these rows break it: id = 12. Change them, then run it again
            add_unique: Migration Error: the index tasks_title_key cannot be unique: in the table tasks these are there more than once: title = ; Buy milk. Change all but one of each, then run it again
            "#);
        }
        assert_eq!(schema(&session).await, before);
        session.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn tables_and_columns_that_are_not_there_are_named() {
    for database in databases().await {
        let session = session(&database).await;
        prepare(&session, &CASES[0]).await;
        let calls: [Call; 2] = [
            |manager| Box::pin(online::set_not_null(manager, "chores", "title")),
            |manager| Box::pin(online::set_not_null(manager, "tasks", "colour")),
        ];
        let mut said = String::new();
        for call in calls {
            said.push_str(&format!("{}\n", refused(&session, call).await));
        }
        insta::allow_duplicates! {
            assert_snapshot!(said, @"
            Migration Error: there is no table chores
            Migration Error: the table tasks has no column colour
            ");
        }
        session.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn a_column_that_would_stop_the_application_is_refused_with_the_way_out() {
    for database in databases().await {
        let session = session(&database).await;
        prepare(&session, &CASES[0]).await;
        let calls: [Call; 5] = [
            |manager| {
                Box::pin(online::add_column(
                    manager,
                    "tasks",
                    ColumnDef::new("a").integer().not_null().take(),
                ))
            },
            |manager| {
                Box::pin(online::add_column(
                    manager,
                    "tasks",
                    ColumnDef::new("b").integer().unique_key().take(),
                ))
            },
            |manager| {
                Box::pin(online::add_column(
                    manager,
                    "tasks",
                    ColumnDef::new("c").integer().check(Expr::cust("c > 0")).take(),
                ))
            },
            |manager| {
                Box::pin(online::add_column(
                    manager,
                    "tasks",
                    ColumnDef::new("d").big_integer().auto_increment().take(),
                ))
            },
            |manager| Box::pin(online::create_index(manager, "CREATE TABLE x (id integer)")),
        ];
        let mut said = String::new();
        for call in calls {
            said.push_str(&format!("{}\n", refused(&session, call).await));
        }
        insta::allow_duplicates! {
            assert_snapshot!(said, @"
            Migration Error: the column a cannot be added to tasks as it is: it may not be NULL and has no default, so rows that are there have no value, and code that does not know it cannot insert any more; give it a default in the database, or allow NULL until it is filled
            Migration Error: the column b cannot be added to tasks as it is: its index would be built while nobody reads or writes; add it without, then call online::add_unique
            Migration Error: the column c cannot be added to tasks as it is: all rows would be looked at while nobody reads or writes; add it without, then call online::add_check
            Migration Error: the column d cannot be added to tasks as it is: a key or a number for each row would have the whole table written; add a column without, fill it in batches, and make it the key afterwards
            Migration Error: this is no statement that creates an index: CREATE TABLE x (id integer)
            ");
        }
        session.close().await;
        database.remove().await.unwrap();
    }
}

/// The owner of a table may give it a trigger, and may all the same have no place for the function that it calls.
#[tokio::test]
async fn a_role_that_may_not_make_the_trigger_is_told_so_and_goes_on_when_it_may() {
    let Some(database) = postgres().await else { return };
    let session = session(&database).await;
    prepare(&session, &CASES[0]).await;
    let role = format!("seaworthy_{:016x}", fastrand::u64(..));
    let limited = format!(
        "CREATE ROLE {role}; ALTER TABLE tasks OWNER TO {role}; REVOKE CREATE ON SCHEMA public FROM PUBLIC; SET ROLE {role}"
    );
    session.send(&limited).await.unwrap();
    let double: Call = |manager| {
        Box::pin(async move {
            let notes = ColumnDef::new("notes").text().take();
            DualColumn::new("tasks", "title", notes).expand(manager).await
        })
    };
    let said = refused(&session, double).await;
    assert!(said.contains("permission denied for schema public"), "{said}");
    let writes = "INSERT INTO tasks (id, user_id, title) VALUES (99, 1, 'Call home')";
    session.send(writes).await.unwrap();

    let allow = format!("RESET ROLE; GRANT USAGE, CREATE ON SCHEMA public TO {role}; SET ROLE {role}");
    session.send(&allow).await.unwrap();
    double(&SchemaManager::new(session.connection())).await.unwrap();
    let writes = "INSERT INTO tasks (id, user_id, title) VALUES (100, 1, 'Call again')";
    session.send(writes).await.unwrap();
    let rows = session
        .rows("SELECT notes FROM tasks WHERE id = 100")
        .await
        .unwrap();
    assert_eq!(rows[0].try_get::<String>("", "notes").unwrap(), "Call again");
    let remove = format!("RESET ROLE; DROP OWNED BY {role} CASCADE; DROP ROLE {role}");
    session.send(&remove).await.unwrap();
    session.close().await;
    database.remove().await.unwrap();
}

/// A limit on the pages of the file stands for the end of the disk.
#[tokio::test]
async fn a_table_for_whose_copy_there_is_no_room_stays_as_it_is() {
    let database = ScratchDatabase::sqlite(&std::env::temp_dir()).unwrap();
    let session = session(&database).await;
    prepare(&session, &CASES[0]).await;
    let fill = "WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) \
                INSERT INTO tasks (id, user_id, title) SELECT i, 1, hex(randomblob(50)) FROM n; DELETE FROM tasks WHERE user_id IS NULL";
    session.send(fill).await.unwrap();
    let before = (schema(&session).await, rows_of(&session).await);
    session.send("PRAGMA max_page_count = 1").await.unwrap();
    let not_null: Call = |manager| Box::pin(online::set_not_null(manager, "tasks", "user_id"));
    let said = refused(&session, not_null).await;
    assert!(said.contains("database or disk is full"), "{said}");
    assert_eq!((schema(&session).await, rows_of(&session).await), before);

    session.send("PRAGMA max_page_count = 1000000").await.unwrap();
    not_null(&SchemaManager::new(session.connection())).await.unwrap();
    assert_eq!(rows_of(&session).await, before.1);
    session.close().await;
    database.remove().await.unwrap();
}

async fn rows_of(session: &Session) -> Vec<String> {
    let rows = session
        .rows("SELECT id || ' ' || title AS line FROM tasks ORDER BY id")
        .await
        .unwrap();
    rows.iter().map(|row| row.try_get("", "line").unwrap()).collect()
}

#[tokio::test]
async fn what_a_failed_build_has_left_is_built_anew_and_a_taken_name_is_refused() {
    let Some(database) = postgres().await else { return };
    let session = session(&database).await;
    let case = &CASES[1];
    prepare(&session, case).await;
    session
        .send("INSERT INTO users VALUES (3, 'ANN@example.com')")
        .await
        .unwrap();
    let plain = "CREATE UNIQUE INDEX CONCURRENTLY users_email_lower_key ON users (lower(email))";
    session.send(plain).await.unwrap_err();
    session.send("DELETE FROM users WHERE id = 3").await.unwrap();
    let valid = "SELECT indisvalid AS it FROM pg_index WHERE indexrelid = 'users_email_lower_key'::regclass";
    let is_valid = async || {
        session.rows(valid).await.unwrap()[0]
            .try_get::<bool>("", "it")
            .unwrap()
    };
    assert!(!is_valid().await);
    call(&session, case).await.unwrap();
    assert!(is_valid().await);
    let other: Call = |manager| {
        Box::pin(online::create_index(
            manager,
            "CREATE INDEX users_email_lower_key ON tasks (title)",
        ))
    };
    assert_snapshot!(refused(&session, other).await, @"Migration Error: there is a unique index on 'users' of the name users_email_lower_key already; give one of the two another name");
    session.close().await;
    database.remove().await.unwrap();
}
