-- What is sent, apart from why (messaging.outgoing.Outgoing). All messages so far were the try-on bot's.

UPDATE internal.outbox
   SET payload = payload - '{interaction_id,charge_id,photo_ref,binding_id,language,patient}'::text[]
       || jsonb_build_object(
              'version', 1, 'client', 'tryon',
              'about', jsonb_strip_nulls(jsonb_build_object(
                  'interaction_id', payload -> 'interaction_id', 'charge_id', payload -> 'charge_id',
                  'photo_ref', payload -> 'photo_ref', 'binding_id', payload -> 'binding_id',
                  'language', payload -> 'language')))
       || CASE WHEN payload ? 'patient' THEN '{"debounced": true}' ELSE '{}' END::jsonb
       || CASE WHEN payload ? 'photo_ref'
               THEN jsonb_build_object('made_of', payload -> 'photo_ref') ELSE '{}' END
       || CASE WHEN payload ? 'charge_id' THEN '{"accounted_for": true}' ELSE '{}' END::jsonb
       || CASE WHEN payload ->> 'purpose' IN ('stopped', 'handed_to_human')
               THEN '{"farewell": true}' ELSE '{}' END::jsonb
       || CASE WHEN payload ->> 'purpose' IN (
                       'stopped', 'handed_to_human', 'result', 'feedback', 'generating',
                       'still_generating', 'already_generating', 'photo_waits')
               THEN '{"awaited": false}' ELSE '{}' END::jsonb
 WHERE channel = 'messages';

-- Messages of whose end their client has not heard yet. Small: a row leaves it when it was told.
DROP INDEX internal.outbox_undelivered_idx;
CREATE INDEX outbox_lapsed_idx ON internal.outbox (id)
    WHERE state IN ('failed', 'cancelled') AND payload ? 'accounted_for';

-- The failures noted of the routine that is called otherwise now.
UPDATE internal.routine_turns SET routine = 'lapsed messages' || substr(routine, 21)
 WHERE routine LIKE 'undelivered pictures/%';
