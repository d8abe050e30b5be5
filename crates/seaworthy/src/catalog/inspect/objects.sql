-- What a schema holds beside its tables, enum types and sequences, and what the database holds that no catalog speaks of, as one
-- JSON document. What extensions own is left out: it comes and goes with its extension.
--
-- An object has the statements that make it, as the server prints them, and what it needs (pg_depend). Owners and grants are listed by
-- themselves.
--
-- The same text for every version of the server: what came with one is looked up in the JSON of its row.
WITH namespace AS (
    SELECT oid FROM pg_namespace WHERE nspname = $1
),
members AS MATERIALIZED (
    SELECT classid, objid, refobjid AS extension FROM pg_depend
    WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass
),
relations AS MATERIALIZED (
    SELECT
        pg_class.oid, relname, quote_ident(relname) AS ident, relkind, relam, relowner, relacl, reloptions, reltype,
        relrowsecurity, relforcerowsecurity
    FROM pg_class
    LEFT JOIN members ON classid = 'pg_class'::regclass AND objid = pg_class.oid
    WHERE relnamespace = (SELECT oid FROM namespace) AND relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c') AND objid IS NULL
),
-- Types that somebody made, not those that come with a table, another type or an extension.
types AS MATERIALIZED (
    SELECT pg_type.*, quote_ident(typname) AS ident
    FROM pg_type
    LEFT JOIN members ON classid = 'pg_type'::regclass AND objid = pg_type.oid
    LEFT JOIN relations ON relations.oid = typrelid
    WHERE typnamespace = (SELECT oid FROM namespace) AND objid IS NULL
        AND (typtype IN ('d', 'e', 'r') OR typtype = 'c' AND relkind = 'c')
),
routines AS MATERIALIZED (
    SELECT
        pg_proc.oid, proname, prokind, proowner, proacl, pronargdefaults,
        CASE prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END AS kind,
        quote_ident(proname) || '(' || CASE
            WHEN prokind <> 'a' THEN oidvectortypes(proargtypes)
            WHEN pronargs = 0 THEN '*'
            ELSE pg_get_function_identity_arguments(pg_proc.oid)
        END || ')' AS identity
    FROM pg_proc
    LEFT JOIN members ON classid = 'pg_proc'::regclass AND objid = pg_proc.oid
    -- The constructors of a range belong to its type.
    LEFT JOIN pg_depend AS made
        ON made.classid = 'pg_proc'::regclass AND made.objid = pg_proc.oid AND made.deptype = 'i'
    WHERE pronamespace = (SELECT oid FROM namespace) AND members.objid IS NULL AND made.objid IS NULL
),
-- Everything that may need something, or be needed: what it is part of, by the kind and name that a catalog knows it by.
nodes AS MATERIALIZED (
    SELECT
        'pg_class'::regclass AS class, oid AS object,
        CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized_view' WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind,
        CASE WHEN relkind IN ('v', 'm') THEN ident ELSE relname::text END AS name,
        NULL::name AS relation
    FROM relations WHERE relkind <> 'c'
    UNION ALL
    SELECT
        'pg_class'::regclass, typrelid, 'type', ident, NULL
    FROM types WHERE typtype = 'c'
    UNION ALL
    SELECT
        'pg_type'::regclass, member, CASE typtype WHEN 'd' THEN 'domain' WHEN 'e' THEN 'enum' ELSE 'type' END,
        CASE typtype WHEN 'e' THEN typname::text ELSE ident END, NULL
    FROM types
    LEFT JOIN pg_range ON rngtypid = types.oid
    CROSS JOIN LATERAL unnest(ARRAY[types.oid, typarray, (to_jsonb(pg_range) ->> 'rngmultitypid')::oid]) AS member
    WHERE member > 0
    UNION ALL
    SELECT
        'pg_type'::regclass, member,
        CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized_view' ELSE 'table' END,
        CASE WHEN relkind IN ('v', 'm') THEN ident ELSE relname::text END, NULL
    FROM relations
    JOIN pg_type ON pg_type.oid = reltype
    CROSS JOIN LATERAL unnest(ARRAY[pg_type.oid, typarray]) AS member
    WHERE relkind IN ('r', 'p', 'f', 'v', 'm') AND member > 0
    UNION ALL
    SELECT 'pg_proc'::regclass, oid, kind, identity, NULL FROM routines
    UNION ALL
    SELECT 'pg_trigger'::regclass, pg_trigger.oid, 'trigger', quote_ident(tgname) || ' ON ' || ident, relname
    FROM pg_trigger JOIN relations ON relations.oid = tgrelid
    WHERE NOT tgisinternal AND tgparentid = 0
    UNION ALL
    SELECT 'pg_policy'::regclass, pg_policy.oid, 'policy', quote_ident(polname) || ' ON ' || ident, relname
    FROM pg_policy JOIN relations ON relations.oid = polrelid
    UNION ALL
    SELECT 'pg_rewrite'::regclass, pg_rewrite.oid, 'rule', quote_ident(rulename) || ' ON ' || ident, relname
    FROM pg_rewrite JOIN relations ON relations.oid = ev_class
    WHERE rulename <> '_RETURN'
    UNION ALL
    SELECT
        'pg_rewrite'::regclass, pg_rewrite.oid, CASE relkind WHEN 'm' THEN 'materialized_view' ELSE 'view' END, ident, NULL
    FROM pg_rewrite JOIN relations ON relations.oid = ev_class
    WHERE rulename = '_RETURN'
    UNION ALL
    SELECT 'pg_statistic_ext'::regclass, pg_statistic_ext.oid, 'statistics', quote_ident(stxname), relname
    FROM pg_statistic_ext JOIN relations ON relations.oid = stxrelid
    WHERE stxnamespace = (SELECT oid FROM namespace)
    UNION ALL
    SELECT 'pg_collation'::regclass, pg_collation.oid, 'collation', quote_ident(collname), NULL
    FROM pg_collation
    LEFT JOIN members ON classid = 'pg_collation'::regclass AND objid = pg_collation.oid
    WHERE collnamespace = (SELECT oid FROM namespace) AND objid IS NULL
    UNION ALL
    SELECT 'pg_extension'::regclass, oid, 'extension', quote_ident(extname), NULL
    FROM pg_extension WHERE extname <> 'plpgsql'
    UNION ALL
    SELECT members.classid, members.objid, 'extension', quote_ident(extname), NULL
    FROM members JOIN pg_extension ON pg_extension.oid = extension
    WHERE extname <> 'plpgsql'
),
-- What is a part of a table, a view or a domain needs for it, and is not to be found in a catalog by itself.
parts AS MATERIALIZED (
    SELECT class, object, kind, name FROM nodes
    UNION ALL
    SELECT 'pg_attrdef'::regclass, pg_attrdef.oid, kind, name
    FROM pg_attrdef JOIN nodes ON class = 'pg_class'::regclass AND object = adrelid
    UNION ALL
    SELECT 'pg_constraint'::regclass, pg_constraint.oid, kind, name
    FROM pg_constraint JOIN nodes
        ON class = CASE WHEN conrelid > 0 THEN 'pg_class'::regclass ELSE 'pg_type'::regclass END
        AND object = CASE WHEN conrelid > 0 THEN conrelid ELSE contypid END
    -- That of a constraint trigger is the trigger's own.
    WHERE contype <> 't'
    UNION ALL
    SELECT 'pg_class'::regclass, indexrelid, kind, name
    FROM pg_index JOIN nodes ON class = 'pg_class'::regclass AND object = indrelid
),
needs AS MATERIALIZED (
    SELECT DISTINCT dependents.kind, dependents.name, needed.kind AS needed_kind, needed.name AS needed_name, attname
    FROM pg_depend
    JOIN parts AS dependents ON dependents.class = classid AND dependents.object = objid
    JOIN parts AS needed ON needed.class = refclassid AND needed.object = refobjid
    LEFT JOIN pg_attribute
        ON refclassid = 'pg_class'::regclass AND attrelid = refobjid AND attnum = refobjsubid AND refobjsubid > 0
    WHERE (dependents.kind, dependents.name) <> (needed.kind, needed.name)
),
needed AS MATERIALIZED (
    SELECT kind, name, json_agg(json_build_object('kind', needed_kind, 'name', needed_name, 'column', attname)
        ORDER BY needed_kind, needed_name, attname) AS items
    FROM needs GROUP BY kind, name
),
users AS MATERIALIZED (
    SELECT needed_kind AS kind, needed_name AS name, json_agg(DISTINCT needs.name) AS items
    FROM needs WHERE kind = 'table' GROUP BY needed_kind, needed_name
),
-- Who owns something and who may do what with it: what `ALTER` and what `GRANT` call it. A sequence of a column has the owner of
-- its table.
owned(kind, name, relation, subject, target, owner, acl, is_for_all) AS MATERIALIZED (
    SELECT
        kind, nodes.name, CASE WHEN kind = 'table' THEN relname END, words || ' ' || ident,
        CASE relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || ident,
        CASE WHEN owns.objid IS NULL THEN relowner END, relacl, false
    FROM relations
    JOIN nodes ON class = 'pg_class'::regclass AND object = relations.oid
    CROSS JOIN LATERAL (
        SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS words
    ) AS called
    LEFT JOIN pg_depend AS owns
        ON relkind = 'S' AND owns.classid = 'pg_class'::regclass AND owns.objid = relations.oid
        AND owns.refclassid = 'pg_class'::regclass AND owns.deptype IN ('a', 'i')
    WHERE relkind IN ('r', 'p', 'v', 'm', 'S')
    UNION ALL
    SELECT kind, identity, NULL, upper(kind) || ' ' || identity, 'ROUTINE ' || identity, proowner, proacl, true FROM routines
    UNION ALL
    SELECT
        CASE typtype WHEN 'd' THEN 'domain' WHEN 'e' THEN 'enum' ELSE 'type' END,
        CASE typtype WHEN 'e' THEN typname::text ELSE ident END, NULL,
        CASE typtype WHEN 'd' THEN 'DOMAIN ' ELSE 'TYPE ' END || ident, 'TYPE ' || ident, typowner, typacl, true
    FROM types
    UNION ALL
    -- The schema itself, which is nothing that it holds.
    SELECT NULL, NULL, NULL, 'SCHEMA ' || quote_ident(nspname), 'SCHEMA ' || quote_ident(nspname), nspowner, nspacl, false
    FROM pg_namespace WHERE nspname = $1
),
granted(kind, name, relation, subject, place, statement) AS MATERIALIZED (
    -- What anybody may use unless somebody says otherwise.
    SELECT kind, name, relation, subject, 1, format('REVOKE ALL ON %s FROM PUBLIC', target)
    FROM owned
    WHERE is_for_all AND acl IS NOT NULL AND NOT EXISTS (SELECT FROM aclexplode(acl) WHERE grantee = 0)
    UNION ALL
    SELECT
        kind, name, relation, subject, 2,
        format('GRANT %s ON %s TO %s%s', privilege_type, target, grantees.who, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END)
    FROM owned CROSS JOIN LATERAL aclexplode(acl) AS privileges
    CROSS JOIN LATERAL (
        SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS who
    ) AS grantees
    WHERE grantee <> coalesce(owner, grantor) AND NOT (is_for_all AND grantee = 0)
    UNION ALL
    SELECT
        kind, name, owned.relation, subject, 3,
        format('GRANT %s (%I) ON %s TO %s%s', privilege_type, attname, target, grantees.who,
            CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END)
    FROM owned
    JOIN nodes USING (kind, name)
    JOIN pg_attribute ON class = 'pg_class'::regclass AND attrelid = object
    CROSS JOIN LATERAL aclexplode(attacl) AS privileges
    CROSS JOIN LATERAL (
        SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS who
    ) AS grantees
    WHERE kind IN ('table', 'view', 'materialized_view') AND grantee <> owner
),
roles AS MATERIALIZED (
    SELECT json_build_object(
        'kind', 'owner', 'name', subject, 'on', relation,
        'sql', json_build_array(format('ALTER %s OWNER TO %I', subject, pg_get_userbyid(owner))),
        'needs', CASE WHEN kind IS NOT NULL THEN json_build_array(json_build_object('kind', kind, 'name', name)) END
    ) AS item
    FROM owned WHERE owner IS NOT NULL
    UNION ALL
    SELECT json_build_object(
        'kind', 'grants', 'name', subject, 'on', relation, 'sql', json_agg(statement ORDER BY place, statement),
        'needs', CASE WHEN kind IS NOT NULL THEN json_build_array(json_build_object('kind', kind, 'name', name)) END
    )
    FROM granted GROUP BY kind, name, relation, subject
),
-- Columns of views and attributes of composite types, with their types.
columns AS MATERIALIZED (
    SELECT
        attrelid AS relation,
        array_agg(
            format('%I %s', attname, format_type(atttypid, atttypmod))
                || CASE WHEN attcollation <> typcollation THEN ' COLLATE ' || attcollation::regcollation::text ELSE '' END
            ORDER BY attnum
        ) AS items
    FROM pg_attribute
    JOIN relations ON relations.oid = attrelid AND relkind IN ('v', 'c')
    JOIN pg_type ON pg_type.oid = atttypid
    WHERE attnum > 0 AND NOT attisdropped
    GROUP BY attrelid
),
defaults AS MATERIALIZED (
    SELECT
        adrelid AS relation,
        array_agg(
            format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', ident, attname, pg_get_expr(adbin, adrelid)) ORDER BY adnum
        ) AS statements
    FROM pg_attrdef
    JOIN relations ON relations.oid = adrelid AND relkind = 'v'
    JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
    GROUP BY adrelid
),
indexes AS MATERIALIZED (
    SELECT
        indrelid AS relation,
        array_agg(pg_get_indexdef(indexrelid, 0, true) ORDER BY indexrelid::regclass::text)
            || array_agg(format('ALTER MATERIALIZED VIEW %s CLUSTER ON %s', ident, indexrelid::regclass))
                FILTER (WHERE indisclustered) AS statements
    FROM pg_index JOIN relations ON relations.oid = indrelid AND relkind = 'm'
    GROUP BY indrelid
),
conditions AS MATERIALIZED (
    SELECT
        contypid AS domain,
        array_agg(
            format('ALTER DOMAIN %s ADD CONSTRAINT %I %s', ident, conname, pg_get_constraintdef(pg_constraint.oid))
            ORDER BY conname
        ) AS statements
    FROM pg_constraint JOIN types ON types.oid = contypid
    WHERE contype = 'c'
    GROUP BY contypid
),
made(kind, name, relation, statements, shape) AS MATERIALIZED (
    SELECT
        'extension', quote_ident(extname), NULL::name,
        CASE WHEN extnamespace = (SELECT oid FROM namespace)
            THEN ARRAY['CREATE EXTENSION IF NOT EXISTS ' || quote_ident(extname)]
            ELSE ARRAY[
                CASE WHEN nspname NOT LIKE 'pg\_%' THEN format('CREATE SCHEMA IF NOT EXISTS %I', nspname) END,
                format('CREATE EXTENSION IF NOT EXISTS %I WITH SCHEMA %I', extname, nspname)
            ]
        END,
        NULL::text[]
    FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
    WHERE extname <> 'plpgsql'
    UNION ALL
    SELECT
        'collation', name, NULL,
        ARRAY[format(
            'CREATE COLLATION %s (PROVIDER = %s%s%s%s%s)', name,
            CASE collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' WHEN 'd' THEN 'default' ELSE 'libc' END,
            -- The locale of ICU has moved with PostgreSQL 15 and got another name with 17.
            ', LOCALE = ' || quote_literal(coalesce(
                to_jsonb(pg_collation) ->> 'colllocale', to_jsonb(pg_collation) ->> 'colliculocale',
                CASE WHEN collcollate = collctype THEN collcollate END
            )),
            CASE WHEN collcollate <> collctype
                THEN format(', LC_COLLATE = %L, LC_CTYPE = %L', collcollate, collctype) END,
            CASE WHEN NOT collisdeterministic THEN ', DETERMINISTIC = false' END,
            -- Came with PostgreSQL 16.
            ', RULES = ' || quote_literal(to_jsonb(pg_collation) ->> 'collicurules')
        )],
        NULL
    FROM pg_collation JOIN nodes ON class = 'pg_collation'::regclass AND object = pg_collation.oid AND kind = 'collation'
    UNION ALL
    SELECT
        'domain', ident, NULL,
        ARRAY[
            format('CREATE DOMAIN %s AS %s', ident, format_type(typbasetype, typtypmod))
                || CASE WHEN types.typcollation <> base.typcollation THEN ' COLLATE ' || quote_ident(collname) ELSE '' END,
            format('ALTER DOMAIN %s SET DEFAULT ', ident) || coalesce(pg_get_expr(types.typdefaultbin, 0), types.typdefault),
            CASE WHEN types.typnotnull THEN format('ALTER DOMAIN %s SET NOT NULL', ident) END
        ] || conditions.statements,
        NULL
    FROM types
    LEFT JOIN conditions ON domain = types.oid
    JOIN (SELECT oid AS base_oid, typcollation FROM pg_type) AS base ON base_oid = typbasetype
    LEFT JOIN pg_collation ON pg_collation.oid = types.typcollation
    WHERE typtype = 'd'
    UNION ALL
    SELECT 'type', ident, NULL, ARRAY[format('CREATE TYPE %s AS (%s)', ident, array_to_string(items, ', '))], items
    FROM types LEFT JOIN columns ON columns.relation = typrelid
    WHERE typtype = 'c'
    UNION ALL
    SELECT
        'type', ident, NULL,
        ARRAY[format(
            'CREATE TYPE %s AS RANGE (SUBTYPE = %s%s%s%s%s%s)', ident, format_type(rngsubtype, NULL),
            CASE WHEN NOT opcdefault THEN ', SUBTYPE_OPCLASS = ' || quote_ident(opcname) END,
            CASE WHEN rngcollation <> whole.typcollation THEN ', COLLATION = ' || quote_ident(collname) END,
            CASE WHEN rngcanonical <> 0 THEN ', CANONICAL = ' || rngcanonical::text END,
            CASE WHEN rngsubdiff <> 0 THEN ', SUBTYPE_DIFF = ' || rngsubdiff::text END,
            -- Came with PostgreSQL 14.
            ', MULTIRANGE_TYPE_NAME = '
                || format_type(nullif((to_jsonb(pg_range) ->> 'rngmultitypid')::oid, 0), NULL)
        )],
        NULL
    FROM types
    JOIN pg_range ON rngtypid = types.oid
    JOIN (SELECT oid AS whole_oid, typcollation FROM pg_type) AS whole ON whole_oid = rngsubtype
    JOIN pg_opclass ON pg_opclass.oid = rngsubopc
    LEFT JOIN pg_collation ON pg_collation.oid = rngcollation
    UNION ALL
    SELECT
        kind, identity, NULL,
        ARRAY[
            'CREATE OR REPLACE ' || upper(kind) || ' ' || substr(
                btrim(pg_get_functiondef(oid), E' \n'),
                length('CREATE OR REPLACE ' || kind || ' ' || quote_ident($1) || '.') + 1
            )
        ],
        ARRAY[coalesce(pg_get_function_result(oid), kind), pg_get_function_identity_arguments(oid)]
            || array_fill('DEFAULT'::text, ARRAY[pronargdefaults])
    FROM routines WHERE kind <> 'aggregate'
    UNION ALL
    SELECT
        kind, identity, NULL,
        ARRAY[format(
            'CREATE AGGREGATE %s(%s) (%s)', quote_ident(proname),
            CASE WHEN identity LIKE '%(*)' THEN '*' ELSE pg_get_function_identity_arguments(routines.oid) END,
            concat_ws(
                ', ', 'SFUNC = ' || aggtransfn::text, 'STYPE = ' || format_type(aggtranstype, NULL),
                'SSPACE = ' || nullif(aggtransspace, 0),
                CASE WHEN aggfinalfn <> 0 THEN 'FINALFUNC = ' || aggfinalfn::text END,
                CASE WHEN aggfinalextra THEN 'FINALFUNC_EXTRA' END,
                'FINALFUNC_MODIFY = ' || CASE aggfinalmodify WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END,
                CASE WHEN aggcombinefn <> 0 THEN 'COMBINEFUNC = ' || aggcombinefn::text END,
                CASE WHEN aggserialfn <> 0 THEN 'SERIALFUNC = ' || aggserialfn::text END,
                CASE WHEN aggdeserialfn <> 0 THEN 'DESERIALFUNC = ' || aggdeserialfn::text END,
                'INITCOND = ' || quote_literal(agginitval),
                CASE WHEN aggmtransfn <> 0 THEN 'MSFUNC = ' || aggmtransfn::text END,
                CASE WHEN aggminvtransfn <> 0 THEN 'MINVFUNC = ' || aggminvtransfn::text END,
                CASE WHEN aggmtranstype <> 0 THEN 'MSTYPE = ' || format_type(aggmtranstype, NULL) END,
                'MSSPACE = ' || nullif(aggmtransspace, 0),
                CASE WHEN aggmfinalfn <> 0 THEN 'MFINALFUNC = ' || aggmfinalfn::text END,
                CASE WHEN aggmfinalextra THEN 'MFINALFUNC_EXTRA' END,
                'MINITCOND = ' || quote_literal(aggminitval),
                CASE WHEN aggsortop <> 0 THEN 'SORTOP = ' || aggsortop::regoperator::text END,
                'PARALLEL = ' || CASE proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' END,
                CASE WHEN aggkind = 'h' THEN 'HYPOTHETICAL' END
            )
        )],
        NULL
    FROM routines JOIN pg_aggregate ON aggfnoid = routines.oid
    JOIN (SELECT oid AS proc, proparallel FROM pg_proc) AS parallel ON proc = routines.oid
    UNION ALL
    SELECT
        'view', ident, NULL,
        ARRAY['CREATE OR REPLACE VIEW ' || ident || coalesce(' WITH (' || array_to_string(reloptions, ', ') || ')', '')
            || ' AS' || E'\n' || btrim(pg_get_viewdef(oid), E'\n;')]
        || defaults.statements,
        columns.items
    FROM relations
    LEFT JOIN columns ON columns.relation = relations.oid
    LEFT JOIN defaults ON defaults.relation = relations.oid
    WHERE relkind = 'v'
    UNION ALL
    SELECT
        'materialized_view', ident, NULL,
        ARRAY['CREATE MATERIALIZED VIEW ' || ident
            || CASE WHEN amname <> 'heap' THEN ' USING ' || quote_ident(amname) ELSE '' END
            || coalesce(' WITH (' || array_to_string(reloptions, ', ') || ')', '')
            || ' AS' || E'\n' || btrim(pg_get_viewdef(relations.oid), E'\n;')]
        || indexes.statements,
        NULL
    FROM relations
    LEFT JOIN pg_am ON pg_am.oid = relam
    LEFT JOIN indexes ON indexes.relation = relations.oid
    WHERE relkind = 'm'
    UNION ALL
    SELECT
        'row_security', relname::text, relname,
        ARRAY[
            CASE WHEN relrowsecurity THEN format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', ident) END,
            CASE WHEN relforcerowsecurity THEN format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', ident) END
        ],
        NULL
    FROM relations WHERE relrowsecurity OR relforcerowsecurity
    UNION ALL
    SELECT
        'policy', name, relname,
        ARRAY[concat_ws(
            ' ', 'CREATE POLICY', name, CASE WHEN NOT polpermissive THEN 'AS RESTRICTIVE' END,
            'FOR', CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
            'TO', (
                SELECT string_agg(CASE role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(role)) END, ', ' ORDER BY role)
                FROM unnest(polroles) AS role
            ),
            'USING (' || pg_get_expr(polqual, polrelid) || ')',
            'WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')'
        )],
        NULL
    FROM pg_policy
    JOIN nodes ON class = 'pg_policy'::regclass AND object = pg_policy.oid
    JOIN relations ON relations.oid = polrelid
    UNION ALL
    SELECT
        'trigger', name, relname,
        ARRAY[
            pg_get_triggerdef(pg_trigger.oid, true),
            CASE tgenabled
                WHEN 'D' THEN format('ALTER TABLE %s DISABLE TRIGGER %I', ident, tgname)
                WHEN 'R' THEN format('ALTER TABLE %s ENABLE REPLICA TRIGGER %I', ident, tgname)
                WHEN 'A' THEN format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', ident, tgname)
            END
        ],
        NULL
    FROM pg_trigger
    JOIN nodes ON class = 'pg_trigger'::regclass AND object = pg_trigger.oid
    JOIN relations ON relations.oid = tgrelid
    UNION ALL
    SELECT
        'rule', name, relname,
        ARRAY[
            'CREATE OR REPLACE ' || substr(btrim(pg_get_ruledef(pg_rewrite.oid, true), E' \n;'), length('CREATE ') + 1),
            CASE ev_enabled
                WHEN 'D' THEN format('ALTER TABLE %s DISABLE RULE %I', ident, rulename)
                WHEN 'R' THEN format('ALTER TABLE %s ENABLE REPLICA RULE %I', ident, rulename)
                WHEN 'A' THEN format('ALTER TABLE %s ENABLE ALWAYS RULE %I', ident, rulename)
            END
        ],
        NULL
    FROM pg_rewrite
    JOIN nodes ON class = 'pg_rewrite'::regclass AND object = pg_rewrite.oid AND kind = 'rule'
    JOIN relations ON relations.oid = ev_class
    UNION ALL
    SELECT
        'statistics', name, relation,
        ARRAY['CREATE STATISTICS ' || substr(
            pg_get_statisticsobjdef(pg_statistic_ext.oid), length('CREATE STATISTICS ' || quote_ident($1) || '.') + 1
        ), CASE WHEN stxstattarget > -1 THEN format('ALTER STATISTICS %s SET STATISTICS %s', name, stxstattarget) END],
        NULL
    FROM pg_statistic_ext
    JOIN nodes ON class = 'pg_statistic_ext'::regclass AND object = pg_statistic_ext.oid AND kind = 'statistics'
    UNION ALL
    SELECT
        'clustering', format('%I ON %s', own.relname, ident), relations.relname,
        ARRAY[format('ALTER TABLE %s CLUSTER ON %I', ident, own.relname)],
        NULL
    FROM pg_index
    JOIN relations ON relations.oid = indrelid
    JOIN pg_class AS own ON own.oid = indexrelid
    JOIN pg_class AS whole ON whole.oid = indrelid
    WHERE indisclustered AND relations.relkind = 'r' AND NOT whole.relispartition
    UNION ALL
    -- What a partition demands and its table does not.
    SELECT
        'partition_not_null', format('%s.%I', ident, own.attname), relations.relname,
        ARRAY[format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', ident, own.attname)],
        NULL
    FROM relations
    JOIN pg_class AS part ON part.oid = relations.oid AND part.relispartition
    JOIN pg_inherits ON inhrelid = part.oid
    JOIN pg_attribute AS own ON own.attrelid = part.oid AND own.attnum > 0 AND own.attnotnull
    JOIN pg_attribute AS above ON above.attrelid = inhparent AND above.attname = own.attname AND NOT above.attnotnull
    WHERE relations.relkind IN ('r', 'p')
        AND NOT EXISTS (
            SELECT FROM pg_constraint WHERE conrelid = part.oid AND contype = 'p' AND own.attnum = ANY (conkey)
        )
),
-- What somebody says about anything but tables and their columns, with what it is said about.
remarks(subject, relation, needed_kind, needed_name, description) AS MATERIALIZED (
    SELECT
        CASE kind WHEN 'enum' THEN 'TYPE' ELSE upper(replace(kind, '_', ' ')) END || ' '
            || CASE WHEN kind IN ('enum', 'sequence') THEN quote_ident(name) ELSE name END,
        relation, kind, name, description
    FROM nodes JOIN pg_description ON classoid = class AND objoid = object AND objsubid = 0
    LEFT JOIN members ON members.classid = class AND members.objid = object
    LEFT JOIN types ON class = 'pg_class'::regclass AND typrelid = object
    WHERE kind NOT IN ('table', 'extension') AND members.objid IS NULL AND types.oid IS NULL
    UNION ALL
    SELECT format('COLUMN %s.%I', nodes.name, attname), NULL, kind, nodes.name, description
    FROM nodes
    JOIN pg_description ON classoid = 'pg_class'::regclass AND objoid = object AND objsubid > 0
    JOIN pg_attribute ON attrelid = object AND attnum = objsubid
    WHERE class = 'pg_class'::regclass AND kind IN ('view', 'materialized_view', 'type')
    UNION ALL
    SELECT 'INDEX ' || indexrelid::regclass::text, relname, parts.kind, parts.name, description
    FROM pg_index
    JOIN pg_description ON classoid = 'pg_class'::regclass AND objoid = indexrelid AND objsubid = 0
    JOIN relations ON relations.oid = indrelid
    JOIN parts ON class = 'pg_class'::regclass AND object = indexrelid
    UNION ALL
    SELECT
        format('CONSTRAINT %I ON %s%s', conname, CASE WHEN contypid > 0 THEN 'DOMAIN ' END, quote_ident(coalesce(relname, typname))),
        relname, parts.kind, parts.name, description
    FROM pg_constraint
    JOIN pg_description ON classoid = 'pg_constraint'::regclass AND objoid = pg_constraint.oid
    JOIN parts ON class = 'pg_constraint'::regclass AND object = pg_constraint.oid
    LEFT JOIN relations ON relations.oid = conrelid
    LEFT JOIN types ON types.oid = contypid
),
objects AS MATERIALIZED (
    SELECT json_build_object(
        'kind', kind, 'name', name, 'on', relation, 'sql', array_remove(statements, NULL),
        'needs', needed.items, 'used_by', users.items, 'shape', nullif(shape, '{}')
    ) AS item
    FROM made
    LEFT JOIN needed USING (kind, name)
    LEFT JOIN users USING (kind, name)
    UNION ALL
    SELECT json_build_object(
        'kind', 'comment', 'name', subject, 'on', relation,
        'sql', json_build_array(format('COMMENT ON %s IS %s', subject, quote_literal(description))),
        'needs', json_build_array(json_build_object('kind', needed_kind, 'name', needed_name))
    )
    FROM remarks
),
strangers(kind, number) AS MATERIALIZED (
    SELECT 'schema', count(*) FROM pg_namespace
    LEFT JOIN members ON classid = 'pg_namespace'::regclass AND objid = pg_namespace.oid
    WHERE nspname NOT LIKE 'pg\_%' AND nspname NOT IN ('information_schema', $1) AND objid IS NULL
    UNION ALL SELECT 'publication', count(*) FROM pg_publication
    UNION ALL SELECT 'subscription', count(subname) FROM pg_subscription
        JOIN pg_database ON pg_database.oid = subdbid WHERE datname = current_database()
    UNION ALL SELECT 'event trigger', count(*) FROM pg_event_trigger
        LEFT JOIN members ON classid = 'pg_event_trigger'::regclass AND objid = pg_event_trigger.oid WHERE objid IS NULL
    UNION ALL SELECT 'foreign-data wrapper', count(*) FROM pg_foreign_data_wrapper
        LEFT JOIN members ON classid = 'pg_foreign_data_wrapper'::regclass AND objid = pg_foreign_data_wrapper.oid WHERE objid IS NULL
    UNION ALL SELECT 'foreign server', count(*) FROM pg_foreign_server
    UNION ALL SELECT 'foreign table', count(*) FROM relations WHERE relkind = 'f'
    UNION ALL SELECT 'user mapping', count(*) FROM pg_user_mappings
    -- From 16384 on numbers are given to what somebody made (manual, "System Catalog Initial Data"); the casts of a range come with it.
    UNION ALL SELECT 'cast', count(*) FROM pg_cast
        LEFT JOIN pg_depend ON classid = 'pg_cast'::regclass AND objid = pg_cast.oid AND deptype IN ('e', 'i')
        WHERE objid IS NULL AND pg_cast.oid >= 16384
    UNION ALL SELECT 'operator', count(*) FROM pg_operator
        LEFT JOIN members ON classid = 'pg_operator'::regclass AND objid = pg_operator.oid
        WHERE objid IS NULL AND oprnamespace = (SELECT oid FROM namespace)
    UNION ALL SELECT 'operator class', count(*) FROM pg_opclass
        LEFT JOIN members ON classid = 'pg_opclass'::regclass AND objid = pg_opclass.oid
        WHERE objid IS NULL AND opcnamespace = (SELECT oid FROM namespace)
    -- One of the name of an operator class came with it.
    UNION ALL SELECT 'operator family', count(*) FROM pg_opfamily
        LEFT JOIN members ON classid = 'pg_opfamily'::regclass AND objid = pg_opfamily.oid
        LEFT JOIN pg_opclass ON opcfamily = pg_opfamily.oid AND opcname = opfname
        WHERE objid IS NULL AND pg_opclass.oid IS NULL AND opfnamespace = (SELECT oid FROM namespace)
    UNION ALL SELECT 'text search configuration', count(*) FROM pg_ts_config
        LEFT JOIN members ON classid = 'pg_ts_config'::regclass AND objid = pg_ts_config.oid
        WHERE objid IS NULL AND cfgnamespace = (SELECT oid FROM namespace)
    UNION ALL SELECT 'text search dictionary', count(*) FROM pg_ts_dict
        LEFT JOIN members ON classid = 'pg_ts_dict'::regclass AND objid = pg_ts_dict.oid
        WHERE objid IS NULL AND dictnamespace = (SELECT oid FROM namespace)
    UNION ALL SELECT 'text search parser', count(*) FROM pg_ts_parser
        LEFT JOIN members ON classid = 'pg_ts_parser'::regclass AND objid = pg_ts_parser.oid
        WHERE objid IS NULL AND prsnamespace = (SELECT oid FROM namespace)
    UNION ALL SELECT 'text search template', count(*) FROM pg_ts_template
        LEFT JOIN members ON classid = 'pg_ts_template'::regclass AND objid = pg_ts_template.oid
        WHERE objid IS NULL AND tmplnamespace = (SELECT oid FROM namespace)
    UNION ALL SELECT 'transform', count(*) FROM pg_transform
        LEFT JOIN members ON classid = 'pg_transform'::regclass AND objid = pg_transform.oid WHERE objid IS NULL
    UNION ALL SELECT 'conversion', count(*) FROM pg_conversion WHERE connamespace = (SELECT oid FROM namespace)
    UNION ALL SELECT 'language', count(*) FROM pg_language
        LEFT JOIN members ON classid = 'pg_language'::regclass AND objid = pg_language.oid
        WHERE objid IS NULL AND lanispl AND lanname <> 'plpgsql'
    UNION ALL SELECT 'access method', count(*) FROM pg_am
        LEFT JOIN members ON classid = 'pg_am'::regclass AND objid = pg_am.oid WHERE objid IS NULL AND pg_am.oid >= 16384
    UNION ALL SELECT 'base type', count(*) FROM pg_type
        LEFT JOIN members ON classid = 'pg_type'::regclass AND objid = pg_type.oid
        WHERE objid IS NULL AND typnamespace = (SELECT oid FROM namespace) AND typtype = 'b' AND typcategory <> 'A'
    UNION ALL SELECT 'default privilege', count(*) FROM pg_default_acl
    -- Of the whole database, or of a role in it.
    UNION ALL SELECT 'setting of the database', count(*) FROM pg_db_role_setting
        JOIN pg_database ON pg_database.oid = setdatabase
        CROSS JOIN LATERAL unnest(setconfig)
        WHERE datname = current_database()
    UNION ALL SELECT 'security label', count(*) FROM pg_seclabel
    UNION ALL SELECT 'dependence of an object on an extension', count(*) FROM pg_depend WHERE deptype = 'x'
    UNION ALL SELECT 'comment of a schema', count(*) FROM pg_description
        JOIN pg_namespace ON classoid = 'pg_namespace'::regclass AND objoid = pg_namespace.oid
        WHERE nspname = $1 AND description <> 'standard public schema'
    -- An extension brings one of its own.
    UNION ALL SELECT 'comment of an extension', count(*) FROM pg_description
        JOIN pg_extension ON classoid = 'pg_extension'::regclass AND objoid = pg_extension.oid
        LEFT JOIN pg_available_extensions AS brought ON brought.name = extname
        WHERE description IS DISTINCT FROM brought.comment
    UNION ALL SELECT 'comment of something else', count(*) FROM pg_description
        LEFT JOIN members ON classid = classoid AND objid = objoid
        WHERE classoid IN (
            'pg_publication'::regclass, 'pg_subscription'::regclass, 'pg_event_trigger'::regclass,
            'pg_foreign_data_wrapper'::regclass, 'pg_foreign_server'::regclass, 'pg_cast'::regclass, 'pg_operator'::regclass,
            'pg_opclass'::regclass, 'pg_opfamily'::regclass, 'pg_ts_config'::regclass, 'pg_ts_dict'::regclass,
            'pg_ts_parser'::regclass, 'pg_ts_template'::regclass, 'pg_transform'::regclass, 'pg_conversion'::regclass,
            'pg_language'::regclass, 'pg_am'::regclass
        ) AND objid IS NULL AND objoid >= 16384
    UNION ALL SELECT 'tablespace of a table or index', count(*) FROM pg_class
        WHERE relnamespace = (SELECT oid FROM namespace) AND reltablespace <> 0
    UNION ALL SELECT 'table of a type', count(*) FROM relations
        JOIN pg_class AS typed ON typed.oid = relations.oid AND typed.reloftype <> 0
    UNION ALL SELECT 'access method of a table', count(*) FROM relations
        JOIN pg_am ON pg_am.oid = relam
        WHERE relkind IN ('r', 'p') AND amname <> 'heap'
    UNION ALL SELECT 'storage option of a key', count(*) FROM pg_constraint
        JOIN relations ON relations.oid = conrelid
        JOIN pg_class AS own ON own.oid = conindid
        WHERE contype IN ('p', 'u') AND own.reloptions IS NOT NULL
    UNION ALL SELECT 'parameter of an operator class', count(*) FROM pg_index
        JOIN relations ON relations.oid = indrelid
        JOIN pg_attribute ON attrelid = indexrelid AND attoptions IS NOT NULL
        -- Some servers keep notes of their own there.
        WHERE EXISTS (SELECT FROM unnest(attoptions) AS option WHERE option NOT LIKE 'pg\_attver=%')
    UNION ALL SELECT 'column option of a materialized view', count(*) FROM pg_attribute
        JOIN relations ON relations.oid = attrelid AND relkind = 'm'
        JOIN pg_type ON pg_type.oid = atttypid
        WHERE attnum > 0 AND (
            attoptions IS NOT NULL AND EXISTS (SELECT FROM unnest(attoptions) AS option WHERE option LIKE 'n\_distinct%')
            OR attstorage <> typstorage OR coalesce(attstattarget, -1) <> -1
            OR coalesce(to_jsonb(pg_attribute) ->> 'attcompression', '') <> ''
        )
    UNION ALL SELECT 'replica identity', count(*)
        FROM pg_class JOIN relations ON relations.oid = pg_class.oid
        WHERE pg_class.relkind IN ('r', 'p') AND relreplident <> 'd'
    UNION ALL SELECT 'comment of a partition', count(*)
        FROM pg_description
        JOIN relations ON classoid = 'pg_class'::regclass AND objoid = relations.oid
        JOIN pg_class AS part ON part.oid = relations.oid AND part.relispartition
    UNION ALL SELECT 'statistics target of an index', count(*)
        FROM pg_index
        JOIN relations ON relations.oid = indrelid
        JOIN pg_attribute ON attrelid = indexrelid AND coalesce(attstattarget, -1) <> -1
    UNION ALL SELECT 'persistence of a sequence', count(*)
        FROM relations
        JOIN pg_class AS counted ON counted.oid = relations.oid
        JOIN pg_depend ON classid = 'pg_class'::regclass AND pg_depend.objid = relations.oid AND deptype IN ('a', 'i')
            AND refclassid = 'pg_class'::regclass
        JOIN pg_class AS owner ON owner.oid = refobjid
        -- From PostgreSQL 15 on a sequence may be unlogged, and usually is what its table is.
        WHERE relations.relkind = 'S' AND counted.relpersistence <> owner.relpersistence
            AND current_setting('server_version_num')::integer >= 150000
    UNION ALL SELECT 'partition in another schema', count(*) FROM pg_inherits
        JOIN pg_class AS part ON part.oid = inhrelid AND part.relispartition AND part.relkind IN ('r', 'p')
        JOIN pg_class AS whole ON whole.oid = inhparent
        WHERE part.relnamespace <> whole.relnamespace
            AND (SELECT oid FROM namespace) IN (part.relnamespace, whole.relnamespace)
    -- What a partition has and its table does not.
    UNION ALL SELECT 'index of a partition alone', count(*) FROM pg_index
        JOIN pg_class AS part ON part.oid = indrelid AND part.relispartition
        JOIN relations ON relations.oid = indrelid
        LEFT JOIN pg_inherits ON inhrelid = indexrelid
        LEFT JOIN pg_constraint ON conindid = indexrelid AND contype IN ('p', 'u', 'x')
        WHERE inhrelid IS NULL AND pg_constraint.oid IS NULL
    -- Some of the partitions have none that is attached to it.
    UNION ALL SELECT 'incomplete index', count(*) FROM pg_index
        JOIN relations ON relations.oid = indrelid AND relations.relkind = 'p'
        WHERE NOT indisvalid
    -- The server calls them after the partition, its columns and what they are for (its `ChooseIndexName`), and cuts long names.
    UNION ALL SELECT 'name of an index of a partition', count(*) FROM pg_index
        JOIN relations ON relations.oid = indrelid
        JOIN pg_class AS part ON part.oid = indrelid AND part.relispartition
        JOIN pg_class AS own ON own.oid = indexrelid
        JOIN pg_inherits ON inhrelid = indexrelid
        JOIN LATERAL (
            SELECT part.relname || '_' || string_agg(attname, '_' ORDER BY attnum) AS usual
            FROM pg_attribute WHERE attrelid = indexrelid
        ) AS named ON octet_length(usual) <= 55
        WHERE regexp_replace(own.relname, '\d*$', '') NOT IN (
            part.relname || '_pkey', usual || '_idx', usual || '_key', usual || '_excl'
        )
    UNION ALL SELECT 'constraint of a partition alone', count(*) FROM pg_constraint
        JOIN pg_class AS part ON part.oid = conrelid AND part.relispartition
        JOIN relations ON relations.oid = conrelid
        WHERE conparentid = 0 AND coninhcount = 0 AND contype NOT IN ('n', 't')
    UNION ALL SELECT 'default of a partition alone', count(*) FROM pg_attrdef
        JOIN pg_class AS part ON part.oid = adrelid AND part.relispartition
        JOIN relations ON relations.oid = adrelid
        JOIN pg_attribute AS own ON own.attrelid = adrelid AND own.attnum = adnum
        JOIN pg_inherits ON inhrelid = adrelid
        JOIN pg_attribute AS above ON above.attrelid = inhparent AND above.attname = own.attname
        LEFT JOIN (SELECT adrelid AS parent, adnum AS place, adbin AS value FROM pg_attrdef) AS given
            ON parent = inhparent AND place = above.attnum
        WHERE pg_get_expr(adbin, adrelid) IS DISTINCT FROM pg_get_expr(value, parent)
    UNION ALL SELECT 'storage option of a partition alone', count(*) FROM relations
        JOIN pg_class AS part ON part.oid = relations.oid AND part.relispartition
        WHERE relations.reloptions IS NOT NULL
    UNION ALL SELECT 'unlogged partition', count(*) FROM relations
        JOIN pg_class AS part ON part.oid = relations.oid AND part.relispartition
        WHERE part.relpersistence = 'u'
    UNION ALL SELECT 'clustering of a partition', count(*) FROM pg_index
        JOIN pg_class AS part ON part.oid = indrelid AND part.relispartition
        JOIN relations ON relations.oid = indrelid
        WHERE indisclustered
    UNION ALL SELECT 'column storage of a partition alone', count(*)
        -- The column came with PostgreSQL 14.
        FROM (SELECT ''::"char" AS attcompression) AS before
        CROSS JOIN relations
        JOIN pg_class AS part ON part.oid = relations.oid AND part.relispartition
        JOIN pg_inherits ON inhrelid = part.oid
        CROSS JOIN LATERAL (
            SELECT attname, attstorage, attcompression AS compression, coalesce(attstattarget, -1) AS target, attoptions
            FROM pg_attribute WHERE attrelid = part.oid AND attnum > 0
        ) AS own
        JOIN LATERAL (
            SELECT attrelid, attname, attstorage, attcompression AS compression, coalesce(attstattarget, -1) AS target
            FROM pg_attribute
        ) AS above ON above.attrelid = inhparent AND above.attname = own.attname
        WHERE own.attstorage <> above.attstorage OR own.compression <> above.compression OR own.target NOT IN (-1, above.target)
            OR own.attoptions IS NOT NULL
            AND EXISTS (SELECT FROM unnest(own.attoptions) AS option WHERE option LIKE 'n\_distinct%')
),
-- What needs a table, a column or an object and is none of this schema's: a view of another schema, a publication of some columns,
-- an operator.
outside AS MATERIALIZED (
    SELECT DISTINCT
        CASE WHEN ev_class IS NULL THEN pg_describe_object(pg_depend.classid, pg_depend.objid, 0)
            ELSE pg_describe_object('pg_class'::regclass, ev_class, 0) END AS dependent,
        nodes.kind, nodes.name, attname AS "column"
    FROM pg_depend
    JOIN nodes ON nodes.class = refclassid AND nodes.object = refobjid AND nodes.kind <> 'extension'
    LEFT JOIN parts ON parts.class = pg_depend.classid AND parts.object = pg_depend.objid
    LEFT JOIN members ON members.classid = pg_depend.classid AND members.objid = pg_depend.objid
    LEFT JOIN pg_rewrite ON pg_depend.classid = 'pg_rewrite'::regclass AND pg_rewrite.oid = pg_depend.objid
    LEFT JOIN pg_constraint ON pg_depend.classid = 'pg_constraint'::regclass AND pg_constraint.oid = pg_depend.objid
    -- Those of partitions come and go with that of their table.
    LEFT JOIN pg_trigger
        ON pg_depend.classid = 'pg_trigger'::regclass AND pg_trigger.oid = pg_depend.objid AND (tgisinternal OR tgparentid <> 0)
    LEFT JOIN pg_attribute
        ON refclassid = 'pg_class'::regclass AND attrelid = refobjid AND attnum = refobjsubid AND refobjsubid > 0
    WHERE deptype = 'n' AND parts.object IS NULL AND members.objid IS NULL AND contype IS DISTINCT FROM 't'
        AND pg_trigger.oid IS NULL
        -- The constructors of a range belong to its type.
        AND NOT (pg_depend.classid = 'pg_proc'::regclass AND EXISTS (
            SELECT FROM pg_depend AS made
            WHERE made.classid = pg_depend.classid AND made.objid = pg_depend.objid AND made.deptype = 'i'
        ))
)
SELECT json_strip_nulls(json_build_object(
    'objects', coalesce((SELECT json_agg(item) FROM objects), '[]'),
    'roles', coalesce((SELECT json_agg(item) FROM roles), '[]'),
    'role', quote_ident(current_user),
    'outside', coalesce((SELECT json_agg(json_build_object(
        'dependent', dependent, 'needs', json_build_object('kind', kind, 'name', name, 'column', "column")
    ) ORDER BY dependent, kind, name, "column") FROM outside), '[]'),
    'not_compared', (SELECT json_object_agg(kind, number) FROM strangers WHERE number > 0)
))::text AS objects
