"""The application behind the pages: its routes, and the headers that every answer carries.

Belongs here: which address shows what, and reading what a browser sent. Does not belong here: who may (`access`), how
it is worded (`wording`), what is asked of the tables (`blotter.catalog`). Every route needs a login: the application
itself demands one, so that a new route cannot forget it.
"""

import logging
import sqlite3
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import duckdb
from fastapi import Depends, FastAPI, Form, HTTPException, Query, Request
from fastapi.exception_handlers import request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException as StarletteHTTPException

from blotter.catalog import Search, Summary
from blotter.catalog.index import (
    count_quarantine,
    find_incidents,
    is_wordless,
    list_quarantine,
    list_unsure_links,
    read_mark,
    read_quarantined,
    read_summaries,
)
from blotter.catalog.story import Story, find_merged_into, read_story
from blotter.config import load_settings
from blotter.errors import BlotterError, Reason, SettingsError, StoreDamaged
from blotter.model import FIELDS, INCIDENT_TYPES, ClaimState
from blotter.show import tell_participant, tell_toll, tell_when, tell_where
from blotter_airflow.pages import actions, wording
from blotter_airflow.pages.access import GetUserDep, check_form, may_act, requires_actor, requires_reader, sign_form
from blotter_airflow.pages.city_map import HEIGHT, WIDTH, draw_map
from blotter_airflow.pages.evidence import cut_text
from blotter_airflow.pages.tables import Tables

_log = logging.getLogger(__name__)
_FOLDER = Path(__file__).parent
_STATIC = {"pages.css": "text/css; charset=utf-8", "pages.js": "text/javascript; charset=utf-8"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'self'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}
_NO_END = datetime(9999, 12, 31, tzinfo=UTC)
_ONLY = {
    "new": "new, not changed since",
    "conflict": "reports differ",
    "unnamed": "a victim is not named",
    "onereport": "one report only",
}


