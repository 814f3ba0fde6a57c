"""Article revision to reading: a spaCy pipeline of the project's own components that yields claims with evidence.

`Reader` loads lexicons and spaCy when it is made; importing this package loads neither.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blotter.extract.reader import Reader

EXTRACTOR_VERSION = "rules-2"

__all__ = ["EXTRACTOR_VERSION", "Reader"]


def __getattr__(name: str) -> Any:
    if name == "Reader":
        from blotter.extract.reader import Reader

        return Reader
    raise AttributeError(name)
