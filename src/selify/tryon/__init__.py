"""Trying on: the bot, one try-on from photo to picture, and what came of it.

Owns posts and the garments bound to them (``social_posts``, ``social_posts_garment_bindings``) and the
funnel (``bot_interactions``).
"""