def make_app() -> FastAPI:
    """Make the application that Airflow mounts; nothing is opened before the first request."""
    app = FastAPI(
        title="blotter",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(requires_reader)],
    )

    @app.middleware("http")
    async def add_headers(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    app.add_exception_handler(StarletteHTTPException, _answer_refusal)
    app.add_exception_handler(RequestValidationError, _answer_unreadable)
    for trouble in (BlotterError, sqlite3.Error, duckdb.Error):
        app.add_exception_handler(trouble, _answer_trouble)
    app.get("/", response_class=HTMLResponse)(show_incidents)
    app.get("/incidents.json")(send_incidents)
    app.get("/incidents/{incident_id}.json")(send_incident)
    app.get("/incidents/{incident_id}", response_class=HTMLResponse)(show_incident)
    app.get("/sources", response_class=HTMLResponse)(show_sources)
    app.get("/quarantine", response_class=HTMLResponse)(show_quarantine)
    app.get("/quarantine/{input_id}", response_class=HTMLResponse)(show_quarantined)
    app.get("/review", response_class=HTMLResponse)(show_review)
    app.post("/judge", dependencies=[Depends(requires_actor)])(judge)
    app.post("/quarantine/{input_id}/replay", dependencies=[Depends(requires_actor)])(replay)
    app.get("/static/{name}")(send_static)
    return app


@cache
def open_tables() -> Tables:
    """Open the tables of the settings, once a process."""
    return Tables(load_settings())


TablesDep = Annotated[Tables, Depends(open_tables)]
Text = Annotated[str, Query(max_length=300)]
Number = Annotated[int | None, Query(ge=0, le=2**62)]
Field = Annotated[str, Form(max_length=2_000)]


def read_asked(
    words: Text = "",
    place: Text = "",
    type: Text = "",
    happened: Text = "",
    changed: Text = "",
    only: Text = "",
) -> dict[str, str]:
    """Read what a list of incidents is asked for, as it stands in the address."""
    return {"words": words, "place": place, "type": type, "happened": happened, "changed": changed, "only": only}


AskedDep = Annotated[dict[str, str], Depends(read_asked)]

_TOLD = {
    "judged": "Recorded in your name. A build was asked for: the record changes as soon as it is done.",
    "judged-later": "Recorded in your name. The record changes with the next build.",
    "replayed": "It came in again. A build was asked for: what became of it shows here as soon as that is done.",
    "replayed-later": "It came in again. What became of it shows here after the next build.",
}


def show_incidents(
    request: Request,
    user: GetUserDep,
    tables: TablesDep,
    asked: AskedDep,
    before: Number = None,
) -> HTMLResponse:
    """The page *Incidents*: what changed last first, by words, place, type and day."""
    problems: list[str] = []
    search = _read_search(asked, before, problems)
    with tables.reading() as (catalog, is_fresh):
        found = find_incidents(catalog, search)
        learnt_to = read_mark(catalog, "learnt_to")
        newest = read_mark(catalog, "newest_known_at")
    kept = {name: value for name, value in asked.items() if value}
    return _render(
        request,
        user,
        "incidents.html",
        page="incidents",
        found=found,
        asked=asked,
        problems=problems,
        types=sorted(INCIDENT_TYPES),
        only=_ONLY,
        is_fresh=is_fresh,
        learnt_to=learnt_to,
        newest=datetime.fromisoformat(newest) if newest else None,
        now=tables.now(),
        next_page=urlencode({**kept, "before": found.next_before}) if found.next_before is not None else None,
        json_page=urlencode(kept),
        is_first=before is None,
    )


def send_incidents(tables: TablesDep, asked: AskedDep, before: Number = None) -> JSONResponse:
    """The same list as JSON: `rows` in the order of the page, `before` to go on with."""
    problems: list[str] = []
    search = _read_search(asked, before, problems)
    if problems:
        raise HTTPException(422, "; ".join(problems))
    with tables.reading() as (catalog, is_fresh):
        found = find_incidents(catalog, search)
    rows = [_list_columns(summary) for _, summary in found.rows]
    return _send_json(
        {
            "rows": rows,
            "n_found": found.n_found,
            "is_more_than_n_found": found.is_bounded,
            "is_up_to_date": is_fresh,
            "before": found.next_before,
        }
    )


def show_incident(
    request: Request,
    user: GetUserDep,
    tables: TablesDep,
    incident_id: str,
    as_of: Text = "",
    version: Number = None,
    told: Text = "",
) -> HTMLResponse:
    """The page *Incident*: the record as it was known at a moment, and who says each thing."""
    story, merged_into, is_fresh = _find_story(tables, incident_id, as_of, version)
    record = story.record
    is_placed = record["latitude"] is not None and record["longitude"] is not None
    return _render(
        request,
        user,
        "incident.html",
        page="incidents",
        story=story,
        record=record,
        merged_into=merged_into,
        is_fresh=is_fresh,
        lines_of_record=wording.tell_record(story),
        people=wording.tell_people(story),
        timeline=wording.tell_timeline(story),
        city_map=draw_map(record["latitude"], record["longitude"]) if is_placed else None,
        map_size=(WIDTH, HEIGHT),
        texts={
            report.article["article_id"]: cut_text(report.article["text"], report.claims)
            for report in story.reports
            if report.article["text"] and report.link["verdict"] != "negative"
        },
        waiting=_list_waiting(tables, {incident_id, *(r.article["article_id"] for r in story.reports)}),
        fields=FIELDS,
        states=[state for state in ClaimState if state not in (ClaimState.KNOWN, ClaimState.RETRACTED)],
        told=_TOLD.get(told, ""),
    )


def send_incident(tables: TablesDep, incident_id: str, as_of: Text = "", version: Number = None) -> JSONResponse:
    """One incident as JSON, as it was known at a moment: record, facts, changes, links and claims, as the tables."""
    story, merged_into, _ = _find_story(tables, incident_id, as_of, version)
    return _send_json(
        {
            "as_of": story.as_of,
            "is_newest": story.is_newest,
            "merged_into": merged_into,
            "merged_from": story.merged_from,
            "record": story.record,
            "versions": [{"version": one["version"], "known_at": one["known_at"]} for one in story.versions],
            "facts": story.facts,
            "changes": story.changes,
            "reports": [
                {
                    "link": report.link,
                    "article": {name: value for name, value in report.article.items() if name != "text"},
                    "claims": report.claims,
                }
                for report in story.reports
            ],
        }
    )


def show_sources(request: Request, user: GetUserDep, tables: TablesDep) -> HTMLResponse:
    """The page *Sources*: how each is doing."""
    from blotter.catalog.health import N_DAYS, read_health
    from blotter.sources import load_sources

    session = tables.warehouse
    try:
        found = read_health(
            session,
            tables.root,
            sources=load_sources(tables.settings.sources),
            cursors=list(tables.stores.feeds.load_cursors().values()),
            now=tables.now(),
        )
    finally:
        session.close()
    return _render(
        request,
        user,
        "sources.html",
        page="sources",
        sources=found,
        n_wrong=sum(bool(one.problems) for one in found),
        n_days=N_DAYS,
    )


def show_quarantine(
    request: Request,
    user: GetUserDep,
    tables: TablesDep,
    reason: Text = "",
    source: Text = "",
    all: Text = "",
    before: Number = None,
) -> HTMLResponse:
    """The page *Quarantine*: inputs that could not be read, why, and what became of them when replayed."""
    with tables.reading() as (catalog, is_fresh):
        found = list_quarantine(catalog, reason=reason, source_id=source, is_open=not all, before=before)
        counts = count_quarantine(catalog)
    kept = {name: value for name, value in (("reason", reason), ("source", source), ("all", all)) if value}
    return _render(
        request,
        user,
        "quarantine.html",
        page="quarantine",
        found=found,
        counts=counts,
        reasons=[str(one) for one in Reason],
        replaying=_list_replaying(tables),
        asked={"reason": reason, "source": source, "all": all},
        is_fresh=is_fresh,
        next_page=urlencode({**kept, "before": found.next_before}) if found.next_before is not None else None,
    )


def show_quarantined(
    request: Request, user: GetUserDep, tables: TablesDep, input_id: str, told: Text = ""
) -> HTMLResponse:
    """One quarantined input: why, where it lay, and the beginning of its bytes."""
    with tables.reading() as (catalog, is_fresh):
        row = read_quarantined(catalog, input_id)
    if row is None:
        raise HTTPException(404, f"No quarantined input is called {input_id}.")
    return _render(
        request,
        user,
        "quarantined.html",
        page="quarantine",
        row=row,
        is_fresh=is_fresh,
        payload=_read_payload(tables, row),
        is_pending=input_id in _list_replaying(tables),
        told=_TOLD.get(told, ""),
    )


def show_review(
    request: Request, user: GetUserDep, tables: TablesDep, before: Number = None, told: Text = ""
) -> HTMLResponse:
    """The page *Review*: links that nobody is sure of."""
    with tables.reading() as (catalog, is_fresh):
        found = list_unsure_links(catalog, before=before)
        ids = [row[name] for row in found.rows for name in ("incident_id", "placed_in") if row[name]]
        summaries = read_summaries(catalog, ids)
    waiting = _list_waiting(tables)
    return _render(
        request,
        user,
        "review.html",
        page="review",
        found=found,
        summaries=summaries,
        waiting=waiting,
        judged={row["seq"] for row in found.rows if _is_judged(row, waiting)},
        told=_TOLD.get(told, ""),
        is_fresh=is_fresh,
        next_page=urlencode({"before": found.next_before}) if found.next_before is not None else None,
    )


def judge(
    request: Request,
    user: GetUserDep,
    tables: TablesDep,
    token: Field,
    action: Field,
    reason: Field = "",
    article_id: Field = "",
    incident_id: Field = "",
    other_incident_id: Field = "",
    participant_id: Field = "",
    field: Field = "",
    value: Field = "",
    state: Field = "",
    back: Field = "",
) -> RedirectResponse:
    """Take a judgement from a form, and lead back to the page it came from."""
    check_form(request, user, token)
    form = {
        "action": action,
        "reason": reason,
        "article_id": article_id,
        "incident_id": incident_id,
        "other_incident_id": other_incident_id,
        "participant_id": participant_id,
        "field": field,
        "value": value,
        "state": state,
    }
    actions.judge(tables.settings, user, {name: text.strip() for name, text in form.items()})
    told = "judged" if actions.ask_for_build() else "judged-later"
    path = f"/incidents/{_quote_path(incident_id)}" if back == "incident" else "/review"
    return redirect_to(request, f"{path}?told={told}")


def replay(request: Request, user: GetUserDep, tables: TablesDep, input_id: str, token: Field) -> RedirectResponse:
    """Replay a quarantined input, and lead back to its page."""
    check_form(request, user, token)
    actions.replay(tables.settings, input_id)
    told = "replayed" if actions.ask_for_build() else "replayed-later"
    return redirect_to(request, f"/quarantine/{_quote_path(input_id)}?told={told}")


def send_static(name: str) -> Response:
    """The style sheet and the script."""
    if name not in _STATIC:
        raise HTTPException(404, "There is no such file.")
    return FileResponse(
        _FOLDER / "static" / name, media_type=_STATIC[name], headers={"Cache-Control": "private, max-age=300"}
    )


def _read_search(asked: Mapping[str, str], before: int | None, problems: list[str]) -> Search:
    days: dict[str, date | None] = {}
    for name in ("happened", "changed"):
        try:
            days[name] = date.fromisoformat(asked[name]) if asked[name] else None
        except ValueError:
            problems.append(f"{asked[name]!r} is no day; a day is written 2026-03-02. It was left out.")
            days[name] = None
    for name, known in (("type", INCIDENT_TYPES), ("only", _ONLY)):
        if asked[name] and asked[name] not in known:
            problems.append(f"There is no {name} {asked[name]!r}.")
    problems += [
        f"{asked[name]!r} holds no word; it was left out." for name in ("words", "place") if is_wordless(asked[name])
    ]
    return Search(
        words=asked["words"],
        place=asked["place"],
        incident_type=asked["type"],
        happened_on=days["happened"],
        changed_on=days["changed"],
        only=asked["only"],
        before=before,
    )


def _find_story(tables: Tables, incident_id: str, as_of: str, version: int | None) -> tuple[Story, str | None, bool]:
    """Read an incident as of a time, or of a version; raises HTTPException 404 and 422."""
    at = _read_moment(as_of) or _NO_END
    with tables.reading() as (catalog, is_fresh):
        session = tables.warehouse
        try:
            story = read_story(session, tables.root, catalog, incident_id, as_of=at, version=version)
        finally:
            session.close()
        if story is None:
            raise HTTPException(404, f"No incident is called {incident_id}.")
        return story, find_merged_into(catalog, incident_id), is_fresh


def _read_moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise HTTPException(422, f"{text!r} is no time; write 2026-03-02T18:00, in UTC.") from None


def _read_payload(tables: Tables, row: Mapping[str, Any]) -> str | None:
    """Give the beginning of an input's bytes as text; None where there are none."""
    if row["payload_sha256"] is None:
        return None
    try:
        payload = tables.stores.archive.get(row["payload_sha256"])
    except (KeyError, StoreDamaged):  # which may be why it lies here
        return None
    return payload[:4_000].decode("utf-8", "replace").replace("\0", "\ufffd")


def _list_waiting(tables: Tables, about: Collection[str] | None = None) -> list[Mapping[str, Any]]:
    """List the judgements that wait for the next build: all, or those that name one of some incidents and articles."""
    names = ("incident_id", "other_incident_id", "article_id")
    waiting = [row.row for row in tables.stores.ledger.staged_rows() if row.table == "judgements"]
    return [row for row in waiting if about is None or any(row.get(name) in about for name in names)]


def _is_judged(link: Mapping[str, Any], waiting: Collection[Mapping[str, Any]]) -> bool:
    """Say whether a judgement that waits settles an unsure link: one of its article, or of both its incidents."""
    both = {link["incident_id"], link["placed_in"]}
    return any(
        row.get("article_id") == link["article_id"] or {row.get("incident_id"), row.get("other_incident_id")} == both
        for row in waiting
    )


def _list_replaying(tables: Tables) -> set[str]:
    """List the inputs whose replay waits for the next build, as far as that can be seen in the first of what waits."""
    ledger = tables.stores.ledger
    waiting = [one.replay_of for one in ledger.pending(limit=2_000)]
    waiting += [row.row.get("replay_of") for row in ledger.staged_rows() if row.table == "inputs"]
    return {input_id for input_id in waiting if input_id is not None}


def _render(request: Request, user: Any, template: str, status: int = 200, **told: Any) -> HTMLResponse:
    root = request.scope.get("root_path", "")
    html = (
        _templates()
        .get_template(template)
        .render(root=root, can_act=may_act(user) if user else False, token=sign_form(user) if user else "", **told)
    )
    return HTMLResponse(html, status_code=status)


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"tell": wording, "tell_when": tell_when, "tell_where": tell_where, "tell_toll": tell_toll}
    made.globals |= {"tell_participant": tell_participant}
    made.filters |= {"moment": _tell_moment, "clock": _tell_clock, "words": _tell_code, "path": _quote_path}
    return made


