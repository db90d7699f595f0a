-- Which columns a role may touch. Row level security decides about rows; this file closes what rows
-- cannot: secrets that a member's own row holds, and money, counters and states that only the
-- system may write.
--
-- Everything is taken away first, then given back column by column, so a column added later is
-- closed until a migration opens it. workspace_id, user_id and other keys are given at INSERT only:
-- no row changes hands.

-- Nothing by default ------------------------------------------------------------------------------

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA public, internal FROM PUBLIC, anon, authenticated;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public, internal FROM PUBLIC, anon, authenticated;
REVOKE ALL ON SCHEMA internal FROM PUBLIC, anon, authenticated;
GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;

-- A Supabase project grants everything on new tables to every role; here they start closed.
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM anon, authenticated;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM anon, authenticated;
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON FUNCTIONS FROM anon, authenticated;
-- PostgreSQL itself lets everybody call a new function, and only a default for the whole database, which
-- others may use too, could change that: a migration names who may call what it makes, and the security
-- lints find what it forgot.

-- The system --------------------------------------------------------------------------------------
-- No TRUNCATE: it would step over the triggers that keep ledgers append-only.

GRANT USAGE ON SCHEMA internal TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, internal TO service_role;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public, internal TO service_role;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO service_role;
ALTER DEFAULT PRIVILEGES IN SCHEMA internal
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO service_role;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO service_role;
ALTER DEFAULT PRIVILEGES IN SCHEMA internal GRANT USAGE, SELECT ON SEQUENCES TO service_role;

-- The schema's own version changes with a migration only.
DO $$
BEGIN
    IF to_regclass('internal.alembic_version') IS NOT NULL THEN
        REVOKE INSERT, UPDATE, DELETE ON internal.alembic_version FROM service_role;
    END IF;
END
$$;

-- Functions ---------------------------------------------------------------------------------------
-- Those that run with their owner's rights are for the roles named here, not for PUBLIC. Users can
-- run the helpers of their policies, but not call them: they have no USAGE on schema internal.

DO $$
DECLARE
    function regprocedure;
BEGIN
    FOR function IN
        SELECT p.oid FROM pg_catalog.pg_proc p
        WHERE p.pronamespace IN ('public'::regnamespace, 'internal'::regnamespace) AND p.prosecdef
          AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                          WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC, anon, authenticated', function);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO service_role', function);
    END LOOP;
END
$$;

GRANT EXECUTE ON FUNCTION
    internal.my_workspaces(),
    internal.my_admin_workspaces(),
    internal.my_owned_workspaces(),
    internal.my_accounts(),
    internal.my_email_accounts(),
    internal.my_managed_email_accounts(),
    internal.is_member(uuid, uuid),
    internal.is_team(),
    internal.is_own_garment_link(uuid, uuid, uuid, uuid),
    public.my_profile(),
    public.create_workspace_with_owner(text, text, uuid, text)
TO authenticated;

-- Reading -----------------------------------------------------------------------------------------
-- Where a policy lets a role see rows, it sees their columns, less the ones that are hidden here.

DO $$
DECLARE
    readable record;
