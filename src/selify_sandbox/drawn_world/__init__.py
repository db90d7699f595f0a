"""A drawn world in which the truth is known: people, garments, and one in the other.

``specs`` says what there is (small frozen descriptions); ``people`` and ``garments`` draw it with
its truth; ``scenes`` pairs them, draws the picture that a perfect try-on would give, and measures
any other picture against it. ``samples`` are the people and garments that are used again and again.

``drawn_people`` and ``drawn_garments`` beside this package are the demo's own pictures.
Everything is deterministic: the same description gives the same pixels.
"""
