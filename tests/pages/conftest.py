"""Airflow's own API server with the pages in it, on loopback, and a newsroom for it to show."""

import shutil
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.pages.newsroom import fill_newsroom, make_environment

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Airflow's own, of its dependencies
    from blotter_airflow.pages.app import open_tables

_SERVER = {
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "olga:op,vera:viewer",
    "AIRFLOW__API__SECRET_KEY": "a-secret-of-the-tests",
    "AIRFLOW__API_AUTH__JWT_SECRET": "0123456789abcdef" * 5,
}


@dataclass(frozen=True, slots=True)
class Browser:
    """A caller with one user's token, or with none."""

    base: str
    token: str | None

    def get(self, path: str, **given: Any) -> requests.Response:
        """Ask for a page as a browser does, again while it says that it is not up to date; redirects stay."""
        give_up_at = time.monotonic() + 30
        while "are being indexed" in (answer := self.ask("GET", path, **given)).text and time.monotonic() < give_up_at:
            time.sleep(0.1)
        return answer

    def post(self, path: str, **given: Any) -> requests.Response:
        """Send a form."""
        return self.ask("POST", path, **given)

    def ask(self, method: str, path: str, **given: Any) -> requests.Response:
        """Ask once."""
        headers = {"Accept": "text/html", **given.pop("headers", {})}
        cookies = {"_token": self.token} if self.token else {}
        return requests.request(
            method, self.base + path, headers=headers, cookies=cookies, timeout=60, allow_redirects=False, **given
        )


@dataclass(frozen=True, slots=True)
class Site:
    """The running server and its users: olga may act, vera may look."""

    base: str
    app: Any
    olga: Browser
    vera: Browser
    nobody: Browser


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The newsroom after three days; to be looked at, not changed."""
    home = tmp_path_factory.mktemp("newsroom")
    fill_newsroom(home)
    return home


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Airflow's API application with the plugin as Airflow finds it, under its simple auth manager."""
    passwords = tmp_path_factory.mktemp("airflow") / "passwords.json"
    with pytest.MonkeyPatch.context() as patched, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Airflow's own, of its dependencies
        for name, value in {**_SERVER, "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords)}.items():
            patched.setenv(name, value)
        import uvicorn
        from airflow.api_fastapi.app import create_app, get_auth_manager
        from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
        from airflow.utils.db import initdb

        initdb()
        app = create_app(apps="core")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        running = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
        thread = threading.Thread(target=running.run, daemon=True)
        thread.start()
        while not running.started:
            time.sleep(0.05)
        base = f"http://127.0.0.1:{port}/blotter"

        def log_in(name: str, role: str) -> Browser:
            return Browser(base, get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=name, role=role)))

        yield Site(base, app, log_in("olga", "op"), log_in("vera", "viewer"), Browser(base, None))
        running.should_exit = True
        thread.join(20)


@pytest.fixture
def site(server: Site, filled: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The server over the newsroom that nobody changes."""
    yield from _serve(server, filled, monkeypatch)


@pytest.fixture
def own_site(
    server: Site, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Site, Path]]:
    """The server over a copy of the newsroom that a test may change, and where that lies."""
    home = tmp_path / "own"
    shutil.copytree(filled, home)
    for served in _serve(server, home, monkeypatch):
        yield served, home


def _serve(server: Site, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name, value in make_environment(home).items():
        monkeypatch.setenv(name, value)
    open_tables.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Airflow, in the server's threads
        yield server
    open_tables().close()
    open_tables.cache_clear()
