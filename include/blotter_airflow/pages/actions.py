"""What a person may do on the pages: replay a quarantined input, judge a link, merge, split, set a value.

Belongs here: reading a form, handing it to the library's doors, and asking Airflow for a build so that it shows soon.
Does not belong here: what an action does (`blotter.judging`, `blotter.quarantining`), and who may (`access`).

Nothing is published here: a judgement and a replay wait for the next build, like everything that comes in. So a page
answers at once and never holds the writer's lock.
"""

import logging
from typing import Any

from fastapi import HTTPException

from blotter.config import Settings
from blotter.errors import JudgementRefused
from blotter.judging import make_judgement, read_time, stage_judgement
from blotter.model import ClaimState
from blotter.quarantining import list_quarantined, replay_quarantined

_log = logging.getLogger(__name__)
_NEEDED = {
    "link": ("article_id", "incident_id"),
    "unlink": ("article_id", "incident_id"),
    "merge": ("incident_id", "other_incident_id"),
    "split": ("incident_id", "other_incident_id"),
    "set": ("incident_id", "field"),
}


def judge(settings: Settings, user: Any, form: dict[str, str]) -> None:
    """Hand in what a form says, in the name of the user; raises HTTPException 409 with why where it is refused."""
    action = form["action"]
    needed = _NEEDED.get(action)
    if needed is None or not all(form.get(name) for name in needed):
        raise HTTPException(422, f"The form is not whole: {action} needs {', '.join(needed or ('an action',))}.")
    about: dict[str, Any] = {name: form[name] for name in needed}
    if action == "set":
        about["participant_id"] = form.get("participant_id") or None
        about["value"] = form.get("value") or None
        if form.get("state"):
            about["state"] = _read_state(form["state"])
    try:
        judgement = make_judgement(
            action, actor=str(user.get_name()), reason=form.get("reason", ""), judged_at=read_time(settings), **about
        )
        stage_judgement(settings, judgement)
    except JudgementRefused as refusal:
        raise HTTPException(409, f"This was not recorded: {refusal}.") from refusal


def replay(settings: Settings, input_id: str) -> None:
    """Bring a quarantined input in again; raises HTTPException 404 and 409, with why."""
    found = [one for one in list_quarantined(settings, is_replayed_wanted=True) if one.input_id == input_id]
    if not found:
        raise HTTPException(404, f"No quarantined input is called {input_id}.")
    outcome = replay_quarantined(settings, found)
    if (why := outcome.left.get(input_id)) is not None:
        raise HTTPException(409, f"This was not replayed: {why}.")


def ask_for_build() -> bool:
    """Tell Airflow that something waits, so that `build_incidents` runs now; returns whether it was told.

    Where it cannot be told, what waits is taken by the next build all the same.
    """
    from airflow.assets.manager import asset_manager
    from airflow.models.asset import AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select
    from sqlalchemy.exc import SQLAlchemyError

    from blotter_airflow.wiring import DOCUMENTS

    try:
        with create_session() as session:
            asset = session.scalar(select(AssetModel).where(AssetModel.name == DOCUMENTS.name).limit(1))
            if asset is None:
                return False
            told = asset_manager.register_asset_change(
                asset=asset, extra={"from": "blotter pages"}, source_is_api=True, session=session
            )
            return told is not None
    except SQLAlchemyError:
        _log.exception("Airflow could not be asked for a build")
        return False


def _read_state(text: str) -> ClaimState:
    try:
        return ClaimState(text)
    except ValueError:
        raise HTTPException(422, f"There is no state {text!r}: {', '.join(ClaimState)}.") from None
