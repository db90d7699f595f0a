-- Small arithmetic of the funnel.

-- A share in percent as the rate columns hold it (numeric(5,2)); NULL of nothing is 0.
CREATE OR REPLACE FUNCTION internal.percent(part bigint, whole bigint) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = ''
    AS $$ SELECT least(999.99, round(100.0 * part / nullif(whole, 0), 2)) $$;

-- A counter as it stands in the current clock hour or UTC day: 0 once a new one has begun.
CREATE OR REPLACE FUNCTION internal.in_window(
    counted integer, last_at timestamptz, now timestamptz, unit text
) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = ''
    AS $$
        SELECT CASE WHEN date_trunc(unit, last_at, 'UTC') = date_trunc(unit, now, 'UTC')
                    THEN coalesce(counted, 0) ELSE 0 END
    $$;
