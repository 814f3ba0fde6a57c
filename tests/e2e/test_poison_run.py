"""The poison corpus and 300 good articles through all stages in one run: each input has what it must, all good are out.

Which poison must become what is said where it is made (`tests/ingest/test_poison.py`); here it goes the whole way:
dropped, read in the process that can be killed, linked, checked, published.
"""

import json
from collections.abc import Callable
from pathlib import Path

from blotter.accounting import find_imbalances, list_pending
from blotter.config import Settings
from ingest.test_poison import LIMITS, OK, make_corpus
from pipeline import run_steps
from warehouses import read_rows

N_GOOD = 300
# Megabytes in which no sentence ends are cleaned well enough; to read them may take longer than a document may take.
ENDLESS = {"angle-brackets.html", "entities.html", "emoji.html"}
TOWNS = ("Peoria", "Toledo", "Dayton", "Duluth", "Boise", "Fresno")


def make_good(number: int) -> str:
    town = TOWNS[number % len(TOWNS)]
    text = (
        f"A fire in the {number + 1}00 block of Dock Street in {town} burned a warehouse on Friday night.\n\n"
        f"A {20 + number % 60}-year-old man was taken to a hospital with burns, the fire department said on Saturday."
    )
    url = f"http://good.example/{number}"
    return json.dumps({"url": url, "title": f"Fire {number} in {town}", "published": "2024-03-09", "text": text})


def test_every_poison_ends_as_it_must_and_every_good_article_is_published(
    tmp_path: Path, make_settings: Callable[..., Settings], is_heavy: bool
) -> None:
    settings = make_settings(tmp_path, day="2024-03-10").model_copy(update={"drops": LIMITS})
    settings = settings.model_copy(
        update={
            "drops": LIMITS.model_copy(update={"settle_s": 0}),
            "read": settings.read.model_copy(update={"slice_size": 100}),
        }
    )
    corpus = [
        (name, content, expected | {"too_slow"} if name in ENDLESS else expected)
        for name, content, expected in make_corpus()[:: 1 if is_heavy else 12]
    ]
    n_good = N_GOOD if is_heavy else 30
    for name, content, _ in corpus:
        path = tmp_path / "inbox" / "poison" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "inbox" / "good").mkdir()
    good = "\n".join(make_good(number) for number in range(n_good))
    (tmp_path / "inbox" / "good" / "good.jsonl").write_text(good, "utf-8")

    counts = run_steps(settings)

    became: dict[str, set[str]] = {}
    good_became = []
    for row in read_rows(tmp_path / "warehouse", "inputs"):
        source_id, location, disposition, reason = row[2], row[3], row[5], row[7]
        if source_id == "good":
            good_became.append(disposition)
            continue
        is_rejected = disposition in ("quarantined", "refused")
        name = location.removeprefix("poison/")
        [dropped] = [one for one, _, _ in corpus if name == one or name.startswith((f"{one}#", f"{one}!"))]
        became.setdefault(dropped, set()).add(str(reason) if is_rejected else OK)
    wrong = [
        f"{name}: {sorted(became.get(name, ()))}, expected {sorted(expected)}"
        for name, _, expected in corpus
        if not became.get(name) or not became[name] <= expected
    ]
    assert not wrong, "\n".join(wrong)
    assert good_became == ["published"] * n_good
    assert counts["n_in"] == sum(counts[f"n_{name}"] for name in _DISPOSITIONS)
    assert find_imbalances(settings) == []
    assert list_pending(settings).n_pending == 0


_DISPOSITIONS = ("published", "unchanged", "not_incident", "duplicate", "refused", "quarantined")
