"""Everything that the steps read and write, opened from the settings.

Belongs here: opening, closing, and handing a published bundle's memory to those who must learn it. Does not belong
here: any step. A store that a step does not use costs nothing: each is opened when it is first asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path

from sqlalchemy import Engine

from blotter.config import Settings
from blotter.errors import SettingsError
from blotter.store.archive import RawArchive
from blotter.store.bundles import Manifest
from blotter.store.desk import SqlDesk
from blotter.store.feeds import FeedMemory
from blotter.store.gate import GateMemory
from blotter.store.habits import HabitMemory
from blotter.store.inputs import InputLedger
from blotter.store.judgements import JudgementMemory
from blotter.store.locks import hold_database_lock, hold_lock
from blotter.store.outbox import Outbox
from blotter.store.places import is_object_store, join_location
from blotter.store.slices import SlicePlans
from blotter.store.staging import StagingArea
from blotter.store.state import open_state
from blotter.store.warehouse import HoldLock, Warehouse
from blotter.update import LinkRules

# A second writer waits this long for the first, then says who holds the warehouse.
LOCK_TIMEOUT_S = 600


class Stores:
    """The stores of one process; use it in a `with`, or call `close`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __enter__(self) -> "Stores":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def warehouse(self) -> Warehouse:
        """The tables, created where they are missing."""
        # Bundles lie beside the staged slices, so that the warehouse's folder holds tables and nothing else of weight.
        warehouse = Warehouse(
            self.settings.warehouse,
            part_rows=self.settings.part_rows,
            bundles=join_location(self.settings.staging, "bundles"),
            hold_lock=self._state_lock(),
        )
        warehouse.init()
        return warehouse

    @cached_property
    def archive(self) -> RawArchive:
        """The bytes of every document."""
        return RawArchive(self.settings.archive)

    @cached_property
    def staging(self) -> StagingArea:
        """The slices that are read and not yet published."""
        return StagingArea(join_location(self.settings.staging, "slices"))

    @cached_property
    def engine(self) -> Engine:
        """The operational state."""
        return open_state(self.settings.state)

    @cached_property
    def ledger(self) -> InputLedger:
        """What is pending, what became of everything else."""
        return InputLedger(self.engine)

    @cached_property
    def plans(self) -> SlicePlans:
        """The slices that mapped tasks are to read."""
        return SlicePlans(self.engine)

    @cached_property
    def feeds(self) -> FeedMemory:
        """The cursors of the feeds."""
        return FeedMemory(self.engine)

    @cached_property
    def habits(self) -> HabitMemory:
        """What is usual for each source."""
        return HabitMemory(self.engine)

    @cached_property
    def desk(self) -> SqlDesk:
        """The open incidents and their index."""
        return SqlDesk(self.engine)

    @cached_property
    def judgements(self) -> JudgementMemory:
        """What became of the judgements of persons."""
        return JudgementMemory(self.engine)

    @property
    def link_rules(self) -> LinkRules:
        """When a reading's incident is taken for a known one."""
        return LinkRules(**self.settings.link.model_dump())

    @cached_property
    def gate(self) -> GateMemory:
        """Whether a batch is held back, and who was told when."""
        return GateMemory(self.engine)

    @cached_property
    def outbox(self) -> Outbox:
        """The alerts that are due."""
        return Outbox(self.engine)

    def now(self) -> datetime:
        """Read the clock: the machine's, or the one that the demo and tests set."""
        return read_clock(self.settings)

    def apply_memory(self, manifest: Manifest, memory: Mapping[str, bytes]) -> None:
        """Tell the state what a published bundle holds for it, all in one transaction; again is the same as once."""
        learners = {
            "ledger": self.ledger.apply,
            "desk": self.desk.apply,
            "judgements": self.judgements.apply,
            "outbox": self.outbox.apply,
            "feeds": self.feeds.apply,
            "habits": self.habits.apply,
        }
        with self.engine.begin() as connection:
            for name, told in memory.items():
                learners[name](connection, told)

    @contextmanager
    def writing(self, holder: str) -> Iterator[Sequence[Manifest]]:
        """Be the one writer; yields the bundles that an earlier writer left frozen and that were published just now.

        Raises LockHeld where another writer does not end, and SettingsError where the tables are gone that the state
        tells of: all that was published would else be taken for duplicates.
        """
        with self.warehouse.lock(holder, LOCK_TIMEOUT_S):
            finished = self.warehouse.roll_forward(self.apply_memory)
            if self.warehouse.newest_recorded_at() is None and self.ledger.has_published():
                raise SettingsError(
                    f"warehouse {self.settings.warehouse}, state {self.settings.state}",
                    "tables and a state that belong together; restore the tables, or remove the state with them",
                )
            yield finished

    def _state_lock(self) -> HoldLock | None:
        """Give the writer's lock that the state holds: for writers on many machines, and where there is no folder."""
        if "://" in self.settings.state:
            return partial(hold_database_lock, self.engine, "blotter warehouse")
        if is_object_store(self.settings.warehouse):
            return partial(hold_lock, Path(f"{self.settings.state}.lock"))
        return None

    def close(self) -> None:
        """Let go of the state's connections."""
        if "engine" in self.__dict__:
            self.engine.dispose()


def read_clock(settings: Settings) -> datetime:
    """Give the time, aware and in UTC; raises SettingsError where the setting `clock` is no time."""
    if settings.clock is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(settings.clock)
    except ValueError as invalid:
        raise SettingsError(
            "clock", "an ISO time with its zone, such as 2026-03-02T23:59:59+00:00", settings.clock
        ) from invalid
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
