"""What the pages read, opened once a process and when it is first asked for.

Belongs here: opening and sharing. Does not belong here: any question (`blotter.catalog`) and any writing.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection

import duckdb

from blotter import queries
from blotter.catalog import Catalog, CatalogKeeper
from blotter.config import Settings
from blotter.errors import SettingsError
from blotter.store.places import is_object_store
from blotter.stores import Stores, read_clock

_MEMORY = "256MB"  # of DuckDB, for all requests together


class Tables:
    """The warehouse and its catalog, as the pages of one process share them.

    Raises SettingsError where the warehouse is no folder.
    """

    def __init__(self, settings: Settings) -> None:
        if is_object_store(settings.warehouse):
            raise SettingsError("warehouse", "a folder: the pages cannot read an object store yet", settings.warehouse)
        self.settings = settings
        self.root = settings.warehouse.removeprefix("file://")
        path = Path(settings.catalog) if settings.catalog else Path(f"{self.root.rstrip('/')}.catalog.db")
        self.catalog = Catalog(path)
        self.keeper = CatalogKeeper(self.catalog, self.root)
        self.stores = Stores(settings)
        self._opening = threading.Lock()
        self._warehouse: duckdb.DuckDBPyConnection | None = None

    @property
    def warehouse(self) -> duckdb.DuckDBPyConnection:
        """A session of its own on the tables; close it when done. Raises SettingsError where there are none."""
        with self._opening:
            if self._warehouse is None:
                opened = queries.connect(self.root)
                opened.execute(f"SET memory_limit = '{_MEMORY}'")
                opened.execute("SET threads = 1")  # what is asked is small: a second thread costs more than it gives
                opened.execute("SET enable_external_file_cache = false")  # the system's own cache has the files
                self._warehouse = opened
            return self._warehouse.cursor()

    @contextmanager
    def reading(self) -> Iterator[tuple[Connection, bool]]:
        """Open the catalog for one page, with whether it knows all that is published."""
        is_fresh = self.keeper.keep_up()
        with self.catalog.reading() as connection:
            yield connection, is_fresh

    def close(self) -> None:
        """Let go of the tables and of the state's connections."""
        with self._opening:
            if self._warehouse is not None:
                self._warehouse.close()
                self._warehouse = None
        self.stores.close()

    def now(self) -> datetime:
        """Read the clock, as the pipeline does."""
        return read_clock(self.settings).astimezone(UTC)
