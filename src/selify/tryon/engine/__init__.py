"""Trying garments on: the embedded engine, and the quality gate of every engine.

The embedded engine, from the outside in: ``engine`` (fills the port), ``process`` and ``frames`` (its own
process), ``worker`` (what runs there), ``pipeline`` (photo and garment to picture). Seeing:
``perception``, ``skeleton``, ``person``. The garment: ``cutout``, ``keypoints``, ``neckline``,
``garment``; worn by somebody: ``wearer``, ``worn_garment``. Dressing: ``body``, ``worn``, ``fit``, ``sleeves``, ``dress``, ``trousers``,
``shading``, ``skin``. Judging: ``gate``, ``measures``, ``registration``. Before others are paid:
``photo_check``. For the wardrobe: ``reading``, ``wardrobe``, ``appearance``.
"""
