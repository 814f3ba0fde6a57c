"""The pages in `pages/`: invented, written for this project, a folder for each kind and a file for each sort of page.

The golden articles (`tests.golden`) are pages too. In a file pages are parted by a line `---`; a page is its title, a blank line and its text. All are taken to be published on 4 March 2026.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.golden.goldens import list_goldens, load_golden

FOLDER = Path(__file__).parent / "pages"
FOLDER_KINDS = ("not_incidents", "incidents", "follow_ups")
_KIND_OF_GOLDEN = {"not_incident": "not_incidents", "incident": "incidents", "follow_up": "follow_ups"}


@dataclass(frozen=True, slots=True)
class WrittenPage:
    """One page: what kind it is (the folder), what sort of page (the file), its title and text."""

    kind: str
    sort: str
    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.sort}: {self.title}"


def load_pages(*kinds: str) -> Iterator[WrittenPage]:
    """Read the pages of some kinds, or of all, in the order of folders and files."""
    for file in sorted(FOLDER.glob("*/*.txt")):
        if not kinds or file.parent.name in kinds:
            for page in file.read_text(encoding="utf-8").split("\n---\n"):
                title, text = page.strip().split("\n", 1)
                yield WrittenPage(file.parent.name, file.stem, title, text.strip())
    for folder in list_goldens():
        golden = load_golden(folder)
        if _KIND_OF_GOLDEN.get(golden.kind) in (kinds or FOLDER_KINDS):
            article = golden.article
            text = article.text.removeprefix(article.title).strip()
            yield WrittenPage(_KIND_OF_GOLDEN[golden.kind], "golden", article.title, text)
