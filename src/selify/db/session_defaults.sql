-- What belongs to the database itself, and not to anything in it: no dump of its contents has it.
--
-- Nine columns default to timezone('utc', now()): a time without zone that is read back in the
-- session's zone, hence right only when that zone is UTC. The search path lets statements name
-- vector types and operators without a schema. Only the database's owner may say this; a guest
-- gets the same from the session settings of the connection pool.
DO $$
BEGIN
    EXECUTE format('ALTER DATABASE %I SET timezone TO %L', current_database(), 'UTC');
    EXECUTE format(
        'ALTER DATABASE %I SET search_path TO "$user", public, extensions', current_database()
    );
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'not the owner of this database: its time zone and search path stay as they are';
END
$$;
