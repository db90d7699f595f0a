-- Only their triggers run them. Where the baseline made them, they were given to the system besides.
REVOKE ALL ON FUNCTION internal.silence_workspace(), internal.tell_subscribers() FROM service_role;
