"""What every desk must do, tried on the one in memory and on the one over a database."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from blotter.errors import StoreDamaged
from blotter.model import Article, Reading
from blotter.store.desk import SqlDesk
from blotter.store.state import metadata
from blotter.update import Update, update_incidents
from stories import DAY_1, RULES, MemoryDesk, latest_versions, make_story, officer_story, play, say


def play_sql(desk: SqlDesk, engine: Engine, *batches: Sequence[tuple[Article, Reading]]) -> list[Update]:
    updates = []
    for batch in batches:
        now = max(article.published_at for article, _ in batch) + timedelta(hours=1)
        update = update_incidents(batch, desk, now=now, settings=RULES)
        with engine.begin() as connection:
            desk.apply(connection, update.memory())
        updates.append(update)
    return updates


def test_a_database_decides_as_memory_does(engine: Engine) -> None:
    story = sorted(officer_story(), key=lambda pair: pair[0].published_at)
    batches = [[pair] for pair in story]
    assert play_sql(SqlDesk(engine), engine, *batches) == play(MemoryDesk(), *batches)


def test_a_desk_opened_again_knows_what_was_learnt(engine: Engine) -> None:
    first, second, other = officer_story()
    before = play_sql(SqlDesk(engine), engine, [first, other])
    after = play_sql(SqlDesk(engine), engine, [second])
    assert len(latest_versions([*before, *after])) == 2


def test_learning_twice_is_learning_once(engine: Engine) -> None:
    first, second, _ = officer_story()
    desk = SqlDesk(engine)

    def dump() -> dict[str, list[tuple[object, ...]]]:
        with engine.connect() as connection:
            return {
                name: sorted(tuple(row) for row in connection.execute(select(table)))
                for name, table in metadata.tables.items()
                if name.startswith("desk_")
            }

    (one,) = play_sql(desk, engine, [first])
    (two,) = play_sql(desk, engine, [second])
    stands = dump()
    for memory in (two.memory(), one.memory(), two.memory()):
        with engine.begin() as connection:
            desk.apply(connection, memory)
    assert dump() == stands


def test_the_index_forgets_what_lies_far_back(engine: Engine) -> None:
    desk = SqlDesk(engine)
    first, *_ = officer_story()
    play_sql(desk, engine, [first])
    late = make_story(
        say("A barn burned in Quillby on Sunday.", "city", "Quillby"),
        say("A barn burned in Quillby on Sunday.", "incident_type", "fire"),
        title="Barn burns in Quillby",
        at=DAY_1 + timedelta(days=3 * RULES.window_days),
    )
    play_sql(desk, engine, [late])
    index = metadata.tables["desk_index"]
    with engine.connect() as connection:
        oldest = connection.execute(select(func.min(index.c.day))).scalar_one()
    assert oldest == late[0].published_at.toordinal()


def test_bytes_that_are_no_memory_are_refused(engine: Engine) -> None:
    desk = SqlDesk(engine)
    with pytest.raises(StoreDamaged), engine.begin() as connection:
        desk.apply(connection, b"nonsense")
