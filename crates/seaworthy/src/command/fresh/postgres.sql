-- What stands in the first schema of the search path and what goes with it elsewhere: a row for each thing with the statement
-- that drops it, with a name where it stands outside of the schema, and with where its rows are counted where it has any.
--
-- The server's own record of it is pg_depend (manual, "Dependency Tracking" and "pg_depend"): whatever stands in a schema
-- depends on it, whichever kinds of things a version of the server knows. Names of system tables have their schema, because a
-- search path may lead elsewhere first.
WITH RECURSIVE home AS MATERIALIZED (
    SELECT oid, quote_ident(nspname) AS place FROM pg_catalog.pg_namespace WHERE nspname = current_schema()
),
kept AS MATERIALIZED (
    SELECT oid FROM pg_catalog.pg_class
    WHERE relnamespace = (SELECT oid FROM home) AND relkind IN ('r', 'p') AND relname IN (/* kept */)
),
-- A part of something (the sequence of an identity, the constructors of a range) cannot be dropped alone, what an extension
-- owns stays, and what came with the server has a smaller number than 16384 (manual, "System Catalog Initial Data").
members AS MATERIALIZED (
    SELECT d.classid, d.objid
    FROM pg_catalog.pg_depend d
    WHERE d.refclassid = 'pg_catalog.pg_namespace'::regclass AND d.refobjid = (SELECT oid FROM home)
        AND d.deptype = 'n' AND d.objid >= 16384 AND d.classid <> 'pg_catalog.pg_extension'::regclass
        AND NOT (d.classid = 'pg_catalog.pg_class'::regclass AND d.objid IN (SELECT oid FROM kept))
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend part
            WHERE part.classid = d.classid AND part.objid = d.objid AND part.objsubid = 0
                AND (
                    part.deptype IN ('e', 'i')
                    OR part.deptype = 'a' AND part.refclassid = 'pg_catalog.pg_class'::regclass
                    AND part.refobjid IN (SELECT oid FROM kept)
                )
        )
),
-- As CASCADE goes: from a thing to what depends on it, and from a part that it stands on to the whole.
going AS (
    SELECT classid, objid, 0 AS objsubid FROM members
    UNION
    SELECT next.classid, next.objid, next.objsubid
    FROM going, LATERAL (
        SELECT d.classid, d.objid, d.objsubid
        FROM pg_catalog.pg_depend d
        WHERE d.refclassid = going.classid AND d.refobjid = going.objid
            AND going.objsubid IN (0, d.refobjsubid)
        UNION ALL
        SELECT d.refclassid, d.refobjid, d.refobjsubid
        FROM pg_catalog.pg_depend d
        WHERE d.classid = going.classid AND d.objid = going.objid AND d.objsubid = going.objsubid
            AND d.deptype IN ('i', 'e')
    ) AS next
),
-- What has no schema of its own stands where its table does.
placed AS MATERIALIZED (
    SELECT
        going.*,
        described.type,
        described.identity,
        relation.oid AS relation,
        relation.relkind,
        relation.relname,
        relation.relnamespace,
        namespace.nspname,
        coalesce(described.schema, quote_ident(namespace.nspname)) AS place
    FROM going
    CROSS JOIN LATERAL pg_catalog.pg_identify_object(classid, objid, objsubid) AS described
    LEFT JOIN pg_catalog.pg_class AS relation ON relation.oid = CASE classid
        WHEN 'pg_catalog.pg_class'::regclass THEN objid
        WHEN 'pg_catalog.pg_attrdef'::regclass THEN (
            SELECT adrelid FROM pg_catalog.pg_attrdef WHERE oid = objid
        )
        WHEN 'pg_catalog.pg_constraint'::regclass THEN (
            SELECT conrelid FROM pg_catalog.pg_constraint WHERE oid = objid
        )
        WHEN 'pg_catalog.pg_trigger'::regclass THEN (
            SELECT tgrelid FROM pg_catalog.pg_trigger WHERE oid = objid
        )
        WHEN 'pg_catalog.pg_rewrite'::regclass THEN (
            SELECT ev_class FROM pg_catalog.pg_rewrite WHERE oid = objid
        )
        WHEN 'pg_catalog.pg_policy'::regclass THEN (
            SELECT polrelid FROM pg_catalog.pg_policy WHERE oid = objid
        )
    END
    LEFT JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = relation.relnamespace
    WHERE described.identity IS NOT NULL
),
judged AS MATERIALIZED (
    SELECT
        placed.*,
        objsubid = 0 AND (classid, objid) IN (SELECT classid, objid FROM members)
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend d
            JOIN members AS whole ON whole.classid = d.refclassid AND whole.objid = d.refobjid
            WHERE d.classid = placed.classid AND d.objid = placed.objid AND d.objsubid = 0
                AND d.deptype IN ('a', 'P', 'S')
        ) AS is_dropped,
        (place <> (SELECT place FROM home) OR classid = 'pg_catalog.pg_extension'::regclass)
        -- A part goes with its whole; one that has a schema of its own, such as a partition, is worth a name.
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend d
            JOIN placed AS whole ON whole.classid = d.refclassid AND whole.objid = d.refobjid
                AND whole.objsubid IN (0, d.refobjsubid)
            WHERE d.classid = placed.classid AND d.objid = placed.objid AND d.objsubid = placed.objsubid
                AND (d.deptype IN ('i', 'e', 'P', 'S') OR d.deptype = 'a' AND whole.place = placed.place)
        )
        AND NOT EXISTS (
            SELECT FROM placed AS whole
            WHERE placed.objsubid <> 0 AND whole.objsubid = 0
                AND whole.classid = placed.classid AND whole.objid = placed.objid
        ) AS is_outside
    FROM placed
)
SELECT
    CASE WHEN is_dropped THEN
        'DROP ' || CASE
            WHEN type IN ('function', 'procedure', 'aggregate') THEN 'ROUTINE'
            WHEN type = 'statistics object' THEN 'STATISTICS'
            ELSE upper(type)
        END || ' IF EXISTS ' || identity || ' CASCADE'
    END AS statement,
    CASE WHEN is_outside THEN type || ' ' || identity END AS outside,
    CASE WHEN holds_rows THEN nspname::text || '.' || relname END AS holder,
    attname::text AS attribute,
    CASE WHEN holds_rows THEN
        CASE relkind WHEN 'r' THEN 'ONLY ' ELSE '' END || format('%I.%I', nspname, relname)
        || CASE WHEN attname IS NULL THEN '' ELSE format(' WHERE %I IS NOT NULL', attname) END
    END AS source,
    CASE WHEN holds_rows THEN
        NOT has_schema_privilege(relnamespace, 'USAGE') OR NOT has_table_privilege(relation, 'SELECT')
        OR row_security_active(relation) OR pg_is_other_temp_schema(relnamespace)
    END AS is_hidden
FROM judged
CROSS JOIN LATERAL (
    SELECT coalesce(classid = 'pg_catalog.pg_class'::regclass AND relkind IN ('r', 'p'), false) AS holds_rows
) AS holding
LEFT JOIN pg_catalog.pg_attribute ON attrelid = relation AND attnum = objsubid AND objsubid <> 0 AND holds_rows
WHERE is_dropped OR is_outside
ORDER BY outside NULLS FIRST, statement
