-- One schema as one JSON document in the form of a catalog. What extensions own is left out, and so is
-- what the parts of a partitioned table have of their own. One statement, so one snapshot; fields that are NULL are left out at the end.
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
        AND relkind IN ('r', 'p', 'S')
        AND NOT EXISTS (SELECT FROM owned WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid)
),
tables AS MATERIALIZED (
    SELECT
        relations.oid, name, relations.relkind, pg_class.relpersistence = 'u' AS unlogged,
        nullif(
            coalesce(pg_class.reloptions, '{}')
                || ARRAY(SELECT 'toast.' || option FROM unnest(toast.reloptions) AS option),
            '{}'
        ) AS options
    FROM relations
    JOIN pg_class ON pg_class.oid = relations.oid
    LEFT JOIN pg_class AS toast ON toast.oid = pg_class.reltoastrelid
    WHERE relations.relkind IN ('r', 'p') AND NOT relations.relispartition
),
-- How sequences count, as far as that is not the usual way.
counting AS MATERIALIZED (
    SELECT
        seqrelid AS sequence, name, format_type(seqtypid, NULL) AS type,
        nullif(seqstart, CASE WHEN seqincrement > 0 THEN seqmin ELSE seqmax END) AS start,
        nullif(seqincrement, 1) AS increment,
        nullif(seqmin, CASE WHEN seqincrement > 0 THEN 1 ELSE -highest - 1 END) AS minimum,
        nullif(seqmax, CASE WHEN seqincrement > 0 THEN highest ELSE -1 END) AS maximum,
        nullif(seqcycle, false) AS cycle,
        nullif(seqcache, 1) AS cache
    FROM relations
    JOIN pg_sequence ON seqrelid = relations.oid
    CROSS JOIN LATERAL (
        SELECT CASE seqtypid
            WHEN 'smallint'::regtype THEN 32767
            WHEN 'integer'::regtype THEN 2147483647
            ELSE 9223372036854775807
        END AS highest
    ) AS limits
),
-- Sequences that belong to a column, by table and column, and whether they number it.
own_sequences AS MATERIALIZED (
    SELECT
        refobjid AS relation, refobjsubid AS number, objid AS sequence, relname AS table_name, attname AS column_name,
        deptype = 'i' OR coalesce(
            pg_get_expr(adbin, adrelid) = format('nextval(%L::regclass)', objid::regclass), false
        ) AS numbers,
        format_type(atttypid, atttypmod) AS column_type
    FROM pg_depend
    JOIN counting ON sequence = objid
    JOIN pg_class ON pg_class.oid = refobjid AND relnamespace = (SELECT oid FROM namespace)
    JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
    LEFT JOIN pg_attrdef ON adrelid = refobjid AND adnum = refobjsubid
    WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i')
        AND refobjsubid > 0
),
numbered AS MATERIALIZED (
    SELECT relation, number, CASE
        WHEN name <> table_name || '_' || column_name || '_seq'
            OR type <> CASE WHEN column_type IN ('smallint', 'integer') THEN column_type ELSE 'bigint' END
            OR coalesce(start, increment, minimum, maximum, cache) IS NOT NULL
            OR cycle
        THEN json_build_object(
            'name', name, 'type', nullif(type, 'bigint'), 'start', start, 'increment', increment,
            'minimum', minimum, 'maximum', maximum, 'cycle', cycle, 'cache', cache
        )
    END AS item
    FROM own_sequences JOIN counting USING (sequence)
    WHERE numbers
),
-- NOT NULL that is demanded of new rows only, which came with PostgreSQL 18: to older rows no more than a check.
unproven AS MATERIALIZED (
    SELECT conrelid AS relation, conkey[1] AS number, conname, connoinherit, coninhcount
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
            'sequence', numbered.item,
            'inherited', nullif(attinhcount > 0, false),
            'storage', CASE WHEN coalesce(strategy, compression, statistics::text, planner::text) IS NOT NULL THEN json_build_object(
                'strategy', strategy, 'compression', compression, 'statistics', statistics, 'options', array_to_json(planner)
            ) END,
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
    LEFT JOIN numbered ON numbered.relation = attrelid AND numbered.number = attnum
    LEFT JOIN unproven ON unproven.relation = attrelid AND unproven.number = attnum
    CROSS JOIN LATERAL (SELECT pg_get_expr(adbin, adrelid) AS expression) AS defaults
    CROSS JOIN LATERAL (
        SELECT
            CASE WHEN attstorage <> typstorage THEN CASE attstorage
                WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'x' THEN 'EXTENDED' WHEN 'm' THEN 'MAIN'
            END END AS strategy,
            -- Came with PostgreSQL 14.
            CASE to_jsonb(pg_attribute) ->> 'attcompression' WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END AS compression,
            -- Absent from PostgreSQL 17 on where nothing is said.
            nullif(coalesce(attstattarget, -1), -1) AS statistics,
            -- Some servers keep notes of their own there: `pg_attver`.
            CASE WHEN attoptions IS NOT NULL THEN nullif(
                ARRAY(SELECT option FROM unnest(attoptions) AS option WHERE option LIKE 'n\_distinct%' ORDER BY option), '{}'
            ) END AS planner
    ) AS storage
    CROSS JOIN LATERAL (SELECT numbered.relation IS NOT NULL AND attidentity = '' AS is_serial) AS numbering
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
            pg_constraint.oid, conname, conrelid, confrelid, conkey, conbin, conindid, connoinherit, coninhcount, condeferrable,
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
            -- A foreign key to a partitioned table has one more for each of its parts.
            AND NOT (contype = 'f' AND conparentid <> 0)
    ) AS known
),
-- Columns that are stored beside the key of an index.
included AS MATERIALIZED (
    SELECT indexrelid AS index, json_agg(attname ORDER BY number) AS items
    FROM pg_index
    JOIN tables ON tables.oid = indrelid
    CROSS JOIN LATERAL generate_series(indnkeyatts + 1, indnatts) AS number
    JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[number - 1]
    GROUP BY indexrelid
),
primary_keys AS MATERIALIZED (
    SELECT conrelid AS relation, json_build_object(
        'name', conname,
        'columns', own_columns,
        'include', included.items,
        'deferrable', nullif(condeferrable, false),
        'initially_deferred', nullif(condeferred, false)
    ) AS item
    FROM constraints LEFT JOIN included ON included.index = conindid
    WHERE contype = 'p'
),
uniques AS MATERIALIZED (
    SELECT conrelid AS relation, json_agg(json_build_object(
        'name', conname,
        'columns', own_columns,
        'include', included.items,
        -- Came with PostgreSQL 15.
        'nulls_not_distinct', nullif((to_jsonb(pg_index) ->> 'indnullsnotdistinct')::boolean, false),
        'deferrable', nullif(condeferrable, false),
        'initially_deferred', nullif(condeferred, false)
    )) AS items
    FROM constraints
    JOIN pg_index ON indexrelid = conindid
    LEFT JOIN included ON included.index = conindid
    WHERE contype = 'u' GROUP BY conrelid
),
checks AS MATERIALIZED (
    SELECT conrelid AS relation, json_agg(json_build_object(
        'name', conname,
        'expr', expression,
        'valid', nullif(is_valid, true),
        'enforced', nullif(conenforced, true),
        'no_inherit', nullif(connoinherit, false),
        'inherited', nullif(coninhcount > 0, false)
    )) AS items
    FROM (
        SELECT
            conrelid, conname, pg_get_expr(conbin, conrelid) AS expression, is_valid, conenforced, connoinherit,
            coninhcount
        FROM constraints WHERE contype = 'c'
        UNION ALL
        SELECT relation, conname, format('%I IS NOT NULL', attname), false, true, connoinherit, coninhcount
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
                    -- What an expression would have by itself is not known; that of the database is what most have.
                    AND oid <> coalesce(attcollation, 'pg_catalog."default"'::regcollation)
            ) AS collation_name,
            (
                SELECT CASE WHEN pg_opclass_is_visible(pg_opclass.oid) THEN '' ELSE nspname || '.' END || opcname
                FROM pg_opclass JOIN pg_namespace ON pg_namespace.oid = opcnamespace
                WHERE pg_opclass.oid = indclass[number - 1] AND NOT opcdefault
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
        'include', included.items,
        'options', array_to_json(reloptions),
        'nulls_not_distinct', nullif((to_jsonb(pg_index) ->> 'indnullsnotdistinct')::boolean, false),
        'valid', nullif(indisvalid, true)
    )) AS items
    FROM index_parts
    JOIN pg_index ON indexrelid = index_parts.index
    LEFT JOIN included ON included.index = index_parts.index
    JOIN pg_class ON pg_class.oid = indexrelid
    JOIN pg_am ON pg_am.oid = relam
    GROUP BY indrelid
),
parents AS MATERIALIZED (
    SELECT inhrelid AS relation, json_agg(
        CASE
            WHEN relnamespace = (SELECT oid FROM namespace) THEN relname
            ELSE (SELECT nspname FROM pg_namespace WHERE oid = relnamespace) || '.' || relname
        END ORDER BY inhseqno
    ) AS items
    FROM pg_inherits
    JOIN tables ON tables.oid = inhrelid
    JOIN pg_class ON pg_class.oid = inhparent
    GROUP BY inhrelid
),
partitions AS MATERIALIZED (
    SELECT root AS relation, json_agg(json_build_object(
        'name', part.relname,
        'of', CASE WHEN inhparent <> root THEN above.relname END,
        'bound', pg_get_expr(part.relpartbound, part.oid),
        'partitioned_by', CASE WHEN part.relkind = 'p' THEN pg_get_partkeydef(part.oid) END
    )) AS items
    FROM relations
    JOIN pg_class AS part ON part.oid = relations.oid
    JOIN pg_inherits ON inhrelid = part.oid
    JOIN pg_class AS above ON above.oid = inhparent
    CROSS JOIN LATERAL (SELECT pg_partition_root(part.oid)::oid AS root) AS root
    WHERE part.relispartition AND part.relkind IN ('r', 'p')
    GROUP BY root
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
            'comment', description,
            'storage', CASE WHEN unlogged OR options IS NOT NULL THEN json_build_object(
                'unlogged', nullif(unlogged, false), 'options', array_to_json(options)
            ) END,
            'inherits', parents.items,
            'partitioned_by', CASE WHEN relkind = 'p' THEN pg_get_partkeydef(tables.oid) END,
            'partitions', partitions.items
        ))
        FROM tables
        LEFT JOIN columns ON columns.relation = tables.oid
        LEFT JOIN primary_keys ON primary_keys.relation = tables.oid
        LEFT JOIN uniques ON uniques.relation = tables.oid
        LEFT JOIN checks ON checks.relation = tables.oid
        LEFT JOIN foreign_keys ON foreign_keys.relation = tables.oid
        LEFT JOIN indexes ON indexes.relation = tables.oid
        LEFT JOIN exclusions ON exclusions.relation = tables.oid
        LEFT JOIN parents ON parents.relation = tables.oid
        LEFT JOIN partitions ON partitions.relation = tables.oid
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
            'name', name, 'type', nullif(type, 'bigint'), 'start', start, 'increment', increment,
            'minimum', minimum, 'maximum', maximum, 'cycle', cycle, 'cache', cache,
            'owned_by', CASE
                WHEN relation IS NOT NULL THEN json_build_object('table', table_name, 'column', column_name)
            END
        ))
        FROM counting LEFT JOIN own_sequences USING (sequence)
        WHERE NOT coalesce(numbers, false)
    )
))::text AS catalog
