-- Once, as the database's superuser: psql -f roles.sql
-- The programs own their tables; the panel and whoever makes a report may read and nothing else.
-- Peer authentication: the system's user of the same name needs no password.
CREATE ROLE "plaza-central" LOGIN;
CREATE ROLE "plaza-lectura" LOGIN;
CREATE DATABASE plaza OWNER "plaza-central" ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE plaza FROM PUBLIC;
GRANT CONNECT ON DATABASE plaza TO "plaza-lectura";
\connect plaza
ALTER SCHEMA public OWNER TO "plaza-central";
GRANT USAGE ON SCHEMA public TO "plaza-lectura";
ALTER DEFAULT PRIVILEGES FOR ROLE "plaza-central" IN SCHEMA public GRANT SELECT ON TABLES TO "plaza-lectura";
