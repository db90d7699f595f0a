-- As policies/ has them. An EXISTS of which many rows are expected is answered from all rows of the other
-- table that its own policy lets through, read once: 120,000 conversations, to show one. OFFSET 0 is what
-- PostgreSQL does not look behind.

ALTER POLICY "Users can view messages in their workspace conversations" ON public.social_messages
    USING (EXISTS (SELECT FROM public.social_conversations c
                   WHERE c.id = social_messages.conversation_id OFFSET 0));
ALTER POLICY "Users can view inventory history of their products" ON public.shopify_inventory_history
    USING (EXISTS (SELECT FROM public.shopify_product_variants v
                   WHERE v.id = shopify_inventory_history.variant_id OFFSET 0));
ALTER POLICY "Users can manage variants of their products" ON public.shopify_product_variants
    USING (EXISTS (SELECT FROM public.shopify_products p
                   WHERE p.id = shopify_product_variants.product_id OFFSET 0));
ALTER POLICY "Workspace members can manage garments" ON public.vr_garments
    USING (EXISTS (SELECT FROM public.vr_shops s WHERE s.id = vr_garments.shop_id OFFSET 0));
