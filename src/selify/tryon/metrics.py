"""What Prometheus may scrape of try-ons (``core/metrics.py``)."""

from selify.core import metrics

picture_seconds = metrics.seconds(
    "selify_tryon_seconds",
    "Seconds from photo to picture",
    "engine",
    buckets=(0.5, 1, 2, 3, 5, 8, 13, 30, 60),
)
