"""How charges are said to a shop owner."""

from collections.abc import Mapping

from selify.core.language import _

CHARGE: Mapping[str, tuple[str, str]] = {
    "reserved": ("fair", _("Being made")),
    "completed": ("good", _("Delivered")),
    "refunded": ("off", _("Given back")),
    "failed": ("bad", _("Failed")),
    "cancelled": ("off", _("Cancelled")),
}

# What paid actions and their units are called in the price book.
METERS = (
    _("Virtual try-on"),
    _("Message written by a model"),
    _("Try-on in a VR shop"),
    _("picture"),
    _("message"),
)

TOP_UP = _("Whoever runs Selify for you can top it up.")
