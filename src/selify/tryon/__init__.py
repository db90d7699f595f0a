"""Trying on: the bot, one try-on from photo to picture, and what came of it.

Owns ``social_posts``, ``social_posts_garment_bindings``, ``bot_interactions``, ``account_sync_metadata``,
``social_account_sync_metadata``, ``internal.funnel_days`` and ``internal.post_listings``.
Offers ``ports`` and ``types`` (what an engine is), ``engine`` (ours), ``own_engine`` and ``checked`` (others'), and
``funnel``.
Needs ``auth``, ``billing``, ``commerce``, ``dash`` for its pages, ``messaging``, ``notifications``, and the engines
that were chosen (the port ``EngineChooser``).
"""