BEGIN
    FOR readable IN
        WITH hidden (table_name, columns) AS (VALUES
            -- credentials
            ('amazon_connected_accounts', 'access_token refresh_token'),
            ('connected_social_accounts', 'access_token refresh_token'),
            ('pending_shopify_installations', 'access_token hmac oauth_data metadata'),
            ('user_email_accounts', 'password_encrypted'),
            ('vr_shop_tokens', 'token'),
            ('workspace_email_accounts', 'password_encrypted'),
            -- ids at the payment provider, which are worth something only together with its key
            ('subscription_cancellation_feedback', 'stripe_subscription_id'),
            ('subscription_tiers', 'stripe_price_id'),
            ('workspace_auto_reload_settings', 'stripe_payment_method_id'),
            ('workspace_financial_transactions',
             'stripe_payment_intent_id stripe_subscription_id stripe_invoice_id stripe_session_id '
             'stripe_customer_id notes'),
            ('workspace_payg_balance', 'stripe_customer_id'),
            ('workspace_subscriptions',
             'stripe_subscription_id stripe_customer_id stripe_schedule_id'),
            -- another tenant's affairs, and what our own staff writes down
            ('affiliate_commissions', 'source_workspace_id source_transaction_id notes'),
            ('user_feedback', 'internal_notes assigned_to plane_issue_id task_id'),
            ('vr_tryons', 'cost_usd workspace_id'),
            ('webhook_events', 'error_stack worker_id')
        ),
        -- of other people's profiles everyone sees these; one's own is public.my_profile()
        shown (table_name, columns) AS (VALUES ('profiles', 'id username full_name avatar_url'))
        SELECT a.attrelid::regclass AS table_name, role.rolname,
               string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_catalog.pg_roles role ON role.rolname IN ('anon', 'authenticated')
        WHERE c.relnamespace = 'public'::regnamespace
          AND EXISTS (SELECT FROM pg_catalog.pg_policy p
                      WHERE p.polrelid = c.oid
                        AND p.polcmd IN ('r', '*') AND role.oid = ANY (p.polroles))
          AND NOT EXISTS (SELECT FROM hidden
                          WHERE hidden.table_name = c.relname
                            AND a.attname = ANY (string_to_array(hidden.columns, ' ')))
          AND NOT EXISTS (SELECT FROM shown
                          WHERE shown.table_name = c.relname
                            AND a.attname <> ALL (string_to_array(shown.columns, ' ')))
        GROUP BY a.attrelid, role.rolname
    LOOP
        EXECUTE format('GRANT SELECT (%s) ON %s TO %I',
            readable.columns, readable.table_name, readable.rolname);
    END LOOP;
END
$$;

-- Writing: auth -----------------------------------------------------------------------------------

GRANT INSERT (id, username, full_name, avatar_url, website, location, language, phone, preferences),
      UPDATE (username, full_name, avatar_url, website, location, language, phone, preferences)
    ON public.profiles TO authenticated;
GRANT INSERT (id, shop_id, workspace_id, token, token_name, expires_at, created_by, notes),
      UPDATE (token_name, expires_at, is_active, notes)
    ON public.vr_shop_tokens TO authenticated;
-- What a role allows is the program's to say, not the row's: permissions are not written here.
GRANT INSERT (id, workspace_id, user_id, role, expires_at),
      UPDATE (role, expires_at),
      DELETE
    ON public.workspace_members TO authenticated;
-- What the bot says is checked by the server, and settings say how far a deletion has come.
GRANT INSERT (id, name, slug, owner_id, description, avatar_url),
      UPDATE (name, slug, description, avatar_url, brand_voice, brand_metadata)
    ON public.workspaces TO authenticated;

-- Writing: billing --------------------------------------------------------------------------------

GRANT INSERT (id, workspace_id, user_id, subscription_tier, cancellation_type, cancellation_reason,
              cancellation_flow, billing_cycle)
    ON public.subscription_cancellation_feedback TO authenticated;

-- Writing: commerce -------------------------------------------------------------------------------

-- The seller is proven by the consent the server received, so no user makes an account by hand.
GRANT UPDATE (marketplace_id) ON public.amazon_connected_accounts TO authenticated;
GRANT INSERT (id, connected_account_id, workspace_id, brand_name, brand_tagline, brand_story,
              brand_voice, tone_keywords, avoid_keywords, target_gender, target_age_min,
              target_age_max, target_lifestyle, target_income_level, pricing_strategy,
              price_ranges, currency, default_markup_percent, description_template,
              description_length, include_materials, include_care_instructions,
              include_sizing_info, include_sustainability, include_origin_story,
              preferred_model_style, preferred_background, model_diversity_enabled, sample_titles,
              sample_descriptions, common_tags),
      UPDATE (brand_name, brand_tagline, brand_story, brand_voice, tone_keywords, avoid_keywords,
              target_gender, target_age_min, target_age_max, target_lifestyle, target_income_level,
              pricing_strategy, price_ranges, currency, default_markup_percent,
              description_template, description_length, include_materials,
              include_care_instructions, include_sizing_info, include_sustainability,
              include_origin_story, preferred_model_style, preferred_background,
              model_diversity_enabled, sample_titles, sample_descriptions, common_tags),
      DELETE
    ON public.brand_settings TO authenticated;
