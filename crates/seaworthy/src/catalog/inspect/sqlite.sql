-- The main database as one JSON document: what the pragmas say, and the statements that say the rest. Virtual tables and
-- what they keep their contents in are left out. One statement, so one snapshot.
WITH relations AS MATERIALIZED (
    SELECT name, wr AS without_rowid, strict FROM pragma_table_list
    WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
)
SELECT json_object(
    'tables', (SELECT json_group_array(json_array(name, without_rowid, strict)) FROM relations),
    'columns', (
        SELECT json_group_array(json_array(
            relations.name, pragma.name, pragma.type, pragma."notnull", pragma.dflt_value, pragma.pk, pragma.hidden
        ))
        FROM relations JOIN pragma_table_xinfo(relations.name) AS pragma
        WHERE pragma.hidden <> 1
    ),
    'indexes', (
        SELECT json_group_array(json_array(
            relations.name, listed.name, listed."unique", parts.name, parts."desc", parts.coll
        ))
        FROM relations
        JOIN pragma_index_list(relations.name) AS listed ON listed.origin = 'c'
        JOIN pragma_index_xinfo(listed.name) AS parts ON parts.key
    ),
    'statements', (
        SELECT json_group_array(json_array(type, name, tbl_name, sql)) FROM main.sqlite_schema WHERE sql IS NOT NULL
    ),
    'virtual_tables', (SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'virtual')
) AS catalog
