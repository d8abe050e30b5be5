//! What may be written on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use seaworthy::autogenerate::With;
use seaworthy::command::ALEMBIC_TABLE;

/// Moves a database between revisions, in Alembic's words.
#[derive(Debug, Parser)]
#[command(
    version,
    propagate_version = true,
    after_help = "Targets: a revision id or a unique beginning of one, SeaORM's name for it, head, heads, base, current,\n\
                  +N and -N (from where the database stands), <rev>+N, <rev>-N, <branch>@head, and a:b for ranges.\n\n\
                  Exit codes: 0 done or nothing to do, 1 failed, 2 wrong usage, 3 a check says no,\n\
                  4 another migration holds the lock, 5 refused, 6 a revision breaks a promise (verify),\n\
                  130 and 143 stopped by a signal.\n\n\
                  Without a command everything pending is applied, as SeaORM's own command line does."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) general: General,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Options of every command.
#[derive(Args, Debug)]
pub(crate) struct General {
    /// The database
    #[arg(
        help = "The database: postgres://user@host/name, or sqlite://file.db",
        short = 'u',
        long,
        global = true,
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub(crate) database_url: Option<String>,
    /// The schema to work in, on PostgreSQL
    #[arg(
        short = 's',
        long,
        global = true,
        env = "DATABASE_SCHEMA",
        value_name = "SCHEMA"
    )]
    pub(crate) database_schema: Option<String>,
    /// Say more: all details of revisions, and what the tool and the driver do
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// How to answer
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Text)]
    pub(crate) output: Format,
    /// Do not ask before something is destroyed
    #[arg(short, long, global = true, env = "SEAWORTHY_YES", action = ArgAction::SetTrue,
          value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) yes: bool,
    /// What the project asks of the linter and of comparisons, if not in the nearest seaworthy.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Take one hazard of one statement knowingly; the reason is kept in the history
    #[arg(long, global = true, value_name = "REV:CATEGORY:PIECE=REASON", value_parser = acceptance)]
    pub(crate) accept: Vec<Acceptance>,
    #[command(flatten)]
    pub(crate) limits: Limits,
}

/// A hazard that is taken knowingly for this run.
#[derive(Clone, Debug)]
pub(crate) struct Acceptance {
    pub(crate) revision: String,
    pub(crate) category: String,
    pub(crate) piece: String,
    pub(crate) reason: String,
}

/// How long things may take.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub(crate) struct Limits {
    /// Longest wait for another migration to end
    #[arg(long, global = true, default_value = "60s", value_parser = duration, value_name = "TIME")]
    pub(crate) wait: Duration,
    /// Longest wait for a table lock before a step is rolled back and tried again, the first tries wait for less; 0s for no
    /// limit
    #[arg(long, global = true, default_value = "2s", value_parser = duration, value_name = "TIME")]
    pub(crate) lock_timeout: Duration,
    /// How often a step that did not get its table locks is tried again, if not as often as the budget allows
    #[arg(long, global = true, value_name = "N")]
    pub(crate) lock_retries: Option<u32>,
    /// How long a step that did not get its table locks is tried again
    #[arg(long, global = true, default_value = "10m", value_parser = duration, value_name = "TIME")]
    pub(crate) lock_budget: Duration,
    /// Longest run of one statement, on PostgreSQL; 0s for no limit
    #[arg(long, global = true, default_value = "15m", value_parser = duration, value_name = "TIME")]
    pub(crate) statement_timeout: Duration,
    /// Longest run of one statement while it holds a lock that readers or writers wait for, on PostgreSQL; 0s for no limit
    #[arg(long, global = true, default_value = "15s", value_parser = duration, value_name = "TIME")]
    pub(crate) hold_timeout: Duration,
    /// Longest wait for a connection
    #[arg(long, global = true, default_value = "10s", value_parser = duration, value_name = "TIME")]
    pub(crate) connect_timeout: Duration,
}

