"""Accounts, conversations and messages, whatever the platform.

Owns ``connected_social_accounts``, ``social_conversations``, ``social_messages``, ``instagram_account_health``,
``instagram_message_queue``, ``instagram_rate_limits``, ``instagram_webhook_subscriptions``,
``internal.account_trouble``, ``internal.deletion_requests``, ``internal.send_pace`` and ``internal.used_consents``.
Offers ``clients`` (who answers, and who asks for messages and hears what became of them), ``outgoing`` (a message that
is asked for), ``events`` and ``types`` (what happened), ``conversations``, ``accounts``, ``tokens``, ``unanswered``,
``unmatched_events``, ``deletion``, ``keys``, ``ports``, and for pages ``queries`` and ``repository``.
Needs ``auth``, ``dash`` for its pages, ``notifications``, and a vendor behind the port ``Platform``, of which nothing
here knows the name.
"""
