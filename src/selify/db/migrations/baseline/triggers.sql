-- What must hold between rows, or between a row and what it was before.
--
-- Conditions stand in WHEN where they can, so that a row that keeps the rules costs no function call.
-- Refusals use error codes of class 23 (integrity): to the program they are the same as a CHECK.
-- Hot tables (webhook_events, social_messages) have no trigger of this kind.

-- updated_at ------------------------------------------------------------------------------------

CREATE FUNCTION internal.touch_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION internal.touch_updated_at() IS
    'Moves updated_at along, unless the statement set it itself.';

DO $$
DECLARE
    tracked regclass;
BEGIN
    FOR tracked IN
        SELECT attrelid
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE attname = 'updated_at' AND relkind = 'r'
          AND relnamespace IN ('public'::regnamespace, 'internal'::regnamespace)
    LOOP
        EXECUTE format(
            'CREATE TRIGGER touch_updated_at BEFORE UPDATE ON %s FOR EACH ROW'
            ' WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at)'
            ' EXECUTE FUNCTION internal.touch_updated_at()', tracked
        );
    END LOOP;
END
$$;

-- Append-only tables ----------------------------------------------------------------------------

CREATE FUNCTION internal.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    -- Deeper than 1: a foreign key cleans up after a row that was allowed to go. The setting is for
    -- the jobs that purge what must not be kept: SET LOCAL selify.purge = 'on'.
    IF pg_trigger_depth() > 1 OR current_setting('selify.purge', true) = 'on' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    RAISE EXCEPTION '% is append-only: a row is never %', TG_TABLE_NAME,
        CASE TG_OP WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END
        USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;
END
$$;
COMMENT ON FUNCTION internal.refuse_change() IS
    'Keeps history as it was written. Purging jobs say so with SET LOCAL selify.purge = ''on''.';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON public.oauth_audit_logs
    FOR EACH ROW EXECUTE FUNCTION internal.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON public.sso_audit_log
    FOR EACH ROW EXECUTE FUNCTION internal.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON public.workspace_events
    FOR EACH ROW EXECUTE FUNCTION internal.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON public.wardrobe_usage_events
    FOR EACH ROW EXECUTE FUNCTION internal.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON public.shopify_inventory_history
    FOR EACH ROW EXECUTE FUNCTION internal.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON public.conversation_messages
    FOR EACH ROW EXECUTE FUNCTION internal.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON public.subscription_cancellation_feedback
    FOR EACH ROW EXECUTE FUNCTION internal.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON public.cross_brand_analytics
    FOR EACH ROW EXECUTE FUNCTION internal.refuse_change();
-- Old payment events are purged, so only changing one is refused.
CREATE TRIGGER append_only BEFORE UPDATE ON public.processed_webhook_events
    FOR EACH ROW EXECUTE FUNCTION internal.refuse_change();
-- A charge or a payment may be settled and refunded (below), but never disappears.
CREATE TRIGGER never_deleted BEFORE DELETE ON public.workspace_usage_events
    FOR EACH ROW EXECUTE FUNCTION internal.refuse_change();
CREATE TRIGGER never_deleted BEFORE DELETE ON public.workspace_financial_transactions
    FOR EACH ROW EXECUTE FUNCTION internal.refuse_change();
CREATE TRIGGER never_deleted BEFORE DELETE ON public.affiliate_commissions
    FOR EACH ROW EXECUTE FUNCTION internal.refuse_change();

-- Money -----------------------------------------------------------------------------------------

CREATE FUNCTION internal.refuse_rewrite() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION '%: %', TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;
END
$$;
COMMENT ON FUNCTION internal.refuse_rewrite() IS
    'Refuses the row with the rule given as argument; the WHEN of its trigger says when.';

CREATE TRIGGER charge_is_final BEFORE UPDATE ON public.workspace_usage_events FOR EACH ROW
    WHEN (OLD.workspace_id <> NEW.workspace_id OR OLD.service_type <> NEW.service_type
        OR OLD.source_id IS DISTINCT FROM NEW.source_id OR OLD.cost_source <> NEW.cost_source
        OR (OLD.cost_credits <> NEW.cost_credits AND OLD.status <> 'reserved'))
    EXECUTE FUNCTION internal.refuse_rewrite('what was charged, and to whom, is not rewritten');
CREATE TRIGGER refunded_once BEFORE UPDATE ON public.workspace_usage_events FOR EACH ROW
    WHEN ((OLD.status IN ('refunded', 'cancelled') AND NEW.status <> OLD.status)
        OR OLD.refunded_at IS DISTINCT FROM NEW.refunded_at AND OLD.refunded_at IS NOT NULL)
    EXECUTE FUNCTION internal.refuse_rewrite('a charge is given back once');
