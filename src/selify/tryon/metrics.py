"""What is measured of try-ons; see ``selify.core.metrics``."""

from prometheus_client import Histogram

tryon_seconds = Histogram(
    "selify_tryon_seconds",
    "Seconds from photo to picture",
    ["engine"],
    buckets=(0.5, 1, 2, 3, 5, 8, 13, 30, 60),
)
