"""`blotter judge`: what a person decides outranks what is computed.

Does not belong here: checking and publishing (`blotter.judging`), and what a judgement does (`blotter.update.judge`).
"""

import getpass
from typing import Annotated, Any

import typer
from rich.text import Text

from blotter.commands.common import AsJson, Config, find_incident, name_run, open_tables, out, print_json, report, stop
from blotter.config import Settings, load_settings
from blotter.model import ClaimState

app = typer.Typer(
    no_args_is_help=True,
    help="Decide what the articles leave open: it is kept with your name and reason, and outranks what is computed.",
)

Article = Annotated[str, typer.Argument(help="The article: its id, the first letters of it, or its address.")]
Incident = Annotated[str, typer.Argument(help="The incident: its id, or the first letters of it.")]
Reason = Annotated[str, typer.Option("--reason", "-m", help="Why: kept with the judgement.")]
Actor = Annotated[str | None, typer.Option(help="Who decides. Default: your user name.")]
Later = Annotated[bool, typer.Option("--later", help="Let it wait for the next build instead of publishing it now.")]
Person = Annotated[str | None, typer.Option("--participant", "-p", help="The participant: id, first letters, or name.")]


@app.command()
def link(
    article: Article,
    incident: Incident,
    reason: Reason,
    actor: Actor = None,
    later: Later = False,
    config: Config = None,
) -> None:
    """Say that an article is about an incident. It is moved there, and stays there when it is read again."""
    _judge_article("link", article, incident, reason, actor, later, config)


@app.command()
def unlink(
    article: Article,
    incident: Incident,
    reason: Reason,
    actor: Actor = None,
    later: Later = False,
    config: Config = None,
) -> None:
    """Say that an article is not about an incident. It is taken out where it is in, and never taken for it again."""
    _judge_article("unlink", article, incident, reason, actor, later, config)


@app.command()
def merge(
    incident: Incident,
    reason: Reason,
    other: Annotated[str | None, typer.Argument(help="The incident that becomes part of the first.")] = None,
    participant: Person = None,
    other_participant: Annotated[str | None, typer.Option(help="The participant who is the same person.")] = None,
    actor: Actor = None,
    later: Later = False,
    config: Config = None,
) -> None:
    """Say that two incidents are one, or with --participant and --other-participant two people of one incident."""
    _judge_two("merge", incident, other, participant, other_participant, reason, actor, later, config)


@app.command()
def split(
    incident: Incident,
    reason: Reason,
    other: Annotated[str | None, typer.Argument(help="The incident that was merged into the first.")] = None,
    participant: Person = None,
    other_participant: Annotated[str | None, typer.Option(help="The participant merged into that one.")] = None,
    actor: Actor = None,
    later: Later = False,
    config: Config = None,
) -> None:
    """Undo a merge, of incidents or of people. To move a single article out, use `unlink`."""
    _judge_two("split", incident, other, participant, other_participant, reason, actor, later, config)


@app.command("set")
def set_value(
    incident: Incident,
    field: Annotated[str, typer.Argument(help="The field, such as n_killed, or with --participant age.")],
    reason: Reason,
    value: Annotated[str | None, typer.Argument(help="The value; several are separated by semicolons.")] = None,
    state: Annotated[ClaimState | None, typer.Option(help="Instead of a value: withheld, unknown, ...")] = None,
    participant: Person = None,
    actor: Actor = None,
    later: Later = False,
    config: Config = None,
) -> None:
    """Set a field. What articles say of it is kept as its rivals."""
    settings = load_settings(config)
    with open_tables(None, config) as connection:
        about: dict[str, Any] = {"incident_id": find_incident(connection, incident)}
        if participant is not None:
            about["participant_id"] = find_participant(connection, about["incident_id"], participant)
    _judge(settings, "set", {**about, "field": field, "value": value, "state": state}, reason, actor, is_later=later)


