-- Where a stored secret is sent does not change without the secret.
--
-- Whoever may edit a mailbox could otherwise point it at a server of their own and be sent the password
-- that nobody can read. So a change of host, port or encryption needs the secret entered again (sealing
-- it again makes another text of the same one), or taken out. For everybody, the system included.
--
-- The arguments are the secret columns, the WHEN is about the destination's. selify.db.lints.security
-- finds a table that has both and no such trigger.

CREATE OR REPLACE FUNCTION internal.demand_secret_again() RETURNS trigger
    LANGUAGE plpgsql SET search_path = ''
    AS $$
DECLARE
    before CONSTANT jsonb := to_jsonb(OLD);
    after CONSTANT jsonb := to_jsonb(NEW);
    secret text;
BEGIN
    FOREACH secret IN ARRAY TG_ARGV LOOP
        IF after ->> secret <> '' AND after ->> secret = before ->> secret THEN
            RAISE EXCEPTION 'Where a secret is sent changes only together with the secret.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'secret_entered_again',
                    TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA, COLUMN = secret,
                    HINT = 'Enter the password or key again together with the new address.';
        END IF;
    END LOOP;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION internal.demand_secret_again() IS
    'Refuses a new destination for an old secret. The arguments name the secret columns.';

CREATE OR REPLACE TRIGGER secret_entered_again BEFORE UPDATE ON public.user_email_accounts
    FOR EACH ROW
    WHEN ((OLD.imap_host, OLD.imap_port, OLD.imap_secure, OLD.smtp_host, OLD.smtp_port, OLD.smtp_secure)
        IS DISTINCT FROM
        (NEW.imap_host, NEW.imap_port, NEW.imap_secure, NEW.smtp_host, NEW.smtp_port, NEW.smtp_secure))
    EXECUTE FUNCTION internal.demand_secret_again('password_encrypted');
CREATE OR REPLACE TRIGGER secret_entered_again BEFORE UPDATE ON public.workspace_email_accounts
    FOR EACH ROW
    WHEN ((OLD.imap_host, OLD.imap_port, OLD.imap_secure, OLD.smtp_host, OLD.smtp_port, OLD.smtp_secure)
        IS DISTINCT FROM
        (NEW.imap_host, NEW.imap_port, NEW.imap_secure, NEW.smtp_host, NEW.smtp_port, NEW.smtp_secure))
    EXECUTE FUNCTION internal.demand_secret_again('password_encrypted');
CREATE OR REPLACE TRIGGER secret_entered_again BEFORE UPDATE ON public.pending_shopify_installations
    FOR EACH ROW WHEN (OLD.shop IS DISTINCT FROM NEW.shop)
    EXECUTE FUNCTION internal.demand_secret_again('access_token', 'hmac');
CREATE OR REPLACE TRIGGER secret_entered_again BEFORE UPDATE ON public.amazon_connected_accounts
    FOR EACH ROW WHEN (OLD.region IS DISTINCT FROM NEW.region)
    EXECUTE FUNCTION internal.demand_secret_again('access_token', 'refresh_token');
