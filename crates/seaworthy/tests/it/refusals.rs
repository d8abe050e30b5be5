//! What PostgreSQL refuses, and whether the error says what to do about it.

use std::time::{Duration, Instant};

use seaworthy::command::CommandError;
use seaworthy::environment::Environment;
use seaworthy::verify::ScratchDatabase;
use url::Url;

use crate::databases::{Sql, environment, postgres, send, tables, upgrade};

/// Returns an error as a person reads it: the message, its causes, and the hint.
fn in_full(error: &CommandError) -> String {
    let mut lines = vec![error.to_string()];
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        lines.push(error.to_string());
        cause = error.source();
    }
    lines.extend(error.hint().map(|hint| format!("hint: {hint}")));
    lines.join("\n")
}

/// Returns the environment as another role, which is made for it and may log in.
async fn as_role(database: &ScratchDatabase, role: &str, revisions: &[Sql]) -> Environment {
    send(database, &format!("CREATE ROLE {role} LOGIN PASSWORD 'harbour'")).await;
    let mut url = Url::parse(database.address()).unwrap();
    url.set_username(role).unwrap();
    url.set_password(Some("harbour")).unwrap();
    let mut environment = environment(database, revisions);
    environment.database = Some(url.as_str().parse().unwrap());
    environment
}

fn new_role() -> String {
    format!("seaworthy_{:016x}", fastrand::u64(..))
}

#[tokio::test]
async fn a_schema_that_does_not_exist_is_named_at_once() {
    let Some(database) = postgres().await else { return };
    let mut environment = environment(&database, &[Sql::table("start", None)]);
    for (schema, missing, written) in [
        ("nosuch", "nosuch", "nosuch"),
        ("public, No such", "No such", "\"No such\""),
        ("\"it's\\\",public", "it's\\", "\"it's\\\""),
    ] {
        environment.settings.schema = Some(schema.to_owned());
        let start = Instant::now();
        let error = upgrade(&environment, "head").await.unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        let said = in_full(&error);
        let expected = format!("the schema \"{missing}\" does not exist in postgres://");
        assert!(said.starts_with(&expected), "{said}");
        let hint = format!("hint: create it first: CREATE SCHEMA {written}, or");
        assert!(said.contains(&hint), "{said}");
    }
    send(&database, "CREATE SCHEMA nosuch").await;
    environment.settings.schema = Some("nosuch,$user".to_owned());
    upgrade(&environment, "head").await.unwrap();
    assert!(tables(&database).await.is_empty(), "it is not in public");
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_schema_that_the_role_may_not_use_is_named_with_the_grant() {
    let Some(database) = postgres().await else { return };
    let role = new_role();
    send(&database, "CREATE SCHEMA app").await;
    let mut environment = as_role(&database, &role, &[Sql::table("start", None)]).await;
    environment.settings.schema = Some("app".to_owned());
    let said = in_full(&upgrade(&environment, "head").await.unwrap_err());
    let grant = format!("GRANT USAGE, CREATE ON SCHEMA app TO {role}");
    assert!(
        said.starts_with(&format!("the role \"{role}\" may not use the schema \"app\"")),
        "{said}"
    );
    assert!(said.contains(&grant), "{said}");
    send(&database, &grant).await;
    upgrade(&environment, "head").await.unwrap();
    send(&database, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    database.remove().await.unwrap();
}

/// Rows that a policy hides cannot be counted: that is not the same as none.
#[tokio::test]
async fn what_a_policy_keeps_from_being_counted_does_not_go_unasked() {
    let Some(database) = postgres().await else { return };
    let role = new_role();
    let drop = Sql::new("next", Some("start"), &["ALTER TABLE crew DROP COLUMN name"], &[]);
    let revisions = [Sql::new("start", None, &["SELECT 1"], &[]), drop];
    let environment = as_role(&database, &role, &revisions).await;
    let tenant = "current_setting('harbour.tenant')::integer";
    send(
        &database,
        &format!(
            "GRANT ALL ON SCHEMA public TO {role}; CREATE TABLE crew (id integer, name text); INSERT INTO crew VALUES (1, 'Ada'); \
             ALTER TABLE crew OWNER TO {role}; ALTER TABLE crew ENABLE ROW LEVEL SECURITY; \
             ALTER TABLE crew FORCE ROW LEVEL SECURITY; CREATE POLICY own ON crew USING (id = {tenant})"
        ),
    )
    .await;
    let said = in_full(&upgrade(&environment, "head").await.unwrap_err());
    assert!(said.starts_with("could not count the rows at stake"), "{said}");
    assert!(said.contains("harbour.tenant"), "{said}");
    send(&database, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_statement_that_cannot_run_in_a_transaction_names_use_transaction() {
    let Some(database) = postgres().await else { return };
    let build = "CREATE INDEX CONCURRENTLY t_start_note ON t_start (note)";
    let start = Sql::table("start", None);
    upgrade(&environment(&database, std::slice::from_ref(&start)), "head")
        .await
        .unwrap();
    for next in [
        Sql::new("next", Some("start"), &["VACUUM t_start"], &[]),
        Sql::new("next", Some("start"), &[build], &[]),
    ] {
        let error = upgrade(&environment(&database, &[start.clone(), next]), "head")
            .await
            .unwrap_err();
        let said = in_full(&error);
        assert!(said.contains("cannot run inside a transaction block"), "{said}");
        assert!(said.contains("return Some(false) from use_transaction"), "{said}");
        assert!(said.contains("send each statement by itself"), "{said}");
    }
    // The same code, and another matter.
    let late = "SELECT 1; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE";
    let next = Sql::new("next", Some("start"), &[late], &[]);
    let error = upgrade(&environment(&database, &[start, next]), "head")
        .await
        .unwrap_err();
    assert!(in_full(&error).contains("25001"), "{error:?}");
    assert_eq!(error.hint(), None);
    database.remove().await.unwrap();
}

#[tokio::test]
async fn a_role_that_may_not_create_in_public_is_told_the_grant() {
    let Some(database) = postgres().await else { return };
    let role = new_role();
    // As from PostgreSQL 15 on.
    send(&database, "REVOKE CREATE ON SCHEMA public FROM PUBLIC").await;
    send(&database, "CREATE TABLE t_other (id integer)").await;
    let alter = Sql::new("alter", None, &["ALTER TABLE t_other ADD COLUMN note text"], &[]);
    let environment = as_role(&database, &role, &[alter]).await;
    let said = in_full(&upgrade(&environment, "head").await.unwrap_err());
    assert!(said.contains("permission denied for schema public"), "{said}");
    assert!(said.contains("GRANT CREATE ON SCHEMA public TO role"), "{said}");

    send(&database, &format!("GRANT CREATE ON SCHEMA public TO {role}")).await;
    let said = in_full(&upgrade(&environment, "head").await.unwrap_err());
    assert!(said.contains("must be owner of table t_other"), "{said}");
    assert!(
        said.contains("hint: migrate as the role that owns the tables"),
        "{said}"
    );
    send(&database, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    database.remove().await.unwrap();
}
