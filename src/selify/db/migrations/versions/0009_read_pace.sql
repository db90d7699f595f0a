ALTER TABLE internal.send_pace ADD COLUMN last_read timestamptz;
COMMENT ON COLUMN internal.send_pace.last_read IS
    'The last turn given to a request that reads conversations back; the next one comes after it.';
