//! Columns that are filled before a value is demanded: what writers get meanwhile, and what a killed run leaves.

use super::*;

fn slug() -> FilledColumn {
    FilledColumn::new("tasks", "slug", Expr::cust("lower(tasks.title) || ' ' || id"))
}

/// All of the way up, from the column on.
const UP: Case = Case {
    name: "all of it",
    before: &["ALTER TABLE tasks ADD COLUMN slug text"],
    call: |manager| {
        Box::pin(async move {
            slug().expand(manager).await?;
            slug().backfill().run(manager).await?;
            slug().contract(manager).await
        })
    },
};

async fn slugs(session: &Session) -> String {
    let rows = session
        .rows("SELECT coalesce(slug, '-') AS slug FROM tasks ORDER BY id")
        .await
        .unwrap();
    let slugs: Vec<String> = rows.iter().map(|row| row.try_get("", "slug").unwrap()).collect();
    slugs.join(", ")
}

#[tokio::test]
async fn what_is_written_without_a_value_gets_one_until_it_is_demanded() {
    for database in databases().await {
        let session = session(&database).await;
        prepare(&session, &UP).await;
        let before = schema(&session).await;
        let manager = SchemaManager::new(session.connection());
        slug().expand(&manager).await.unwrap();
        for statement in [
            "INSERT INTO tasks (id, title) VALUES (8, 'Sleep')",
            "INSERT INTO tasks (id, title, slug) VALUES (9, 'Eat', 'own')",
            "UPDATE tasks SET done = true WHERE id = 1",
            "UPDATE tasks SET slug = NULL WHERE id = 9",
        ] {
            session.send(statement).await.unwrap();
        }
        let half = slugs(&session).await;
        insta::allow_duplicates! {
            assert_snapshot!(half, @"buy milk 1, -, -, sleep 8, eat 9");
        }
        slug().backfill().run(&manager).await.unwrap();
        slug().contract(&manager).await.unwrap();
        slug().contract(&manager).await.unwrap();
        let filled = slugs(&session).await;
        insta::allow_duplicates! {
            assert_snapshot!(filled, @"buy milk 1, water plants 2, call home 7, sleep 8, eat 9");
        }
        let left_out = "INSERT INTO tasks (id, title) VALUES (10, 'Wake')";
        session.send(left_out).await.unwrap_err();
        slug().restore(&manager).await.unwrap();
        session.send(left_out).await.unwrap();
        slug().collapse(&manager).await.unwrap();
        slug().collapse(&manager).await.unwrap();
        assert_eq!(schema(&session).await, before);
        session.close().await;
        database.remove().await.unwrap();
    }
}

#[tokio::test]
async fn it_goes_on_wherever_it_was_killed() {
    let Some(database) = postgres().await else { return };
    let session = session(&database).await;
    prepare(&session, &UP).await;
    call(&session, &UP).await.unwrap();
    let done = schema(&session).await;
    // No row is left for the backfill, which would be where the prefixes end.
    let mut recorded = recorded(DbBackend::Postgres, &UP).await;
    recorded.retain(|statement| !statement.starts_with("--"));
    let prefixes = prefixes(&recorded);
    assert!(prefixes.len() > 6, "{prefixes:?}");
    for sent in prefixes {
        prepare(&session, &UP).await;
        session.send("UPDATE tasks SET slug = 'known'").await.unwrap();
        send_each(&session, sent).await;
        call(&session, &UP)
            .await
            .unwrap_or_else(|error| panic!("after {sent:?}: {error}"));
        assert_eq!(schema(&session).await, done, "after {sent:?}");
    }
    session.close().await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_value_that_means_nothing_is_refused_before_it_fails_everybody() {
    for database in databases().await {
        let session = session(&database).await;
        prepare(&session, &UP).await;
        let manager = SchemaManager::new(session.connection());
        let wrong = FilledColumn::new("tasks", "slug", Expr::cust("lower(name)"));
        let error = wrong.expand(&manager).await.unwrap_err().to_string();
        assert!(error.contains("name"), "{error}");
        session
            .send("INSERT INTO tasks (id, title) VALUES (8, 'Sleep')")
            .await
            .unwrap();
        session.close().await;
        database.remove().await.unwrap();
    }
}
