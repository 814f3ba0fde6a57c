"""Fit the weights of `relevance` to the pages in `pages/` and write them: `python -m tests.extract.weigh_pages`.

Logistic regression by gradient descent, each weight held to the sign that its measure is declared to have. Before it
writes, it says how a fit without one sort of page does on that sort, for each sort: what a page of an unknown sort may
expect.
"""

from pathlib import Path

import numpy as np
from tests.extract.builders import make_article
from tests.extract.written_pages import WrittenPage, load_pages

from blotter.extract import Reader, relevance

WEIGHTS = Path(relevance.__file__).parent / "lexicons" / "page_weights.txt"
RIDGE = 0.004
SHARE_AGAINST = 0.6  # an incident that is none costs more than one that is missed: its other reports are read too
_HEAD = """\
# How much a measure of a page (`relevance`) speaks for an incident, or against one. Written by
# `python -m tests.extract.weigh_pages`; do not edit.
"""


def main() -> None:
    pages = list(load_pages())
    measures = measure_pages(pages)
    names = sorted(measures[0])
    values = np.array([[measured[name] for name in names] for measured in measures])
    wanted = np.array([page.kind != "not_incidents" for page in pages])
    signs = np.array([-1.0 if relevance.speaks_against(name) else 1.0 for name in names])
    report_by_sort(pages, values, wanted, signs)
    weights, bias = fit(values, wanted, signs)
    report("fitted to all", pages, values @ weights + bias, wanted)
    rows = [("bias", bias), *zip(names, weights, strict=True)]
    WEIGHTS.write_text(_HEAD + "".join(f"{name} | {weight:.2f}\n" for name, weight in rows), encoding="utf-8")


def measure_pages(pages: list[WrittenPage]) -> list[dict[str, float]]:
    """Measure each page as the reader would; a page in several segments by its last."""
    last: dict[str, float] = {}
    measure = relevance.measure_page

    def note(*args: object, **kwargs: object) -> dict[str, float]:
        last.clear()
        last.update(measure(*args, **kwargs))  # type: ignore[arg-type]
        return dict(last)

    relevance.measure_page = note  # type: ignore[assignment]
    made, measured = Reader(), []
    for page in pages:
        made.read(make_article(title=page.title, text=page.text))
        measured.append(dict(last))
    return measured


def fit(values: np.ndarray, wanted: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, float]:
    """Give weights and bias; how much each class weighs is `SHARE_AGAINST`'s to say, however many pages it has."""
    weights, bias = np.zeros(values.shape[1]), 0.0
    share = np.where(wanted, (1 - SHARE_AGAINST) / wanted.sum(), SHARE_AGAINST / (~wanted).sum())
    for _ in range(4_000):
        error = share * (1 / (1 + np.exp(-(values @ weights + bias))) - wanted)
        weights -= 0.1 * (values.T @ error + RIDGE * weights)
        bias -= 0.1 * float(error.sum())
        weights[weights * signs < 0] = 0.0
    return weights, bias


def report_by_sort(pages: list[WrittenPage], values: np.ndarray, wanted: np.ndarray, signs: np.ndarray) -> None:
    """Score each sort of page by a fit that has not seen it."""
    scores = np.zeros(len(pages))
    for sort in sorted({page.sort for page in pages}):
        of_sort = np.array([page.sort == sort for page in pages])
        weights, bias = fit(values[~of_sort], wanted[~of_sort], signs)
        scores[of_sort] = values[of_sort] @ weights + bias
    report("each sort by a fit without it", pages, scores, wanted)


def report(what: str, pages: list[WrittenPage], scores: np.ndarray, wanted: np.ndarray) -> None:
    wrong = [page for page, score, want in zip(pages, scores, wanted, strict=True) if (score > 0) != want]
    false = sum(page.kind == "not_incidents" for page in wrong)
    print(f"{what}: {false} of {(~wanted).sum()} become incidents, {len(wrong) - false} of {wanted.sum()} are missed")  # noqa: T201
    for page in wrong:
        print(f"  {page}")  # noqa: T201


if __name__ == "__main__":
    main()