def _tell_moment(at: datetime | str) -> str:
    at = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{at.astimezone(UTC):%a %-d %b %Y, %H:%M} UTC"


def _tell_clock(at: datetime | str) -> str:
    at = datetime.fromisoformat(at) if isinstance(at, str) else at
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _tell_code(code: object) -> str:
    return str(code).replace("_", " ")


def _quote_path(part: object) -> str:
    return quote(str(part), safe="")


def _list_columns(summary: Summary) -> dict[str, Any]:
    """Give a summary as a dict of its columns, its people and changes too."""
    people, changes = summary.participants, summary.changes
    parts = {"participants": [one.to_row() for one in people], "changes": [one.to_row() for one in changes]}
    return summary.to_row() | parts


def _send_json(content: Mapping[str, Any]) -> JSONResponse:
    from fastapi.encoders import jsonable_encoder

    return JSONResponse(jsonable_encoder(content))


def _answer_refusal(request: Request, refusal: Any) -> Response:
    """Answer what a route refuses: as a page to a browser, as JSON to a program."""
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": refusal.detail}, status_code=refusal.status_code, headers=refusal.headers)
    titles = {401: "Please log in", 403: "Not allowed", 404: "Not found"}
    return _render(
        request,
        None,
        "message.html",
        refusal.status_code,
        page="",
        title=titles.get(refusal.status_code, "This could not be done"),
        message=str(refusal.detail),
    )


async def _answer_unreadable(request: Request, trouble: Any) -> Response:
    """Answer an address or a form that holds something else than it must: as a page to a browser."""
    if "text/html" not in request.headers.get("accept", ""):
        return await request_validation_exception_handler(request, trouble)
    wrong = "; ".join(f"{error['loc'][-1]}: {error['msg']}" for error in trouble.errors())
    return _answer_refusal(request, HTTPException(422, f"The address or the form cannot be read: {wrong}."))


def _answer_trouble(request: Request, trouble: Any) -> Response:
    """Answer where the tables or their catalog cannot be read: with what an operator can do."""
    _log.warning("a page could not be shown", exc_info=trouble)
    status = 503 if isinstance(trouble, SettingsError) else 500
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": str(trouble)}, status_code=status)
    return _render(
        request, None, "message.html", status, page="", title="The tables cannot be read", message=str(trouble)
    )


def redirect_to(request: Request, path: str) -> RedirectResponse:
    """Send a browser on to a page after a form, so that loading it again repeats nothing."""
    return RedirectResponse(request.scope.get("root_path", "") + path, status_code=303)
