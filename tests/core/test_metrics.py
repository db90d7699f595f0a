"""Programs that run side by side count together, whatever happens to one of them."""

import os
import subprocess
import sys
from pathlib import Path

from selify.core import metrics

WORK = """
import os, signal
from selify.core import metrics
from selify.tryon.metrics import picture_seconds
metrics.jobs_finished.labels("tryon", "done").inc({done})
picture_seconds.labels("embedded").observe(2.0)
metrics.live_pages.inc(3)
metrics.waiting.labels("jobs").set({done})
{end}
"""
KILLED = "os.kill(os.getpid(), signal.SIGKILL)"
SHOWN = 'print(metrics.scrape().decode(), end="")'


def run(environment: dict[str, str], *, done: int = 0, end: str = KILLED) -> str:
    """A program that works, and then dies or shows what all have counted."""
    answer = subprocess.run(
        [sys.executable, "-c", WORK.format(done=done, end=end)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode in (0, -9), answer.stderr
    return answer.stdout


def test_what_killed_workers_counted_is_kept_and_added_up(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    metrics.empty(folder)
    for name, done in (("worker 1", 5), ("worker 1", 2), ("worker 2", 10)):
        run(metrics.environment(folder, name), done=done)
    shown = run(metrics.environment(folder, "server"), end=SHOWN)
    assert 'selify_jobs_total{kind="tryon",outcome="done"} 17.0' in shown
    assert 'selify_tryon_seconds_count{engine="embedded"} 4.0' in shown
    files = {path.name for path in folder.iterdir()}
    assert len(files) == 3 * 4, "a program that is started again needs no further files"


def test_what_a_dead_program_said_of_the_moment_is_forgotten(tmp_path: Path) -> None:
    environment = metrics.environment(tmp_path, "server 1")
    run(environment)
    shown = run(metrics.environment(tmp_path, "server 2"), end=SHOWN)
    assert "selify_live_pages 6.0" in shown
    metrics.forget_gauges(environment)
    shown = run(metrics.environment(tmp_path, "server 3"), end=SHOWN)
    assert "selify_live_pages 6.0" in shown, "of the second and third; the first is forgotten"
    assert 'selify_waiting{queue="jobs"} 0.0' in shown


def test_a_folder_is_emptied_for_a_new_start(tmp_path: Path) -> None:
    run(metrics.environment(tmp_path, "worker 1"), done=5)
    metrics.empty(tmp_path)
    shown = run(metrics.environment(tmp_path, "worker 1"), done=1, end=SHOWN)
    assert 'selify_jobs_total{kind="tryon",outcome="done"} 1.0' in shown


def test_a_folder_that_cannot_be_had_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    shown = run(metrics.environment(tmp_path / "file", "server"), done=1, end=SHOWN)
    assert 'selify_jobs_total{kind="tryon",outcome="done"} 1.0' in shown


def test_nothing_is_written_where_nobody_counts_together() -> None:
    assert metrics.FOLDER not in os.environ
    assert b"selify_live_pages" in metrics.scrape()
