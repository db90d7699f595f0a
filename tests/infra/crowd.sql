-- A brand with most of the rows in every table that grows, and a rival with the rest. Times lie within
-- ninety days; the newest is a minute old.

INSERT INTO public.social_conversations
       (id, workspace_id, connected_account_id, platform, platform_user_id, platform_username,
        last_message_at, last_message_text, unread_count, message_count, conversation_state)
SELECT md5('conversation' || n)::uuid, pg_temp.workspace_id(n), pg_temp.account_id(n), 'instagram', 'crowd-' || n,
       CASE WHEN n % 3 > 0 THEN 'shopper' || n END,
       CASE WHEN n % 100 > 0 THEN pg_temp.moment_of_thing(n) END, 'Hello', (n % 5000 = 7)::int, 3,
       jsonb_build_object('stage', 'initial',
                          'handler', CASE WHEN n % 5000 = 8 THEN 'human' ELSE 'bot' END)
  FROM generate_series(1, :things) n;

-- Every other one in one endless conversation, the others spread.
INSERT INTO public.social_messages
       (id, conversation_id, platform_message_id, sender_platform_id, message_text, created_at, read_at)
SELECT md5('message' || n)::uuid,
       md5('conversation' || conversation)::uuid, 'crowd-' || n, 'crowd-' || conversation, 'Hello',
       pg_temp.moment(n), pg_temp.moment(n)
  FROM generate_series(1, :rows) n,
       LATERAL (SELECT CASE WHEN n % 2 = 0 THEN 1 ELSE (n - 1) % :things + 1 END AS conversation) of_it;

INSERT INTO public.bot_interactions
       (account_id, post_id, instagram_user_id, interaction_type, bot_responded, user_sent_photo,
        generation_attempted, generation_successful, user_satisfied, created_at)
SELECT pg_temp.account_id(n), 'crowd-' || (n - 1) % :things + 1, 'crowd-' || n, 'comment', n % 2 = 0,
       n % 3 = 0, n % 4 = 0, n % 4 = 0, n % 5 = 0,
       pg_temp.moment(n)
  FROM generate_series(1, :rows) n;

INSERT INTO public.social_posts
       (id, workspace_id, connected_account_id, platform, platform_post_id, platform_url, caption,
        media_type, posted_at)
SELECT md5('post' || n)::uuid, pg_temp.workspace_id(n), pg_temp.account_id(n), 'instagram', 'crowd-' || n, 'https://x.example',
       'Post ' || n, 'image', pg_temp.moment_of_thing(n)
  FROM generate_series(1, :things) n;

INSERT INTO public.wardrobe_garments
       (id, workspace_id, storage_path, filename, name, sku, metadata, leffa_metadata,
        usage_count, created_at)
SELECT md5('garment' || n)::uuid, pg_temp.workspace_id(n), 'workspaces/' || pg_temp.workspace_id(n) || '/garments/' || n || '.png',
       'g.png', (ARRAY['Forest', 'Sand', 'Night'])[n % 3 + 1] || ' dress ' || n, 'SKU-' || n,
       CASE WHEN n % 4 = 1 THEN '{"archived_at": "2026-01-01T00:00:00Z"}'::jsonb ELSE '{}' END,
       jsonb_build_object('leffa_category', (ARRAY['upper_body', 'lower_body'])[n % 2 + 1], 'category_confidence', 1),
       :rows / :things, pg_temp.moment_of_thing(n)
  FROM generate_series(1, :things) n;

INSERT INTO public.social_posts_garment_bindings
       (post_id, account_id, workspace_id, wardrobe_garment_id, garment_url, garment_name,
        garment_metadata, is_active)
SELECT md5('post' || n)::uuid, pg_temp.account_id(n), pg_temp.workspace_id(n), md5('garment' || n)::uuid, 'x', 'Dress',
       jsonb_build_object('worn_with', md5('garment' || n % :things + 1)::uuid), n % 7 > 0
  FROM generate_series(1, :things) n;

INSERT INTO public.wardrobe_usage_events (garment_id, workspace_id, event_type, created_at)
SELECT md5('garment' || (n - 1) % :things + 1)::uuid, pg_temp.workspace_id(n), 'tryon', pg_temp.moment(n)
  FROM generate_series(1, :rows) n;

INSERT INTO public.notifications
       (id, user_id, workspace_id, type, title, read_at, created_at)
SELECT md5('notice' || n)::uuid, pg_temp.user_id(n), pg_temp.workspace_id(n), 'crowd', 'Something happened',
       CASE WHEN n % 2 = 0 THEN pg_temp.moment(n) END, pg_temp.moment(n)
  FROM generate_series(1, :rows) n;

