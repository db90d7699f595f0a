-- Only their triggers run them.
REVOKE ALL ON FUNCTION internal.review_keys_of_member(), internal.suspend_keys_of_banned(),
    internal.revoke_keys_of_workspace() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION internal.review_keys_of_member(), internal.suspend_keys_of_banned(),
    internal.revoke_keys_of_workspace() TO service_role;

-- A stream that a key opened ends at once with the key.
CREATE TRIGGER tell_rights_changed AFTER DELETE OR UPDATE OF revoked_at, expires_at, review
    ON internal.api_keys FOR EACH ROW
    EXECUTE FUNCTION internal.tell_rights_changed('workspace_id');