GRANT INSERT (id, workspace_id, source, external_id, sku, title, description, images,
              primary_image_url, price_cents, compare_at_price_cents, currency, product_type,
              vendor, tags, variants, garment_type, garment_category, garment_color,
              garment_material, garment_fit),
      UPDATE (sku, title, description, images, primary_image_url, price_cents,
              compare_at_price_cents, currency, product_type, vendor, tags, variants, garment_type,
              garment_category, garment_color, garment_material, garment_fit, ai_body_html,
              ai_meta_title, ai_meta_description, ai_tags),
      DELETE
    ON public.imported_products TO authenticated;
GRANT INSERT (id, workspace_id, source, source_file_name, created_by)
    ON public.product_import_batches TO authenticated;
GRANT INSERT (id, workspace_id, connected_account_id, shopify_collection_id, collection_type,
              title, body_html, handle, sort_order, image_url, image_alt, wardrobe_collection_id,
              auto_sync_enabled),
      UPDATE (title, body_html, sort_order, image_url, image_alt, wardrobe_collection_id,
              auto_sync_enabled),
      DELETE
    ON public.shopify_collections TO authenticated;
GRANT INSERT (id, product_id, shopify_variant_id, title, sku, barcode, option1, option2, option3,
              price_cents, compare_at_price_cents, image_url, position),
      UPDATE (title, sku, barcode, option1, option2, option3,
              price_cents, compare_at_price_cents, image_url, position),
      DELETE
    ON public.shopify_product_variants TO authenticated;
GRANT INSERT (id, workspace_id, connected_account_id, shopify_product_id, title, body_html, vendor,
              product_type, tags, images, featured_image_url, options, handle, collection_ids,
              seo_title, seo_description),
      UPDATE (title, body_html, vendor, product_type, tags, images, featured_image_url, options,
              collection_ids, seo_title, seo_description),
      DELETE
    ON public.shopify_products TO authenticated;
GRANT INSERT (id, shop_id, name, description, garment_type, model_glb_url, thumbnail_url, price_usd,
              polygon_count, texture_size, display_order, is_active),
      UPDATE (name, description, garment_type, model_glb_url, thumbnail_url, price_usd,
              polygon_count, texture_size, display_order, is_active),
      DELETE
    ON public.vr_garments TO authenticated;
GRANT INSERT (id, name, description, brand, logo_url, environment_glb_url, is_active, workspace_id),
      UPDATE (name, description, brand, logo_url, environment_glb_url, is_active),
      DELETE
    ON public.vr_shops TO authenticated;
GRANT INSERT (id, workspace_id, name, description, thumbnail_url, display_order, is_default,
              metadata, created_by, shopify_collection_id, auto_sync_enabled),
      UPDATE (name, description, thumbnail_url, display_order, is_default, metadata,
              shopify_collection_id, auto_sync_enabled),
      DELETE
    ON public.wardrobe_collections TO authenticated;
-- Garments are not written at all: the server looks at each picture, and counts its uses.

-- Writing: ai -------------------------------------------------------------------------------------

GRANT INSERT (id, workspace_id, name, gender, age_range, ethnicity, body_type, height_cm,
              face_prompt, selected_face_index, style, default_pose, lighting_preset,
              generation_settings, is_favorite, face_reference_url, skin_tone, style_aesthetic,
              voice_profile, role, autonomy_level, requires_approval_for,
              max_autonomous_value_cents, pinned_facts, memory_categories, disclosure_text,
              minor_interaction_mode, is_default),
      UPDATE (name, gender, age_range, ethnicity, body_type, height_cm, face_prompt,
              selected_face_index, style, default_pose, lighting_preset, generation_settings,
              is_favorite, face_reference_url, skin_tone, style_aesthetic, voice_profile, role,
              autonomy_level, requires_approval_for, max_autonomous_value_cents, pinned_facts,
              memory_categories, disclosure_text, minor_interaction_mode, is_default),
      DELETE
    ON public.ai_personas TO authenticated;
-- How much of a job runs at once is ours to decide; what it shall make is theirs.
GRANT INSERT (id, workspace_id, connected_account_id, config, priority_mode, delta_only,
              generate_tryons, tryon_count, auto_publish, custom_instructions, created_by),
      UPDATE (priority_mode, auto_publish, custom_instructions)
    ON public.catalog_generation_jobs TO authenticated;