INSERT INTO internal.outbox
       (channel, key, ordering_key, state, workspace_id, account_id, created_at, sent_at)
SELECT 'message', 'crowd-' || n, 'crowd-' || n, CASE WHEN n % 1000 = 1 THEN 'queued' ELSE 'sent' END,
       pg_temp.workspace_id(n), pg_temp.account_id(n), pg_temp.moment_of_thing(n),
       pg_temp.moment_of_thing(n)
  FROM generate_series(1, :things) n;

INSERT INTO internal.jobs (kind, key, state, workspace_id, created_at, finished_at)
SELECT 'crowd', 'crowd-' || n, 'done', pg_temp.workspace_id(n), pg_temp.moment_of_thing(n),
       pg_temp.moment_of_thing(n)
  FROM generate_series(1, :things) n;

INSERT INTO public.webhook_events
       (platform, event_fingerprint, event_type, payload, status, created_at)
SELECT 'instagram', 'crowd-' || n, 'message', jsonb_build_object('mid', 'crowd-' || n), 'completed',
       pg_temp.moment_of_thing(n)
  FROM generate_series(1, :things) n;

INSERT INTO public.oauth_audit_logs (user_id, workspace_id, platform, event_type, success, created_at)
SELECT pg_temp.user_id(n), pg_temp.workspace_id(n), 'instagram', 'token_refreshed', true,
       pg_temp.moment_of_thing(n)
  FROM generate_series(1, :things) n;

-- The books are in order: what every invariant says holds. The week is nearly over; every third charge
-- was paid from a balance that was bought at the beginning.

UPDATE public.workspace_quotas
   SET period_start = now() - interval '6 days', period_end = now() + interval '1 day',
       weekly_credits_limit = 100000000
 WHERE workspace_id IN (pg_temp.workspace_id(0), pg_temp.workspace_id(1));

INSERT INTO public.workspace_usage_events
       (id, workspace_id, service_type, service_subtype, cost_credits, cost_source, status, source_id,
        metadata, created_at, completed_at, subscription_tier)
SELECT -- Making it takes the processor time: of the newest, which are looked at.
       CASE WHEN at > now() - interval '3 days'
            THEN internal.usage_event_id(workspace_id, 'generation', 'crowd-' || n, 0, 1)
            ELSE md5('charge' || n)::uuid END,
       workspace_id, 'generation', 'tryon', 192, paid_from, 'completed', 'crowd-' || n,
       jsonb_build_object('charge', jsonb_build_object('part', 1, 'parts', 1, 'price', 192)
           || CASE WHEN paid_from = 'subscription' THEN jsonb_build_object('week_start', week_start)
                   ELSE jsonb_build_object('payg_before', 1152 * (999 + place),
                                           'payg_after', 1152 * (998 + place)) END),
       at, at, 'free'
  FROM (SELECT n, at, workspace_id, paid_from,
               date_bin('7 days', at, period_start) AS week_start,
               row_number() OVER (PARTITION BY workspace_id, paid_from ORDER BY n) AS place
          FROM generate_series(1, :rows) n
         CROSS JOIN LATERAL (
               SELECT pg_temp.workspace_id(n) AS workspace_id, pg_temp.moment(n) AS at,
                      CASE WHEN n % 3 = 0 THEN 'payg_balance' ELSE 'subscription' END AS paid_from) charge
          JOIN public.workspace_quotas USING (workspace_id)) charges;

UPDATE public.workspace_quotas q
   SET weekly_credits_used = (SELECT sum(cost_credits) FROM public.workspace_usage_events e
                               WHERE e.workspace_id = q.workspace_id AND cost_source = 'subscription'
                                 AND created_at >= q.period_start)
 WHERE workspace_id IN (pg_temp.workspace_id(0), pg_temp.workspace_id(1));

INSERT INTO public.workspace_financial_transactions
       (workspace_id, transaction_type, amount_usd_cents, amount_micro_units, payg_balance_before,
        payg_balance_after, description, created_at)
SELECT workspace_id, 'payg_purchase', ceil(bought / 1000.0), bought, 0, bought, 'Credits', at
  FROM (SELECT workspace_id, 1152 * (999 + count(*)) AS bought, min(created_at) AS at
          FROM public.workspace_usage_events WHERE cost_source = 'payg_balance' GROUP BY 1) purchase;

UPDATE public.workspace_payg_balance b
   SET balance_micro_units = 1152 * 999, total_purchased = bought, total_used = bought - 1152 * 999
  FROM (SELECT workspace_id, payg_balance_after AS bought FROM public.workspace_financial_transactions
         WHERE transaction_type = 'payg_purchase') purchase
 WHERE b.workspace_id = purchase.workspace_id;
