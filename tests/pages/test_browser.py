"""A person at a browser: logs in to Airflow, reads, goes back in time, replays, judges; a viewer is refused.

Chromium against Airflow's own API server as a process, on loopback. Where there is no Chromium these tests say so and
are left out. `PAGES_SHOTS=FOLDER` keeps a picture of every page, in light, in dark and as wide as a phone.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import REPOSITORY
from tests.pages.newsroom import SCRIPT, build, make_environment, make_settings

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
SHOTS = os.environ.get("PAGES_SHOTS", "")
LOOKS = {"light": ("light", 1280), "dark": ("dark", 1280), "phone": ("light", 390), "phone-dark": ("dark", 390)}

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(not CHROMIUM, reason="no chromium on the path (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def airflow(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Airflow's API server over a copy of the newsroom: its address, and where the newsroom lies."""
    pytest.importorskip("playwright", reason="playwright is not installed (requirements-dev.txt)")
    folder = tmp_path_factory.mktemp("served")
    home = folder / "newsroom"
    shutil.copytree(filled, home)
    (folder / "passwords.json").write_text(json.dumps({"olga": "o-pass", "vera": "v-pass"}), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        **make_environment(home),
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "olga:op,vera:viewer",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
        "AIRFLOW__API_AUTH__JWT_SECRET": "0123456789abcdef" * 5,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = str(Path(sys.executable).with_name("airflow"))
    subprocess.run([command, "db", "migrate"], env=environment, check=True, capture_output=True)
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen([command, "api-server"], env=environment, stdout=log, stderr=log)
        try:
            wait_until_served(f"http://127.0.0.1:{port}/api/v2/version", server)
            yield f"http://127.0.0.1:{port}", home
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One headless browser for all tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def wait_until_served(address: str, server: subprocess.Popen[bytes]) -> None:
    give_up_at = time.monotonic() + 180
    while time.monotonic() < give_up_at and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except OSError:
            time.sleep(0.5)
    pytest.fail("Airflow's API server did not start")


def log_in(chromium: Any, base: str, name: str, *, look: str = "light") -> Any:
    """Log in by Airflow's own form; gives the page."""
    scheme, width = LOOKS[look]
    context = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(base)
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", f"{name[0]}-pass")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Incidents").first.wait_for()
    return page


def open_view(page: Any, base: str, name: str) -> Any:
    """Open a page of ours as the navigation does, inside Airflow's frame; gives the frame."""
    page.goto(f"{base}/plugin/blotter-{name}")
    frame = page.frame_locator("iframe")
    frame.locator("h1").wait_for()
    return frame


def load_fresh(page: Any, address: str) -> None:
    """Open a page of ours by itself, again while it says that it is not up to date."""
    for _ in range(60):
        page.goto(address)
        if "are being indexed" not in page.content():
            return
        time.sleep(0.5)


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_can_be_used_by_everyone(airflow: tuple[str, Path], chromium: Any, look: str) -> None:
    base, _ = airflow
    page = log_in(chromium, base, "olga", look=look)
    for name, address in list_pages(page, base).items():
        load_fresh(page, address)
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{look}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, f"{name} is too wide"
        assert find_barriers(page) == [], name


def test_an_editor_reads_goes_back_in_time_replays_and_judges(airflow: tuple[str, Path], chromium: Any) -> None:
    base, home = airflow
    page = log_in(chromium, base, "olga")
    page.get_by_role("link", name="Incidents").first.click()
    frame = page.frame_locator("iframe")
    frame.get_by_role("heading", name="Incidents").wait_for()
    load_fresh(page, f"{base}/blotter/")
    assert page.get_by_text(SCRIPT).count() == 1  # a script in a headline is text
    assert page.title() == "Incidents – blotter"

    frame = open_view(page, base, "incidents")
    frame.get_by_label("Words").fill("whitlock")
    frame.get_by_label("Words").press("Enter")
    frame.get_by_text("1 incident.").wait_for()
    frame.get_by_role("heading", level=2).get_by_role("link").click()
    frame.get_by_role("heading", name="What became known when").wait_for()
    assert frame.get_by_text("Dana Whitlock").count() > 2

    frame.locator("input[type=range]").press("ArrowLeft")  # by keyboard alone
    frame.locator("output").filter(has_text="version 1").wait_for()
    frame.locator("form.slider button").press("Enter")
    frame.get_by_text("You see what was known on").wait_for()
    assert frame.get_by_text("Dana Whitlock").count() == 0
    frame.get_by_role("link", name="Show the newest").press("Enter")
    frame.get_by_text("Dana Whitlock").first.wait_for()
    evidence = frame.locator("dd a[href^='#s-']").first
    target = evidence.get_attribute("href")
    evidence.press("Enter")
    assert frame.locator(f"mark{target}").is_visible()

    frame.get_by_role("link", name="Quarantine").click()
    frame.locator(".card h2 a").first.click()
    frame.get_by_role("button", name="Replay it").press("Enter")
    frame.get_by_text("It came in again.").wait_for()

    frame.get_by_role("link", name="Review").click()
    frame.get_by_label("Why").fill("two houses, two days")
    frame.get_by_role("button", name="Different").press("Enter")
    frame.get_by_text("Recorded in your name.").wait_for()
    frame.get_by_text("by olga: two houses, two days").wait_for()
    build(make_settings(home), "after-the-browser")
    load_fresh(page, f"{base}/blotter/review")
    assert page.get_by_text("Nothing waits for a person.").is_visible()
    load_fresh(page, f"{base}/blotter/quarantine?all=1")
    assert page.get_by_text("replayed: quarantined").is_visible()


def test_a_viewer_reads_and_is_refused_to_act(airflow: tuple[str, Path], chromium: Any) -> None:
    base, _ = airflow
    page = log_in(chromium, base, "vera")
    frame = open_view(page, base, "review")
    assert frame.get_by_role("button").count() == 0
    load_fresh(page, f"{base}/blotter/")
    form = {"token": "x", "action": "merge"}
    assert page.request.post(f"{base}/blotter/judge", form=form).status == 403


def test_a_browser_without_a_login_sees_nothing(airflow: tuple[str, Path], chromium: Any) -> None:
    base, _ = airflow
    page = chromium.new_context().new_page()
    for path in ("/", "/sources", "/quarantine", "/review", "/incidents.json"):
        answer = page.goto(f"{base}/blotter{path}")
        assert answer.status == 401
        assert "Alder" not in page.content()


def list_pages(page: Any, base: str) -> dict[str, str]:
    """One of each kind of page, the fullest incident among them."""
    pages = {name: f"{base}/blotter/{name}" for name in ("sources", "quarantine", "review")}
    load_fresh(page, f"{base}/blotter/quarantine?all=1")
    pages["quarantined"] = base + page.locator(".card h2 a").first.get_attribute("href")
    load_fresh(page, f"{base}/blotter/?words=whitlock")
    incident = base + page.locator(".card h2 a").first.get_attribute("href")
    return {"incidents": f"{base}/blotter/", "incident": incident, "incident-then": f"{incident}?version=1", **pages}


def find_barriers(page: Any) -> list[str]:
    """Run axe on the page, all details open: what it finds serious or critical."""
    import axe_playwright_python

    script = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    page.evaluate(script)  # the pages' policy lets no script in by a tag
    found = page.evaluate("axe.run().then(told => told.violations)")
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in ("serious", "critical")]