GRANT INSERT (id, workspace_id, project_id, creation_type, garment_id, model_id, model_image_url,
              model_storage_path, input_image_url, prompt, quality, category, num_outputs,
              settings),
      UPDATE (project_id),
      DELETE
    ON public.studio_creations TO authenticated;
GRANT INSERT (id, workspace_id, name, storage_path, thumbnail_url, attributes, is_favorite),
      UPDATE (name, thumbnail_url, attributes, is_favorite),
      DELETE
    ON public.studio_models TO authenticated;
GRANT INSERT (id, workspace_id, name, description, default_settings),
      UPDATE (name, description, default_settings, is_archived),
      DELETE
    ON public.studio_projects TO authenticated;

-- Writing: social ---------------------------------------------------------------------------------

-- Accounts are not written at all. Owning one is proven by the consent the server received, and only
-- one workspace in the whole system can have it: a row made by hand would take someone else's place.
-- What its bot says is an admin's, and checked; disconnecting it speaks to the platform.
-- Nor are conversations, messages and what a post shows: the server checks each, and says it to the platform.
-- The server seals the password before it is written; nobody can read it back.
GRANT INSERT (id, user_id, email, display_name, color, imap_host, imap_port, imap_secure,
              smtp_host, smtp_port, smtp_secure, password_encrypted, is_active),
      UPDATE (display_name, color, imap_host, imap_port, imap_secure,
              smtp_host, smtp_port, smtp_secure, password_encrypted, is_active),
      DELETE
    ON public.user_email_accounts TO authenticated;
GRANT INSERT (id, workspace_id, email, display_name, color, imap_host, imap_port, imap_secure,
              smtp_host, smtp_port, smtp_secure, password_encrypted, is_active),
      UPDATE (display_name, color, imap_host, imap_port, imap_secure,
              smtp_host, smtp_port, smtp_secure, password_encrypted, is_active),
      DELETE
    ON public.workspace_email_accounts TO authenticated;
GRANT INSERT (id, account_id, user_id, role), UPDATE (role), DELETE
    ON public.workspace_email_account_members TO authenticated;

-- Writing: ops ------------------------------------------------------------------------------------

-- Address and browser are what the server saw, not what the form says.
GRANT INSERT (id, name, email, message, source)
    ON public.contact_submissions TO anon, authenticated;
GRANT UPDATE (read_at, archived_at), DELETE ON public.notifications TO authenticated;
GRANT INSERT (id, user_id, user_email, title, description, category, affected_area,
              steps_to_reproduce, expected_behavior, actual_behavior, screenshots, metadata,
              source)
    ON public.user_feedback TO anon, authenticated;
GRANT UPDATE (category, affected_area, assigned_to, internal_notes, resolution, plane_issue_id,
              github_issue_number, task_id)
    ON public.user_feedback TO authenticated;
GRANT INSERT (id, name, description, target_app, environment, base_url, spec_ids, tags, metadata),
      UPDATE (name, description, tags, metadata)
    ON public.qa_test_runs TO authenticated;
GRANT INSERT (id, name, description, target_app, target_url, nl_spec, tags, category, priority,
              timeout_ms, retries, browser, viewport_width, viewport_height, depends_on,
              setup_spec_id, visual_threshold, created_by, metadata, trigger_on_repos, run_on_push,
              push_priority, push_timeout_ms),
      UPDATE (name, description, target_app, target_url, nl_spec, tags, category, priority,
              timeout_ms, retries, browser, viewport_width, viewport_height, depends_on,
              setup_spec_id, visual_threshold, metadata, trigger_on_repos, run_on_push,
              push_priority, push_timeout_ms)
    ON public.qa_test_specs TO authenticated;
-- A result is what the runner saw: the team may annotate it, not write one.
GRANT UPDATE (metadata) ON public.qa_test_results TO authenticated;

-- Numbers of the team's specs and runs.
GRANT USAGE ON SEQUENCE
    public.qa_test_runs_run_number_seq, public.qa_test_specs_spec_number_seq
TO authenticated;