@app.command("list")
def list_unsure(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 20, config: Config = None, as_json: AsJson = False
) -> None:
    """List the links that the linker left to a person, the likeliest first."""
    from blotter import queries

    with open_tables(None, config) as connection:
        questions = queries.list_unsure_links(connection, limit=limit)
    if as_json:
        print_json(questions)
        return
    for one in questions:
        out.print(Text(f"{one['score']:.2f}  {one['title'] or one['url'] or one['article_id']}", style="bold"))
        out.print(Text(f"      {one['article_id']}  {one['source_id']}  {one['published_at']:%Y-%m-%d}", style="dim"))
        out.print(Text(f"      may be {one['incident_id']}: {one['headline']}"))
        where = f"{one['placed_in']}: {one['placed_headline']}" if one["placed_in"] else "no incident"
        out.print(Text(f"      is now in {where}"))
        out.print(Text(f"      {', '.join(one['reasons'])}", style="dim"))
    if not questions:
        out.print("No link waits for a person.")
    else:
        out.print('\nblotter judge link|unlink ARTICLE INCIDENT -m "why"', highlight=False)


def find_article(connection: Any, start: str) -> str:
    """Give the one article of that address, or whose id starts so; stops the command where none does or several do."""
    from blotter import queries

    found = queries.fetch_rows(
        connection,
        "SELECT article_id, arg_max(title, revision) AS title FROM articles "
        "WHERE starts_with(article_id, ?) OR url = ? OR canonical_url = ? GROUP BY 1 ORDER BY 1 LIMIT 10",
        [start, start, start],
    )
    return _require_one(found, "article_id", "title", start, "article")


def find_participant(connection: Any, incident_id: str, start: str) -> str:
    """Give the one participant of an incident whose id starts so or whose name it is; stops the command else."""
    from blotter import queries

    found = queries.fetch_rows(
        connection,
        "SELECT participant_id, arg_max(coalesce(name, role), version) AS name FROM participants WHERE incident_id = ? "
        "AND (starts_with(participant_id, ?) OR lower(name) = lower(?)) GROUP BY 1 ORDER BY 1 LIMIT 10",
        [incident_id, start, start],
    )
    return _require_one(found, "participant_id", "name", start, f"participant of {incident_id}")


def _require_one(found: list[dict[str, Any]], key: str, shown: str, start: str, what: str) -> str:
    if not found:
        stop(f"no {what} {start}", 1)
    if len(found) > 1:
        listed = "\n".join(f"  {row[key]}  {row[shown]}" for row in found)
        stop(f"{start} fits more than one {what}, give more of the id:\n{listed}", 2)
    return str(found[0][key])


def _judge_article(
    action: str, article: str, incident: str, reason: str, actor: str | None, is_later: bool, config: Any
) -> None:
    settings = load_settings(config)
    with open_tables(None, config) as connection:
        about = {"article_id": find_article(connection, article), "incident_id": find_incident(connection, incident)}
    _judge(settings, action, about, reason, actor, is_later=is_later)


def _judge_two(
    action: str,
    incident: str,
    other: str | None,
    participant: str | None,
    other_participant: str | None,
    reason: str,
    actor: str | None,
    is_later: bool,
    config: Any,
) -> None:
    """Judge two incidents, or two participants of one."""
    if (other is None) == (participant is None) or (participant is None) != (other_participant is None):
        stop(f"{action} needs a second incident, or --participant and --other-participant of one", 2)
    settings = load_settings(config)
    with open_tables(None, config) as connection:
        incident_id = find_incident(connection, incident)
        about = {"incident_id": incident_id}
        if other is not None:
            about["other_incident_id"] = find_incident(connection, other)
        elif participant is not None and other_participant is not None:
            about["participant_id"] = find_participant(connection, incident_id, participant)
            about["other_participant_id"] = find_participant(connection, incident_id, other_participant)
    _judge(settings, action, about, reason, actor, is_later=is_later)


def _judge(
    settings: Settings, action: str, about: dict[str, Any], reason: str, actor: str | None, *, is_later: bool
) -> None:
    from blotter import judging

    judgement = judging.make_judgement(
        action,
        actor=actor or getpass.getuser(),
        reason=reason,
        judged_at=judging.read_time(settings),
        **about,
    )
    if is_later:
        judging.stage_judgement(settings, judgement)
        out.print(f"{judgement.judgement_id} waits for the next build.", highlight=False)
        return
    run_id = name_run()
    report(judgement.judgement_id, judging.publish_judgement(settings, judgement, run_id=run_id))
    out.print(f"blotter timeline {about['incident_id']}", style="dim", highlight=False)
