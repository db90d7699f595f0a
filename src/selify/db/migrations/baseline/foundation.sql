-- What has to be there before the first table: schemas and the vector type.

-- Support tables that the schema reference does not know; `public` stays exactly the reference.
CREATE SCHEMA IF NOT EXISTS internal;

-- Extensions live in a schema of their own, as on Supabase, so that they add nothing to `public`.
DO $$
BEGIN
    IF to_regnamespace('extensions') IS NULL THEN
        CREATE SCHEMA extensions;
        GRANT USAGE ON SCHEMA extensions TO PUBLIC;
    END IF;
END
$$;

-- Where the vector extension is already installed in another schema it stays there.
CREATE EXTENSION IF NOT EXISTS vector SCHEMA extensions;

-- Older tables default their ids with uuid_generate_v4(). Where uuid-ossp is not installed, a
-- function of the same name gives the same kind of id without needing the extension.
DO $$
BEGIN
    IF to_regprocedure('uuid_generate_v4()') IS NULL THEN
        CREATE FUNCTION extensions.uuid_generate_v4() RETURNS uuid
            LANGUAGE sql VOLATILE PARALLEL SAFE
            RETURN gen_random_uuid();
    END IF;
END
$$;
