-- Charging a workspace. One statement from selify.billing.credits is one charge, so that the row lock below is
-- held for as short a time as the caller's transaction allows.

-- The reference has no unique index on (service_type, source_id), and schema public is exactly the reference.
-- So what a charge is for is its primary key: the same source charged twice is the same row, and PostgreSQL
-- itself refuses the second one. A UUID version 8 (RFC 9562) made of a SHA-256.
--   attempt  0; a source whose charge was given back may be charged again, as attempt 1, 2, …
--   part     1, or 2 for the pay-as-you-go half of a charge that both sources pay
create or replace function internal.usage_event_id(
  workspace_id uuid, service_type text, source_id text, attempt integer, part integer
) returns uuid
  language plpgsql immutable parallel safe set search_path = '' as $$
declare
  hash bytea := substring(sha256(convert_to(
    workspace_id || E'\n' || service_type || E'\n' || attempt || E'\n' || part || E'\n' || source_id,
    'UTF8')) for 16);
begin
  return encode(set_byte(set_byte(hash, 6, get_byte(hash, 6) & 15 | 128), 8, get_byte(hash, 8) & 63 | 128), 'hex');
end
$$;
comment on function internal.usage_event_id(uuid, text, text, integer, integer) is
  'The primary key of a charge, made of what is charged for: charging the same thing twice is impossible.';

-- The same for grants and refunds in workspace_financial_transactions: one row per reference.
create or replace function internal.credit_entry_id(workspace_id uuid, entry_type text, reference text) returns uuid
  language sql immutable parallel safe set search_path = '' as $$
  select internal.usage_event_id(workspace_id, entry_type, reference, 0, 0)
$$;

-- Locks the workspace's quota row, then: is this source charged already? is the week over? what does it cost
-- today? take it from the week, the rest from pay-as-you-go, and write the usage event(s), status reserved.
--
-- outcome   reserved      charged now
--           replayed      was charged before; nothing happened
--           exhausted     week and balance together do not cover it; nothing happened
--           no_account | no_meter | no_price | meter_closed | source_taken   refused; nothing happened
create or replace function internal.reserve_credits(
  of_workspace uuid,
  meter_slug text,
  source text,
  platform text,
  by_user uuid,
  by_job uuid,
  details jsonb,
  at timestamptz,
  out outcome text,
  out event_id uuid,
  out event_status text,
  out meter_name text,
  out price_credits bigint,
  out week_credits bigint,
  out payg_credits bigint,
  out tier text,
  out week_limit bigint,
  out week_used bigint,
  out week_start timestamptz,
  out week_end timestamptz,
  out payg_balance bigint
)
  language plpgsql set search_path = '' as $$
declare
  micro_per_credit constant bigint := 6;
  a_week constant interval := interval '168 hours';
  quota public.workspace_quotas;
  meter record;
  earlier record;
  attempt integer := 0;
  second_id uuid;
  is_new_week boolean;
  is_split boolean;
