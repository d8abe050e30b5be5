-- One schema as one JSON document in the form of a catalog. What extensions own and what is part of a partitioned table is
-- left out. One statement, so one snapshot; fields that are NULL are left out at the end.
--
-- Each part is made once and joined (MATERIALIZED): inlined, it would be made again for each table.
--
-- The same text for every version of the server: what came with one is looked up by a name that is found further out where
-- the server does not know it.
WITH namespace AS (
    SELECT oid FROM pg_namespace WHERE nspname = $1
),
owned AS MATERIALIZED (
    SELECT classid, objid FROM pg_depend
    WHERE deptype = 'e' AND classid IN ('pg_class'::regclass, 'pg_type'::regclass)
),
relations AS MATERIALIZED (
    SELECT pg_class.oid, relname::text AS name, relkind, relispartition
    FROM pg_class
    WHERE relnamespace = (SELECT oid FROM namespace)
        AND relkind IN ('r', 'p', 'v', 'm', 'S')
        AND NOT EXISTS (SELECT FROM owned WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid)
),
tables AS MATERIALIZED (
    SELECT oid, name, relkind FROM relations WHERE relkind IN ('r', 'p') AND NOT relispartition
),
-- Sequences that belong to a column, by table and column.
own_sequences AS MATERIALIZED (
    SELECT DISTINCT refobjid AS relation, refobjsubid AS number, objid AS sequence, deptype
    FROM pg_depend
    JOIN relations ON relations.oid = objid AND relkind = 'S'
    WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i')
        AND refobjsubid > 0
),
-- NOT NULL that is demanded of new rows only, which came with PostgreSQL 18: to older rows no more than a check.
unproven AS MATERIALIZED (
    SELECT conrelid AS relation, conkey[1] AS number, conname, connoinherit
    FROM pg_constraint JOIN tables ON tables.oid = conrelid
    WHERE contype = 'n' AND NOT convalidated
),
columns AS MATERIALIZED (
    SELECT
        attrelid AS relation,
        json_agg(json_build_object(
            'name', attname,
            'type', format_type(atttypid, atttypmod),
            'nullable', NOT attnotnull OR unproven.number IS NOT NULL,
            'default', CASE WHEN attgenerated = '' AND NOT is_serial THEN expression END,
            'auto', CASE
                WHEN attidentity = 'a' THEN 'identity always'
                WHEN attidentity = 'd' THEN 'identity by default'
                WHEN is_serial THEN 'serial'
            END,
            'generated', CASE
                WHEN attgenerated <> '' THEN json_build_object('expr', expression, 'stored', attgenerated = 's')
            END,
            'collation', CASE WHEN attcollation <> typcollation THEN collname END,
            'comment', description
        ) ORDER BY attnum) AS items
    FROM tables
    JOIN pg_attribute ON attrelid = tables.oid AND attnum > 0 AND NOT attisdropped
    JOIN pg_type ON pg_type.oid = atttypid
    LEFT JOIN pg_collation ON pg_collation.oid = attcollation
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    LEFT JOIN pg_description
        ON objoid = attrelid AND objsubid = attnum AND classoid = 'pg_class'::regclass
    LEFT JOIN own_sequences
        ON own_sequences.relation = attrelid AND own_sequences.number = attnum AND deptype = 'a'
    LEFT JOIN unproven ON unproven.relation = attrelid AND unproven.number = attnum
    CROSS JOIN LATERAL (SELECT pg_get_expr(adbin, adrelid) AS expression) AS defaults
    CROSS JOIN LATERAL (
        SELECT sequence IS NOT NULL AND coalesce(expression LIKE 'nextval(%', false) AS is_serial
    ) AS numbering
    GROUP BY attrelid
),
actions(code, action) AS (
    VALUES ('r'::"char", 'RESTRICT'), ('c', 'CASCADE'), ('n', 'SET NULL'), ('d', 'SET DEFAULT')
),
constraints AS MATERIALIZED (
    SELECT known.*
    -- The columns came with PostgreSQL 15 and 18.
    FROM (SELECT NULL::smallint[] AS confdelsetcols, true AS conenforced, false AS conperiod) AS before
    CROSS JOIN LATERAL (
        SELECT
            pg_constraint.oid, conname, conrelid, confrelid, conkey, conbin, conindid, connoinherit, condeferrable,
            condeferred, confdeltype, confupdtype, confmatchtype, confdelsetcols, conenforced, conperiod,
            -- What is not enforced is never validated.
            convalidated OR NOT conenforced AS is_valid,
            -- A key of periods is guarded as an exclusion is.
            CASE WHEN conperiod AND contype IN ('p', 'u') THEN 'x' ELSE contype END AS contype,
            (
                SELECT json_agg(attname ORDER BY position)
                FROM unnest(conkey) WITH ORDINALITY AS keys(number, position)
                JOIN pg_attribute ON attrelid = conrelid AND attnum = number
            ) AS own_columns
        FROM pg_constraint
        JOIN tables ON tables.oid = conrelid
        WHERE contype IN ('p', 'u', 'c', 'f', 'x')
    ) AS known
),
primary_keys AS MATERIALIZED (
    SELECT conrelid AS relation, json_build_object('name', conname, 'columns', own_columns) AS item
    FROM constraints WHERE contype = 'p'
),
uniques AS MATERIALIZED (
    SELECT conrelid AS relation, json_agg(json_build_object(
        'name', conname,
        'columns', own_columns,
        -- Came with PostgreSQL 15.
        'nulls_not_distinct', nullif((to_jsonb(pg_index) ->> 'indnullsnotdistinct')::boolean, false),
        'deferrable', nullif(condeferrable, false),
        'initially_deferred', nullif(condeferred, false)
    )) AS items
    FROM constraints JOIN pg_index ON indexrelid = conindid
    WHERE contype = 'u' GROUP BY conrelid
),
checks AS MATERIALIZED (
    SELECT conrelid AS relation, json_agg(json_build_object(
        'name', conname,
        'expr', expression,
        'valid', nullif(is_valid, true),
        'enforced', nullif(conenforced, true),
        'no_inherit', nullif(connoinherit, false)
    )) AS items
    FROM (
        SELECT conrelid, conname, pg_get_expr(conbin, conrelid) AS expression, is_valid, conenforced, connoinherit
        FROM constraints WHERE contype = 'c'
        UNION ALL
        SELECT relation, conname, format('%I IS NOT NULL', attname), false, true, connoinherit
        FROM unproven JOIN pg_attribute ON attrelid = relation AND attnum = number
    ) AS checks
    GROUP BY conrelid
),
exclusions AS MATERIALIZED (
    SELECT conrelid AS relation, json_agg(json_build_object(
        'name', conname, 'definition', pg_get_constraintdef(oid)
    )) AS items
    FROM constraints WHERE contype = 'x' GROUP BY conrelid
),
foreign_keys AS MATERIALIZED (
    SELECT conrelid AS relation, json_agg(json_build_object(
        'name', conname,
        'columns', own_columns,
        'ref_table', CASE
            WHEN referenced.relnamespace = (SELECT oid FROM namespace) THEN referenced.relname
            ELSE (SELECT nspname FROM pg_namespace WHERE oid = referenced.relnamespace) || '.' || referenced.relname
        END,
        'ref_columns', (
            SELECT json_agg(attname ORDER BY position)
            FROM unnest((SELECT confkey FROM pg_constraint WHERE pg_constraint.oid = constraints.oid))
                WITH ORDINALITY AS keys(number, position)
            JOIN pg_attribute ON attrelid = confrelid AND attnum = number
        ),
        'on_delete', deletion.action,
        'on_delete_columns', (
            SELECT json_agg(attname ORDER BY attname)
            FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (confdelsetcols)
        ),
        'on_update', updating.action,
        'match_full', nullif(confmatchtype = 'f', false),
        'deferrable', nullif(condeferrable, false),
        'initially_deferred', nullif(condeferred, false),
        'period', nullif(conperiod, false),
        'valid', nullif(is_valid, true),
        'enforced', nullif(conenforced, true)
    )) AS items
    FROM constraints
    JOIN pg_class AS referenced ON referenced.oid = confrelid
    LEFT JOIN actions AS deletion ON deletion.code = confdeltype
    LEFT JOIN actions AS updating ON updating.code = confupdtype
    WHERE contype = 'f'
    GROUP BY conrelid
),
index_parts AS MATERIALIZED (
    SELECT
        indexrelid AS index,
        json_agg(CASE
            WHEN is_column AND NOT descending AND nulls IS NULL AND collation_name IS NULL AND class_name IS NULL
                THEN to_json(attname)
            ELSE json_build_object(
                'column', CASE WHEN is_column THEN attname END,
                'expr', CASE WHEN NOT is_column THEN pg_get_indexdef(indexrelid, number, false) END,
                'descending', nullif(descending, false),
                'nulls', nulls,
                'collation', collation_name,
                'operator_class', class_name
            )
        END ORDER BY number) AS items
    FROM pg_index
    JOIN tables ON tables.oid = indrelid
    CROSS JOIN LATERAL generate_series(1, indnkeyatts) AS number
    LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[number - 1] AND attnum > 0
    CROSS JOIN LATERAL (
        SELECT
            indkey[number - 1] <> 0 AS is_column,
            indoption[number - 1] & 1 = 1 AS descending,
            CASE indoption[number - 1] & 3 WHEN 1 THEN 'last' WHEN 2 THEN 'first' END AS nulls,
            (
                SELECT collname FROM pg_collation
                WHERE oid = indcollation[number - 1]
                    AND oid <> coalesce(
                        attcollation,
                        (
                            SELECT whole.attcollation FROM pg_attribute AS whole
                            WHERE whole.attrelid = indexrelid AND whole.attnum = number
                        )
                    )
            ) AS collation_name,
            (
                SELECT opcname FROM pg_opclass WHERE oid = indclass[number - 1] AND NOT opcdefault
            ) AS class_name
    ) AS part
    WHERE NOT EXISTS (SELECT FROM constraints WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
    GROUP BY indexrelid
),
indexes AS MATERIALIZED (
    SELECT indrelid AS relation, json_agg(json_build_object(
        'name', relname,
        'columns', index_parts.items,
        'unique', indisunique,
        'where', pg_get_expr(indpred, indrelid),
        'method', nullif(amname, 'btree'),
        'include', (
            SELECT json_agg(attname ORDER BY number)
            FROM generate_series(indnkeyatts + 1, indnatts) AS number
            JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[number - 1]
        ),
        'nulls_not_distinct', nullif((to_jsonb(pg_index) ->> 'indnullsnotdistinct')::boolean, false),
        'valid', nullif(indisvalid, true)
    )) AS items
    FROM index_parts
    JOIN pg_index ON indexrelid = index
    JOIN pg_class ON pg_class.oid = indexrelid
    JOIN pg_am ON pg_am.oid = relam
    GROUP BY indrelid
),
triggers AS MATERIALIZED (
    SELECT tgrelid AS relation, json_agg(json_build_object('name', tgname, 'sql', pg_get_triggerdef(pg_trigger.oid))) AS items
    FROM pg_trigger JOIN tables ON tables.oid = tgrelid
    WHERE NOT tgisinternal GROUP BY tgrelid
),
-- What makes a view again: itself, what it is indexed by, who may do what with it, and what somebody says about it.
views AS MATERIALIZED (
    SELECT pg_class.relname AS name, concat_ws(
        '; ',
        CASE relkind WHEN 'm' THEN 'CREATE MATERIALIZED VIEW ' ELSE 'CREATE VIEW ' END || quote_ident(relname)
            || coalesce(' WITH (' || array_to_string(reloptions, ', ') || ')', '')
            || ' AS ' || btrim(pg_get_viewdef(pg_class.oid), E' \n;'),
        (SELECT string_agg(pg_get_indexdef(indexrelid), '; ') FROM pg_index WHERE indrelid = pg_class.oid),
        (SELECT string_agg(pg_get_triggerdef(oid), '; ') FROM pg_trigger WHERE tgrelid = pg_class.oid AND NOT tgisinternal),
        (
            SELECT string_agg(format(
                'GRANT %s ON %I TO %s', privilege_type, relname,
                CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
            ), '; ')
            FROM aclexplode(relacl) WHERE grantee <> relowner
        ),
        'COMMENT ON ' || CASE relkind WHEN 'm' THEN 'MATERIALIZED ' ELSE '' END || 'VIEW ' || quote_ident(relname)
            || ' IS ' || quote_literal(obj_description(pg_class.oid, 'pg_class'))
    ) AS sql
    FROM relations JOIN pg_class USING (oid, relkind)
    WHERE relkind IN ('v', 'm')
)
SELECT json_strip_nulls(json_build_object(
    'version', 1,
    'dialect', 'postgresql',
    'tables', coalesce((
        SELECT json_agg(json_build_object(
            'name', name,
            'columns', coalesce(columns.items, '[]'),
            'primary_key', primary_keys.item,
            'uniques', uniques.items,
            'checks', checks.items,
            'foreign_keys', foreign_keys.items,
            'indexes', indexes.items,
            'exclusions', exclusions.items,
            'triggers', triggers.items,
            'comment', description,
            'partitioned_by', CASE WHEN relkind = 'p' THEN pg_get_partkeydef(tables.oid) END
        ))
        FROM tables
        LEFT JOIN columns ON columns.relation = tables.oid
        LEFT JOIN primary_keys ON primary_keys.relation = tables.oid
        LEFT JOIN uniques ON uniques.relation = tables.oid
        LEFT JOIN checks ON checks.relation = tables.oid
        LEFT JOIN foreign_keys ON foreign_keys.relation = tables.oid
        LEFT JOIN indexes ON indexes.relation = tables.oid
        LEFT JOIN exclusions ON exclusions.relation = tables.oid
        LEFT JOIN triggers ON triggers.relation = tables.oid
        LEFT JOIN pg_description
            ON objoid = tables.oid AND objsubid = 0 AND classoid = 'pg_class'::regclass
    ), '[]'),
    'enums', (
        SELECT json_object_agg(typname, labels)
        FROM (
            SELECT typname, json_agg(enumlabel ORDER BY enumsortorder) AS labels
            FROM pg_type JOIN pg_enum ON enumtypid = pg_type.oid
            WHERE typnamespace = (SELECT oid FROM namespace)
                AND NOT EXISTS (SELECT FROM owned WHERE classid = 'pg_type'::regclass AND objid = pg_type.oid)
            GROUP BY typname
        ) AS enums
    ),
    'sequences', (
        SELECT json_agg(json_build_object(
            'name', name,
            'type', nullif(format_type(seqtypid, NULL), 'bigint'),
            'start', nullif(seqstart, CASE WHEN seqincrement > 0 THEN 1 ELSE -1 END),
            'increment', nullif(seqincrement, 1),
            'minimum', CASE WHEN seqincrement > 0 THEN nullif(seqmin, 1) END,
            'maximum', CASE WHEN seqincrement > 0 AND seqmax NOT IN (32767, 2147483647, 9223372036854775807) THEN seqmax END,
            'cycle', nullif(seqcycle, false)
        ))
        FROM relations JOIN pg_sequence ON seqrelid = relations.oid
        WHERE NOT EXISTS (SELECT FROM own_sequences WHERE sequence = relations.oid)
    ),
    'views', (SELECT json_agg(json_build_object('name', name, 'sql', sql)) FROM views)
))::text AS catalog
