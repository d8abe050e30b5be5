-- The whole file as one JSON document, read from sqlite_schema and the table-valued pragmas.
WITH objects AS (
    SELECT type, name, tbl_name, sql
    FROM sqlite_schema
    WHERE name NOT GLOB 'sqlite_*' AND name NOT GLOB 'seaql_*' AND name NOT GLOB 'seaworthy_*' AND name NOT GLOB 'alembic_*'
),
columns AS (
    SELECT
        objects.name AS relation,
        json_group_array(json_object(
            'name', pragma.name,
            'type', CASE
                WHEN lower(pragma.type) GLOB 'varchar(*)' THEN 'string' || substr(pragma.type, length('varchar') + 1)
                WHEN lower(pragma.type) = 'timestamp_text' THEN 'timestamp'
                ELSE lower(pragma.type)
            END,
            'nullable', json(iif(pragma."notnull", 'false', 'true')),
            'default', CASE
                -- Only the keyword and the number are booleans: the text 'false' stays what it is, quotes included.
                WHEN lower(pragma.type) = 'boolean' AND lower(pragma.dflt_value) IN ('false', '0') THEN 'false'
                WHEN lower(pragma.type) = 'boolean' AND lower(pragma.dflt_value) IN ('true', '1') THEN 'true'
                ELSE pragma.dflt_value
            END
        ) ORDER BY pragma.cid) AS items
    FROM objects JOIN pragma_table_xinfo(objects.name) AS pragma
    WHERE objects.type = 'table'
    GROUP BY objects.name
),
foreign_keys AS (
    SELECT
        relation,
        json_group_array(json_object(
            'columns', json(own_columns),
            'ref_table', other_table,
            'ref_columns', json(other_columns),
            'on_delete', on_delete,
            'on_update', on_update
        ) ORDER BY own_columns) AS items
    FROM (
        SELECT
            objects.name AS relation,
            json_group_array(pragma."from" ORDER BY pragma.seq) AS own_columns,
            pragma."table" AS other_table,
            json_group_array(pragma."to" ORDER BY pragma.seq) AS other_columns,
            pragma.on_delete,
            pragma.on_update
        FROM objects JOIN pragma_foreign_key_list(objects.name) AS pragma
        WHERE objects.type = 'table'
        GROUP BY objects.name, pragma.id
    )
    GROUP BY relation
),
indexes AS (
    SELECT
        objects.name AS relation,
        pragma.name,
        pragma.origin,
        pragma."unique" AS is_unique,
        -- No pragma shows an expression; the list in the statement does.
        (
            SELECT iif(
                count(name) = count(*),
                json_group_array(name ORDER BY seqno),
                (
                    SELECT json_array(substr(sql, instr(sql, '('))) FROM sqlite_schema
                    WHERE sqlite_schema.name = pragma.name
                )
            )
            FROM pragma_index_info(pragma.name)
        ) AS columns,
        iif(pragma.partial, (
            SELECT substr(sql, instr(upper(sql), ' WHERE ') + length(' WHERE '))
            FROM sqlite_schema WHERE sqlite_schema.name = pragma.name
        ), NULL) AS predicate
    FROM objects JOIN pragma_index_list(objects.name) AS pragma
    WHERE objects.type = 'table'
)
SELECT json_object(
    'backend', 'sqlite',
    'level', 'portable',
    'tables', (
        SELECT json_group_object(objects.name, json_object(
            'columns', (SELECT json(items) FROM columns WHERE relation = objects.name),
            'primary_key', (
                SELECT json_group_array(name ORDER BY pk) FROM pragma_table_info(objects.name) WHERE pk > 0
            ),
            'uniques', (
                SELECT json_group_array(json_object('columns', json(columns)) ORDER BY columns)
                FROM indexes WHERE relation = objects.name AND origin = 'u'
            ),
            'foreign_keys', json(coalesce((SELECT items FROM foreign_keys WHERE relation = objects.name), '[]')),
            -- No pragma shows a CHECK; the end of the statement that has one is evidence enough.
            'checks', json(iif(
                objects.sql LIKE '%check%(%',
                json_array(substr(objects.sql, instr(lower(objects.sql), 'check ('))),
                '[]'
            )),
            'indexes', (
                SELECT json_group_array(json_object(
                    'name', name,
                    'columns', json(columns),
                    'unique', json(iif(is_unique, 'true', 'false')),
                    'where', predicate
                ) ORDER BY name)
                FROM indexes WHERE relation = objects.name AND origin = 'c'
            ),
            'triggers', (
                SELECT json_group_array(triggers.name ORDER BY triggers.name) FROM sqlite_schema AS triggers
                WHERE triggers.type = 'trigger' AND triggers.tbl_name = objects.name
            )
        ))
        FROM objects WHERE objects.type = 'table'
    ),
    'views', (SELECT json_group_object(name, sql) FROM objects WHERE type = 'view')
)
