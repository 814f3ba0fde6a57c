"""What a page is about: an incident, the aftermath of one, several, or none; and whether it corrects itself.

Belongs here: deciding `ReadingKind` and `Notice` from the whole page. Does not belong here: which sentences are background
(`background`).
"""

from blotter.extract.gate import GatedPattern, gated
from blotter.extract.incident_types import Keyword
from blotter.extract.people import Person
from blotter.extract.scene import Scene, Sentence
from blotter.model import Notice, ReadingKind

_CORRECTION = gated(
    r"\b(?:correction\s?:|corrections?\s(?:&|and)\sclarifications?|clarification\s?:|(?:this|an\searlier|a\sprevious|the\soriginal)\s(?:version\sof\s(?:this|the)\s)?(?:story|article|report|version)[^.]{0,60}\b(?:incorrect\w*|misstated|erroneous\w*|wrong\w*|error|has\sbeen\scorrected|was\scorrected|mistaken\w*|misidentified|gave\sthe\swrong)|has\sbeen\scorrected|we\sregret\sthe\serror|(?:toll|count|figure|number)\s(?:was|has\sbeen)\s(?:revised|lowered|corrected)|(?:revised|lowered|corrected)\s(?:the|its|their)\s(?:death\s)?(?:toll|count|figure))"
)
_RETRACTION = gated(
    r"\b(?:retraction\s?:|(?:has|have)\s(?:been\s)?(?:retracted|withdrawn)\b[^.]{0,40}|retract(?:s|ed|ing)?\s(?:the|this|its|a|our)\s(?:story|article|report)|(?:story|article|report)\s(?:has\sbeen|was|is)\s(?:retracted|withdrawn|removed)|withdraws?\s(?:its|this|the|our)\s(?:story|article|report))"
)

# What an incident page has and others lack: an event that befell someone, told by police, firefighters or witnesses.
_EVENT = gated(
    r"\b(?:(?:was|were|been|being|is|are)\s(?:\w+ly\s)?(?:shot|stabbed|killed|injured|wounded|struck|hit\sby|beaten|robbed|attacked|assaulted|kidnapped|abducted|found\s(?:dead|shot|safe|unresponsive)|hospitalized|rescued|pulled\sfrom|arrested|charged|taken\s(?:into\scustody|to\s(?:a|the|an\sarea)?\s?\w*\s?hospital)|pronounced\sdead|airlifted|evacuated|missing|last\sseen|trapped|burned|destroyed)"
    r"|(?:died|dies|drowned|collided|overturned|crashed|derailed|capsized|exploded|collapsed|opened\sfire|shots\s(?:were\s)?fired|fired\sshots|gunfire|broke\sout|fatal(?:ly)?|shooting\s(?:happened|occurred|took|that|in|at|on|left)|stabbing\s(?:happened|occurred|that|in|at|left)|crash\s(?:happened|occurred|that|on|in|left)|gunshot\swounds?|stab\swounds?|went\smissing|search\sfor|manhunt|standoff|barricaded|homicide|police\sarrested|(?:was|were)\sarrested|in\scustody|seized|gunpoint|robbed|stolen|bust(?:ed)?|search\swarrant|traffic\sstop|body\sof|raid(?:ed)?|shot\s(?:and|to|in|at|by|himself|herself|a|the|his|her)|killing|killed|kills|fell\s(?:from|off|into|on)|pinned|crushed|shooting|stabbing|dead\b|suspects?|victims?))\b"
)
_RESPONSE = gated(
    r"\b(?:police|deput(?:y|ies)|sheriff['’]?s?|troopers?|firefighters?|fire\s(?:department|crews|officials|chief|marshal)|paramedics|detectives|investigators|authorities|coroner|medical\sexaminer|officers?|coast\sguard|rescuers?|rescue\s(?:crews|workers|teams?)|emergency\s(?:crews|services|responders)|first\sresponders|911|ambulance|crime\sscene|highway\spatrol)\b"
)
_SPORT = gated(
    r"\b(?:quarterback|touchdowns?|innings?|home\sruns?|goalkeeper|playoffs?|season\sopener|coach(?:es)?|midfielder|striker|halftime|overtime|three-pointers?|rebounds?|free\sthrows?|penalty\skick|scored|scoring|league|championship|tournament|roster|standings|batting|pitch(?:er|ing)|defenseman|power\splay|goaltender|semifinal|fixture|wicket|innings|birdie|bogey|par-\d|fairway|teammates?|games?\sagainst|win\sover|victory\sover|loss\sto|draft\spick|kickoff|jump\sshot|shot\sclock|shots\son\sgoal)\b"
)
_CULTURE = gated(
    r"\b(?:rated\s(?:r|pg|pg-13)\b|(?:two|three|four|five|\d)(?:\s(?:and\sa\shalf))?\sstars|thriller|feature|theatre|stages\sthe|film|movie|director['’]s|screenplay|box\soffice|starring|actor|actress|novel|author['’]s|episode|season\sfinale|album|trailer|premiere|sequel|protagonist|reviewers?|review\b|plot|thriller|streaming|exhibit(?:ion)?|museum|video\sgame|audiences?|cast\b|scenes?\sin\swhich|bestsell\w+|playwright|theatergoers|recipe|podcast)\b"
)
_POLICY = gated(
    r"\b(?:budget|legislat\w+|lawmakers?|bill\b|ordinance|referendum|ballot|tax(?:es|payers?)?|funding|proposal|proposed|council\s(?:vote|approved|members?)|committee|election|campaign|candidates?|senators?|policy|policies|statistics|percent|survey|study|researchers?|report\sfound|annual\sreport|grant|million|billion|strategic|program|initiative|crime\srates?|decline[ds]?|trend|quarterly|graduat\w+|recruits?|academy|ceremony|open\shouse|celebrat\w+|volunteers?|earnings|shares|investors|revenue|stocks?)\b"
)
_COURT = gated(
    r"\b(?:supreme\scourt|appeals\scourt|court\sof\sappeals?|appellate|justices?\s(?:ruled|heard|upheld)|ruling|upheld|overturned\s(?:the|his|her)\sconviction|death\srow|execution|parole\sboard|retrial|new\strial|exonerat\w+|cold\scase|lawsuit|settlement|sued|plaintiffs?)\b"
)
_LAW_STEP = gated(
    r"\b(?:sentenced|convicted|pleaded|pled|trial|jury|jurors|verdict|arraign\w*|indict\w+|hearing|testif\w+|prosecutors?|plea|grand\sjury|acquitted|competen\w+)\b"
)
_MEMORIAL = gated(
    r"\b(?:funeral|vigil|memorial|mourn\w*|laid\sto\srest|remember(?:ed|s|ing)?|anniversary|tribute|procession|years?\s(?:after|since|later))\b"
)
_OBITUARY = gated(
    r"\b(?:survived\sby|predeceased|preceded\sin\sdeath|in\slieu\sof\sflowers|visitation\swill|passed\saway\speacefully|born\s(?:in|on)\s[^.]{3,40}(?:to|the\sson|the\sdaughter)|beloved\s(?:husband|wife|mother|father)|died\s(?:of|after)\s(?:a\s|complications\sof\s|complications\sfrom\s)?(?:\w+\s){0,3}(?:cancer|illness|heart\s(?:attack|failure|disease)|pneumonia|natural\scauses|alzheimer\w*|stroke|leukemia|battle\swith))\b"
)
_OPINION = gated(
    r"\b(?:opinion|editorial|op-ed|letter\sto\sthe\seditor|columnist|commentary|i\sbelieve|i\sthink|in\smy\sview|we\smust|we\sneed\sto|our\sview|readers?|as\sa\s(?:society|nation))\b"
)
_FICTION = gated(r"\b(?:drill|exercise|simulat\w+|mock|training\sscenario|re-?enact\w+|fictional|role-?play\w*)\b")


