"""What Prometheus may scrape at ``/metrics``.

Programs that run side by side count together: each into files of its own in one folder, and whoever
is asked adds them all up. The files bear the program's name, not its process's number: one that was
killed goes on where it stopped, so no counter goes back and no files pile up. What it said of the
moment (the gauges ``live…``) died with it and is forgotten.
"""

import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the client library's own name for it
PROGRAM = "SELIFY_PROGRAM"
_FILES = ("counter", "histogram", "gauge_livesum", "gauge_livemostrecent")
_FILE_BYTES = 1 << 16


def empty(folder: Path) -> None:
    """A folder to count in; whatever earlier programs counted there is gone."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)


def environment(folder: Path, program: str) -> dict[str, str]:
    """What makes a program count in this folder. No two that run at once may have one name."""
    return {FOLDER: str(folder), PROGRAM: program.replace(" ", "-")}


def forget_gauges(of: Mapping[str, str]) -> None:
    """Of a program that ended, by the ``environment`` it was given."""
    if FOLDER in of and PROGRAM in of:
        mark_process_dead(of[PROGRAM], of[FOLDER])  # type: ignore[no-untyped-call]


def scrape() -> bytes:
    """All metrics in Prometheus' text format, of all programs that count together."""
    registry, folder = prometheus_client.REGISTRY, os.environ.get(FOLDER)
    if folder and Path(folder).is_dir():
        registry = CollectorRegistry()
        MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    return prometheus_client.generate_latest(registry)


def _count_together() -> None:
    """As our environment says. The library decides before the first metric is made; so do we."""
    folder, program = os.environ.get(FOLDER), os.environ.get(PROGRAM)
    if not folder:
        return
    try:
        for kind in _FILES:
            _make_room(Path(folder) / f"{kind}_{program or os.getpid()}.db")
    except OSError as error:
        values.ValueClass = values.MutexValue
        logging.getLogger(__name__).warning("this process counts for itself alone: %s", error)
        return
    if program:
        values.ValueClass = values.MultiProcessValue(lambda: program)  # type: ignore[no-untyped-call]


def _make_room(path: Path) -> None:
    """The file at once and in full: never empty for who reads it, and never without space on the
    disk when a number is written through the memory map (which would end the process).
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.write_bytes(bytes(_FILE_BYTES))
        draft.replace(path)


_count_together()


def seconds(name: str, said: str, *labels: str, buckets: Sequence[float]) -> Histogram:
    """How long something takes that is a wing's own."""
    return Histogram(name, said, labels, buckets=buckets)


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
connections_refused = Counter(
    "selify_connections_refused_total", "Connections refused or cut off, by reason", ["reason"]
)
requests_refused = Counter(
    "selify_requests_refused_total", "Requests refused as too many, by what was counted", ["by"]
)
waiting = Gauge(
    "selify_waiting",
    "Rows waiting, by queue",
    ["queue"],
    multiprocess_mode="livemostrecent",  # all see the same database
)
dead_letters = Gauge(
    "selify_dead_letters",
    "Events that failed for good",
    multiprocess_mode="livemostrecent",
)
invariant_findings = Gauge(
    "selify_invariant_findings",
    "Places where an invariant does not hold",
    multiprocess_mode="livemostrecent",
)
live_pages = Gauge(
    "selify_live_pages", "Pages connected for live updates", multiprocess_mode="livesum"
)
