-- A region belongs to the consent it was given with, and users cannot write its tokens.
REVOKE UPDATE (region) ON public.amazon_connected_accounts FROM authenticated;