begin
  -- One workspace's charges queue here: whoever holds this row may read, decide and write without a race.
  select * into quota from public.workspace_quotas q where q.workspace_id = of_workspace for no key update;
  if not found then
    outcome := 'no_account';
    return;
  end if;

  is_new_week := at >= quota.period_end;
  if is_new_week then  -- after a long silence several weeks have ended at once
    quota.period_start := quota.period_end
      + floor(extract(epoch from at - quota.period_end) / extract(epoch from a_week)) * a_week;
    quota.period_end := quota.period_start + a_week;
    quota.weekly_credits_used := 0;
  end if;
  tier := quota.subscription_tier;
  week_limit := quota.weekly_credits_limit;
  week_used := quota.weekly_credits_used;
  week_start := quota.period_start;
  week_end := quota.period_end;

  select m.display_name, m.unit_label, coalesce(m.is_active, true) as is_active,
         coalesce(m.metadata ->> 'service_type', m.slug) as service_type,
         p.id as price_id, p.credits, p.effective_from, b.balance_micro_units as payg_balance
    into meter
    from public.billing_meters m
    left join public.workspace_payg_balance b on b.workspace_id = of_workspace
    left join internal.price_book p
           on p.meter = m.slug and p.provider = '' and p.model = ''
          and p.effective_from <= at and (p.effective_until is null or p.effective_until > at)
   where m.slug = meter_slug;
  if not found then
    outcome := 'no_meter';
    return;
  end if;
  meter_name := meter.display_name;
  payg_balance := meter.payg_balance;

  -- A charge that was given back no longer stands in the way; a live one is the answer.
  loop
    event_id := internal.usage_event_id(of_workspace, meter.service_type, source, attempt, 1);
    select e.status, e.service_subtype, e.cost_source, e.cost_credits,
           (e.metadata -> 'charge' ->> 'price')::bigint as price
      into earlier from public.workspace_usage_events e where e.id = event_id;
    exit when not found or earlier.status <> 'refunded';
    attempt := attempt + 1;
  end loop;
  if found then
    outcome := case when earlier.service_subtype = meter_slug then 'replayed' else 'source_taken' end;
    event_status := earlier.status;
    price_credits := earlier.price;
    week_credits := case when earlier.cost_source = 'subscription' then earlier.cost_credits else 0 end;
    payg_credits := price_credits - week_credits;
    return;
  elsif not meter.is_active then
    outcome := 'meter_closed';
    return;
  elsif meter.price_id is null then
    outcome := 'no_price';
    return;
  end if;

  price_credits := meter.credits;
  week_credits := least(price_credits, greatest(week_limit - week_used, 0));
  payg_credits := price_credits - week_credits;

  if payg_credits > 0 then
    update public.workspace_payg_balance b
       set balance_micro_units = b.balance_micro_units - payg_credits * micro_per_credit,
           total_used = b.total_used + payg_credits * micro_per_credit,
           updated_at = at
     where b.workspace_id = of_workspace and b.balance_micro_units >= payg_credits * micro_per_credit
    returning b.balance_micro_units into payg_balance;
    if not found then
      payg_balance := meter.payg_balance;
      outcome := 'exhausted';
      return;
    end if;
  end if;

  if week_credits > 0 or is_new_week then
    update public.workspace_quotas q
       set weekly_credits_used = quota.weekly_credits_used + week_credits,
           period_start = quota.period_start,
           period_end = quota.period_end,
           updated_at = at
     where q.id = quota.id;
  end if;

  is_split := week_credits > 0 and payg_credits > 0;
  if is_split then
    second_id := internal.usage_event_id(of_workspace, meter.service_type, source, attempt, 2);
  end if;

  insert into public.workspace_usage_events
         (id, workspace_id, user_id, service_type, service_subtype, cost_credits, cost_source, status,
          source_platform, source_id, metadata, created_at, subscription_tier)
  select part.id, of_workspace, by_user, meter.service_type, meter_slug, part.credits, part.payer, 'reserved',
         coalesce(platform, 'unknown'), source,
         -- everything `explain` will need, as it was when it was decided
         details || jsonb_build_object('charge', jsonb_build_object(
           'meter', meter_slug, 'name', meter.display_name, 'unit', meter.unit_label,
           'price', price_credits, 'price_id', meter.price_id, 'price_since', meter.effective_from,
           'week_start', week_start, 'week_end', week_end,
           'week_limit', week_limit, 'week_used_before', week_used,
           'attempt', attempt, 'job_id', by_job,
           'part', part.number, 'parts', case when is_split then 2 else 1 end, 'split_with', part.other,
           'credits', part.credits, 'micro_units', part.credits * micro_per_credit,
           'payg_before', case when part.payer = 'payg_balance'
                               then payg_balance + payg_credits * micro_per_credit end,
           'payg_after', case when part.payer = 'payg_balance' then payg_balance end)),
         at, left(quota.subscription_tier, 20)  -- the column is shorter than the one it copies
    from (values
           (1, event_id, second_id,
            case when week_credits > 0 or payg_credits = 0 then week_credits else payg_credits end,
            case when week_credits > 0 or payg_credits = 0 then 'subscription' else 'payg_balance' end),
           (2, second_id, event_id, payg_credits, 'payg_balance')
         ) as part (number, id, other, credits, payer)
   where part.id is not null;

  outcome := 'reserved';
  event_status := 'reserved';
  week_used := week_used + week_credits;
end
$$;
comment on function internal.reserve_credits(uuid, text, text, text, uuid, uuid, jsonb, timestamptz) is
  'Charges one paid action exactly once, the week''s credits first, and says how; or says why not.';

-- Money is moved by the system alone, whatever a later GRANT on the schema says about its functions.
revoke all on function internal.usage_event_id(uuid, text, text, integer, integer) from public;
revoke all on function internal.credit_entry_id(uuid, text, text) from public;
revoke all on function internal.reserve_credits(uuid, text, text, text, uuid, uuid, jsonb, timestamptz) from public;
grant execute on function internal.usage_event_id(uuid, text, text, integer, integer) to service_role;
grant execute on function internal.credit_entry_id(uuid, text, text) to service_role;
grant execute on function internal.reserve_credits(uuid, text, text, text, uuid, uuid, jsonb, timestamptz)
  to service_role;
