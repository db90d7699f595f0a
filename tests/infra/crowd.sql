-- A brand with most of 100,000 rows in every table that grows, and another one with the rest.
-- One row in ten is the rival's. Times lie within ninety days; the newest is a minute old.

INSERT INTO public.social_conversations
       (id, workspace_id, connected_account_id, platform, platform_user_id, platform_username,
        last_message_at, last_message_text, unread_count, message_count, conversation_state)
SELECT md5('conversation' || n)::uuid, pg_temp.workspace_id(n), pg_temp.account_id(n), 'instagram', 'crowd-' || n,
       CASE WHEN n % 3 > 0 THEN 'shopper' || n END,
       CASE WHEN n % 100 > 0 THEN pg_temp.moment(n) END, 'Hello', (n % 5000 = 7)::int, 3,
       jsonb_build_object('stage', 'initial',
                          'handler', CASE WHEN n % 5000 = 8 THEN 'human' ELSE 'bot' END)
  FROM generate_series(1, :rows) n;

-- Every other one in one endless conversation, the others spread.
INSERT INTO public.social_messages
       (id, conversation_id, platform_message_id, sender_platform_id, message_text, created_at, read_at)
SELECT md5('message' || n)::uuid,
       md5('conversation' || CASE WHEN n % 2 = 0 THEN 1 ELSE n END)::uuid, 'crowd-' || n,
       'crowd-' || CASE WHEN n % 2 = 0 THEN 1 ELSE n END, 'Hello', pg_temp.moment(n), pg_temp.moment(n)
  FROM generate_series(1, :rows) n;

INSERT INTO public.bot_interactions
       (account_id, post_id, instagram_user_id, interaction_type, bot_responded, user_sent_photo,
        generation_attempted, generation_successful, user_satisfied, created_at)
SELECT pg_temp.account_id(n), 'crowd-' || n, 'crowd-' || n, 'comment', n % 2 = 0, n % 3 = 0, n % 4 = 0,
       n % 4 = 0, n % 5 = 0,
       pg_temp.moment(n)
  FROM generate_series(1, :rows) n;

INSERT INTO public.social_posts
       (id, workspace_id, connected_account_id, platform, platform_post_id, platform_url, caption,
        media_type, posted_at)
SELECT md5('post' || n)::uuid, pg_temp.workspace_id(n), pg_temp.account_id(n), 'instagram', 'crowd-' || n, 'https://x.example',
       'Post ' || n, 'image', pg_temp.moment(n)
  FROM generate_series(1, :rows) n;

INSERT INTO public.wardrobe_garments
       (id, workspace_id, storage_path, filename, name, sku, metadata, usage_count, created_at)
SELECT md5('garment' || n)::uuid, pg_temp.workspace_id(n), 'workspaces/' || pg_temp.workspace_id(n) || '/garments/' || n || '.png',
       'g.png', (ARRAY['Forest', 'Sand', 'Night'])[n % 3 + 1] || ' dress ' || n, 'SKU-' || n,
       CASE WHEN n % 4 = 1 THEN '{"archived_at": "2026-01-01T00:00:00Z"}'::jsonb ELSE '{}' END,
       1, pg_temp.moment(n)
  FROM generate_series(1, :rows) n;

INSERT INTO public.social_posts_garment_bindings
       (post_id, account_id, workspace_id, wardrobe_garment_id, garment_url, garment_name, is_active)
SELECT md5('post' || n)::uuid, pg_temp.account_id(n), pg_temp.workspace_id(n), md5('garment' || n)::uuid, 'x', 'Dress', n % 7 > 0
  FROM generate_series(1, :rows) n;

INSERT INTO public.wardrobe_usage_events (garment_id, workspace_id, event_type, created_at)
SELECT md5('garment' || n)::uuid, pg_temp.workspace_id(n), 'tryon', pg_temp.moment(n)
  FROM generate_series(1, :rows) n;

INSERT INTO public.workspace_usage_events
       (id, workspace_id, service_type, service_subtype, cost_credits, cost_source, status, source_id,
        metadata, created_at, completed_at, subscription_tier)
SELECT md5('charge' || n)::uuid, pg_temp.workspace_id(n), 'generation', 'tryon', 192,
       CASE WHEN n % 3 = 0 THEN 'payg_balance' ELSE 'subscription' END, 'completed', 'crowd-' || n,
       '{"charge": {"part": 1, "parts": 1}}', pg_temp.moment(n), pg_temp.moment(n), 'free'
  FROM generate_series(1, :rows) n;

INSERT INTO public.notifications
       (id, user_id, workspace_id, type, title, read_at, created_at)
SELECT md5('notice' || n)::uuid, pg_temp.user_id(n), pg_temp.workspace_id(n), 'crowd', 'Something happened',
       CASE WHEN n % 2 = 0 THEN pg_temp.moment(n) END, pg_temp.moment(n)
  FROM generate_series(1, :rows) n;

INSERT INTO internal.outbox
       (channel, key, lane, state, workspace_id, account_id, created_at, sent_at)
SELECT 'message', 'crowd-' || n, 'crowd-' || n, CASE WHEN n % 1000 = 0 THEN 'queued' ELSE 'sent' END,
       pg_temp.workspace_id(n), pg_temp.account_id(n), pg_temp.moment(n), pg_temp.moment(n)
  FROM generate_series(1, :rows) n;

INSERT INTO internal.jobs (kind, key, state, workspace_id, created_at, finished_at)
SELECT 'crowd', 'crowd-' || n, 'done', pg_temp.workspace_id(n), pg_temp.moment(n), pg_temp.moment(n)
  FROM generate_series(1, :rows) n;

INSERT INTO public.webhook_events
       (platform, event_fingerprint, event_type, payload, status, created_at)
SELECT 'instagram', 'crowd-' || n, 'message', jsonb_build_object('mid', 'crowd-' || n), 'completed', pg_temp.moment(n)
  FROM generate_series(1, :rows) n;

INSERT INTO public.oauth_audit_logs (user_id, workspace_id, platform, event_type, success, created_at)
SELECT pg_temp.user_id(n), pg_temp.workspace_id(n), 'instagram', 'token_refreshed', true, pg_temp.moment(n)
  FROM generate_series(1, :rows) n;
