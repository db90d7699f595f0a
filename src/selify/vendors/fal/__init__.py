"""fal's hosted try-on models as an engine, over its queue.

Owns no table.
Offers ``client``, with the engine.
Needs ``tryon``, whose port ``TryOnEngine`` it fills.
"""
