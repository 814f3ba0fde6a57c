"""What kind of incident it was, and with what.

Belongs here: the words that give a type of `model.INCIDENT_TYPES` or a weapon. Does not belong here: whether the page is
about an incident at all (`relevance`).
"""

import re
from dataclasses import dataclass

from blotter.extract.gate import PatternTable, gated
from blotter.extract.patterns import compile_pattern
from blotter.extract.scene import Scene, Sentence

# type, words; a word in the title counts three times, one in the first two sentences twice
_TYPES: tuple[tuple[str, str], ...] = (
    ("shooting", r"shot(?!\s(?:clock|put|of|glass|video|by\sphotographer))|shootings?|shooter|gunshots?|gunfire|gunm[ae]n|gunned\sdown|opened\sfire|bullets?|drive-by|shots\s(?:were\s)?fired|shoots|fired\s(?:a\s)?(?:shots?|rounds?)|shell\scasings"),
    ("stabbing", r"stabb(?:ed|ing|ings)|stabs|knifed|stab\swounds?|slashed|knife\sattack"),
    ("homicide", r"homicides?(?!\s(?:units?|detectives?|squad|division|investigators?|bureau|section))|murder(?:ed|s)?|slain|slaying|manslaughter|shot\sand\skilled|shot\sto\sdeath|stabbed\sto\sdeath|killed\sby\sa\s(?:gun|shot)|beaten\sto\sdeath|strangled"),
    ("assault", r"assault(?:ed)?|beaten|beating|attacked|attack\son|brawl|punched"),
    ("robbery", r"robber(?:y|ies|s)|robbed|carjack(?:ed|ing|ings|er)?|mugged|hold-?up|held\sup\sat|at\sgunpoint|at\sknifepoint|stick-?up"),
    ("burglary", r"burglar(?:y|ies|s|ized)?|break-in|broke\sinto|home\sinvasion|intruders?"),
    ("kidnapping", r"kidnapp(?:ed|ing|er)s?|abduct(?:ed|ion|or)s?|hostages?"),
    ("sexual_assault", r"rape[ds]?|sexual(?:ly)?\s(?:assault|abuse|attack)\w*|molest\w+"),
    ("fire", r"(?!(?:open(?:ed|s|ing)?|return(?:ed|ing)?|under|exchang(?:ed|ing)|gun|friendly|hostile|hold|held|cease|came|took|taken)\s)\w+\sfires?(?=\s(?:on|in|at|near|that|which|early|late|broke|killed|kills|destroyed|damaged|tore|left|started|spread|started|Sunday|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday)\b)|(?:house|home|apartment|duplex|town\s?house|condo\w*|trailer|building|hotel|motel|barn|garage|shed|attic|basement|kitchen|chimney|store|shop|restaurant|church|school|warehouse|factory|brush|grass|forest|car|truck|vehicle|bus|boat|dumpster|electrical|residential|structure|commercial|fatal|deadly|massive|accidental)\sfires?(?!\s(?:department|chief|marshal|station|truck|engine|alarm|safety|escape|code|drill|extinguisher))|(?:the|a|this)\sfire(?=[.,;’\']|\s(?:was|is|has|had|broke|began|started|spread|destroyed|damaged|killed|left|caused|displaced|tore|ripped|swept|burned|remains?|and|at|in|on|that|which|to|from|erupted)\b)|blaze|flames|arson\w*|smoke\sinhalation|caught\sfire|burned\s(?:down|to)|(?:wild|bush|grass)fires?|two-alarm|three-alarm|\w+-alarm|fire\sbroke\sout|gutted|engulfed|fire\s(?:that|which)\s(?:killed|destroyed|tore)"),
    ("explosion", r"explosions?|exploded(?!\sin(?:to)?\s(?:size|scope|popularity|acreage|growth))|blasts?|bomb(?:ing|s|ed)?\b|detonated|grenade"),
    ("traffic_crash", r"rear-ended|hit-and-run|rollover|head-on|pileup|pile-up|(?:struck|hit|run\sover|knocked\sdown|mown\sdown)(?:\sand\s\w+(?:\s\w+)?)?\sby\s(?:an?\s|the\s|his\s|her\s)?(?:[\w-]+\s){0,2}?(?:car|truck|vehicle|van|suv|bus|pickup|lorry|motorcycle|motorist|driver|taxi|minivan|sedan|semi|tractor-trailer|coach|scooter|ute|rickshaw)|(?:car|truck|vehicle|van|suv|bus|pickup|lorry|motorcycle|motorist|driver|pickup\struck)\s(?:that\s)?(?:hit|struck|ran\sover|plowed\sinto|ploughed\sinto|slammed\sinto|collided|crash\w*|overturned|flipped|rolled|veered|rear-ended|fell|plunged)|traffic\s(?:accident|crash|collision|fatality)|(?:car|truck|bus|road|motorcycle|vehicle|highway|two-vehicle|three-vehicle|single-vehicle|multi-vehicle|one-car|two-car|three-car)\s(?:crash|accident|collision|wreck)\w*|(?:careless|dangerous|drunken|drunk|impaired|reckless)\sdriving|ran\sa\sred\slight|ran\soff\sthe\sroad|lost\scontrol\sof|vehicular\s(?:homicide|manslaughter)"),
    ("rail", r"derail(?:ed|ment|s)|(?:train|tram|railway|railroad|rail)\s(?:crash|collision|wreck|accident|derail\w+)|(?:struck|hit|killed)(?:\sand\s\w+)?\sby\s(?:an?\s|the\s)?(?:\w+\s){0,2}(?:train|tram|locomotive)|(?:train|tram|locomotive)\s(?:\w+\s)?(?:hit|hits|struck|strikes|kill(?:ed|s)|slammed|collided|crash\w*|plowed|derail\w*)|level\scrossing|(?:fatalit(?:y|ies)|deaths?|incident|accident)\sinvolving\s(?:an?\s|the\s)?(?:\w+\s){0,2}train|Amtrak\s(?:death|fatality)|(?:railroad|rail|train)\scrossing"),
    ("aviation", r"crash\sof\s(?:a|an|the)\s(?:[\w-]+\s){0,3}?(?:plane|helicopter|aircraft|jet|airliner|airplane)|(?:plane|helicopter|aircraft|jet|cessna|airliner|glider|chopper|airplane|aeroplane|microlight|hot-air\sballoon)\s(?:\w+\s){0,2}(?:crash\w*|went\sdown|goes\sdown|accident|collided|collision)|midair\scollision|mid-air\scollision|crash-landed|emergency\slanding"),
    ("maritime", r"(?:boat|ferry|ship|vessel|kayak|canoe|yacht|trawler|barge)s?\s(?:\w+\s)?(?:capsized|sank|sinking|collid\w+|overturned|crash\w*|accident)|capsiz\w+|shipwreck"),
    ("industrial", r"(?:building|roof)\s(?:\w+\s)?(?:collapse\w*|accident)|(?:mine|trench|scaffold\w*|crane|factory|plant|warehouse|refinery)\s(?:\w+\s)?(?:collapse\w*|accident|explosion|fire|leak)|gas\sleak|chemical\s(?:leak|spill)|carbon\smonoxide|workplace\s(?:accident|death)|(?:worker|employee|contractor|miner)s?\s(?:\w+\s){0,2}(?:killed|dies|died|crushed|injured|falls|fell)|overhead\scrane|(?:explosion|blast|fire|leak|collapse|accident|spill)\sat\s(?:an?|the)\s(?:[\w-]+\s){0,3}?(?:plant|factory|refinery|mine|mill|construction\ssite|shipyard|quarry|foundry|smelter|grain\selevator|oil\swell)|kill(?:ed|ing|s)\s(?:\w+\s)?(?:workers?|miners?|labou?rers?)|(?:trench|scaffolding|crane|mine|silo)\s(?:\w+\s)?collapsed|fell\sfrom\sa\s(?:\w+\s)?(?:scaffold\w*|roof|ladder|crane)|electrocuted"),
    ("drowning", r"drown(?:ed|ing|ings|s)?|swept\saway|(?:pulled|recovered|removed)\sfrom\sthe\s(?:water|river|lake|pool|pond|sea|reservoir|quarry|canal|creek|ocean)|(?:missing|disappear\w*|vanish\w*|died|dies|found\sdead)\s(?:while|after)\s(?:\w+\s){0,2}?(?:swimming|swim|snorkeling|kayaking|boating|tubing|wading)|(?:swimmer|snorkeler|kayaker|boater|paddleboarder)s?\s(?:(?:was|is|who|has|been|had)\s){0,2}(?:found\sdead|dies|died|disappear\w*|vanish\w*|went\smissing|missing|presumed)|(?:disappeared|vanished|went\sunder|slipped|fell|jumped)\s(?:(?:in|into|under|beneath|below)\sthe\s)(?:water|lake|river|surface|pond|pool|sea|ocean|canal)|(?:went|going)\sunder\s?water|(?:never|did\snot|didn[\'’]t|failed\sto)\sresurfaced?"),
    ("missing_person", r"missing\s(?:\w+\s)?(?:person|man|woman|boy|girl|teen\w*|child|hiker|toddler|since)|last\sseen|amber\salert|silver\salert|reported\smissing|went\smissing|disappear\w+|search\s(?:and\srescue|for\sa\smissing|for\sthe\smissing)"),
    ("police_use_of_force", r"officer-involved|police-involved|deputy-involved|police\sshooting|(?:shot|killed|fatally\sshot|shot\sand\s(?:killed|wounded))\sby\s(?:an?\s|the\s)?(?:(?!(?:gun|man|suspect)\w*\s)[\w-]+\s){0,3}(?:police|officers?|deput(?:y|ies)|troopers?)|(?:officers?|deput(?:y|ies)|troopers?|police)\s(?:fatally\s)?(?:shoots?(?!\sand)|shot\s(?:and\s(?:killed|wounded|injured)\s|dead\s)?(?:an?\s|the\s(?!officer)|him\b|her\b|at\s(?:an?|the|him|her)|armed|(?:man|woman|suspect|driver|teen|gunman)\b|\d)|opened\sfire|returned\sfire|fired\s(?:at|on|back|their|his|her|several|multiple|one|two))|use\sof\sforce|return(?:ed|ing)?\sfire"),
    ("weather", r"tornado\w*|hurricane|lightning|flash\sflood\w*|floodwaters?|flooding|blizzard|heat\swave|hypothermia|thunderstorms?|windstorm|ice\sstorm"),
    ("disaster", r"earthquake|quake|landslide|mudslide|avalanche|tsunami|volcan\w+|wildfires?|bushfires?"),
    ("animal", r"(?:dog|bear|shark|alligator|pit\sbull|coyote|cougar|tiger|snake)s?\s(?:attack\w*|bite|mauling|mauled|bit)|mauled|bitten\sby"),
    ("overdose", r"overdos\w+|fentanyl\spoisoning|poisoned|poisoning"),
    ("suicide", r"suicides?|murder-suicide|took\s(?:his|her|their)\sown\sli(?:fe|ves)|killed\s(?:himself|herself)|self-inflicted|hanged\shimself"),
    ("threat", r"bomb\sthreat|hoax|standoff|stand-off|barricaded|swatting|threaten(?:ed|ing)\s(?:\w+\s){0,4}with\s(?:a|the)\s(?:gun|knife|handgun|rifle)|(?:pointed|brandished|waved)\sa\s(?:gun|handgun|rifle|pistol|shotgun|knife)|threat\s(?:was|forced|prompted|to)|lockdown"),
)  # fmt: skip
# Told by police, of no listed type: it counts where nothing else was found.
_OTHER_WORDS = gated(
    r"\b(?:arrest(?:ed|s|ing)?|seized|raid(?:ed)?|search\swarrants?|traffic\sstop|possession\sof|stolen|thefts?|stole|trespass\w*|vandali\w+|gunpoint|pointed\sa|brandish\w*|found\s(?:a|an|two|three|the)\s(?:\w+\s){0,3}(?:handguns?|guns?|firearms?|pistols?)|bod(?:y|ies)\s(?:was|were|of)|found\sdead|injured|accident|rescued|evacuated)\b"
)
# Of what crashed these say nothing: a road vehicle, where no aircraft, train or vessel is told of.
_CRASH = r"crash(?:ed|es)?|collision|collided|overturned|wreck(?:age)?|motor\svehicle"
_PATTERNS = PatternTable((gated(rf"\b(?:{words})\b"), name) for name, words in (*_TYPES, ("crash", _CRASH)))

