"""Models hosted on Replicate as a try-on engine.

Owns no table.
Offers ``client``, with the engine.
Needs ``tryon``, whose port ``TryOnEngine`` it fills.
"""
