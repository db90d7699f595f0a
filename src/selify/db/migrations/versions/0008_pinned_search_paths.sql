-- Every function of ours gets an empty search path: its body names schemas, and nothing that a caller
-- puts in front (a table, a function, an operator of the same name) is ever found instead.

DO $$
DECLARE
    function regprocedure;
BEGIN
    FOR function IN
        SELECT p.oid FROM pg_catalog.pg_proc p
        WHERE p.pronamespace IN ('public'::regnamespace, 'internal'::regnamespace)
          AND p.prosqlbody IS NULL  -- those are bound already
          AND NOT coalesce('search_path=""' = ANY (p.proconfig), false)
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                          WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = ''''', function);
    END LOOP;
END
$$;