_WEAPONS: tuple[tuple[str, str], ...] = (
    ("AR-15 rifle", r"AR-?15|AR-style"),
    ("AK-47 rifle", r"AK-?47|AK-style"),
    ("assault rifle", r"assault(?:-style)?\s(?:rifle|weapon)"),
    ("shotgun", r"(?:\d\d[- ]gauge\s)?shotgun"),
    ("rifle", r"(?:[\w.-]+\s)?rifle"),
    ("revolver", r"(?:\.\d{2}[- ]?cal\w*\s)?revolver"),
    ("handgun", r"(?:(?:9[- ]?mm|9[- ]millimeter|\.\d{2,3}[- ]?cal\w*)\s)?(?:hand\s?gun|pistol|semi-?automatic(?:\s(?:hand\s?gun|pistol))?)|9[- ]?mm|\.(?:22|25|32|38|380|40|45|357|44)[- ]?cal\w*"),
    ("BB gun", r"(?:BB|pellet|air)\sgun"),
    ("gun", r"gun(?!shot|fire|man|men|ned)|firearm"),
    ("knife", r"(?:kitchen\s|pocket\s|butcher\s|steak\s)?knife|machete|box\scutter|razor|sword|screwdriver|blade"),
    ("hammer", r"hammer"),
    ("baseball bat", r"baseball\sbat"),
    ("axe", r"\baxe?|hatchet"),
    ("bomb", r"bomb|grenade|pipe\sbomb|explosive\sdevice"),
    ("vehicle", r"(?:intentionally|deliberately)\s(?:struck|ran|drove|hit)|used\s(?:a|his|her)\s(?:car|vehicle|truck)\sas"),
)  # fmt: skip
_WEAPON_PATTERNS = PatternTable(
    (gated(rf"\b(?:{words})s?\b"), (rank, name)) for rank, (name, words) in enumerate(_WEAPONS)
)


