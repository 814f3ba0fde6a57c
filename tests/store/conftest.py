"""The databases that the state must work on: SQLite always, PostgreSQL where it is installed."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from blotter.store.state import metadata, open_state


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """Run a PostgreSQL of our own, on a socket in a folder that goes with it; root hands it to `nobody`."""
    if shutil.which("initdb") is None or shutil.which("postgres") is None:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="blotter-pg-"))
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    database = folder / "data"
    make = ["initdb", "--pgdata", database, "--username", "blotter", "--auth", "trust", "--no-sync"]
    subprocess.run(make, check=True, capture_output=True, user=user, cwd=folder)
    run = ["postgres", "-D", database, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(run, stdout=log, stderr=log, user=user, cwd=folder)
    url = f"postgresql+psycopg://blotter@/postgres?host={folder}"
    try:
        for _ in range(100):
            ready = subprocess.run(["pg_isready", "-q", "-h", folder], check=False).returncode == 0
            if ready or server.poll() is not None:
                break
            time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Open an empty state."""
    if request.param == "sqlite":
        engine = open_state(str(tmp_path / "state.db"))
    else:
        engine = open_state(request.getfixturevalue("postgresql_url"))
        with engine.begin() as connection:
            for table in metadata.sorted_tables:
                connection.execute(text(f'truncate table "{table.name}" restart identity cascade'))
    yield engine
    engine.dispose()
