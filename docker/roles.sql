-- Gives the service a role of its own: it reads and writes rows, and cannot change the schema or say what is applied.
-- Run it with psql as the role that migrates, after the first migration; running it again changes nothing.
\set ON_ERROR_STOP on
SELECT 'CREATE ROLE todo_api LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'todo_api') \gexec
ALTER ROLE todo_api PASSWORD :'password';
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO todo_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO todo_api;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO todo_api;
REVOKE INSERT, UPDATE, DELETE ON seaql_migrations, seaworthy_history FROM todo_api;
-- What later migrations make.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO todo_api;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO todo_api;