def read_notice(scene: Scene) -> Notice:
    """Say whether the page corrects or withdraws something."""
    if any(_RETRACTION.search(sentence) for sentence in scene.sentences[:8]):
        return Notice.RETRACTION
    return Notice.CORRECTION if any(_CORRECTION.search(sentence) for sentence in scene.sentences) else Notice.NONE


def judge_kind(
    scene: Scene, types: list[Keyword], people: list[Person], *, is_recent: bool, is_fresh: bool, has_count: bool
) -> ReadingKind:
    """Judge what the page is about; `is_recent` says that a day near publication is named as the incident's, `is_fresh`
    that it is at most three days back.
    """
    read = scene.sentences[:30]
    head = read[:5]
    n_words = max(40, sum(sentence.text.count(" ") + 1 for sentence in read))
    per = 300 / n_words
    events = _count(_EVENT, read) * per
    response = _count(_RESPONSE, read) * per
    harmed = sum(1 for p in people if p.conditions or p.standings)
    score = (
        0.5 * min(events, 8)
        + 0.35 * min(response, 8)
        + 0.9 * bool(_count(_EVENT, head))
        + 0.6 * bool(_count(_RESPONSE, head))
    )
    score += 0.8 * min(harmed, 2) + 0.6 * has_count + 0.8 * bool(types) + 0.7 * is_recent
    against = (
        0.75 * _count(_SPORT, read) * per + 0.75 * _count(_CULTURE, read) * per + 0.35 * _count(_POLICY, read) * per
    )
    against += (
        0.5 * _count(_COURT, read) * per
        + 1.6 * _count(_OBITUARY, read) * per
        + 0.45 * _count(_OPINION, read) * per
        + 0.8 * _count(_FICTION, read) * per
    )
    if types and types[0].value == "other":
        against += 1.5  # nothing but a word of police work: more must speak for an incident
    if not types or score - against < 2.2:
        return ReadingKind.NOT_INCIDENT
    if not is_fresh and _is_follow_up(head):
        return ReadingKind.FOLLOW_UP
    return ReadingKind.INCIDENT


def _count(pattern: GatedPattern, sentences: list[Sentence]) -> int:
    return sum(len(pattern.pattern.findall(s.text)) for s in sentences if pattern.bits & s.bits)


def _is_follow_up(head: list[Sentence]) -> bool:
    steps = _count(_LAW_STEP, head) + _count(_MEMORIAL, head)
    return steps >= 2