@dataclass(frozen=True, slots=True)
class Keyword:
    """A type or weapon with the span that shows it and how strongly."""

    value: str
    start: int
    end: int
    sentence: Sentence
    weight: float


def read_types(scene: Scene) -> list[Keyword]:
    """Give the types of incident that the telling sentences show, the strongest first."""
    first: dict[str, Keyword] = {}
    totals: dict[str, float] = {}
    for sentence in scene.telling:
        factor = 3.0 if sentence.is_title else 2.0 if sentence.index <= 2 else 1.0 if sentence.index < 14 else 0.4
        for pattern, name in _PATTERNS.choose(sentence):
            for match in pattern.finditer(sentence.text):
                before, after = sentence.text[: match.start()], sentence.text[match.end() :]
                if _is_earlier_case(before, after) or _is_another_type(name, before, after):
                    continue
                start = sentence.start + match.start()
                if name not in first or (first[name].sentence.is_title and not sentence.is_title):
                    first[name] = Keyword(name, start, sentence.start + match.end(), sentence, 0.0)
                totals[name] = totals.get(name, 0.0) + factor
    _settle_crash(totals, first)
    if not any(total >= 2.0 for total in totals.values()):
        return _read_other(scene)
    top = max(totals.values())
    kept = [
        (n, t)
        for n, t in totals.items()
        if t >= 2.0 and (t >= 0.22 * top or n in ("suicide", "police_use_of_force", "robbery", "homicide"))
    ]
    if {"shooting", "stabbing"} & {n for n, _ in kept}:
        kept = [
            (n, t)
            for n, t in kept
            if not (n in ("assault", "fire", "traffic_crash", "animal", "weather", "industrial") and t < 0.5 * top)
        ]
    kept = _drop_implied(kept)
    ranked = sorted(kept, key=lambda pair: (-pair[1], pair[0]))
    return [
        Keyword(n, first[n].start, first[n].end, first[n].sentence, min(1.0, t / (top or 1.0))) for n, t in ranked[:4]
    ]


