-- The schema `public` as one JSON document, read from pg_catalog.
WITH relations AS (
    SELECT oid, relname, relkind
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relname !~ '^(seaql|seaworthy|alembic)_'
),
columns AS (
    SELECT
        relations.oid AS relation,
        jsonb_agg(jsonb_build_object(
            'name', attname,
            'type', format_type(atttypid, atttypmod),
            'nullable', NOT attnotnull,
            'auto', is_auto,
            'default', CASE WHEN is_auto THEN NULL ELSE regexp_replace(expression, '::[a-z ]+(\(\d+\))?$', '') END
        ) ORDER BY attnum) AS items
    FROM relations
    JOIN pg_attribute ON attrelid = relations.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    CROSS JOIN LATERAL (SELECT pg_get_expr(adbin, adrelid) AS expression) AS defaults
    CROSS JOIN LATERAL (
        SELECT attidentity <> '' OR coalesce(expression LIKE 'nextval(%', false) AS is_auto
    ) AS generators
    GROUP BY relations.oid
),
constraints AS (
    SELECT
        pg_constraint.*,
        (
            SELECT jsonb_agg(attname ORDER BY position)
            FROM unnest(conkey) WITH ORDINALITY AS keys(number, position)
            JOIN pg_attribute ON attrelid = conrelid AND attnum = number
        ) AS own_columns,
        (
            SELECT jsonb_agg(attname ORDER BY position)
            FROM unnest(confkey) WITH ORDINALITY AS keys(number, position)
            JOIN pg_attribute ON attrelid = confrelid AND attnum = number
        ) AS other_columns
    FROM pg_constraint
),
actions(code, action) AS (
    VALUES
        ('a'::"char", 'NO ACTION'), ('r', 'RESTRICT'), ('c', 'CASCADE'), ('n', 'SET NULL'), ('d', 'SET DEFAULT')
),
foreign_keys AS (
    SELECT
        conrelid AS relation,
        jsonb_agg(jsonb_build_object(
            'columns', own_columns,
            'ref_table', referenced.relname,
            'ref_columns', other_columns,
            'on_delete', deletion.action,
            'on_update', updating.action,
            'match', CASE confmatchtype WHEN 's' THEN 'SIMPLE' WHEN 'f' THEN 'FULL' ELSE 'PARTIAL' END,
            'deferrable', condeferrable,
            'initially_deferred', condeferred,
            'validated', convalidated
        ) ORDER BY own_columns::text) AS items
    FROM constraints
    JOIN pg_class AS referenced ON referenced.oid = confrelid
    JOIN actions AS deletion ON deletion.code = confdeltype
    JOIN actions AS updating ON updating.code = confupdtype
    WHERE contype = 'f'
    GROUP BY conrelid
),
indexes AS (
    SELECT
        indrelid AS relation,
        jsonb_agg(jsonb_build_object(
            'name', index_class.relname,
            'columns', (
                SELECT jsonb_agg(
                    pg_get_indexdef(indexrelid, number, true)
                    || CASE WHEN indoption[number - 1] & 1 = 1 THEN ' DESC' ELSE '' END
                    ORDER BY number
                )
                FROM generate_series(1, indnkeyatts) AS number
            ),
            'method', amname,
            'unique', indisunique,
            'valid', indisvalid,
            'where', pg_get_expr(indpred, indrelid)
        ) ORDER BY index_class.relname) AS items
    FROM pg_index
    JOIN pg_class AS index_class ON index_class.oid = indexrelid
    JOIN pg_am ON pg_am.oid = index_class.relam
    WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
    GROUP BY indrelid
),
tables AS (
    SELECT jsonb_object_agg(relname, jsonb_build_object(
        'columns', coalesce((SELECT items FROM columns WHERE relation = relations.oid), '[]'),
        'primary_key', (
            SELECT jsonb_build_object('columns', own_columns) FROM constraints
            WHERE conrelid = relations.oid AND contype = 'p'
        ),
        'uniques', coalesce((
            SELECT jsonb_agg(
                jsonb_build_object('columns', own_columns, 'deferrable', condeferrable) ORDER BY own_columns::text
            )
            FROM constraints WHERE conrelid = relations.oid AND contype = 'u'
        ), '[]'),
        'foreign_keys', coalesce((SELECT items FROM foreign_keys WHERE relation = relations.oid), '[]'),
        'checks', coalesce((
            SELECT jsonb_agg(pg_get_constraintdef(oid) ORDER BY conname)
            FROM pg_constraint WHERE conrelid = relations.oid AND contype = 'c'
        ), '[]'),
        'indexes', coalesce((SELECT items FROM indexes WHERE relation = relations.oid), '[]'),
        'triggers', coalesce((
            SELECT jsonb_agg(tgname ORDER BY tgname) FROM pg_trigger
            WHERE tgrelid = relations.oid AND NOT tgisinternal
        ), '[]')
    )) AS items
    FROM relations WHERE relkind IN ('r', 'p')
)
SELECT jsonb_build_object(
    'backend', 'postgresql',
    'level', 'portable',
    'tables', coalesce((SELECT items FROM tables), '{}'),
    'views', coalesce((
        SELECT jsonb_object_agg(relname, pg_get_viewdef(oid)) FROM relations WHERE relkind IN ('v', 'm')
    ), '{}'),
    'enums', coalesce((
        SELECT jsonb_object_agg(typname, (
            SELECT jsonb_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = pg_type.oid
        ))
        FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'
    ), '{}'),
    'functions', coalesce((
        SELECT jsonb_agg(proname ORDER BY proname) FROM pg_proc
        -- What an extension brings along belongs to the extension.
        WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT FROM pg_depend WHERE objid = pg_proc.oid AND classid = 'pg_proc'::regclass AND deptype = 'e'
        )
    ), '[]'),
    'free_sequences', coalesce((
        SELECT jsonb_agg(relname ORDER BY relname) FROM relations
        WHERE relkind = 'S' AND NOT EXISTS (
            SELECT FROM pg_depend
            WHERE objid = relations.oid AND classid = 'pg_class'::regclass AND deptype IN ('a', 'i')
        )
    ), '[]')
)::text