CREATE TRIGGER payment_is_final BEFORE UPDATE ON public.workspace_financial_transactions FOR EACH ROW
    WHEN (OLD.workspace_id <> NEW.workspace_id OR OLD.transaction_type <> NEW.transaction_type
        OR (OLD.status <> 'pending' AND (OLD.amount_usd_cents <> NEW.amount_usd_cents
            OR OLD.amount_micro_units <> NEW.amount_micro_units)))
    EXECUTE FUNCTION internal.refuse_rewrite('what was paid, and by whom, is not rewritten');
CREATE TRIGGER totals_never_fall BEFORE UPDATE ON public.workspace_payg_balance FOR EACH ROW
    WHEN (NEW.total_purchased < OLD.total_purchased OR NEW.total_used < OLD.total_used)
    EXECUTE FUNCTION internal.refuse_rewrite('lifetime totals never fall');
CREATE TRIGGER totals_never_fall BEFORE UPDATE ON public.profiles FOR EACH ROW
    WHEN (NEW.affiliate_total_earned_cents < OLD.affiliate_total_earned_cents
        OR NEW.affiliate_total_referrals < OLD.affiliate_total_referrals
        OR NEW.affiliate_total_conversions < OLD.affiliate_total_conversions)
    EXECUTE FUNCTION internal.refuse_rewrite('lifetime totals never fall');
CREATE TRIGGER totals_never_fall BEFORE UPDATE ON public.vr_shop_tokens FOR EACH ROW
    WHEN (NEW.total_successful < OLD.total_successful OR NEW.total_failed < OLD.total_failed)
    EXECUTE FUNCTION internal.refuse_rewrite('lifetime totals never fall');
CREATE TRIGGER price_is_final BEFORE UPDATE ON internal.price_book FOR EACH ROW
    WHEN ((OLD.meter, OLD.provider, OLD.model, OLD.unit, OLD.credits, OLD.cost_micro)
        IS DISTINCT FROM (NEW.meter, NEW.provider, NEW.model, NEW.unit, NEW.credits, NEW.cost_micro))
    EXECUTE FUNCTION internal.refuse_rewrite('a price ends and another begins; it is not edited');

-- The reference has no unique key on the transaction a commission comes from, so a repeated payment
-- event could pay twice. One commission per transaction, affiliate and kind; claw-backs are a kind.
CREATE FUNCTION internal.refuse_second_commission() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    -- Two transactions cannot both look before either has written.
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.source_transaction_id::text, 0));
    IF EXISTS (
        SELECT FROM public.affiliate_commissions AS earlier
        WHERE earlier.source_transaction_id = NEW.source_transaction_id
          AND earlier.affiliate_user_id = NEW.affiliate_user_id
          AND earlier.commission_type = NEW.commission_type
    ) THEN
        RAISE EXCEPTION 'this transaction has already earned this commission'
            USING ERRCODE = 'unique_violation', TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER one_commission_per_transaction BEFORE INSERT ON public.affiliate_commissions
    FOR EACH ROW WHEN (NEW.source_transaction_id IS NOT NULL)
    EXECUTE FUNCTION internal.refuse_second_commission();

-- Work that is over stays over ------------------------------------------------------------------

CREATE TRIGGER over_is_over BEFORE UPDATE OF status ON public.catalog_generation_jobs FOR EACH ROW
    WHEN (OLD.status IN ('completed', 'cancelled') AND NEW.status <> OLD.status)
    EXECUTE FUNCTION internal.refuse_rewrite('a finished job does not start again');
CREATE TRIGGER over_is_over BEFORE UPDATE OF status ON public.knowledge_ingestion_jobs FOR EACH ROW
    WHEN (OLD.status IN ('completed', 'cancelled') AND NEW.status <> OLD.status)
    EXECUTE FUNCTION internal.refuse_rewrite('a finished job does not start again');
CREATE TRIGGER over_is_over BEFORE UPDATE OF status ON public.product_import_batches FOR EACH ROW
    WHEN (OLD.status IN ('completed', 'completed_with_errors', 'cancelled')
        AND NEW.status <> OLD.status)
    EXECUTE FUNCTION internal.refuse_rewrite('a finished import does not start again');
CREATE TRIGGER over_is_over BEFORE UPDATE OF status ON public.autonomous_tasks FOR EACH ROW
    WHEN (OLD.status IN ('completed', 'cancelled', 'rejected') AND NEW.status <> OLD.status)
    EXECUTE FUNCTION internal.refuse_rewrite('a finished task does not start again');
CREATE TRIGGER over_is_over BEFORE UPDATE OF status ON public.lora_training_history FOR EACH ROW
    WHEN (OLD.status IN ('completed', 'failed', 'cancelled') AND NEW.status <> OLD.status)
    EXECUTE FUNCTION internal.refuse_rewrite('a finished training does not start again');
CREATE TRIGGER over_is_over BEFORE UPDATE OF status ON public.studio_creations FOR EACH ROW
    WHEN (OLD.status IN ('completed', 'cancelled') AND NEW.status <> OLD.status)
    EXECUTE FUNCTION internal.refuse_rewrite('a finished creation does not start again');
