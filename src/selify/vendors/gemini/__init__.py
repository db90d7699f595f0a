"""Google's Gemini image models as a try-on engine.

Owns no table.
Offers an engine of its name (``wiring``).
Needs ``tryon``, whose port ``TryOnEngine`` it fills.
"""
