"""What stays of a workspace that was deleted: the books, without people, messages or pictures in them. And what a
person earned, while they are there and when they are gone.
"""

from typing import Final

from selify.core.departure import Departure
from selify.core.personal_data import PersonalPart

BOOKS: Final = Departure(
    kept={
        "affiliate_commissions": "what the person who brought the customer earned",
        "workspace_financial_transactions": "payments",
        "workspace_payg_balance": "what was bought and used in all",
        "workspace_quotas": "what a week was worth",
        "workspace_subscriptions": "which plan was paid for",
        "workspace_usage_events": "charges",
    },
    nameless=(
        """
        UPDATE public.workspace_usage_events
           SET user_id = NULL, error_message = NULL,
               metadata = CASE WHEN metadata ? 'charge'
                               THEN jsonb_build_object('charge', metadata -> 'charge') ELSE '{}' END
         WHERE id IN (SELECT id FROM public.workspace_usage_events
                       WHERE workspace_id = $1 AND (user_id IS NOT NULL OR error_message IS NOT NULL
                             OR metadata - 'charge' <> '{}') ORDER BY id LIMIT $2)
        """,
        """
        UPDATE public.workspace_financial_transactions
           SET user_id = NULL, stripe_customer_id = NULL, notes = NULL, metadata = '{}',
               description = transaction_type
         WHERE id IN (SELECT id FROM public.workspace_financial_transactions
                       WHERE workspace_id = $1 AND (user_id IS NOT NULL OR notes IS NOT NULL
                             OR stripe_customer_id IS NOT NULL OR metadata <> '{}'
                             OR description <> transaction_type) ORDER BY id LIMIT $2)
        """,
        """
        UPDATE public.workspace_subscriptions SET stripe_customer_id = NULL
         WHERE id IN (SELECT id FROM public.workspace_subscriptions
                       WHERE workspace_id = $1 AND stripe_customer_id IS NOT NULL ORDER BY id LIMIT $2)
        """,
        """
        UPDATE public.workspace_payg_balance SET stripe_customer_id = NULL
         WHERE id IN (SELECT id FROM public.workspace_payg_balance
                       WHERE workspace_id = $1 AND stripe_customer_id IS NOT NULL ORDER BY id LIMIT $2)
        """,
    ),
)

EARNINGS: Final = PersonalPart(
    told={
        "commissions": """
            SELECT c.id, c.commission_type, c.source_amount_cents, c.commission_rate, c.commission_cents,
                   c.status, c.clears_at, c.paid_at, c.reversed_at, c.reversal_reason, c.created_at
              FROM public.affiliate_commissions c WHERE c.affiliate_user_id = $1 ORDER BY c.created_at
        """,
    },
    forget=(
        """
        UPDATE public.affiliate_commissions
           SET status = 'reversed', reversed_at = $2, reversal_reason = 'The account was erased.'
         WHERE affiliate_user_id = $1 AND status = 'pending'
        """,
    ),
)
