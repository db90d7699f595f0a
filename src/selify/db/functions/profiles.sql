-- A profile for every account: made at sign-up, and following the account where that is the truth.

-- 32 letters and digits that nobody mistakes for one another when reading a code aloud.
CREATE OR REPLACE FUNCTION internal.new_referral_code() RETURNS text
    LANGUAGE sql VOLATILE SET search_path = ''
    AS $$
    SELECT string_agg(
        substr('ABCDEFGHJKLMNPQRSTUVWXYZ23456789', (get_byte(random.bytes, n) & 31) + 1, 1), '')
    FROM (SELECT uuid_send(gen_random_uuid()) AS bytes) AS random,
        unnest(ARRAY[0, 1, 2, 3, 4, 5, 9, 10]) AS n  -- the bytes of a v4 UUID that are all random
$$;

CREATE OR REPLACE FUNCTION internal.create_profile() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    IF EXISTS (SELECT FROM public.profiles WHERE id = NEW.id) THEN
        RETURN NEW;
    END IF;
    LOOP
        INSERT INTO public.profiles
            (id, email, email_confirmed_at, full_name, avatar_url, referral_code)
        VALUES (NEW.id, NEW.email, NEW.email_confirmed_at,
            left(NEW.raw_user_meta_data ->> 'full_name', 200),
            left(NEW.raw_user_meta_data ->> 'avatar_url', 2000),
            internal.new_referral_code())
        ON CONFLICT (referral_code) DO NOTHING;
        EXIT WHEN FOUND;  -- else the code was taken: draw another
    END LOOP;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION internal.follow_account() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    UPDATE public.profiles
    SET email = NEW.email,
        email_confirmed_at = NEW.email_confirmed_at,
        banned_until = NEW.banned_until,
        deleted_at = NEW.deleted_at,
        status = CASE WHEN NEW.deleted_at IS NOT NULL THEN 'deleted'
            WHEN NEW.banned_until > now() THEN 'banned' ELSE 'active' END
    WHERE id = NEW.id;
    RETURN NEW;
END
$$;

-- The only things of ours on a table that may belong to Supabase.
CREATE OR REPLACE TRIGGER selify_create_profile AFTER INSERT ON auth.users
    FOR EACH ROW EXECUTE FUNCTION internal.create_profile();
CREATE OR REPLACE TRIGGER selify_follow_account
    AFTER UPDATE OF email, email_confirmed_at, banned_until, deleted_at ON auth.users FOR EACH ROW
    WHEN ((OLD.email, OLD.email_confirmed_at, OLD.banned_until, OLD.deleted_at)
        IS DISTINCT FROM (NEW.email, NEW.email_confirmed_at, NEW.banned_until, NEW.deleted_at))
    EXECUTE FUNCTION internal.follow_account();

-- Everyone sees four columns of a profile; this is how users read the whole of their own.
CREATE OR REPLACE FUNCTION public.my_profile() RETURNS SETOF public.profiles
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' ROWS 1
    AS $$
    SELECT p.* FROM public.profiles p WHERE p.id = auth.uid()
$$;
COMMENT ON FUNCTION public.my_profile() IS 'The signed-in user''s own profile, every column.';
