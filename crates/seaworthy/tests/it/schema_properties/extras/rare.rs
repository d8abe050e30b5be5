//! What few schemas say: tables of their own with the less usual kinds of keys, numbers, values and objects.

use crate::schema_properties::random::Dice;

pub(super) fn on_sqlite(dice: &mut Dice<'_>) -> Vec<String> {
    let mut made = Vec::new();
    if dice.chance(2) {
        let key = dice.pick(&["", " AUTOINCREMENT", " ASC", " DESC", " DESC ON CONFLICT REPLACE"]);
        let unique = dice.pick(&[
            "",
            " UNIQUE",
            " UNIQUE ON CONFLICT IGNORE",
            " UNIQUE ON CONFLICT ROLLBACK",
        ]);
        let (times, stored) = (2 + dice.below(2), dice.pick(&["VIRTUAL", "STORED"]));
        made.push(format!(
            "CREATE TABLE rare (id INTEGER PRIMARY KEY{key}, code TEXT{unique}, size INTEGER, \
             more INTEGER GENERATED ALWAYS AS (size * {times}) {stored})"
        ));
        if dice.chance(2) {
            made.push("CREATE INDEX rare_more ON rare (more DESC)".to_owned());
        }
    }
    if dice.chance(2) {
        let order = dice.pick(&["", " DESC"]);
        let conflict = dice.pick(&["", " ON CONFLICT IGNORE", " ON CONFLICT FAIL"]);
        let null = dice.pick(&["", " NOT NULL", " NOT NULL ON CONFLICT REPLACE"]);
        made.push(format!(
            "CREATE TABLE pairs (one INTEGER NOT NULL{order_of}, two TEXT{null} DEFAULT 'two', PRIMARY KEY (one{order}, two){conflict})",
            order_of = dice.pick(&["", " ON CONFLICT FAIL"]),
        ));
    }
    made
}

pub(super) fn on_postgresql(server: u8, dice: &mut Dice<'_>) -> Vec<String> {
    let mut made = objects(dice);
    if dice.chance(2) {
        labels(&mut made, dice);
    }
    if dice.chance(2) {
        table(server, &mut made, dice);
    }
    made
}

/// What a table may need, and what needs none.
fn objects(dice: &mut Dice<'_>) -> Vec<String> {
    let mut made = Vec::new();
    if dice.chance(4) {
        made.push("CREATE EXTENSION citext".to_owned());
        if dice.chance(2) {
            made.push("CREATE TABLE letters (id integer PRIMARY KEY, word citext UNIQUE)".to_owned());
        }
    }
    if dice.chance(4) {
        let subtype = dice.pick(&["numeric", "date"]);
        made.push(format!("CREATE TYPE spans AS RANGE (subtype = {subtype})"));
        made.push("COMMENT ON TYPE spans IS 'from and to'".to_owned());
    }
    if dice.chance(4) {
        let locale = dice.pick(&["de", "sv"]);
        made.push(format!(
            "CREATE COLLATION \"Order\" (provider = icu, locale = '{locale}')"
        ));
        if dice.chance(2) {
            made.push("CREATE VIEW ordered AS SELECT 'a'::text COLLATE \"Order\" AS letter".to_owned());
        }
    }
    if dice.chance(4) {
        let body = dice.pick(&["SELECT 1", "SELECT 2"]);
        made.push(format!(
            "CREATE PROCEDURE nothing(n integer) LANGUAGE sql AS '{body}'"
        ));
    }
    made
}

/// An enum whose labels are used wherever one can stand, but in a view: that would be in the way of undoing a label that was added.
fn labels(made: &mut Vec<String>, dice: &mut Dice<'_>) {
    let all = ["'calm'", "'rough'", "'it''s wild'", "'still'", "'odd'"];
    let mut labels: Vec<&str> = all.into_iter().filter(|_| dice.chance(2)).collect();
    labels.push("'last'");
    made.push(format!("CREATE TYPE weather AS ENUM ({})", labels.join(", ")));
    let mut label = || labels[dice.below(labels.len())];
    let (usual, first, other, odd) = (label(), label(), label(), label());
    made.push(format!(
        "CREATE TABLE days (id integer PRIMARY KEY, now weather NOT NULL DEFAULT {usual}, \
         seen weather[] DEFAULT ARRAY[{first}::weather, {other}::weather])"
    ));
    if dice.chance(2) {
        made.push(format!(
            "ALTER TABLE days ADD CONSTRAINT fair CHECK (now <> {odd} OR id > 0)"
        ));
    }
    if dice.chance(2) {
        made.push(format!("CREATE INDEX days_then ON days (id) WHERE now = {other}"));
    }
}

/// A table of which little is usual.
fn table(server: u8, made: &mut Vec<String>, dice: &mut Dice<'_>) {
    let unlogged = dice.pick(&["", "UNLOGGED "]);
    let when = dice.pick(&["ALWAYS", "BY DEFAULT"]);
    let how = dice.pick(&[
        "",
        " (INCREMENT BY 2)",
        " (START WITH 5 CACHE 3)",
        " (MAXVALUE 1000 CYCLE)",
    ]);
    made.push(format!(
        "CREATE {unlogged}TABLE rare (id integer GENERATED {when} AS IDENTITY{how}, day date, during daterange, note text, size integer)"
    ));
    let mut include = || {
        dice.pick(&["", " INCLUDE (size)", " INCLUDE (note, size)"])
            .to_owned()
    };
    let (of_key, of_day) = (include(), include());
    let mut defer = || {
        dice.pick(&["", " DEFERRABLE", " DEFERRABLE INITIALLY DEFERRED"])
            .to_owned()
    };
    let (of_unique, of_exclusion, of_reference) = (defer(), defer(), defer());
    let nulls = match server >= 15 && dice.chance(2) {
        true => " NULLS NOT DISTINCT",
        false => "",
    };
    made.push(format!("ALTER TABLE rare ADD PRIMARY KEY (id){of_key}"));
    if dice.chance(2) {
        made.push(format!(
            "ALTER TABLE rare ADD CONSTRAINT one_day UNIQUE{nulls} (day){of_day}{of_unique}"
        ));
        made.push("COMMENT ON CONSTRAINT one_day ON rare IS 'one'".to_owned());
    }
    if dice.chance(2) {
        let condition = dice.pick(&["", " WHERE (size > 1)"]);
        made.push(format!(
            "ALTER TABLE rare ADD CONSTRAINT apart EXCLUDE USING gist (during WITH &&){condition}{of_exclusion}"
        ));
    }
    if dice.chance(2) {
        // Undoing does not forget that all rows were looked at.
        made.push(format!(
            "ALTER TABLE rare ADD CONSTRAINT above FOREIGN KEY (size) REFERENCES rare (id){of_reference} NOT VALID"
        ));
    }
    if dice.chance(2) {
        let order = dice.pick(&["", " DESC"]);
        made.push(format!(
            "CREATE INDEX rare_note ON rare (note{order}) INCLUDE (size)"
        ));
        made.push(format!(
            "COMMENT ON INDEX rare_note IS '{}'",
            dice.pick(&["a", "b"])
        ));
        if dice.chance(2) {
            made.push("ALTER TABLE rare CLUSTER ON rare_note".to_owned());
        }
    }
    for change in [
        "SET STORAGE EXTERNAL",
        "SET STATISTICS 50",
        "SET (n_distinct = -0.5)",
    ] {
        if dice.chance(3) {
            made.push(format!("ALTER TABLE rare ALTER note {change}"));
        }
    }
}
