//! New revision files: what is written, what is registered, and what is refused without a trace.

use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use seaworthy::revision::Header;
use seaworthy::source::{Draft, SourceError, write};
use tempfile::TempDir;

const WITH_HEADERS: &str = "use sea_orm_migration::MigratorTrait;\n\nmod m20240101_000000_first;\n\nimpl Migrator {\n    fn revisions() \
                            -> Vec<Box<dyn Revision>> {\n        revision_vec![\n            \
                            Box::new(m20240101_000000_first::Migration),\n        ]\n    }\n}\n";

fn project(lib: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/lib.rs"), lib).unwrap();
    folder
}

fn draft(header: Header) -> Draft {
    let created = chrono::NaiveDate::from_ymd_opt(2026, 1, 2)
        .unwrap()
        .and_hms_opt(3, 4, 5)
        .unwrap();
    Draft {
        header,
        created,
        body: None,
    }
}

fn lib(folder: &Path) -> String {
    fs::read_to_string(folder.join("src/lib.rs")).unwrap()
}

#[test]
fn a_revision_with_a_header_says_where_it_belongs() {
    let project = project(WITH_HEADERS);
    let header = Header::new("abc")
        .revises("001")
        .message("add a \"due\" date")
        .label("dates")
        .depends_on("core");
    let written = write(project.path(), &draft(header), &["m20240101_000000_first"]).unwrap();
    assert_eq!(written.name, "m20260102_030405_add_a_due_date");
    assert_snapshot!(fs::read_to_string(written.file).unwrap(), @r#"
    //! Add a "due" date.

    use sea_orm_migration::prelude::*;
    use seaworthy::revision::{Header, Revision, Stage};

    pub struct Migration;

    impl MigrationName for Migration {
        fn name(&self) -> &str {
            "m20260102_030405_add_a_due_date"
        }
    }

    impl Revision for Migration {
        fn header(&self) -> Option<Header> {
            Some(
                Header::new("abc")
                    .revises("001")
                    .message("add a \"due\" date")
                    .created("2026-01-02 03:04:05")
                    .label("dates")
                    .depends_on("core")
                    .stage(Stage::Expand),
            )
        }
    }

    #[async_trait::async_trait]
    impl MigrationTrait for Migration {
        async fn up(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
            Ok(())
        }

        async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
            Ok(())
        }

        // SeaORM's own runner opens no transaction on SQLite unless it is told to.
        fn use_transaction(&self) -> Option<bool> {
            Some(true)
        }
    }
    "#);
    assert_snapshot!(lib(project.path()), @"
    use sea_orm_migration::MigratorTrait;

    mod m20240101_000000_first;
    mod m20260102_030405_add_a_due_date;

    impl Migrator {
        fn revisions() -> Vec<Box<dyn Revision>> {
            revision_vec![
                Box::new(m20240101_000000_first::Migration),
                Box::new(m20260102_030405_add_a_due_date::Migration),
            ]
        }
    }
    ");
}

#[test]
fn a_module_comes_after_those_that_are_numbered_in_another_way() {
    let first = "m00079_add_boats";
    let source = format!(
        "mod helpers;\npub mod m00078_begin;\npub mod {first};\n\nuse helpers::x;\n\nfn migrations() {{\n    vec![Box::new({first}::Migration)]\n}}\n"
    );
    let project = project(&source);
    let header = Header::new("x").revises(first).message("second");
    write(project.path(), &draft(header), &["m00078_begin", first]).unwrap();
    let text = lib(project.path());
    assert!(
        text.starts_with("mod helpers;\npub mod m00078_begin;\npub mod m00079_add_boats;\npub mod m20260102_030405_second;\n\nuse"),
        "{text}"
    );
}

#[test]
fn a_list_on_one_line_and_an_empty_one_are_written_out() {
    for (list, known) in [
        (
            "vec![Box::new(m20240101_000000_first::Migration)]",
            &["m20240101_000000_first"][..],
        ),
        ("vec![]", &[]),
    ] {
        let module = if known.is_empty() {
            ""
        } else {
            "mod m20240101_000000_first;\n"
        };
        let project = project(&format!("{module}\nfn migrations() {{\n    {list}\n}}\n"));
        let header = known
            .last()
            .map_or_else(|| Header::new("x"), |last| Header::new("x").revises(*last));
        write(project.path(), &draft(header.message("second")), known).unwrap();
        let text = lib(project.path());
        assert!(
            text.contains("\n        Box::new(m20260102_030405_second::Migration),\n    ]\n"),
            "{text}"
        );
        assert!(text.contains("mod m20260102_030405_second;\n"), "{text}");
        assert_eq!(text.matches("Box::new(").count(), known.len() + 1, "{text}");
    }
}

#[test]
fn a_plain_migrator_gets_a_plain_migration() {
    let project = project(
        "mod m20240101_000000_first;\n\nfn migrations() {\n    vec![\n        Box::new(m20240101_000000_first::Migration),\n    ]\n}\n",
    );
    let header = Header::new("abc")
        .revises("m20240101_000000_first")
        .message("second");
    let written = write(project.path(), &draft(header), &["m20240101_000000_first"]).unwrap();
    let text = fs::read_to_string(written.file).unwrap();
    assert!(!text.contains("seaworthy"), "{text}");
    let branching = Header::new("abc").message("second");
    let refused = write(
        project.path(),
        &draft(branching),
        &["m20240101_000000_first", &written.name],
    );
    assert!(matches!(refused, Err(SourceError::NoHeaders { .. })));
}

#[test]
fn two_revisions_of_one_second_get_two_names() {
    let project = project(WITH_HEADERS);
    let header = || Header::new("abc").revises("001").message("again");
    let first = write(project.path(), &draft(header()), &["m20240101_000000_first"]).unwrap();
    let second = write(
        project.path(),
        &draft(header()),
        &["m20240101_000000_first", &first.name],
    )
    .unwrap();
    assert_eq!(second.name, "m20260102_030406_again");
}

#[test]
fn what_cannot_be_registered_is_not_written() {
    let without_list = project("mod m20240101_000000_first;\n");
    let stale = project(&WITH_HEADERS.replace("mod m2024", "mod m20250505_050505_unknown;\nmod m2024"));
    let empty = tempfile::tempdir().unwrap();
    for (folder, kind) in [
        (&without_list, "no list"),
        (&stale, "older"),
        (&empty, "no migrator"),
    ] {
        let header = Header::new("abc").revises("m20240101_000000_first").message("x");
        let before: Vec<_> = walk(folder.path());
        let error = write(folder.path(), &draft(header), &["m20240101_000000_first"]).unwrap_err();
        assert!(error.to_string().contains(kind), "{error}");
        assert!(error.hint().is_some());
        assert_eq!(walk(folder.path()), before);
    }
}

fn walk(folder: &Path) -> Vec<(String, String)> {
    let source = folder.join("src");
    let Ok(entries) = fs::read_dir(source) else {
        return Vec::new();
    };
    let mut found: Vec<(String, String)> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap()))
        .collect();
    found.sort();
    found
}