/// How answers look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Lines for people
    Text,
    /// One JSON document on stdout; errors as one on stderr
    Json,
    /// Annotations for GitHub Actions; `lint` only
    Github,
    /// A SARIF 2.1.0 log; `lint` only
    Sarif,
    /// A diagram in Mermaid's language; pictures only
    Mermaid,
    /// A graph in Graphviz's language; `graph` only
    Dot,
    /// A drawing; pictures only
    Svg,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Apply revisions up to a target
    #[command(
        after_help = "Examples:\n  upgrade head          everything\n  upgrade +1            the next one\n  \
                            upgrade head --sql    a script instead, from where the database stands\n  \
                            upgrade 001:003 --sql a script from 001 to 003, without asking a database\n  \
                            upgrade --stage expand only what the code that runs now does not mind"
    )]
    Upgrade {
        /// Where to go; a range a:b with --sql
        #[arg(default_value = "head", allow_negative_numbers = true)]
        target: String,
        /// Print a script for psql or sqlite3 instead of running it
        #[arg(long)]
        sql: bool,
        /// Also apply revisions that are older than what is applied already
        #[arg(long)]
        allow_out_of_order: bool,
        /// The last stage to run: stop before the first revision of a later one
        #[arg(long, value_enum, default_value_t = LastStage::Contract, value_name = "STAGE")]
        stage: LastStage,
        #[command(flatten)]
        in_use: InUse,
    },
    /// Undo revisions down to a target
    #[command(
        after_help = "Examples:\n  downgrade -1          the last one\n  downgrade 001         everything above 001\n  \
                            downgrade base        everything\n\n\
                            Says which tables and columns with rows would go, and asks; without a terminal it needs --yes."
    )]
    Downgrade {
        /// Where to go; a range a:b with --sql
        #[arg(allow_negative_numbers = true)]
        target: String,
        /// Print a script for psql or sqlite3 instead of running it
        #[arg(long)]
        sql: bool,
        #[command(flatten)]
        in_use: InUse,
    },
    /// Show where the database stands
    Current {
        /// Exit with 3 unless everything is applied
        #[arg(short, long)]
        check_heads: bool,
    },
    /// List revisions, newest first
    #[command(
        after_help = "Examples:\n  history -r 001:head   a range, both ends included\n  \
                            history -r=-2:current the last two that are applied, and the one before them\n  \
                            history --applied     what really happened to the database, when and by whom"
    )]
    History {
        /// A range start:end; either side may be left out
        #[arg(short, long, allow_hyphen_values = true, value_name = "RANGE")]
        rev_range: Option<String>,
        /// Mark where the database stands
        #[arg(short, long)]
        indicate_current: bool,
        /// Show what was run on this database, failures and stamps included
        #[arg(long, conflicts_with_all = ["rev_range", "indicate_current"])]
        applied: bool,
    },
    /// List the newest revisions
    Heads {
        /// Leave out heads that another revision depends on
        #[arg(long)]
        resolve_dependencies: bool,
        /// Try each two heads out in both orders on scratch databases, and say whether their branches get in each other's way; exit
        /// code 3 when there are several heads
        #[arg(long)]
        check: bool,
    },
    /// List the revisions at which branches part
    Branches,
    /// Draw the revisions: text, mermaid, dot, svg, json
    #[command(
        after_help = "Examples:\n  graph                       as `git log --graph` draws commits\n  \
                            graph -i                    mark where the database stands (@), and what is pending\n  \
                            graph --output svg > revisions.svg"
    )]
    Graph {
        /// Mark where the database stands
        #[arg(short, long)]
        indicate_current: bool,
    },
    /// Draw the schema of the database, or of a revision: mermaid, svg, json
    #[command(
        after_help = "Examples:\n  erd                         the database as it is\n  \
                            erd head                    what all revisions make, on a scratch database\n  \
                            erd 003 --changes -o svg    and what 003 changed"
    )]
    Erd {
        /// A revision; the database as it is when absent
        revision: Option<String>,
        /// Mark what the revision changes: new, changed, removed
        #[arg(long, requires = "revision")]
        changes: bool,
    },
    /// Show everything about revisions
    Show {
        /// Which; `current` and `heads` work too
        #[arg(required = true, allow_negative_numbers = true)]
        revisions: Vec<String>,
    },
    /// Declare where the database stands, without running anything
    Stamp {
        /// Where it stands
        #[arg(required = true, allow_negative_numbers = true)]
        revisions: Vec<String>,
        /// Forget every row that is not needed, those of unknown revisions included
        #[arg(long)]
        purge: bool,
        /// Print a script for psql or sqlite3 instead
        #[arg(long)]
        sql: bool,
    },
    /// Write a new revision: empty, or from the entities
    #[command(
        after_help = "Examples:\n  revision -m \"add priority\"                  an empty one\n  \
                            revision --autogenerate -m \"add priority\"   what turns the database into the entities\n  \
                            revision --autogenerate --rename tasks.due=due_date -m \"say what is due\"\n  \
                            revision --online --rename tasks.due=due_date          four, with both names for a while\n\n\
                            Exit code 3 when there was nothing to generate, 5 when something needs to be said first."
    )]
    Revision {
        #[command(flatten)]
        new: NewRevision,
        #[command(flatten)]
        generate: Generate,
        /// What it builds on, if not the one head
        #[arg(long, value_name = "REV")]
        head: Option<String>,
        /// What must be applied first without being a parent
        #[arg(long, value_name = "REV")]
        depends_on: Vec<String>,
    },
    /// Write a revision that joins several heads
    Merge {
        /// What to merge; `heads` for all
        #[arg(required = true)]
        revisions: Vec<String>,
        #[command(flatten)]
        new: NewRevision,
    },
    /// Show what a run would do, with its SQL, and do nothing
    #[command(
        after_help = "Exit code 3 when a run would be refused: a running application still uses what goes, or a hazard on a large\n\
                            table is not accepted."
    )]
    Plan {
        /// Where to go
        #[arg(default_value = "heads", allow_negative_numbers = true)]
        target: String,
        /// The last stage of an upgrade: stop before the first revision of a later one
        #[arg(long, value_enum, default_value_t = LastStage::Contract, value_name = "STAGE")]
        stage: LastStage,
    },
    /// Show where the database stands, what is pending, the last run, and who is running
    Status,
    /// Show who holds what and who waits for whom, on PostgreSQL; or end one of them
    #[command(
        after_help = "Examples:\n  locks                 the tree: whoever holds up others first, those who wait below\n  \
                            locks --every 1s      look again and again, until Ctrl-C\n  \
                            locks --cancel 4711   make the statement of a process fail\n  \
                            locks --terminate 4711\n                        end a session, also one that is idle in a transaction\n\n\
                            Asks first; without a terminal it needs --yes. Refuses processes that serve no client, other databases and\n\
                            migrations. Values in statements are never shown."
    )]
    Locks(Locks),
    /// Find what would block or break a running application; asks no database
    #[command(
        after_help = "Examples:\n  lint                  the newest revision, up and down\n  lint --all            every one\n  \
                            lint 001:003          a range, both ends included\n  \
                            lint --git-base origin/main              what a branch adds or changes\n  \
                            lint --sql new.sql --schema before.sql   a script\n  lint --explain table-rewrite\n\n\
                            Exit code 3 when there is an error among the hazards. Those of the way down are notes unless --down is given."
    )]
    Lint(Lint),
    /// Compare the database with the entities, or with something else that is wanted of it
    #[command(
        after_help = "Exit code 3 when they differ. Nothing is changed; the role needs to read, and TEMP on PostgreSQL. SQL files are\n\
                            loaded into a scratch database beside it, which the role must be allowed to make.\n\nExamples:\n  \
                            check\n  check --to schema.sql --sql\n  check --to snapshot.json"
    )]
    Check(Check),
    /// Show what turns one schema into another
    #[command(
        after_help = "Each side is a database address, a snapshot file, `entities`, a SQL file (several with commas between, or a\n\
                            folder of them; what pg_dump or .schema prints will do), or a revision: what the revisions up to it\n\
                            make. SQL files and revisions are tried out on a scratch database beside the other side.\n\nExamples:\n  \
                            diff sqlite://app.db entities\n  diff yesterday.json postgres://user@host/name\n  \
                            diff postgres://user@host/name schema.sql\n  diff head-1 head\n\n\
                            Exit code 3 when they differ."
    )]
    Diff {
        /// What there is
        from: String,
        /// What is wanted
        to: String,
        #[command(flatten)]
        compare: Compare,
    },
    /// Print the schema of the database as JSON, for `diff`
    Snapshot,
    /// Try all revisions out on scratch databases: up, down and up again, empty and with rows
    #[command(
        after_help = "On a database of the kind that is named, on SQLite where none is. Nothing is changed in it: scratch databases\n\
                      are made beside it, which the role must be allowed to, and removed again.\n\n\
                      A revision that has no `down`, or declares with Header::irreversible that it cannot be undone, is named, and\n\
                      the walk goes on from it.\n\n\
                      Exit code 6 when a promise is broken."
    )]
    Verify(Verify),
    /// Show backfills, and let them pause, go on, or go slower
    Backfill {
        #[command(subcommand)]
        act: BackfillAct,
    },
    /// Take over a database that Alembic manages
    Adopt {
        /// Alembic's table, where its `version_table` names another one
        #[arg(long, value_name = "NAME", default_value = ALEMBIC_TABLE)]
        version_table: String,
    },
    /// Apply pending revisions, as SeaORM's own command line does
    Up {
        /// How many; all when absent
        #[arg(short, long, value_name = "N")]
        num: Option<usize>,
        /// Also apply revisions that are older than what is applied already
        #[arg(long)]
        allow_out_of_order: bool,
        #[command(flatten)]
        in_use: InUse,
    },
    /// Undo applied revisions, as SeaORM's own command line does
    Down {
        /// How many
        #[arg(short, long, default_value_t = 1, value_name = "N")]
        num: usize,
        #[command(flatten)]
        in_use: InUse,
    },
    /// Drop every table and apply everything again
    Fresh,
    /// Undo everything and apply it again
    Refresh {
        #[command(flatten)]
        in_use: InUse,
    },
    /// Undo everything and drop the table of applied revisions
    Reset {
        #[command(flatten)]
        in_use: InUse,
    },
    /// Write a new, empty revision, as sea-orm-cli does
    Generate {
        /// What to call it
        migration_name: String,
        /// Accepted for sea-orm-cli's sake; names are always in UTC
        #[arg(long)]
        universal_time: bool,
        #[command(flatten)]
        place: Place,
    },
}

