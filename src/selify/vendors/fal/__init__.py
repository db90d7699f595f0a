"""fal's hosted try-on models as an engine, over its queue.

Owns no table.
Offers an engine of its name (``wiring``).
Needs ``tryon``, whose port ``TryOnEngine`` it fills.
"""
