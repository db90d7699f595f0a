"""Outside systems: one folder each, and the only place, beside the reference, where their names appear.

Owns no table.
Offers ``engines``, which collects the try-on engines that vendors bring, and ``hosted``, which the hosted ones share.
Needs ``billing`` for what engines cost, and ``tryon``, whose port ``EngineChooser`` it fills.
"""
