"""SIGKILL at random moments, of the steps and of the DAGs that Airflow runs: after retries all is as if undisturbed."""

import multiprocessing
import os
import random
import shutil
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest

from blotter.accounting import find_imbalances, list_pending
from blotter.config import ENV_PREFIX, Settings
from warehouses import read_news, read_rows

LIMIT_S = 280
DAGS = Path(__file__).parents[2] / "dags"

Run = Callable[[Settings], None]


def run_steps(settings: Settings) -> None:
    from blotter import steps

    steps.ingest_drops(settings, run_id="run")
    for slice_id in steps.plan_slices(settings):
        steps.read_slice(settings, slice_id)
    steps.publish_batch(settings, run_id="run")


def run_dags(settings: Settings) -> None:
    """Let Airflow run the two DAGs as it would: its own database, task by task, mapped slices among them."""
    for name, value in settings.model_dump(mode="json", exclude_defaults=True).items():
        for key, told in value.items() if isinstance(value, dict) else [("", value)]:
            os.environ[f"{ENV_PREFIX}{name.upper()}{f'__{key.upper()}' if key else ''}"] = str(told)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Airflow's own
        from blotter_airflow.embedded import load_dags

        dags = load_dags(DAGS)
        for dag_id in ("ingest_drops", "build_incidents"):
            assert str(dags[dag_id].test().state) == "success", dag_id


@pytest.fixture(scope="module")
def context() -> Iterator[ForkServerContext]:
    """Processes forked off a server that has the heavy imports, so that a kill hits work and not imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["blotter.steps", "great_expectations", "airflow.sdk"])
    yield context


def run_until_done(context: ForkServerContext, run: Run, settings: Settings, delays_s: Iterator[float]) -> int:
    """Start a run again after each kill until it ends by itself; returns the number of kills."""
    n_kills = 0
    while True:
        process = context.Process(target=run, args=(settings,))
        process.start()
        process.join(next(delays_s, LIMIT_S))
        if process.exitcode is not None:
            assert process.exitcode == 0
            return n_kills
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join(LIMIT_S)
        n_kills += 1


def read_dispositions(home: Path) -> list[Any]:
    return sorted((row[3], row[5]) for row in read_rows(home / "warehouse", "inputs"))


# 100 kills each in `make test-heavy`; the first few otherwise.
@pytest.mark.timeout(3 * 3600)
@pytest.mark.parametrize(("run", "n_sampled"), [(run_steps, 3), (run_dags, 2)], ids=["steps", "dags"])
def test_killed_at_random_moments_nothing_is_lost_and_nothing_doubled(
    tmp_path: Path,
    context: ForkServerContext,
    make_settings: Callable[..., Settings],
    drop_stories: Callable[[Settings], None],
    is_heavy: bool,
    run: Run,
    n_sampled: int,
) -> None:
    if run is run_dags:
        from airflow.utils.db import initdb

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            initdb()
    whole_s = float("inf")
    for name in ("undisturbed", "undisturbed again"):  # the second without what a first run warms up
        undisturbed = make_settings(tmp_path / name)
        drop_stories(undisturbed)
        started = time.monotonic()
        assert run_until_done(context, run, undisturbed, iter(())) == 0
        whole_s = min(whole_s, time.monotonic() - started)
    expected = read_news(tmp_path / "undisturbed" / "warehouse")
    assert expected["changes"]
    dispositions = read_dispositions(tmp_path / "undisturbed")

    n_kills, wanted = 0, 100 if is_heavy else n_sampled
    for seed in range(4 * wanted):  # a moment after the end kills nothing
        home = tmp_path / f"seed-{seed}"
        settings = make_settings(home)
        drop_stories(settings)
        chance = random.Random(seed)
        n_kills += run_until_done(context, run, settings, iter([chance.uniform(0, whole_s) for _ in range(2)]))
        assert read_news(home / "warehouse") == expected, f"seed {seed}"
        assert read_dispositions(home) == dispositions, f"seed {seed}"
        assert find_imbalances(settings) == [], f"seed {seed}"
        assert list_pending(settings).n_pending == 0, f"seed {seed}"
        assert list((home / "inbox" / ".claimed").iterdir()) == [], f"seed {seed}: claimed for ever"
        shutil.rmtree(home)
        if n_kills >= wanted:
            return
    pytest.fail(f"only {n_kills} of {wanted} kills came before the end")