CREATE TRIGGER over_is_over BEFORE UPDATE OF status ON public.vr_tryons FOR EACH ROW
    WHEN (OLD.status = 'completed' AND NEW.status <> OLD.status)
    EXECUTE FUNCTION internal.refuse_rewrite('a finished try-on does not start again');

-- One training at a time, and no version twice; the reference has no unique key for either.
CREATE FUNCTION internal.check_training() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    PERFORM FROM public.ai_personas WHERE id = NEW.persona_id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT FROM public.lora_training_history AS other
        WHERE other.persona_id = NEW.persona_id AND other.id <> NEW.id
          AND (other.version = NEW.version
            OR (NEW.status IN ('pending', 'training') AND other.status IN ('pending', 'training')))
    ) THEN
        RAISE EXCEPTION 'the persona is already being trained, or has this version'
            USING ERRCODE = 'unique_violation', TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER one_training_at_a_time BEFORE INSERT OR UPDATE OF persona_id, version, status
    ON public.lora_training_history FOR EACH ROW EXECUTE FUNCTION internal.check_training();

-- Catalogue and wardrobe ------------------------------------------------------------------------

-- A row without an id of its own is known by its SKU, else by what it says: importing the same file
-- again finds it. The unique key cannot do this, because null is distinct from null.
CREATE FUNCTION internal.name_imported_product() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.external_id := CASE
        WHEN nullif(trim(NEW.sku), '') IS NOT NULL THEN 'sku:' || trim(NEW.sku)
        ELSE 'row:' || encode(sha256(convert_to(
            concat_ws(E'\n', NEW.title, NEW.description, NEW.price_cents, NEW.primary_image_url),
            'UTF8')), 'hex')
    END;
    RETURN NEW;
END
$$;
CREATE TRIGGER name_imported_product BEFORE INSERT ON public.imported_products FOR EACH ROW
    WHEN (NEW.external_id IS NULL) EXECUTE FUNCTION internal.name_imported_product();

-- The reference has two columns for one fact; whichever a writer fills, both hold it.
CREATE FUNCTION internal.mirror_inventory_item() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.inventory_item_id IS NOT DISTINCT FROM OLD.inventory_item_id THEN
        NEW.inventory_item_id := NEW.shopify_inventory_item_id;
    ELSE
        NEW.inventory_item_id := coalesce(NEW.inventory_item_id, NEW.shopify_inventory_item_id);
        NEW.shopify_inventory_item_id := NEW.inventory_item_id;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER mirror_inventory_item BEFORE INSERT OR UPDATE ON public.shopify_product_variants
    FOR EACH ROW WHEN (NEW.inventory_item_id IS DISTINCT FROM NEW.shopify_inventory_item_id)
    EXECUTE FUNCTION internal.mirror_inventory_item();

CREATE FUNCTION internal.switch_off_binding() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.is_active := false;
    RETURN NEW;
END
$$;
CREATE TRIGGER binding_without_garment_is_off BEFORE UPDATE OF wardrobe_garment_id
    ON public.social_posts_garment_bindings FOR EACH ROW
    WHEN (OLD.wardrobe_garment_id IS NOT NULL AND NEW.wardrobe_garment_id IS NULL
        AND NEW.garment_url IS NULL)
    EXECUTE FUNCTION internal.switch_off_binding();

-- VR --------------------------------------------------------------------------------------------

CREATE FUNCTION internal.check_rack_position() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    PERFORM FROM public.vr_shops WHERE id = NEW.shop_id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT FROM public.vr_garments AS other
        WHERE other.shop_id = NEW.shop_id AND other.display_order = NEW.display_order
          AND other.is_active AND other.id <> NEW.id
    ) THEN
        RAISE EXCEPTION 'position % of the rack is taken', NEW.display_order
            USING ERRCODE = 'unique_violation', TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;
    END IF;
    RETURN NEW;
END
$$;
-- Six positions, one garment each: that there are at most six follows.
CREATE TRIGGER one_garment_per_position BEFORE INSERT OR UPDATE OF shop_id, display_order, is_active
    ON public.vr_garments FOR EACH ROW WHEN (NEW.is_active)
    EXECUTE FUNCTION internal.check_rack_position();

CREATE FUNCTION internal.check_token_workspace() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    IF NEW.workspace_id IS DISTINCT FROM (
        SELECT workspace_id FROM public.vr_shops WHERE id = NEW.shop_id
    ) THEN
        RAISE EXCEPTION 'a token is paid for by the workspace that owns the shop'
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER token_belongs_to_shop BEFORE INSERT OR UPDATE OF shop_id, workspace_id
    ON public.vr_shop_tokens FOR EACH ROW EXECUTE FUNCTION internal.check_token_workspace();
