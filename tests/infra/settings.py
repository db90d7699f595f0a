"""The class of all the product's settings, to be made with keywords: ``Settings(photo_hours=1)``."""

from selify.core import settings

Settings = settings.every()
