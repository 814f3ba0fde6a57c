"""One reader for the whole room: it takes two seconds to load and holds no state between articles."""

import pytest

from blotter.extract import Reader


@pytest.fixture(scope="session")
def reader() -> Reader:
    return Reader()
