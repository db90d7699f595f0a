"""Figures: daily roll-ups per account, and what a holding sees of its brands.

Owns ``account_metrics_daily``, ``instagram_post_metrics`` and ``cross_brand_analytics``.
Offers an address of the API, and nothing to other wings.
Needs ``auth``, ``billing`` and ``tryon``.
"""
