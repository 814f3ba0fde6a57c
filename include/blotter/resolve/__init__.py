"""What is believed of an incident: participants aligned, one value a field by written rules, rivals kept.

Belongs here: comparing values (`values`), choosing among them (`choose`), who is who (`align`), and the record
(`record`). Does not belong here: which articles belong together (`blotter.link`), and what moved since
(`blotter.track`). Core: pure functions. The rules are in docs/resolution.md.
"""

from blotter.ids import make_id
from blotter.link.memory import Member
from blotter.model import Article, Incident, Reading, identify_reading, identify_revision
from blotter.resolve.align import align_participants
from blotter.resolve.members import make_member
from blotter.resolve.record import build_incident, resolve_members

__all__ = ["resolve_single"]

_FIRST_REF = 1


def resolve_single(article: Article, reading: Reading) -> Incident | None:
    """Resolve the record that one article gives of its first incident; None where it tells of none.

    `known_at` is the article's publication; `facts` are all that stand.
    """
    if not any(claim.incident_ref == _FIRST_REF for claim in reading.claims):
        return None
    if not reading.reading_id:
        article = identify_revision(article, article.revision or 1)
        reading = identify_reading(reading, article)
    incident_id = make_id("inc", article.article_id, _FIRST_REF)
    member: Member = make_member(article, reading, _FIRST_REF, home_id=incident_id)
    placed = align_participants(member.statements, {}, incident_id=incident_id, reading_id=reading.reading_id)
    member = make_member(
        article,
        reading,
        _FIRST_REF,
        home_id=incident_id,
        placed={one.participant_ref: one.participant_id for one in placed},
    )
    return build_incident(
        resolve_members([member]), [member], incident_id=incident_id, version=1, known_at=article.published_at
    )
