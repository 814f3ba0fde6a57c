"""The story that blotter exists for: details emerge, and each change says when, from whom and in what words."""

from datetime import UTC, date, datetime, timedelta

from blotter.model import Change, ChangeCause, ChangeKind, ClaimState, Notice, Role, Verdict
from blotter.update import Update
from stories import DAY_1, MemoryDesk, comparable, latest_versions, make_story, officer_story, play, say


def find_change(update: Update, field: str) -> Change:
    found = [change for change in update.changes if change.field == field]
    assert len(found) == 1, found
    return found[0]


def test_the_officer_is_named_on_day_two_and_the_other_city_stays_apart() -> None:
    first, second, other = officer_story()
    updates = play(MemoryDesk(), [first, other], [second])

    incidents = latest_versions(updates)
    assert len(incidents) == 2
    halford = next(one for one in incidents.values() if one.city == "Halford")
    officer = next(one for one in halford.participants if one.role is Role.VICTIM)
    suspect = next(one for one in halford.participants if one.role is Role.SUSPECT)
    assert (officer.name, officer.age, officer.occupation) == ("Tomas Reyes Villar", 32, "officer")
    assert (suspect.age, suspect.condition) == (18, "critical")
    assert len(halford.participants) == 2
    assert halford.occurred_at == datetime(2025, 3, 5, 16, 43)  # noqa: DTZ001  (local wall time)
    assert (halford.n_killed, halford.n_injured, halford.n_articles) == (1, 1, 2)
    assert halford.conflicts == ()

    name, age = find_change(updates[1], "name"), find_change(updates[1], "age")
    assert (name.before_state, name.before, name.after) == (ClaimState.WITHHELD, None, "Tomas Reyes Villar")
    assert (name.kind, name.cause, name.source_id) == (ChangeKind.REFINED, ChangeCause.NEW_REPORT, "herald")
    assert name.quote is not None and name.quote.startswith("The Halford officer killed on Tamarack Avenue was Tomas")
    assert (age.kind, age.before_state, age.after) == (ChangeKind.ADDED, None, 32)
    assert all(link.reasons for update in updates for link in update.links)


def test_how_the_stream_is_cut_makes_no_difference() -> None:
    story = sorted(officer_story(), key=lambda pair: pair[0].published_at)
    whole = play(MemoryDesk(), story)
    single = play(MemoryDesk(), *([pair] for pair in story))

    def told(updates: list[Update]) -> set[tuple[str, str, Verdict, float]]:
        return {(x.link_id, x.incident_id, x.verdict, x.score) for update in updates for x in update.links}

    assert told(whole) == told(single)
    assert {comparable(one) for one in latest_versions(whole).values()} == {
        comparable(one) for one in latest_versions(single).values()
    }


def test_shuffled_input_gives_the_same_update() -> None:
    story = officer_story()
    now = DAY_1 + timedelta(days=3)
    assert play(MemoryDesk(), story, now=now) == play(MemoryDesk(), story[::-1], now=now)


def test_the_same_articles_again_change_nothing() -> None:
    story = officer_story()
    desk = MemoryDesk()
    play(desk, story)
    (again,) = play(desk, story)
    assert again.changes == () and again.incidents == ()


def test_an_edited_page_changes_the_record_by_its_own_edit() -> None:
    first, _, _ = officer_story()
    desk = MemoryDesk()
    play(desk, [first])
    article, reading = first
    named = "The officer was Tomas Reyes Villar."
    text = article.text.replace("His name was not released.", named)
    claims = [claim for claim in reading.claims if claim.field != "name"]
    shot = "A police officer was shot dead on Tamarack Avenue in Halford on Wednesday, 5 March, at 4:43 p.m."
    edited = make_story(
        *(
            say(claim.quote, claim.field, claim.value, raw=claim.value_raw, of=claim.participant_ref, role=claim.role)
            for claim in claims
        ),
        say(named, "name", "Tomas Reyes Villar", of=1, role=Role.VICTIM),
        title=article.title,
        url=article.url,
        revision=2,
    )
    assert shot in text
    (update,) = play(desk, [edited])
    (change,) = update.changes
    assert (change.field, change.kind, change.cause) == ("name", ChangeKind.REFINED, ChangeCause.SOURCE_EDIT)
    assert change.quote == named


def test_a_cosmetic_edit_is_a_revision_and_no_change() -> None:
    first, _, _ = officer_story()
    desk = MemoryDesk()
    play(desk, [first])
    edited = make_story(
        *(
            say(c.quote, c.field, c.value, raw=c.value_raw, of=c.participant_ref, role=c.role, state=c.state)
            for c in first[1].claims
        ),
        title=first[0].title,
        url=first[0].url,
        more="Reporting by our own staff.",
        revision=2,
    )
    (update,) = play(desk, [edited])
    assert update.changes == () and update.incidents == ()
    assert len(update.articles) == 1


def test_a_retraction_takes_back_and_says_so() -> None:
    first, second, _ = officer_story()
    desk = MemoryDesk()
    play(desk, [first], [second])
    taken_back = "The Herald withdraws its report that named the Halford officer killed on Tamarack Avenue."
    retraction = make_story(
        say(taken_back, "street", "Tamarack Avenue"),
        say(taken_back, "city", "Halford"),
        say(taken_back, "occurred_date", date(2025, 3, 5)),
        say(taken_back, "role", "victim", of=1, role=Role.VICTIM),
        say(taken_back, "occupation", "officer", of=1, role=Role.VICTIM),
        say(taken_back, "condition", "killed", of=1, role=Role.VICTIM),
        say(taken_back, "name", state=ClaimState.RETRACTED, of=1, role=Role.VICTIM),
        title="Halford officer: a report withdrawn",
        source="herald",
        at=DAY_1 + timedelta(days=2),
        notice=Notice.RETRACTION,
    )
    (update,) = play(desk, [retraction])
    change = find_change(update, "name")
    assert (change.kind, change.cause) == (ChangeKind.RETRACTED, ChangeCause.RETRACTION)
    assert (change.before, change.after, change.quote) == ("Tomas Reyes Villar", None, taken_back)


def test_a_late_old_article_adds_and_does_not_undo() -> None:
    first, second, _ = officer_story()
    desk = MemoryDesk()
    play(desk, [second])
    (late,) = play(desk, [first], now=DAY_1.replace(tzinfo=UTC) + timedelta(days=4))
    fields = {change.field for change in late.changes}
    assert "name" not in fields
    assert {"n_killed"} & fields == set()  # counted from the killed officer already
    assert all(change.known_at == DAY_1 + timedelta(days=4) for change in late.changes)
    (incident,) = late.incidents
    assert next(p for p in incident.participants if p.role is Role.VICTIM).name == "Tomas Reyes Villar"