def _settle_crash(totals: dict[str, float], first: dict[str, Keyword]) -> None:
    """Give the bare "crash" to what else crashed, and to the road where nothing else did."""
    total, keyword = totals.pop("crash", 0.0), first.pop("crash", None)
    others = [name for name in ("aviation", "rail", "maritime") if totals.get(name, 0.0) >= 2.0]
    if keyword is not None and others:
        totals[max(others, key=lambda name: totals[name])] += total
    elif keyword is not None:
        totals["traffic_crash"] = totals.get("traffic_crash", 0.0) + total
        known = first.get("traffic_crash")
        if known is None or keyword.start < known.start:
            first["traffic_crash"] = Keyword("traffic_crash", keyword.start, keyword.end, keyword.sentence, 0.0)


# What a type says already, and how much more it must be told of: who was attacked by a dog was assaulted by nobody, and
# cars that catch fire after a crash are no fire.
_HARMS = ("shooting", "stabbing", "homicide", "assault", "robbery", "kidnapping", "police_use_of_force")
_IMPLIED = {
    "threat": (0.5, frozenset(_HARMS)),
    "assault": (0.5, frozenset(("sexual_assault", "animal"))),
    "missing_person": (0.5, frozenset(("kidnapping", "drowning"))),
    "fire": (2.0, frozenset(("traffic_crash", "aviation", "rail"))),
}
_NOTHING: tuple[float, frozenset[str]] = (1.0, frozenset())


