"""What a sentence says of the people it mentions: the table of predicates.

Belongs here: patterns over a *masked* sentence, in which each mention stands as `⟦n⟧`, and what each gives: role,
condition, legal status. Does not belong here: which mentions are one person (`people`), how many there are in all
(`casualties`).

Each pattern names its mentions `s` (who the sentence is about), `o` (who it was done to), `b` (by whom).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from blotter.extract.gate import GatedPattern, PatternTable, gated
from blotter.extract.mentions import Mention
from blotter.extract.patterns import compile_pattern
from blotter.model import Condition, LegalStatus, Role

K, I, C = Condition.KILLED, Condition.INJURED, Condition.CRITICAL  # noqa: E741 - a column of the table
V, S = Role.VICTIM, Role.SUSPECT


@dataclass(frozen=True, slots=True)
class Effect:
    """What a predicate tells of one of its mentions; `weight` is how strongly it speaks for the role."""

    role: Role | None = None
    condition: Condition | None = None
    legal_status: LegalStatus | None = None
    weight: float = 1.0
    speaks: bool = False  # says something, or acts for an institution
    is_action: bool = False  # is what was done, not its aftermath


@dataclass(frozen=True, slots=True)
class Predicate:
    """One row of the table: a pattern and the effect on each of its mentions."""

    name: str
    pattern: GatedPattern
    effects: dict[str, Effect]
    before: tuple[
        str, ...
    ]  # how the word before a mention must end for a match, small letters; none where it may be any


@dataclass(frozen=True, slots=True)
class Finding:
    """A predicate that holds of a mention in a sentence."""

    mention: Mention
    effect: Effect
    predicate: str
    start: int  # of the predicate's words in the article's text
    end: int


def _m(group: str) -> str:
    return rf"⟦(?P<{group}>\d+)⟧"


# between a subject and its verb: an apposition, a relative pronoun, auxiliaries and adverbs
_GAP = (
    r"(?:\s(?:under|over)\s(?:the\sage\sof\s)?\d{1,2})?(?:\s(?:of|from|in|on|at|near)\s[^⟦⟧,;:.]{2,40}?(?=,|\s(?:who|was|were|is|are|has|had|died|suffered|shot|accidentally|fatally|allegedly)\b))?"
    r"(?:(?:,|\s[—–-]+)\s(?:including|among\sthem)\s(?:[^⟦⟧;:.]{0,30}?⟦\d+⟧){1,3}[^⟦⟧;:.,—–]{0,40}?(?:,|\s[—–-]+)(?=\s)|(?:,|\s[—–-]+)\s[^⟦⟧;:.]{1,90}?(?:,|\s[—–-]+)(?=\s)|\s\([^)⟦]{1,40}\)|,|\s[—–-]+(?=\s)|\swho\s[^⟦⟧;:.]{1,100},(?=\s(?:was|were|is|has|had|died|faces)\b)|\swho\s[^⟦⟧;:.,]{1,60}?(?=\s(?:was|were|is|are)\s(?:\w+\s)?(?:in|taken|hospitali[sz]ed|pronounced|killed|shot|arrested|charged)\b)|\s\w+ing\s[^⟦⟧;:.]{1,110}?(?=\s(?:was|were|is|are|has|had|have)\b))?(?:\s(?:who|that)\b)?"
)
_ADV_WORD = r"\s(?:\w+ly|also|both|all|later|then|still|each|already|soon|now|himself|herself|themselves|believed\sto\shave(?:\sbeen)?|believed\sto|said\sto\shave|said\sto|thought\sto\shave|alleged\sto\shave|accused\sof|suspected\sof|first|since)"
_ADV = rf"(?:{_ADV_WORD})*"
_BE_WORD = r"\s(?:was|were|is|are|be|been|being|(?:has|have|had|having)(?=\s(?:\w+\s)?been)|got|gets|get|remains?|remained|may|might|could|would|will|to)"
_LINK = rf"{_GAP}(?:{_BE_WORD}|{_ADV_WORD}){{0,6}}"
_HAVE = rf"{_GAP}{_ADV}(?:\s(?:has|have|had|having))?{_ADV}"

_KILLED = (
    r"(?:shot\s(?:and\s|, )?(?:then\s)?(?:fatally\s)?killed|shot\sto\sdeath|shot\sdead|fatally\s(?:shot|stabbed|wounded|injured|struck|hit|beaten|burned|hurt)"
    r"|mortally\swounded|stabbed\s(?:and\skilled|to\sdeath)|beaten\sto\sdeath|bludgeoned\sto\sdeath|strangled(?!\suntil)|gunned\sdown|slain|murdered|killed|executed"
    r"|(?:struck|hit|run\sover|crushed|trampled)\sand\skilled|found\s(?:\w+\s){0,3}(?:dead|killed|slain|deceased|murdered|shot\sto\sdeath|fatally\sshot)|electrocuted|drowned"
    r"|pronounced\s(?:\w+\s){0,3}dead|declared\s(?:(?!brain)\w+\s){0,3}dead|pronounced\sdeceased|confirmed\sdead|(?<!brain\s)(?<!brain-)dead(?!\s(?:body|end|set|wrong|heat|on\sarrival\s))|deceased|lifeless|burned\sto\sdeath)"
)
_INJURED = (
    r"(?:found\s(?:shot(?!\s(?:to|dead|and))|stabbed(?!\sto)|wounded|injured|unresponsive|unconscious|suffering)|shot(?!\s(?:and\s)?(?:killed|dead|to\sdeath|at\b(?!\s(?:a|an|the|about|around|approximately|\d)))|\sand\sfatally)|stabbed(?!\s(?:and\skilled|to\sdeath))|wounded|injured|hurt|struck(?!\sand\skilled)|hit(?!\sand\skilled)|grazed|beaten(?!\sto\sdeath)|burned|attacked|assaulted"
    r"|hospitalized|hospitalised|(?:treated\sand\s)?(?:released|discharged)\sfrom\s(?:the\s|a\s|an\s\w+\s)?hospital|slashed|mauled|bitten|run\sover|knifed|pistol-whipped|trampled|airlifted|life-flighted|medevaced|paralyzed|rescued\sfrom\sthe\s(?:fire|water|burning))"
)
_HOSPITAL = (
    r"(?:took\s(?:himself|herself|themselves)|drove\s(?:himself|herself|themselves)|taken|transported|rushed|flown|airlifted|brought|driven|admitted|transferred|carried|sent|being\streated|treated|evacuated|helped)\s(?:\w+\s){0,5}?(?:to|at|by|in|from|for)\s"
    r"(?:[^⟦⟧.;]{0,60}?)(?:hospitals?\b|medical\scenter|trauma|infirmary|clinic|health|surgery|treatment|injur\w+|wounds?|medical\b|Hospital|Medical|Memorial|Regional|University|St\.\s\w+|Mercy|Methodist|Baptist|Harborview|helicopter|ambulance|burns|smoke)"
    r"|(?:treated|evaluated)\s(?:\w+\s){0,3}?(?:at|on)\s(?:the\s)?scene"
)
_WOUND = r"(?:(?:a\s)?shots?\sto\s(?:the|his|her|their)\s\w+|gunshot\s(?:\w+\s)?wounds?|gun\sshot\swounds?|stab\swounds?|injur(?:y|ies)|wounds?|burns?|smoke\sinhalation|lacerations|fractures?|a\sbroken\s\w+|cuts|bruises|concussion|trauma)"
_CUSTODY = (
    r"(?:arrested|charged|indicted|booked|jailed|detained|apprehended|captured|handcuffed|arraigned|extradited|in\scustody|in\spolice\scustody|taken\s(?:in)?to\s(?:police\s)?custody|in\sjail|behind\sbars"
    r"|being\sheld|held\s(?:in|on|at|without|for)\b|accused|wanted(?!\sto\b)|convicted|sentenced|found\sguilty|denied\sbail|denied\sbond|facing\s(?:\w+\s){0,4}charges?|faces\s(?:\w+\s){0,5}(?:charges?|counts?)|surrendered|turned\s(?:himself|herself|themselves)\sin"
    r"|expected\sto\s(?:face|be\scharged)|suspected\b|identified\sas\s(?:the|a)\s(?:suspected\s|alleged\s)?(?:suspect|gunman|shooter|suspects|shooters|killer|attacker)|considered\s(?:armed|a\ssuspect)|free\son\sbond|released\son\sbond|acquitted|scheduled\sto\s(?:appear|be\sarraigned))"
)
_DID = (
    r"(?:opened\sfire|fired\s(?!from)|began\s(?:shooting|firing)|started\s(?:shooting|firing)|pulled\s(?:out\s)?(?:a|his|the|her)\s(?:\w+\s)?(?:gun|handgun|pistol|knife|weapon|firearm|revolver|shotgun|rifle)|fled\b|drove\s(?:off|away)\sfrom"
    r"|ran\s(?:off|away|from)|confessed|admitted\s(?:to\s)?(?:shooting|killing|stabbing|setting)|pleaded|pled\b|carjacked|robbed|kidnapped|abducted|barricaded|lunged|attacked\b|stormed|set\s(?:the|a|fire)\b|pointed\s(?:a|the|his|her)\s|brandished|demanded\s(?:money|cash)|broke\sinto|exchanged\s(?:gunfire|fire|shots)"
    r"|committed\s(?:the|a)\s(?:robbery|shooting|murder|crime|killing|attack)|shot\sat|went\son\sa\s(?:\w+\s)?rampage|plowed\sinto|allegedly\b(?!\s(?:was|were|being|been|shot\sby)))"
)
_HARM = (
    r"(?:(?:fatally\s|allegedly\s|accidentally\s|intentionally\s)?(?:shot(?:\sand\s(?:killed|wounded|injured|fatally\swounded)|\sto\sdeath)?|stabbed(?:\sand\skilled|\sto\sdeath)?|beat\sto\sdeath|killed|murdered|wounded|injured|struck(?:\sand\skilled)?|hit|attacked|beat|robbed|assaulted|strangled|executed|gunned\sdown|ambushed|ran\sover|slashed|punched|kidnapped|abducted"
    r"|opened\sfire\s(?:on|at)|fired\s(?:\w+\s){0,4}(?:at|on|into|toward|upon)|shooting|killing|stabbing|shoots|kills|stabs|wounds|injures|hits|shoot|kill|stab|slew|pistol-whipped|carjacked|threatened|confronted|shot\sat))"
)


def _is_deadly(verb: str) -> bool:
    return bool(re.search(r"kill|to\sdeath|murder|fatal|strangl|execut|gunned|slew", verb, re.I))


def _row(name: str, pattern: str, *, before: tuple[str, ...] = (), **effects: Effect) -> Predicate:
    return Predicate(name, gated(pattern), effects, before)


# The order matters where one claims what another would: harm done by someone to someone is looked for first, and what
# it covers is not read again as something that befell its subject ("the gunman shot the clerk": the gunman was not shot).
_TABLE: tuple[Predicate, ...] = (
    # what befell someone by someone else's hand
    _row("harmed_by", rf"{_m('s')}{_LINK}\s(?P<verb>{_KILLED}|{_INJURED}|confronted|ambushed|robbed)(?:\s(?:and\s\w+|multiple\stimes|several\stimes|dead|\w+\stimes|in\sthe\s\w+|\d+\stimes|to\sdeath|Wednesday|Monday|Tuesday|Thursday|Friday|Saturday|Sunday))?\sby\s{_m('b')}",
         before=("by",), s=Effect(V, weight=1.6, is_action=True), b=Effect(S, weight=1.6)),
    # who harmed whom
    _row("self_harm", rf"{_m('s')}{_HAVE}\s(?:fatally\sshot\shimself|fatally\sshot\sherself|shot\sand\skilled\s(?:himself|herself)|killed\s(?:himself|herself|themselves)|took\s(?:his|her|their)\sown\sli(?:fe|ves)|committed\ssuicide|(?:turned|turning)\sthe\s(?:gun|weapon|rifle|handgun|pistol|shotgun|firearm)\son\s(?:himself|herself)|hanged\s(?:himself|herself)|(?:fatally\s)?shot\s(?:himself|herself)\sto\sdeath|died\s(?:of|from)\sa\sself-inflicted|(?:before|then)\s(?:turning|killing|shooting)\s(?:\w+\s){0,3}(?:himself|herself))",
         s=Effect(None, K, weight=1.5, is_action=True)),
    _row("then_self", rf"{_m('s')}(?!\s(?:said|says|told|believes?|say)\b){_GAP}\s[^.;]{{3,140}}?(?:,|\sand|\sthen|\sbefore)\s(?:(?:then|finally|fatally|later)\s)?(?P<verb>(?:turned|turning)\sthe\s(?:gun|weapon|rifle|handgun|pistol|shotgun|firearm)\son\s(?:himself|herself)|(?:shot\sand\s)?killed\s(?:himself|herself)|killing\s(?:himself|herself)|(?:shooting|shot)\s(?:himself|herself)\sto\sdeath|(?:then\s)?(?:himself|herself)(?=[.,]|$))", s=Effect(None, K, weight=1.2, is_action=True)),
    _row("shot_self", rf"{_m('s')}{_HAVE}(?:\sand)?(?:\s\w+ly)?\sshot\s(?:himself|herself)\b", s=Effect(V, I, weight=0.8, is_action=True)),
    _row("harmed", rf"{_m('s')}{_HAVE}\s(?P<verb>{_HARM})(?:\s(?:and|then|before|fatally|three|two|another|fellow|dead|both|off-duty|at\sleast|his|her|their|the|a|an|one|,|(?:and\s)?\w+ly\s(?:injur|wound|hurt)(?:ed|ing)?))*\s{_m('o')}",
         s=Effect(S, weight=1.2), o=Effect(V, weight=1.3, is_action=True)),
    _row("harm_to", rf"(?:\b(?:for|of|in|after|with|accused\sof|before|when|suspected\sof|allegedly|to|by|and|then|charged\swith)\s)(?P<verb>(?:\w+ly\s)?(?:shooting(?:\sand\s(?:killing|wounding|injuring))?|killing|stabbing|murdering|wounding|injuring|attacking|robbing|beating|kidnapping|ambushing|assaulting|striking|hitting|shot\sand\skilled|shoot|kill|stab|killed|strangling))\s{_m('o')}",
         before=("ing", "killed", "shoot", "kill", "stab"), o=Effect(V, weight=1.3, is_action=True)),
    _row("to_death", rf"\b(?P<verb>(?:shot|stabbed|beat|strangled|choked)\sto\sdeath|gunned\sdown|shot\sdead)\s(?:at\sleast\s)?{_m('o')}", before=("death", "down", "dead", "least"), o=Effect(V, K, weight=1.3, is_action=True)),
    _row("killing", rf"(?:,\s|\band\s|^)(?P<verb>killing|kills|fatally\sshooting|fatally\sstabbing|murdering|claiming\sthe\sli(?:fe|ves)\sof|claimed\sthe\sli(?:fe|ves)\sof)\s(?:at\sleast\s)?{_m('o')}", o=Effect(V, K, weight=1.5, is_action=True)),
    _row("kill_plain", rf"(?<!be\s)(?<!as\s)(?<!re\s)(?<!en\s)(?<!ot\s)\b(?P<verb>killed|kills)\s(?:at\sleast\s)?{_m('o')}", before=("killed", "kills", "least"), o=Effect(V, K, weight=1.3, is_action=True)),
    _row("wounding", rf"(?<!the\s)(?P<verb>(?:(?:fatally|mortally)\s)?(?:wounding|injuring|injures|wounds|injured|wounded|hurting|striking|hitting|struck|hit|grazed|grazing|hits|strikes|grazes|shot|stabbed|shooting|stabbing))\s(?:at\sleast\s|a\stotal\sof\s)?{_m('o')}", before=("ing", "ed", "es", "ds", "hit", "hits", "struck", "shot", "least", "of"), o=Effect(V, I, weight=1.2, is_action=True)),
    _row("that_killed", rf"\b(?:that|which|fire|crash|shooting|shootings|blast|explosion|attack|accident|collision|spree|rampage|gunfire|blaze|wreck|stabbing|storm|tornado|avalanche|gunman|bullet|suspect)\s(?:\w+ly\s)?(?:has\s|have\s|had\s)?(?P<verb>killed|kills|took\sthe\sli(?:fe|ves)\sof|claimed\s(?:the\sli(?:fe|ves)\sof)?)\s(?:at\sleast\s)?{_m('o')}", o=Effect(V, K, weight=1.5, is_action=True)),
    _row("left_dead", rf"\b(?:leaves|left|leaving|leave)\s(?:at\sleast\s)?{_m('o')}(?:\s\w+)?\s(?P<verb>dead|fatally\s\w+)", o=Effect(V, K, weight=1.5, is_action=True)),
    _row("found_dead", rf"\bfound\s{_m('o')}\s(?:[\w,]+\s){{0,3}}?(?P<verb>dead|deceased|slain|murdered|shot\sto\sdeath|fatally\s\w+)", o=Effect(V, K, weight=1.4, is_action=True)),
    _row("found_hurt", rf"\bfound\s{_m('o')}\s(?:[\w,]+\s){{0,8}}?(?P<verb>shot\b|wounded|injured|unconscious|unresponsive|bleeding|suffering|with\s(?:\w+\s){{0,4}}(?:gunshot|stab|wounds?|injur))", o=Effect(V, I, weight=1.2, is_action=True)),
    _row("dead_were", rf"\b(?P<verb>killed|dead|deceased|slain|injured|wounded|shot|hurt|victims|lives)\s(?:[^⟦⟧.;:]{{1,50}}?\s)?(?:were|was|are|is|included?|includes|including):?\s{_m('o')}", before=("e", "e:", "s", "s:", "d", "d:", "ing", "ing:"), o=Effect(V, weight=1.3)),
    _row("left_hurt", rf"\b(?:leaves|left|leaving|leave|sent|sends|sending)\s(?:at\sleast\s)?{_m('o')}\s(?:of\s(?:⟦\d+⟧|[^⟦⟧.,;]{{2,25}})\s)?(?:\w+\s)?(?P<verb>injured|wounded|hurt|hospitalized|in\s(?:\w+\s)?(?:critical|serious|stable|grave)|critically|seriously|with\s|to\s(?:the\s|an?\s|area\s|local\s|\w+\s)?hospitals?|shot)", o=Effect(V, I, weight=1.4, is_action=True)),
    _row("deadly_noun", rf"\b(?P<verb>(?:shooting\s|stabbing\s|beating\s|drowning\s|gunshot\s)?deaths?|(?:fatal\s|deadly\s)(?:shooting|stabbing|beating|crash)s?|murders?|slayings?|killings?|homicides?|execution|bod(?:y|ies)|remains|autops(?:y|ies)|funeral)\s(?:of|for|involving)\s{_m('o')}", before=("of", "for", "involving"), o=Effect(V, K, weight=1.3)),
    _row("took_life", rf"\b(?P<verb>(?:took|takes?|taking|claim(?:ed|s|ing)?|cost|ended|ending)\s(?:the\s)?(?:li(?:fe|ves))|loss\sof\slife)\sof\s{_m('o')}", before=("of",), o=Effect(V, K, weight=1.3)),
    _row("harm_noun", rf"\b(?P<verb>shootings?|stabbings?|beating|attack|assault|robbery|wounding|kidnapping|abduction|disappearance|injury|injuries)\s(?:of|on|to|involving|against)\s{_m('o')}", before=("of", "on", "to", "involving", "against"), o=Effect(V, weight=1.2)),
    _row("possessed_death", rf"{_m('s')}(?P<poss>['’]s?)?\s(?:shooting\s|stabbing\s|violent\s|tragic\s)?(?P<verb>deaths?|murders?|slayings?|killings?|body|funeral|remains|homicide)\b", s=Effect(V, K, weight=1.0)),
    # what befell someone
    _row("killed", rf"{_m('s')}{_LINK}\s(?P<verb>{_KILLED})", s=Effect(V, K, weight=1.5, is_action=True)),
    _row("died", rf"{_m('s')}{_HAVE}(?:,\s[^⟦⟧,]{{1,60}},)?(?:\s(?:was|were|is)\s[^⟦⟧.;]{{1,90}}?,?\s(?:where(?:\s⟦\d+⟧)?|but|and)(?:\slater)?)?\s(?P<verb>(?:later\s)?died\b(?!\sdown)|dies\b|succumbed|passed\saway|dying\b|lost\s(?:his|her|their)\sli(?:fe|ves)|perished|drowned|did\snot\ssurvive|bled\sto\sdeath)", s=Effect(V, K, weight=1.4, is_action=True)),
    _row("who_died", rf"{_m('s')}\swho\s[^⟦⟧;.]{{3,120}}?\s(?:(?:has|have|had|also|later)\s)?(?P<verb>died|dies|succumbed|(?:was|were)\s(?:\w+\s)?pronounced\s(?:\w+\s)?dead)\b", s=Effect(V, K, weight=1.3, is_action=True)),
    _row("then_died", rf"{_m('s')},?\s[^⟦⟧.;:]{{3,160}}?,?\s(?:and|but|where(?:\s⟦\d+⟧)?|then|has|had|who|before|later)\s(?:\w+\s){{0,2}}?(?P<verb>pronounced\s(?:\w+\s)?dead|declared\s(?:\w+\s)?dead|died\b|dies\b|succumbed)", s=Effect(V, K, weight=1.2, is_action=True)),
    _row("in_condition", rf"{_m('s')}{_LINK}\s(?:(?:listed|reported|said|hospitalized|left|now|treated|recovering|alive\sand\sremains|(?:\w+ed|taken|flown|brought|driven|sent)\s[^⟦⟧.;]{{1,90}}?)\s)?(?:in|to\sbe\sin|is\sin)\s(?:\w+\s(?:but\s)?){{0,2}}(?P<verb>critical|grave|serious|stable|fair|good|guarded|satisfactory|extremely\scritical)[\w\s,-]{{0,20}}condition", s=Effect(V, I, weight=0.9)),
    _row("then_critical", rf"{_m('s')},?\s[^⟦⟧.;]{{3,160}}?\s(?:and|but)\s(?:was|were|is|are|remains?|remained)\s(?:\w+\s)?in\s(?:\w+\s(?:but\s)?){{0,2}}(?P<verb>critical|grave|serious|stable|fair|good)[\w\s,-]{{0,20}}condition", s=Effect(V, I, weight=0.9)),
    _row("hurt", rf"{_m('s')}{_LINK}\s(?P<verb>{_INJURED})", s=Effect(V, I, weight=1.3, is_action=True)),
    _row("wound", rf"{_m('s')}{_HAVE}(?:\s(?:was|were|is|are)\s(?:\w+\s){{1,3}}?)?\s(?P<verb>suffer(?:ed|ing|s)?|sustain(?:ed|ing)?|received|with|had|has|having|bleeding\sfrom|treated\sfor|died\sfrom|from)\s(?:[\w\s,'’-]{{0,45}}?)(?:{_WOUND})", s=Effect(V, I, weight=1.2, is_action=True)),
    _row("hospital", rf"{_m('s')}{_LINK}\s(?P<verb>{_HOSPITAL})", s=Effect(V, I, weight=0.8)),
    _row("survive", rf"{_m('s')}{_LINK}\s(?P<verb>(?:expected|likely|going)\sto\s(?:survive|live|recover|be\s(?:ok|okay|fine|all\sright))|in\sintensive\scare|undergoing\s(?:\w+\s)?surgery|in\ssurgery|underwent\s(?:\w+\s)?surgery|on\slife\ssupport|treated\sand\s(?:later\s)?released|stable\b|alert\b|hospitali[sz]ed\sin\s\w+|fighting\sfor|recovering|clinging)", s=Effect(V, I, weight=0.9)),
    _row("with_wound", rf"{_m('s')}\s(?:\w+\s){{0,6}}?(?P<verb>with|suffering\sfrom|suffering)\s(?:[\w\s,'’-]{{0,40}}?)(?:gunshot|stab|bullet|life-threatening|non-life-threatening|serious|critical|minor|multiple)\s(?:\w+\s)?(?:wounds?|injur\w+)", s=Effect(V, I, weight=1.1)),
    _row("found_with", rf"{_m('s')}{_LINK}\s(?:found|located|discovered|seen|treated|spotted)\s[^⟦⟧;]{{2,110}}?[\s,](?P<verb>with|suffering(?:\sfrom)?|bleeding\sfrom)\s(?:[\w\s,'’-]{{0,40}}?){_WOUND}", s=Effect(V, I, weight=1.2, is_action=True)),
    _row("lay", rf"{_m('s')}{_GAP}\s(?:was|were)\s(?:\w+\s)?(?P<verb>lying|slumped|sprawled|bleeding|unresponsive|unconscious)\b", s=Effect(V, weight=1.0)),
    _row("caught", rf"{_m('s')}{_GAP}\s(?:was|were)\s(?P<verb>caught\sin\s(?:the\s|a\s)?(?:crossfire|gunfire|hail\sof))", s=Effect(V, weight=1.2)),
    _row("caught_was", rf"\b(?P<verb>caught\sin\s(?:the\s|a\s)?(?:crossfire|gunfire))\s(?:was|were)\s{_m('o')}", before=("was", "were"), o=Effect(V, weight=1.2)),
    _row("beset", rf"{_m('s')}{_GAP}\s(?:was|were|had\sbeen)\s(?:\w+ly\s)?(?P<verb>(?:walking|standing|sitting|riding|driving|leaving|playing|sleeping|talking|waiting|inside|outside|in|on|at|near)\b[^;]{{3,140}}?\s(?:when|as)\s(?:[^;]{{0,90}}\s)?(?:opened\sfire|(?:shots|gunfire|bullets)\s(?:rang|erupted|were\sfired|broke|came|started)|(?:began|started)\s(?:shooting|firing)|(?:fired|firing)\s(?:\w+\s){{0,3}}?(?:shots|at|into)|heard\s(?:gun)?shots|felt\spain))", s=Effect(V, weight=0.9)),
    _row("arrived_hurt", rf"{_m('s')}{_GAP}\s(?:arrived|came|walked|showed|drove|ran|turned|checked|went)\b[^⟦⟧;]{{3,90}}?\swith\s(?:[\w\s,'’-]{{0,30}}?)(?P<verb>gunshot|stab|bullet|wounds?|injur\w+)", s=Effect(V, I, weight=1.1)),
    _row("body_hit", rf"{_m('s')}\s(?:left\s|right\s|upper\s|lower\s)?(?:head|face|jaw|neck|arm|leg|foot|hand|chest|back|knee|thigh|shoulder|stomach|abdomen|hip|ankle|ear|buttocks)\s(?:was|were)\s(?P<verb>grazed|hit|struck|pierced|wounded|injured)", s=Effect(V, I, weight=1.2, is_action=True)),
    _row("of_victims", rf"{_m('s')}{_GAP}\s(?:was|were|is|are)\s(?:(?:one|two|three|four|both|among)\s)?(?:of\s)?the\s(?:\w+\s)?(?P<verb>victims?)\b", s=Effect(V, weight=1.3)),
    _row("missing", rf"{_m('s')}{_LINK}\s(?P<verb>(?:reported\s|still\s|gone\s|went\s)?missing|last\s(?:seen|heard)|(?:disappeared|vanished))", s=Effect(V, Condition.MISSING, weight=1.1)),
    _row("found_safe", rf"{_m('s')}{_LINK}\s(?P<verb>(?:been\s)?(?:found|located)\s(?:\w+\s){{0,3}}(?:safe|alive|unharmed|well))", s=Effect(V, Condition.FOUND, weight=1.2)),
    _row("unharmed", rf"{_m('s')}{_LINK}\s(?P<verb>unharmed|uninjured|unhurt|not\s(?:injured|hurt|harmed|hit|struck|shot)|escaped\s(?:injury|unharmed|unhurt|safely))", s=Effect(None, Condition.UNHARMED, weight=0.5)),
    # before the law
    _row("charged", rf"{_m('s')}{_LINK}\s(?P<verb>(?:formally\s)?(?:charged|indicted|arraigned)\b|facing\s(?:[\w-]+\s){{0,6}}(?:charges?|counts?)|faces?\s(?:[\w-]+\s){{0,6}}(?:charges?|counts?))", s=Effect(S, legal_status=LegalStatus.CHARGED, weight=1.6)),
    _row("convicted", rf"{_m('s')}{_LINK}\s(?P<verb>convicted|sentenced|found\sguilty|pleaded\s(?:guilty|no\scontest)|pled\sguilty)", s=Effect(S, legal_status=LegalStatus.CONVICTED, weight=1.6)),
    _row("arrested", rf"{_m('s')}{_LINK}\s(?P<verb>arrested|(?:(?:was|were|is|are|been)\s)?(?:(?:taken|placed)\s)?(?:in(?:to)?|under)\s(?:police\s)?(?:custody|arrest)|booked|jailed|apprehended|captured|being\sheld|held\s(?:in|on|at|without)|surrendered|turned\s(?:himself|herself|themselves)\sin|detained)", s=Effect(S, legal_status=LegalStatus.ARRESTED, weight=1.5)),
    _row("released", rf"{_m('s')}{_LINK}\s(?P<verb>released\s(?:without\scharge|under\sinvestigation|on\s(?:\$[\d,]+\s)?(?:bail|bond)|from\s(?:police\s)?custody|pending))", s=Effect(S, legal_status=LegalStatus.RELEASED, weight=1.2)),
    _row("wanted", rf"{_m('s')}{_LINK}\s(?P<verb>wanted\b(?!\sto\b)|sought\b(?!\sto\b)|at\slarge|on\sthe\s(?:run|loose)|being\ssought|still\sat\slarge)", s=Effect(S, legal_status=LegalStatus.AT_LARGE, weight=1.3)),
    _row("accused", rf"{_m('s')}{_LINK}\s(?P<verb>{_CUSTODY})", s=Effect(S, weight=1.4)),
    _row("arrest_of", rf"\b(?P<verb>arrested|arresting|apprehended|detained|arrest\sof|took|taken)\s(?:suspect\s)?{_m('o')}(?:\s(?:into\s(?:police\s)?custody|on\s|for\s|in\s|at\s|after\s|,)|[,.]|$|\sMonday|\sTuesday|\sWednesday|\sThursday|\sFriday|\sSaturday|\sSunday|\swithout)", o=Effect(S, legal_status=LegalStatus.ARRESTED, weight=1.2)),
    _row("arrest_plain", rf"\b(?P<verb>arrested|arrest|arresting|apprehended|arrest\sof)\s{_m('o')}", o=Effect(S, legal_status=LegalStatus.ARRESTED, weight=1.4)),
    _row("charge_of", rf"\b(?P<verb>charged|charging|charges\sagainst|indicted|case\sagainst|warrants?\s(?:\w+\s){{0,4}}for|accused|complaint\sagainst|charge\sagainst|indictment\sagainst)\s{_m('o')}", before=("ed", "ing", "against", "for"), o=Effect(S, legal_status=LegalStatus.CHARGED, weight=1.4)),
    _row("search_for", rf"\b(?P<verb>(?:search(?:ing|ed)?|looking|hunt(?:ing)?|manhunt|on\sthe\slookout)\sfor|seeking|suspect(?:s|ed)?\s(?:was|is|were|are)?\s?(?:identified\s)?as|identified\s(?:the\s)?(?:suspect|gunman|shooter|suspects)\s(?:in\s\w+\s\w+\s)?as|gunman,\s|shooter,\s|suspect,\s)\s?{_m('o')}", o=Effect(S, weight=1.2)),
    _row("victim_is", rf"\b(?P<verb>(?:victims?|deceased|dead|decedent|man\swho\sdied|woman\swho\sdied|man\skilled|woman\skilled)(?:\s(?:in\s[^⟦⟧.;:]{{1,40}}|who\s[^⟦⟧.;:]{{1,40}}))?(?:\s(?:was|were|is|are|has\sbeen|have\sbeen))?(?:\s(?:later|both|positively|since))?(?:\sidentified(?:\s(?:by|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|on)\s?[^⟦⟧.;:]{{0,50}}?)?\sas|:|,))\s{_m('o')}", o=Effect(V, weight=1.3)),
    _row("along_with", rf"\b(?P<verb>killed|shot|stabbed|wounded|injured|died|murdered|slain)\s(?:along\swith|together\swith|as\swell\sas|alongside)\s{_m('o')}", o=Effect(V, weight=1.2, is_action=True)),
    _row("by_agent", rf"\b(?P<verb>shot|killed|stabbed|struck|hit|attacked|fired|robbed|beaten|wounded|committed|murdered|ambushed|carried\sout)\s(?:\w+\s){{0,3}}by\s{_m('b')}", before=("by",), b=Effect(S, weight=1.2)),
    _row("let_off", rf"{_m('s')}{_GAP}\s(?:(?:was|were)\s[^⟦⟧;]{{3,90}}?\s(?:when|as)\s(?:his|her|their|the|a|it)(?:\s(?:\w+\s){{0,2}}?(?:gun|weapon|pistol|rifle|shotgun|handgun|firearm|revolver))?\s(?:\w+ly\s)?(?P<verb>discharged|went\soff|fired)|(?:accidentally|unintentionally|inadvertently|negligently)\s(?:discharged|fired)\s(?:an?|the|his|her)\s)", s=Effect(S, weight=0.9)),
    _row("did", rf"{_m('s')}{_HAVE}\s(?P<verb>{_DID})", s=Effect(S, weight=0.9)),
    # who only speaks
    _row("said_after", rf"{_m('s')}{_GAP}\s(?:\w+ly\s)?(?:said|says|told|added|recalled|explained|confirmed|wrote|tweeted|noted|stated|announced|remembered|described|testified|asked|declined)\b", s=Effect(speaks=True, weight=0.8)),
    _row("said_before", rf"\b(?:said|says|told|added|recalled|according\sto|explained|wrote|asked|quoted)\s{_m('o')}(?=[.,;”\"]|$|\s(?:of|on|in|at|during|who|from)\b)", before=("said", "says", "told", "ed", "to", "wrote"), o=Effect(speaks=True, weight=0.8)),
)  # fmt: skip


_ROWS = PatternTable((row.pattern, row) for row in _TABLE)


@dataclass(slots=True)
class MaskedSentence:
    """A sentence with its mentions masked, and where each mask lies."""

    text: str
    mentions: list[Mention]
    bits: int
    before: tuple[str, ...]  # the words before the masks, small letters
    offsets: list[int]  # for each character of the masked text, its place in the article


def mask_sentence(text: str, start: int, end: int, bits: int, mentions: list[Mention]) -> MaskedSentence:
    """Put `⟦n⟧` for each mention, and join mentions that stand in a row ("⟦0⟧, ⟦1⟧ and ⟦2⟧") to one group."""
    mentions = [
        m for m in mentions if not (describes_many(m) and _PARENT_OF.search(text, max(start, m.start - 24), m.start))
    ]
    pieces: list[str] = []
    offsets: list[int] = []
    at = start
    before: list[str] = []
    for index, mention in enumerate(mentions):
        plain = text[at : mention.start].replace("⟦", " ").replace("⟧", " ").replace("\n", " ")
        mask = f"⟦{index}⟧"
        pieces += (plain, mask)
        before += plain.lower().rsplit(None, 1)[-1:]
        offsets += range(at, mention.start)
        offsets += [mention.start] * len(mask)
        at = mention.end
    tail = text[at:end].replace("⟦", " ").replace("⟧", " ").replace("\n", " ")
    pieces.append(tail)
    offsets += range(at, end + 1)
    masked = MaskedSentence("".join(pieces), list(mentions), bits, tuple(before), offsets)
    return _group_rows(masked) if len(mentions) > 1 else masked


_ROW = compile_pattern(
    r"⟦\d+⟧(?:(?:,?\s(?:of|from)\s[^⟦⟧,;.]{2,30}(?:,\s[A-Z][\w.]+)?|\s(?:on|in|at|near)\s[^⟦⟧,;.]{2,30}(?=\sand\s⟦)|,\s(?:of|from|who|an?|his|her)\s[^⟦⟧;.]{2,70}(?=;)|,\s[A-Z][^⟦⟧;.]{2,30}(?=;)|,\s[A-Z][\w’'-]+(?=,\s(?:and\s)?⟦))?(?:,\s|;\s|\s(?=and|or|&))(?:and\s|or\s|&\s)?(?:(?!(?:\w+(?:ed|ing)|shot|hit|hurt|sent|left|put|took|drove|fled|ran|beat|struck|slew|told|found|saw|met|held|led|among|(?!his)\w+s)\s)[a-z]+\s)?⟦\d+⟧)+"
)
_PARENT_OF = compile_pattern(
    r"\b(?:father|mother|dad|mom|mum|parents?|grandfather|grandmother|husband|wife|widow(?:er)?)\sof\s(?:\w+\s)?$", re.I
)  # "a father of two was killed": one was
_SINGULAR_VERB = compile_pattern(r"\s(?:was|is|has)\b")
_MASK = compile_pattern(r"⟦(\d+)⟧")


def _group_rows(masked: MaskedSentence) -> MaskedSentence:
    pieces: list[str] = []
    offsets: list[int] = []
    at = 0
    for row in _ROW.finditer(masked.text):
        members = [masked.mentions[int(n)] for n in _MASK.findall(row.group()) if int(n) < len(masked.mentions)]
        if not _is_list(members, row.group()) or _SINGULAR_VERB.match(masked.text, row.end()):
            continue  # "identified as ⟦0⟧ and ⟦1⟧ was": two clauses, no list
        # "Harold Pruitt, 71, and his wife, Joan Pruitt, 68": the wife is Joan
        members = [
            m
            for m, n in zip(members, [*members[1:], None], strict=True)
            if m.owner is None or n is None or n.kind != "name"
        ]
        _share_age(members, masked.text, row.end())
        group = Mention(members[0].start, members[-1].end, "group", count=0, is_plural=True, members=members)
        masked.mentions.append(group)
        mask = f"⟦{len(masked.mentions) - 1}⟧"
        pieces += [masked.text[at : row.start()], mask]
        offsets += masked.offsets[at : row.start()] + [masked.offsets[row.start()]] * len(mask)
        at = row.end()
    if not pieces:
        return masked
    pieces.append(masked.text[at:])
    return MaskedSentence("".join(pieces), masked.mentions, masked.bits, masked.before, offsets + masked.offsets[at:])


_SAME_AGE = compile_pattern(r",\s(?:both|all|each)\s(?:aged?\s)?(\d{1,3})(?=[,.;\s]|$)(?!\s(?:of|other|more)\b)")


def _share_age(members: list[Mention], text: str, end: int) -> None:
    """Give the age behind a row to each of it ("Ann Lee and Bo Lee, both 17, ...")."""
    match = _SAME_AGE.match(text, end)
    told = members[-1].age if members and members[-1].is_shared_age else None
    age = int(match.group(1)) if match is not None else told or 0
    for member in members if 0 < age < 116 else ():
        if member.age is None and not member.is_plural:
            member.age, member.age_raw = age, str(age)


def _is_list(members: list[Mention], row: str) -> bool:
    """Say whether mentions in a row are several people, not one person and an apposition ("Ann Lee, a teacher,")."""
    if any(member.kind == "pronoun" for member in members):
        return False
    if re.search(r"\b(?:and|or)\b|&|;", row):
        return True
    is_counted = all(member.is_plural and member.count > 0 for member in members)  # "2 adults, 2 children killed"
    is_one_and_more = not describes_many(members[0]) and describes_many(members[-1])  # "Mother, 2 children killed"
    if is_one_and_more and all(member.count > 0 and member.kind != "name" for member in members):
        return True
    return is_counted or (len(members) > 2 and all(member.kind == "name" for member in members))


# What follows is said not to be so: "police denied reports that a man had been arrested".
DENIAL = gated(
    r"\b(?:den(?:y|ies|ied|ying)|dismiss(?:ed|es|ing)|reject(?:ed|s|ing)|refut(?:ed|es|ing)|debunk(?:ed|s|ing)|no\struth\s(?:to|in)|false|untrue|unfounded|inaccurate)\s(?:the\s|earlier\s|online\s|social\smedia\s|media\s|such\s){0,3}(?:reports?|rumou?rs?|claims?|accounts?|posts?|speculation|suggestions?)\s(?:that|of)\b"
)


def find_predicates(masked: MaskedSentence) -> list[Finding]:
    """Give what the table finds in a sentence, in the table's order; a group's finding goes to each of its members."""
    found: list[Finding] = []
    if "⟦" not in masked.text:
        return found
    taken: set[tuple[str, int]] = set()
    text, words = masked.text, masked.before
    denial = DENIAL.search(masked)
    denied_from = denial.end() if denial is not None else len(text)
    for pattern, predicate in _ROWS.choose(masked):
        if not predicate.before or any(word.endswith(predicate.before) for word in words):
            for match in pattern.finditer(text, 0, denied_from):
                found += _read_match(masked, predicate, match, taken)
    return found


def _read_match(
    masked: MaskedSentence, predicate: Predicate, match: re.Match[str], taken: set[tuple[str, int]]
) -> Iterator[Finding]:
    groups = match.groupdict()
    verb = groups.get("verb") or ""
    verb_at = match.start("verb") if groups.get("verb") else match.start()
    for key, effect in predicate.effects.items():
        index = int(groups[key])
        if index >= len(masked.mentions):
            continue
        slot = ("passive" if key == "s" and predicate.name in _BEFALLS else key + predicate.name, index)
        if predicate.name in _BEFALLS and ("active", verb_at) in taken:
            continue
        if slot in taken and predicate.name in ("hurt", "hospital"):
            continue
        if predicate.name == "possessed_death" and not (groups.get("poss") or masked.mentions[index].is_possessive):
            continue  # "the girl remains in critical condition"
        if predicate.name in ("hurt", "killed") and _is_active(masked.text, match, masked.mentions[index]):
            continue
        mention = masked.mentions[index]
        if (
            _NONE_BEFORE.search(masked.text, max(0, match.start() - 10), match.start())
            or "neither" in mention.modifiers
        ):
            continue  # "neither officer was injured"
        if _is_none_of(masked, match.start()):
            continue  # "none of the passengers was injured"
        if predicate.name in ("hurt", "killed") and _MAY_BE.search(match.group()):
            continue  # "he would be shot"
        if predicate.name in _AFTER_THE_DEED and masked.text.endswith("by ", 0, match.start(key) - 1):
            continue  # "was shot by a boy, taken to a hospital": the boy was not
        if predicate.name in ("wound", "with_wound") and _CHARGE.search(match.group()):
            continue  # "assault inflicting serious injury"
        taken.add(slot)
        if predicate.name in ("harmed", "shot_self", "self_harm"):
            taken.add(("active", verb_at))
        effect = _sharpen(effect, predicate.name, key, verb)
        if effect.condition is I and _CRITICALLY.search(match.group()):
            effect = replace(effect, condition=C)
        if effect.condition is not None and _UNDONE_BEFORE.search(masked.text, max(0, match.start() - 24), verb_at):
            effect = replace(effect, condition=None)
        if describes_many(mention) and _is_of_one(masked.text, match, key, effect):
            mention = Mention(mention.start, mention.end, "number")
        start, end = masked.offsets[match.start()], masked.offsets[min(match.end(), len(masked.offsets) - 1)]
        for member in mention.members or [mention]:
            yield Finding(member, effect, predicate.name, start, end)


def describes_many(mention: Mention) -> bool:
    """Say whether a mention stands for a number of people rather than for one."""
    return mention.is_plural or mention.kind in ("number", "group")


_CHARGE = compile_pattern(r"\b(?:inflicting|intent\sto|assault\swith|causing)\b", re.I)
_MAY_BE = compile_pattern(
    r"\s(?:would|could|should|might|can|will)\s(?:\w+ly\s)?(?:have\sbeen|be|get)\s(?!pronounced|declared|found)", re.I
)
# What somebody set out to do was not done: "tried to kill", "attempted murder of".
_UNDONE_BEFORE = compile_pattern(
    r"\b(?:attempt\w*|tr(?:y|ying|ied)|threat\w+|plan(?:ned|ning|s)?|want\w*|plot\w*|conspir\w+|inten(?:t|ds?|ded|ding)|hired|going|vow\w*|fail\w*)\s(?:to\s)?(?:[\w-]+\s)?$",
    re.I,
)
_ONE_OF = compile_pattern(r"\b(?:one|1)\sof\s(?:the\s|his\s|her\s|their\s|its\s|at\sleast\s)?$", re.I)
_ONE_VERB = compile_pattern(r"\s(?:was|is|has)\b")


def _is_of_one(text: str, match: re.Match[str], key: str, effect: Effect) -> bool:
    """Say whether a predicate holds of one of several: "one of three women hit by gunfire has died"."""
    at = match.start(key) - 1
    return (
        _ONE_OF.search(text, max(0, at - 20), at) is not None
        and effect.condition is not None
        and (effect.condition is K or _ONE_VERB.search(match.group()) is not None)
    )


def _is_none_of(masked: MaskedSentence, start: int) -> bool:
    before = _OF_BEFORE.search(masked.text, max(0, start - 12), start)
    return before is not None and masked.mentions[int(before.group(1))].count == 0


_OF_BEFORE = compile_pattern(r"⟦(\d+)⟧\sof\s$")
_AUXILIARY = compile_pattern(r"\b(?:was|were|is|are|be|been|being|got|gets|get|remains?|remained)\b", re.I)
_NONE_BEFORE = compile_pattern(r"\b(?:neither|no|nor|none\sof)\s$", re.I)
# what follows a verb that has an object: "shot and injured ⟦1⟧", "shot his brother", "shot himself"
_OBJECT_AFTER = compile_pattern(
    r"(?:,?\s(?:and|then|fatally|killed|injured|wounded|burned|\w+ly|stabbed|robbed|another|fellow|both))*\s?⟦"
    r"|\s(?:a|an|his|her|their|another|at|himself|herself|themselves|someone|somebody|off|into|the\s(?!head|face|leg|arm|chest|back|neck|foot|hand|stomach|abdomen|shoulder|torso|thigh|buttocks|hip))\b",
    re.I,
)


def _is_active(text: str, match: re.Match[str], subject: Mention) -> bool:
    """Say whether "⟦0⟧ shot" tells what someone did: no auxiliary before the verb, and an object, "who" or "he" beside it."""
    before = text[match.start() : match.start("verb")]
    if _AUXILIARY.search(before[before.rfind("⟦") :]):
        return before.rstrip().endswith("to have")
    if _FINDS.match(match.group("verb")):
        return True  # "officers found two more dead"
    return (
        before.rstrip().endswith(("who", "to have", "had", "allegedly", "accidentally", "intentionally"))
        or (subject.kind == "pronoun" and "⟧ " in f"{before} ")
        or _OBJECT_AFTER.match(text, match.end("verb")) is not None
    )


_FINDS = compile_pattern(
    r"found\s(?:an?|the|one|two|three|four|five|six|\d+|several|both|another|more|his|her|their)\b", re.I
)
_CRITICALLY = compile_pattern(r"\bcritically\s(?:injured|wounded|hurt)\b", re.I)
_AFTER_THE_DEED = frozenset(("hurt", "hospital", "in_condition", "then_critical", "survive"))
_BEFALLS = frozenset(("killed", "hurt", "died", "wound"))
_HURTS = compile_pattern(r"shot|shoot|stab|wound|injur|struck|hit|beat|slash|strik|attack|ran\sover|maul", re.I)


def _sharpen(effect: Effect, name: str, key: str, verb: str) -> Effect:
    """Read the condition off the verb where the pattern leaves it open."""
    condition = effect.condition
    if name == "dead_were":
        condition = (
            K
            if re.match(r"killed|dead|deceased|slain", verb, re.I)
            else I
            if re.match(r"injured|wounded|shot|hurt", verb, re.I)
            else None
        )
    if name in ("harmed_by", "harmed", "harm_to", "along_with") and key in ("s", "o") and effect.role is V:
        if (
            _is_deadly(verb)
            or verb.lower() in ("died", "slain")
            or verb.lower().startswith(("found dead", "pronounced"))
        ):
            condition = K
        elif _HURTS.search(verb) and not re.search(r"shot\sat|fire[ds]?\b", verb, re.I):
            condition = I
    if name == "wounding" and re.match(r"fatally|mortally", verb, re.I):
        condition = K
    if name in ("in_condition", "then_critical") and re.search(r"critical|grave", verb, re.I):
        condition = C
    if condition is effect.condition:
        return effect
    return Effect(effect.role, condition, effect.legal_status, effect.weight, effect.speaks, effect.is_action)
