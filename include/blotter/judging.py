"""A person's judgement, from what they said to the tables.

Belongs here: checking a judgement, letting it wait for the next build, and publishing it at once. Does not belong here:
what it does to records (`blotter.update.judge`), and how a person is asked (the command line, the pages, a DAG).

A judgement waits as a row of `judgements` like all rows that wait: the build that publishes it takes it with everything
else, and one that is handed in twice, under one id, counts once. It is checked when it is handed in; should what it
rests on be gone when it is published, it is refused then, and `read_outcome` says why.
"""

import logging
from datetime import datetime

from blotter import rows
from blotter.alert.rules import load_rules
from blotter.config import Settings
from blotter.errors import JudgementRefused
from blotter.ids import make_id
from blotter.model import ClaimState, Judgement
from blotter.publishing import publish_results, screen_update
from blotter.store.inputs import StagedRow
from blotter.stores import Stores, read_clock

log = logging.getLogger(__name__)

ACTIONS = ("link", "unlink", "merge", "split", "set")
WAITING, FOLLOWED = "waiting", "followed"


def make_judgement(
    action: str,
    *,
    actor: str,
    reason: str,
    judged_at: datetime,
    article_id: str | None = None,
    incident_id: str | None = None,
    other_incident_id: str | None = None,
    participant_id: str | None = None,
    other_participant_id: str | None = None,
    field: str | None = None,
    value: str | None = None,
    state: ClaimState | None = None,
) -> Judgement:
    """Make a judgement, its id from all that it says and when: the same one handed in again has the same id.

    `link`, `unlink`: `article_id` and `incident_id`. `merge`: `other_incident_id` becomes part of `incident_id`;
    `split` undoes it. With `participant_id` and `other_participant_id`, both say who is one person in `incident_id`.
    `set`: `field` of `incident_id`, or of its `participant_id`, to `value` (several separated by semicolons) or to a
    `state` without one. Raises JudgementRefused where actor, reason or zone is missing.
    """
    if action not in ACTIONS:
        raise JudgementRefused(f"no action {action}: {', '.join(ACTIONS)}")
    if not actor.strip() or not reason.strip():
        raise JudgementRefused("a judgement needs a name and a reason")
    if judged_at.tzinfo is None:
        raise JudgementRefused(f"{judged_at} has no time zone")
    about = {
        "article_id": article_id,
        "incident_id": incident_id,
        "other_incident_id": other_incident_id,
        "participant_id": participant_id,
        "other_participant_id": other_participant_id,
        "field": field,
        "value": value.strip() or None if value is not None else None,
    }
    told = [actor.strip(), reason.strip()]
    judgement_id = make_id("jdg", action, about, state, *told, judged_at)
    return Judgement(
        judgement_id=judgement_id,
        action=action,
        actor=told[0],
        reason=told[1],
        judged_at=judged_at,
        state=state,
        **about,
    )


def read_time(settings: Settings) -> datetime:
    """Read the clock by which judgements are dated: the machine's, or the one that demo and tests set."""
    return read_clock(settings)


def stage_judgement(settings: Settings, judgement: Judgement) -> None:
    """Let a judgement wait for the next build; one that waits, or was followed already, is left as it is.

    Raises JudgementRefused, and then nothing waits: it cannot be followed as things stand, after those that wait
    before it, or the quality gate would not let the outcome pass.
    """
    with Stores(settings) as stores:
        _stage(stores, judgement)


def publish_judgement(settings: Settings, judgement: Judgement, *, run_id: str) -> dict[str, int]:
    """Publish a judgement at once, alone under the warehouse's lock, with those that waited before it.

    Returns the counts of the batch; zeros where it was published before. Raises JudgementRefused, and then nothing of
    it was written; GateClosed where what waited before it is held back; LockHeld where another writer does not end.
    """
    alert_book = load_rules(settings.alerts)
    with Stores(settings) as stores, stores.writing(run_id):
        _stage(stores, judgement)
        counts: dict[str, int] = {"n_judgements": 0}
        if waiting := _list_waiting(stores):
            counts = publish_results(
                stores, [], waiting, run_id=run_id, dag_id=None, clock=stores.now, alert_book=alert_book
            )
        refusal = stores.judgements.outcomes([judgement.judgement_id]).get(judgement.judgement_id)
    if refusal is not None:
        raise JudgementRefused(refusal)
    log.info("%s: published %s", run_id, counts)
    return counts


def read_outcome(settings: Settings, judgement_id: str) -> str | None:
    """Say what became of a judgement: `waiting`, `followed`, or why it was refused; None where it is not heard of."""
    with Stores(settings) as stores:
        known = stores.judgements.outcomes([judgement_id])
        if judgement_id in known:
            return known[judgement_id] or FOLLOWED
        return WAITING if judgement_id in {row.row["judgement_id"] for row in _list_waiting(stores)} else None


def _stage(stores: Stores, judgement: Judgement) -> None:
    if judgement.judgement_id in stores.judgements.outcomes([judgement.judgement_id]):
        return
    waiting = [rows.read_judgement(row.row) for row in _list_waiting(stores)]
    if judgement.judgement_id in {one.judgement_id for one in waiting}:
        return
    now = max(stores.now(), *(one.judged_at for one in (*waiting, judgement)))
    screened = screen_update(
        stores, [], now=now, run_id="", batch_id="", judgements=[*waiting, judgement], is_screened=True
    )
    for refused, refusal in screened.update.refused:
        if refused.judgement_id == judgement.judgement_id:
            raise JudgementRefused(refusal)
    if screened.report.is_blocked:
        raise JudgementRefused(f"the quality gate would not let it pass:\n{screened.report.message}")
    stores.ledger.stage_rows("judgements", [rows.judgement_row(judgement)])


def _list_waiting(stores: Stores) -> list[StagedRow]:
    return [row for row in stores.ledger.staged_rows() if row.table == "judgements"]