/// What `backfill` does.
#[derive(Debug, Subcommand)]
pub(crate) enum BackfillAct {
    /// Show where each stands
    Status,
    /// Let one rest from its next batch on, whoever runs it
    Pause {
        /// Which
        name: String,
    },
    /// Let one go on
    Resume {
        /// Which
        name: String,
    },
    /// Make one go slower or faster from its next batch on
    Throttle {
        /// Which
        name: String,
        /// How long it rests after a batch: 0.5 for half as long as the batch took
        #[arg(long, value_name = "RATIO", required_unless_present = "max_lag", value_parser = ratio)]
        rest: Option<f64>,
        /// How far a replica may be behind before it waits, on PostgreSQL
        #[arg(long, value_parser = duration, value_name = "TIME")]
        max_lag: Option<Duration>,
    },
}

/// What to do about running applications.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct InUse {
    /// Also remove what running applications still use
    #[arg(long)]
    pub(crate) through_contract: bool,
}

/// What is compared with the database, and what is printed.
#[derive(Args, Debug)]
pub(crate) struct Check {
    /// What is wanted, as in `diff`: a SQL file, several with commas between, a folder of them, a snapshot, an address, a revision
    #[arg(long, value_name = "SIDE", default_value = "entities")]
    pub(crate) to: String,
    /// Print what the tables have and no entity mentions, as Rust code for `Target::extra`
    #[arg(long, conflicts_with_all = ["to", "sql", "rename", "with"])]
    pub(crate) adopt_extras: bool,
    #[command(flatten)]
    pub(crate) compare: Compare,
}

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A file in the temporary folder
    Sqlite,
    /// A database on the server of the address
    #[value(alias = "postgres")]
    Postgresql,
}

