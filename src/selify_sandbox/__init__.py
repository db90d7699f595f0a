"""What stands in for the world around the product: outside systems, and a brand to try it with.

``instagram``, ``fal``, ``gemini`` and ``replicate`` speak the wire protocols of those systems; each
is an implementation of its own and shares nothing with our clients (``hosted`` is what those of the
try-on engines have in common). ``demo`` runs the product with a brand in it, ``journey`` a
shopper's way through it without a hand on it; ``drawn_garments`` and ``drawn_people`` are the
wardrobe and the shoppers. ``drawn_world`` draws many more of both, with the truth about them, to
measure try-on engines against. The tests use all of it.

A package of its own: the product never imports it and does without it. Its commands
are found by the name of its package and of ``commands.py`` in it.
"""
