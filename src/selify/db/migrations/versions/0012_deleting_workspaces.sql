-- Only its trigger runs it.
REVOKE ALL ON FUNCTION internal.silence_workspace() FROM PUBLIC;