/// A stage of a zero-downtime change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LastStage {
    /// Only what adds
    Expand,
    /// What adds, and what moves data
    Migrate,
    /// Everything
    Contract,
}

/// Whom to look at, and whom to end.
#[derive(Debug, Args)]
pub(crate) struct Locks {
    /// Look again after this time, until a signal comes
    #[arg(long, value_parser = duration, value_name = "TIME", conflicts_with_all = ["cancel", "terminate"])]
    pub(crate) every: Option<Duration>,
    /// Make the running statement of this process fail
    #[arg(long, value_name = "PID", conflicts_with = "terminate")]
    pub(crate) cancel: Option<i32>,
    /// End the session of this process; its transaction is rolled back
    #[arg(long, value_name = "PID")]
    pub(crate) terminate: Option<i32>,
}

/// What `verify` tries.
#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// A revision or a range a:b, both ends included; those before are only applied. All when absent
    pub(crate) target: Option<String>,
    /// Try them on these kinds of databases; PostgreSQL wants an address of its server
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub(crate) on: Vec<Kind>,
    /// Leave the walk with rows out, where revisions want rows that nobody can make up
    #[arg(long)]
    pub(crate) no_rows: bool,
}

/// What `lint` looks at.
#[derive(Args, Debug)]
pub(crate) struct Lint {
    /// A revision or a range a:b; the newest when absent
    #[arg(conflicts_with_all = ["all", "sql"])]
    pub(crate) target: Option<String>,
    /// Look at every revision
    #[arg(long, conflicts_with = "sql")]
    pub(crate) all: bool,
    /// Let hazards of the way down decide as well, which are notes otherwise
    #[arg(long, conflicts_with = "sql")]
    pub(crate) down: bool,
    /// Look only at revisions, or scripts, that differ from where the branch left this commit of git
    #[arg(long, value_name = "REF", conflicts_with_all = ["target", "all", "explain"])]
    pub(crate) git_base: Option<String>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Look at scripts instead; - for standard input
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) sql: Vec<PathBuf>,
    /// The statements that made the schema before the script; without it every table is in use
    #[arg(long, value_name = "FILE", requires = "sql")]
    pub(crate) schema: Option<PathBuf>,
    /// The script runs without a transaction around it
    #[arg(long, requires = "sql")]
    pub(crate) no_transaction: bool,
    /// The major version of PostgreSQL that will run it; 15 when absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(13..=18))]
    pub(crate) pg: Option<u8>,
    /// SQLite will run it; revisions go by the database address when neither is given
    #[arg(long, conflicts_with = "pg")]
    pub(crate) sqlite: bool,
    /// Explain a rule instead: its statement, why, and the safe one
    #[arg(long, value_name = "RULE", conflicts_with_all = ["target", "all", "sql"])]
    pub(crate) explain: Option<String>,
}

