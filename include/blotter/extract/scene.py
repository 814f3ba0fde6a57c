"""What the readers of single fields share: the article laid out in sentences, with what each sentence is for.

Belongs here: the layout that `pipeline` fills step by step. Does not belong here: any decision.
"""

from dataclasses import dataclass, field

from blotter.extract.mentions import Mention
from blotter.extract.predicates import Finding
from blotter.model import Article


@dataclass(slots=True)
class Sentence:
    """One sentence: `text` is `article.text[start:end]`."""

    index: int
    start: int
    end: int
    text: str
    bits: int = 0  # literals of the patterns that it has (`gate`)
    is_title: bool = False
    is_background: bool = False  # an earlier case, statistics, a biography, a teaser, boilerplate
    is_teaser: bool = False  # the page's, not the article's: what else there is to read, a notice, a form
    is_about_incident: bool = False  # says what happened
    is_aftermath: bool = False  # court, vigil, statement
    mentions: list[Mention] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class Scene:
    """An article laid out for reading."""

    article: Article
    sentences: list[Sentence]

    @property
    def body(self) -> list[Sentence]:
        """The sentences after the title that tell of the incident or may."""
        return [s for s in self.sentences if not s.is_title and not s.is_background]

    @property
    def telling(self) -> list[Sentence]:
        """Title and body without background."""
        return [s for s in self.sentences if not s.is_background]
