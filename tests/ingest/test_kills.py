"""A fetcher that is killed anywhere and run again: no entry is lost, and none comes twice."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from blotter.config import Settings, load_settings
from blotter.stores import Stores
from ingest.site import Site, serve_site

HOSTS = ("courier.example", "post.example")
NAMES = [f"N{n}" for n in range(27)]  # two parts of a feed

# Imports once, then forks for every try: the child dies, without a word to anyone, before its n-th statement to the
# state, or at its n-th file put into the archive; n = 0 lives.
DRIVER = """
import os, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from blotter import steps
from blotter.config import load_settings
from blotter.store import archive

settings = load_settings()

def live(left, run_id):
    def count(*_):
        nonlocal left
        left -= 1
        if left == 0:
            os._exit(9)
    event.listen(Engine, "before_cursor_execute", count)
    put = archive.RawArchive.put
    def put_counted(self, payload):
        count()
        sha256 = put(self, payload)
        count()
        return sha256
    archive.RawArchive.put = put_counted
    steps.ingest_feeds(settings, run_id=run_id, source_ids=["courier", "post"])
    print(-left, flush=True)
    os._exit(0)

for n, text in enumerate(sys.argv[1:]):
    sys.stdout.flush()
    child = os.fork()
    if not child:
        live(int(text), f"run{n}")
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in (0, 9), status
"""


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as serving:
        for host in HOSTS:
            for name in NAMES:
                serving.put_story(host, f"/{name}", f"{name} Street of {host}")
            listed = [{"title": f"{name} Street", "link": f"http://{host}/{name}", "guid": name} for name in NAMES]
            serving.put_feed(host, "/feed", listed)
        yield serving


def make_home(home: Path, port: int) -> dict[str, str]:
    (home / "sources").mkdir(parents=True)
    for host in HOSTS:
        source = home / "sources" / f"{host.partition('.')[0]}.yaml"
        source.write_text(f"name: x\nfeeds: [{{url: 'http://{host}/feed'}}]\n")
    given = {name: str(home / name) for name in ("warehouse", "archive", "staging", "inbox", "sources")}
    given |= {"state": str(home / "state.db"), "clock": "2024-03-10T12:00:00+00:00"}
    given |= {"fetch__resolve": f"*.example=127.0.0.1:{port}", "fetch__host_spacing_s": "0"}
    return {f"BLOTTER_{name.upper()}": value for name, value in given.items()}


def run_and_kill(variables: dict[str, str], *kill_at: int) -> list[int]:
    """Run the fetcher once for each number; gives how many moments to die at the runs had that lived."""
    environment = {**os.environ, **variables}
    command = [sys.executable, "-c", DRIVER, *map(str, kill_at)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert ended.returncode == 0, ended.stderr
    return [int(line) for line in ended.stdout.split()]


def check_all_came_once(settings: Settings) -> None:
    with Stores(settings) as stores:
        pending = stores.ledger.pending()
        waiting = [row for row in stores.ledger.staged_rows() if row.table == "inputs"]
        payloads = [stores.archive.get(document.payload_sha256) for document in pending]
    assert sorted(document.location for document in pending) == sorted(f"http://{h}/{n}" for h in HOSTS for n in NAMES)
    assert waiting == [], "no duplicates, nothing rejected"
    assert all(b"Street of" in payload for payload in payloads)


def test_killed_anywhere_and_run_again(site: Site, tmp_path: Path, is_heavy: bool) -> None:
    (n_moments,) = run_and_kill(make_home(tmp_path / "whole", site.port), 0)
    assert n_moments > 100
    rng = random.Random(20240310)
    for number in range(40 if is_heavy else 2):
        # Several deaths in a row, each somewhere in what the one before left; in the end one lives.
        variables = make_home(tmp_path / str(number), site.port)
        run_and_kill(variables, *(rng.randint(1, n_moments) for _ in range(rng.randint(1, 5))), 0)
        check_all_came_once(load_settings(environ=variables))
