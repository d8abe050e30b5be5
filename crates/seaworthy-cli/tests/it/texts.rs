//! What people read, and the exit codes that scripts read.

use insta::assert_snapshot;

use crate::terminal::{FORK, Terminal};

/// Durations, times and names of runs differ each time.
fn steady(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let line = match line.rsplit_once(" (") {
            Some((before, after)) if after.ends_with(" ms)") || after.ends_with(" s)") => {
                format!("{before} (TIME)")
            }
            _ => line.to_owned(),
        };
        lines.push(line);
    }
    lines.join("\n")
}

#[test]
fn an_upgrade_reads_like_alembics_with_its_durations() {
    let terminal = Terminal::with(FORK);
    let answer = terminal.run("upgrade heads");
    assert_eq!(answer.code, 0);
    assert_snapshot!(steady(&answer.out), @"
    Running upgrade <base> -> base01, begin (TIME)
    Running upgrade base01 -> root02, go on (TIME)
    Running upgrade root02 -> nets03, connect (TIME)
    Running upgrade root02 -> shop03, sell (TIME)
    Done: 4 steps, the database is at shop03, nets03
    ");
    assert_eq!(answer.err, "");
    assert_snapshot!(terminal.run("upgrade heads").out, @"Nothing to do: all heads are already applied (the database is at shop03, nets03)");
    assert_snapshot!(steady(&terminal.run("downgrade shop@-1").out), @"
    Running downgrade shop03 -> root02, sell (TIME)
    Done: 1 step, the database is at nets03
    ");
}

#[test]
fn lists_carry_alembics_marks() {
    let terminal = Terminal::with(FORK);
    terminal.run("upgrade shop@head");
    assert_snapshot!(terminal.run("history -i").out, @"
    root02 -> shop03 (shop) (head) (current), sell
    root02 -> nets03 (net) (head), connect
    base01 -> root02 (branchpoint), go on
    <base> -> base01, begin
    ");
    assert_snapshot!(terminal.run("heads").out, @"
    shop03 (shop) (head)
    nets03 (net) (head)
    ");
    assert_snapshot!(terminal.run("branches").out, @"
    root02 (branchpoint)
         -> shop03
         -> nets03
    ");
    assert_snapshot!(terminal.run("current").out, @"shop03 (shop) (head)");
    assert_snapshot!(terminal.run("history -r=-1:current").out, @"
    root02 -> shop03 (shop) (head), sell
    base01 -> root02 (branchpoint), go on
    ");
}

#[test]
fn an_error_names_the_thing_and_the_way_out() {
    let terminal = Terminal::with(FORK);
    let answer = terminal.run("upgrade head");
    assert_eq!((answer.code, answer.out.as_str()), (1, ""));
    assert_snapshot!(answer.err, @"
    error: 'head' could be any of 2 heads: shop03, nets03
    hint: name one of them, narrow it with <branch>@head, take all with heads, or merge them
    ");
    assert_snapshot!(terminal.run("upgrade nowhere").err, @r"
    error: there is no revision or branch 'nowhere'
    hint: list what there is with `history`
    ");
    assert_snapshot!(terminal.run("stamp +1").err, @"
    error: stamp takes no relative target like '+1'
    hint: name the revision itself
    ");
    let answer = terminal.run("upgrade base01:root02");
    assert_eq!(answer.code, 2);
    assert_snapshot!(answer.err, @"
    error: the range 'base01:root02' needs --sql: a run starts where the database stands
    hint: see --help
    ");
    let answer = terminal.run("stamp --purge --sql root02");
    assert_eq!(answer.code, 2);
    assert_snapshot!(answer.err, @"
    error: --purge cannot be used with --sql
    hint: leave one of them out
    ");
}

#[test]
fn a_check_says_no_with_an_exit_code_of_its_own() {
    let terminal = Terminal::with(FORK);
    assert_eq!(terminal.run("current --check-heads").code, 3);
    terminal.run("upgrade heads");
    assert_eq!(terminal.run("current --check-heads").code, 0);
}

#[test]
fn a_purge_needs_consent_where_nobody_can_be_asked() {
    let terminal = Terminal::with(FORK);
    terminal.run("upgrade heads");
    let answer = terminal.run("stamp --purge root02");
    assert_eq!(answer.code, 5);
    assert_snapshot!(answer.err, @"
    error: this would destroy the record that 2 revisions are applied
    hint: pass --yes, or set SEAWORTHY_YES=1 where another program runs this one
    ");
    assert_eq!(terminal.run("stamp --purge root02 --yes").code, 0);
    assert_eq!(terminal.run("current").out, "root02 (branchpoint)\n");
}

#[test]
fn help_and_usage_are_told_apart() {
    let terminal = Terminal::with(FORK);
    assert_eq!(terminal.run("--help").code, 0);
    assert_eq!(terminal.run("--version").code, 0);
    let answer = terminal.run("upgrad head");
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("upgrade"), "{}", answer.err);
}

#[test]
fn without_a_database_the_way_out_is_named() {
    let terminal = Terminal::with(FORK);
    let answer = terminal.run("-u oracle://host/db current");
    assert_eq!(answer.code, 2);
    assert_snapshot!(answer.err, @r#"
    error: the database address cannot be read
      because: oracle databases are not supported, only those of PostgreSQL and SQLite
    hint: write postgres://user:password@host:5432/name or sqlite://file.db
    "#);
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let terminal = Terminal::with(FORK);
    let pipe = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!(
            "{} graph.json history | head -c 1",
            crate::terminal::example("graph").display()
        ))
        .env("DATABASE_URL", "sqlite://graph.db")
        .current_dir(terminal.folder())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(pipe.stderr).unwrap(), "");
}
