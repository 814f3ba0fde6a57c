"""What a person is asked in Airflow: about links that are unsure, and about a difference before it is published.

Belongs here: wording a question, and who answered. Does not belong here: which links are unsure (`blotter.queries`),
what a judgement does (`blotter.judging`), what would change (`blotter.reprocessing`).
"""

import logging
from collections.abc import Sequence
from typing import Any

log = logging.getLogger(__name__)


def ask_about_links(settings: Any, *, limit: int) -> list[dict[str, str]]:
    """Word the likeliest questions as `subject` and `body` (Markdown, in which nothing from outside is markup)."""
    from blotter import queries
    from blotter.steps import create_stores

    create_stores(settings)  # nothing was published before a new installation's first morning, which is no fault
    connection = queries.connect(settings.warehouse)
    try:
        rows = queries.list_unsure_links(connection, limit=limit)
    finally:
        connection.close()
    return [{"subject": f"{row['article_id']} in {row['incident_id']}?", "body": _word_question(row)} for row in rows]


def hand_in(
    settings: Any, questions: Sequence[dict[str, str]], answers: Sequence[Any], *, same: str, other: str
) -> dict[str, int]:
    """Hand in what people answered; returns `n_handed_in`, `n_unsure`, `n_refused`.

    A question that timed out, or whose task failed, has no answer. A refusal is told in the log and holds up no other.
    """
    from blotter.errors import JudgementRefused
    from blotter.judging import make_judgement, stage_judgement

    counts = {"n_handed_in": 0, "n_unsure": 0, "n_refused": 0}
    for question, answer in zip(questions, answers, strict=True):
        chosen = (answer or {}).get("chosen_options") or []
        user = (answer or {}).get("responded_by_user") or {}
        action = {same: "link", other: "unlink"}.get(chosen[0]) if chosen else None
        if action is None or not user:  # a timeout's default is nobody's judgement
            counts["n_unsure"] += 1
            continue
        why = str((answer.get("params_input") or {}).get("reason") or "").strip()
        article_id, _, incident_id = question["subject"].rstrip("?").partition(" in ")
        try:
            judgement = make_judgement(
                action,
                actor=str(user.get("name") or user.get("id") or "unknown"),
                reason=why or f"answered in Airflow: {chosen[0]}",
                judged_at=_read_time(answer["responded_at"]),
                article_id=article_id,
                incident_id=incident_id,
            )
            stage_judgement(settings, judgement)
            counts["n_handed_in"] += 1
        except JudgementRefused as refusal:
            log.warning("%s: the answer cannot be followed: %s", question["subject"], refusal)
            counts["n_refused"] += 1
    return counts


def _word_question(row: dict[str, Any]) -> str:
    where = ", ".join(filter(None, (row["city"], row["state"])))
    day = f"{row['occurred_date']:%d %B %Y}" if row["occurred_date"] else "no known day"
    now_in = (
        f"It is now in {row['placed_in']}: {_plain(row['placed_headline'])}" if row["placed_in"] else "It is in none"
    )
    return "\n\n".join(
        (
            f"**Article**: {_plain(row['title'])} ({_plain(row['source_id'])}, {row['published_at']:%d %B %Y})",
            f"{_plain(row['url'] or '')}",
            f"**Incident**: {_plain(row['headline'])} ({_plain(where)}, {day})",
            f"`blotter timeline {row['incident_id']}`",
            f"{now_in}.",
            f"**The linker**: {row['score']:.2f}; {_plain(', '.join(row['reasons']))}",
            "Is the article about this incident?",
        )
    )


def _plain(text: str | None) -> str:
    """Make a text from outside harmless in Markdown: one line, no markup."""
    line = " ".join((text or "").split())
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#|!~" else c for c in line)


def _read_time(told: Any) -> Any:
    from datetime import datetime

    return datetime.fromisoformat(told) if isinstance(told, str) else told


def word_difference(preview: Any) -> str:
    """Word what reading again would change, as a Markdown table that a person approves or not."""
    head = (
        f"{preview.n_articles} articles were read again ({preview.n_failed} could not be). Publishing them would make "
        f"{preview.n_incident_versions} incident versions, {preview.n_new_incidents} of them of new incidents."
    )
    if not preview.moves:
        return f"{head}\n\nNo field would move."
    rows = (f"| {one.field} | {one.kind} | {one.n_changes} | {one.n_incidents} |" for one in preview.moves)
    return "\n".join((head, "", "| field | how | changes | incidents |", "|---|---|---|---|", *rows))
