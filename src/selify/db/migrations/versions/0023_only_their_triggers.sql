-- Only their triggers run them. (The baseline gives what it makes to the system.)
REVOKE ALL ON FUNCTION internal.stop_auto_reload(), internal.tell_sign_in_ended()
    FROM PUBLIC, service_role;