def _drop_implied(kept: list[tuple[str, float]]) -> list[tuple[str, float]]:
    totals = dict(kept)
    return [
        (name, total)
        for name, total in kept
        for ratio, others in (_IMPLIED.get(name, _NOTHING),)
        if not any(totals.get(other, 0.0) >= ratio * total for other in others)
    ]


_ATTEMPT_BEFORE = compile_pattern(r"\battempt(?:ed|ing|s)?\s(?:to\s)?(?:[\w-]+\s){0,3}$", re.I)
_SEXUAL_BEFORE = compile_pattern(r"\bsexual(?:ly)?\s$", re.I)
_WEAPON_AFTER = compile_pattern(r"(?:-style)?\s(?:rifle|weapon)", re.I)


# What was looked for and not found: "there was no indication of an explosion".
_NO_SIGN_BEFORE = compile_pattern(
    r"\b(?:no|not|without|n['’]t)\s(?:\w+\s){0,3}?(?:indication|sign|evidence|trace|suspicion)s?\s(?:of|that)\s(?:\w+\s){0,4}$",
    re.I,
)


def _is_another_type(name: str, before: str, after: str) -> bool:
    """Say whether words that give a type are part of others ("attempted murder", "assault rifle"), or of a denial."""
    if _NO_SIGN_BEFORE.search(before[-80:]):
        return True
    if name == "homicide":
        return bool(_ATTEMPT_BEFORE.search(before[-40:]))
    if name == "assault":
        return bool(_SEXUAL_BEFORE.search(before[-12:]) or _WEAPON_AFTER.match(after))
    return False


# What someone was looked for when this incident happened is another case: "wanted in connection with a robbery",
# "a robbery that had occurred two hours earlier".
_EARLIER_BEFORE = compile_pattern(
    r"\b(?:wanted|sought|warrants?|questioned|suspect(?:ed)?)\s(?:\w+\s){0,2}?(?:in\sconnection\swith|in|for|over)\s"
    r"(?:an?\s|the\s|another\s|several\s)?(?:(?:earlier|separate|recent|previous|armed)\s){0,2}$",
    re.I,
)
_EARLIER_AFTER = compile_pattern(
    r"\s(?:that|which)\s(?:had\s)?(?:occurred|happened|taken\splace)\s(?:[\w-]+\s){0,5}(?:earlier|before)\b", re.I
)


def _is_earlier_case(before: str, after: str) -> bool:
    return bool(_EARLIER_BEFORE.search(before[-60:]) or _EARLIER_AFTER.match(after[:80]))


def _read_other(scene: Scene) -> list[Keyword]:
    for sentence in scene.telling:
        match = _OTHER_WORDS.search(sentence)
        if match is not None:
            return [Keyword("other", sentence.start + match.start(), sentence.start + match.end(), sentence, 0.3)]
    return []


def read_weapon(scene: Scene) -> Keyword | None:
    """Give the most exactly named weapon of the telling sentences."""
    best: tuple[float, Keyword] | None = None
    for sentence in scene.body:
        for pattern, (rank, value) in _WEAPON_PATTERNS.choose(sentence):
            for match in pattern.finditer(sentence.text):
                score = (
                    (0.2 if value == "gun" else 1.0)
                    + 0.8 * sentence.is_about_incident
                    - 0.03 * sentence.index
                    - 0.001 * rank
                )
                if _is_no_weapon(sentence.text[: match.start()], sentence.text[match.end() :]):
                    continue
                if best is None or score > best[0]:
                    start = sentence.start + match.start()
                    best = (score, Keyword(value, start, sentence.start + match.end(), sentence, score))
    return best[1] if best else None


_NO_WEAPON_BEFORE = compile_pattern(r"(?:no|without\sa|toy|fake|control|rights|laws?|violence)\s?$", re.I)
_NO_WEAPON_AFTER = compile_pattern(r"\s(?:control|violence|rights|laws?|owners?|safety|show|shop|store)", re.I)


def _is_no_weapon(before: str, after: str) -> bool:
    return bool(_NO_WEAPON_BEFORE.search(before[-12:]) or _NO_WEAPON_AFTER.match(after))
