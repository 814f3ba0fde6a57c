"""What every test shares: the `--heavy` switch, a closed network, and an environment without our own variables."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

REPOSITORY = Path(__file__).parent.parent

for variable in [name for name in os.environ if name.startswith(("BLOTTER_", "AIRFLOW_"))]:
    del os.environ[variable]
# Airflow reads these on import: tests never touch the user's own Airflow.
_worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
os.environ["AIRFLOW_HOME"] = str(REPOSITORY / ".airflow" / f"tests-{_worker}")
os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(REPOSITORY / "dags")
os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(REPOSITORY / "plugins")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["GX_ANALYTICS_ENABLED"] = "false"


# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("blotter", deadline=None)
hypothesis.settings.load_profile("blotter")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--heavy", action="store_true", help="run what is marked heavy too, and every seed of the rest")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--heavy"):
        return
    for item in items:
        if "heavy" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="heavy: run `make test-heavy`"))


@pytest.fixture(scope="session")
def is_heavy(request: pytest.FixtureRequest) -> bool:
    """Whether to run all seeds of a sampled test."""
    return bool(request.config.getoption("--heavy"))


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    """Run a server that speaks S3 and say its bucket's URL; what opens it finds it by the environment."""
    from objects import BUCKET, serve_objects

    with serve_objects() as variables, pytest.MonkeyPatch.context() as environment:
        for name, value in variables.items():
            environment.setenv(name, value)
        yield f"s3://{BUCKET}"


@pytest.fixture(autouse=True)
def closed_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse connections to anything but this machine."""
    connect = socket.socket.connect

    def connect_to_loopback(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else None
        if isinstance(host, str) and not (host.startswith("127.") or host in ("localhost", "::1")):
            raise OSError(f"a test tried to reach {host}: only loopback is open")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", connect_to_loopback)
    yield


@pytest.fixture(autouse=True)
def closed_states(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what a test left open of its states: from Python 3.13 on, a database that is not closed warns."""
    from blotter.store import state

    opened = []

    def create_noted_engine(*args: Any, **options: Any) -> Any:
        opened.append(create_engine(*args, **options))
        return opened[-1]

    create_engine = state.create_engine
    monkeypatch.setattr(state, "create_engine", create_noted_engine)
    yield
    for engine in opened:
        engine.dispose()