/// How schemas are compared.
#[derive(Args, Debug)]
pub(crate) struct Compare {
    /// A column or table that is there under another name: tasks.old=new, old=new
    #[arg(long, value_name = "OLD=NEW")]
    pub(crate) rename: Vec<String>,
    /// What is compared as well, on PostgreSQL: grants, owners
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) with: Vec<With>,
    /// Print the statements that would make them equal
    #[arg(long)]
    pub(crate) sql: bool,
}

/// How a revision is generated.
#[derive(Args, Debug)]
pub(crate) struct Generate {
    /// Compare the database with the entities, or with what --from names, and write what makes them equal
    #[arg(long, group = "way")]
    pub(crate) autogenerate: bool,
    /// What the database is to become, as in `diff`: a SQL file, several with commas between, a folder of them, a snapshot
    #[arg(
        long,
        requires = "autogenerate",
        value_name = "SIDE",
        default_value = "entities"
    )]
    pub(crate) from: String,
    /// Write the revisions that give a column another name or type while the application runs: with --rename or --change-type
    #[arg(long, group = "way", conflicts_with_all = ["empty_ok", "fill", "large"])]
    pub(crate) online: bool,
    /// Write a revision even if there is nothing to do
    #[arg(long, requires = "autogenerate")]
    pub(crate) empty_ok: bool,
    /// A column or table that gets another name: tasks.old=new, old=new
    #[arg(long, requires = "way", value_name = "OLD=NEW")]
    pub(crate) rename: Vec<String>,
    /// A column that gets another type, as SQL, and the name that it has from then on: `tasks.due=due_at:timestamptz`
    #[arg(long, requires = "online", value_name = "TABLE.COLUMN=NEW:TYPE")]
    pub(crate) change_type: Option<String>,
    /// What rows without a value get, as SQL: tasks.kind='none'
    #[arg(long, requires = "autogenerate", value_name = "TABLE.COLUMN=VALUE")]
    pub(crate) fill: Vec<String>,
    /// A table that has many rows elsewhere: it is filled in steps, as those are that have many here
    #[arg(long, requires = "autogenerate", value_name = "TABLE")]
    pub(crate) large: Vec<String>,
    /// Print the statements instead of writing a revision
    #[arg(long, requires = "autogenerate")]
    pub(crate) sql: bool,
}

