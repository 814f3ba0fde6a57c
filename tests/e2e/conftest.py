"""A small drop of real stories, and the settings of a pipeline in a folder of its own."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from blotter.config import Settings, load_settings

SEEDS = Path(__file__).parents[2] / "seeds"


@pytest.fixture
def make_settings() -> Callable[[Path], Settings]:
    """Settings of a pipeline whose everything lies in one folder."""

    def make(home: Path, *, day: str = "2026-03-04") -> Settings:
        variables = {
            **{name: str(home / name) for name in ("warehouse", "archive", "staging", "inbox", "checks_site")},
            "state": str(home / "state.db"),
            "alerts_log": str(home / "alerts.jsonl"),
            "sources": str(SEEDS / "sources"),
            "clock": f"{day}T23:59:59+00:00",
            "drops__settle_s": "0",
            "read__slice_size": "3",
        }
        return load_settings(environ={f"BLOTTER_{name.upper()}": value for name, value in variables.items()})

    return make


@pytest.fixture
def drop_stories() -> Callable[[Settings], None]:
    """Drop the sample days' files and some of their pages, as an operator would copy them."""

    def drop(settings: Settings) -> None:
        for day in ("2026-03-03", "2026-03-04"):
            shutil.copytree(SEEDS / "days" / day / "drops", settings.inbox, dirs_exist_ok=True)
        for page in sorted((SEEDS / "days" / "2026-03-02" / "www").rglob("*.html"))[:6]:
            folder = Path(settings.inbox) / "harbor-courier"
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy2(page, folder / f"{page.parent.name}-{page.name}")

    return drop
