"""What Prometheus may scrape at ``/metrics``."""

from prometheus_client import Counter, Gauge, Histogram

events_received = Counter(
    "selify_events_received_total", "Events written to the inbox", ["platform"]
)
events_duplicate = Counter(
    "selify_events_duplicate_total", "Events that had arrived before", ["platform"]
)
events_handled = Counter(
    "selify_events_handled_total", "Events handled, by outcome", ["event_type", "outcome"]
)
deliveries = Counter("selify_deliveries_total", "Messages sent, by outcome", ["channel", "outcome"])
jobs_finished = Counter("selify_jobs_total", "Jobs run, by outcome", ["kind", "outcome"])
tryon_seconds = Histogram(
    "selify_tryon_seconds",
    "Seconds from photo to picture",
    ["engine"],
    buckets=(0.5, 1, 2, 3, 5, 8, 13, 30, 60),
)
waiting = Gauge("selify_waiting", "Rows waiting, by queue", ["queue"])
live_pages = Gauge("selify_live_pages", "Pages connected for live updates")
