"""SIGKILL at random moments over all steps: after retries the tables are those of an undisturbed run."""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from blotter.config import Settings
from warehouses import read_news, read_rows

LIMIT_S = 120


def run_steps(settings: Settings) -> None:
    from blotter import steps

    steps.ingest_drops(settings, run_id="run")
    for slice_id in steps.plan_slices(settings):
        steps.read_slice(settings, slice_id)
    steps.publish_batch(settings, run_id="run")


@pytest.fixture(scope="module")
def context() -> Iterator[ForkServerContext]:
    """Processes forked off a server that has the heavy imports, so that a kill hits work and not imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["blotter.steps", "blotter.extract", "great_expectations", "trafilatura"])
    yield context


def run_until_done(context: ForkServerContext, settings: Settings, delays_s: Iterator[float]) -> int:
    """Start the steps again after each kill until they end by themselves; returns the number of kills."""
    n_kills = 0
    while True:
        process = context.Process(target=run_steps, args=(settings,))
        process.start()
        process.join(next(delays_s, LIMIT_S))
        if process.exitcode is not None:
            assert process.exitcode == 0
            return n_kills
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join(LIMIT_S)
        n_kills += 1


def test_killed_at_random_moments_nothing_is_lost_and_nothing_doubled(
    tmp_path: Path,
    context: ForkServerContext,
    make_settings: Callable[..., Settings],
    drop_stories: Callable[[Settings], None],
    is_heavy: bool,
) -> None:
    undisturbed = make_settings(tmp_path / "undisturbed")
    drop_stories(undisturbed)
    started = time.monotonic()
    assert run_until_done(context, undisturbed, iter(())) == 0
    whole_s = time.monotonic() - started
    expected = read_news(tmp_path / "undisturbed" / "warehouse")
    assert expected["changes"]
    dispositions = sorted((row[3], row[5]) for row in read_rows(tmp_path / "undisturbed" / "warehouse", "inputs"))

    for seed in range(50 if is_heavy else 3):
        home = tmp_path / f"seed-{seed}"
        settings = make_settings(home)
        drop_stories(settings)
        chance = random.Random(seed)
        delays_s = iter([chance.uniform(0, whole_s) for _ in range(2)])
        run_until_done(context, settings, delays_s)
        assert read_news(home / "warehouse") == expected, f"seed {seed}"
        inputs = sorted((row[3], row[5]) for row in read_rows(home / "warehouse", "inputs"))
        assert inputs == dispositions, f"seed {seed}"