/// Options of the verbs that write a revision.
#[derive(Args, Debug)]
pub(crate) struct NewRevision {
    /// What it does, in a line
    #[arg(short, long, default_value = "")]
    pub(crate) message: String,
    /// Its id, if not twelve random hex digits
    #[arg(long, value_name = "ID")]
    pub(crate) rev_id: Option<String>,
    /// Allow it to build on revisions that are no heads
    #[arg(long)]
    pub(crate) splice: bool,
    /// A label for the branch that begins with it
    #[arg(long, value_name = "LABEL")]
    pub(crate) branch_label: Option<String>,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Where revisions are.
#[derive(Args, Debug)]
pub(crate) struct Place {
    /// The migration crate's folder; `./migration` if there is one, else the current folder
    #[arg(short, long, env = "MIGRATION_DIR", value_name = "FOLDER")]
    pub(crate) dir: Option<PathBuf>,
}

fn duration(text: &str) -> Result<Duration, humantime::DurationError> {
    match text {
        "0" => Ok(Duration::ZERO),
        text => humantime::parse_duration(text),
    }
}

fn acceptance(text: &str) -> Result<Acceptance, String> {
    let parts = text.split_once('=').and_then(|(what, reason)| {
        let (revision, what) = what.split_once(':')?;
        let (category, piece) = what.split_once(':')?;
        Some([revision, category, piece, reason].map(|part| part.trim().to_owned()))
    });
    let Some([revision, category, piece, reason]) = parts else {
        return Err("write REV:CATEGORY:PIECE OF THE STATEMENT=REASON".to_owned());
    };
    Ok(Acceptance {
        revision,
        category,
        piece,
        reason,
    })
}

fn ratio(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(ratio) if (0.0..=100.0).contains(&ratio) => Ok(ratio),
        _ => Err("a number from 0 to 100 is wanted".to_owned()),
    }
}
