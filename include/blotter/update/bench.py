"""One batch in progress: articles placed one by one, then the records of all touched incidents made anew.

Belongs here: the order of the steps, and keeping track of what happened to which incident. Does not belong here: what
a likeness proves (`blotter.link`), what stands (`blotter.resolve`), what moved (`blotter.track`).

Articles are linked one after the other, each seeing those before it, so that it makes no difference how a stream is
cut into batches. Records are resolved once a batch, from all accounts of an incident.
"""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec

from blotter.ids import make_id
from blotter.link import LINKER_VERSION
from blotter.link.compare import NEAR_MISS, Likeness, LinkRules, compare_account
from blotter.link.describe import count_text_terms, describe_incident, key_account, select_text, sort_claims
from blotter.link.memory import (
    Account,
    ArticleMemory,
    DeskChanges,
    Dossier,
    Loose,
    Member,
    Part,
    Placement,
    Profile,
    TextMemory,
    encode_changes,
)
from blotter.link.syndication import Fingerprint, is_same_text, key_fingerprint, measure_resemblance, take_fingerprint
from blotter.model import (
    Alignment,
    Article,
    Change,
    ChangeCause,
    ChangeKind,
    ClaimState,
    Incident,
    Judgement,
    Link,
    Notice,
    Reading,
    ReadingKind,
    Verdict,
)
from blotter.resolve.align import Placed, align_participants, gather_people
from blotter.resolve.members import make_member
from blotter.resolve.record import build_incident, resolve_members
from blotter.track import Trigger, diff_versions
from blotter.update.desk import Desk, WorkingDesk

_MAX_CANDIDATES = 16
_MAX_TEXTS = 16  # that share the most keys with a text are compared with it
_MIN_VOTES = 0.15  # a candidate that shares no more than one middling word is not worth a look
_MIN_SHARE = 0.4  # of the votes of the likeliest: who shares a word where another shares name and street is not it
_FORMER_VOTES = 9.0  # where an edited page was before is always looked at
_FIRST_ACCOUNTS, _LAST_ACCOUNTS = 3, 12
_MAX_NEAR_MISSES = 2
# A reference of a roundup is a line or two: more must speak for it.
_ROUNDUP_CAUTION = 0.5

_PLACES = frozenset(("street", "landmark", "neighborhood", "city", "county", "state"))
_HARM = frozenset(("n_killed", "n_injured", "condition", "incident_type"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What a batch changes. `incidents` are new versions, `facts` in them those that came to stand with it."""

    articles: tuple[Article, ...]
    links: tuple[Link, ...]
    alignments: tuple[Alignment, ...]
    incidents: tuple[Incident, ...]
    changes: tuple[Change, ...]
    refused: tuple[tuple[Judgement, str], ...]  # judgements that cannot be followed, with the reason
    desk_changes: DeskChanges

    def memory(self) -> bytes:
        """Give what the desk must learn once the batch is published, as bytes for its bundle."""
        return encode_changes(self.desk_changes)


@dataclass(slots=True)
class Touched:
    """What happened to one incident in this batch."""

    arrived: dict[str, ChangeCause] = field(default_factory=dict)
    departed: list[tuple[Member, ChangeCause, Member | None]] = field(default_factory=list)
    judged: list[Judgement] = field(default_factory=list)
    merged_into: str | None = None
    restored_from: str | None = None  # split off again after a merge


@dataclass(frozen=True, slots=True)
class Found:
    """The incident that a reference was found to be, or None; with all that was considered."""

    incident_id: str | None
    likeness: Likeness | None
    considered: Sequence[tuple[Likeness, Verdict]] = ()
    actor: str = LINKER_VERSION
    reasons: tuple[str, ...] = ()
    score: float = 1.0


class Workbench:
    """A batch in progress over a desk, which is only read."""

    def __init__(self, desk: Desk, *, now: datetime, rules: LinkRules, given_links: Mapping[str, str]) -> None:
        self.desk = WorkingDesk(desk)
        self.now, self.rules, self._given = now, rules, given_links
        self.touched: dict[str, Touched] = {}
        self.links: list[Link] = []
        self._articles: list[Article] = []
        self._fingerprints: dict[str, Fingerprint] = {}
        self._counts: dict[str, Mapping[str, int]] = {}
        self._alignments: dict[tuple[str, int, int, str, str], Alignment] = {}
        self.refused: list[tuple[Judgement, str]] = []

    # articles

    def look_ahead(self, batch: Sequence[tuple[Article, Reading]]) -> None:
        """Look up at once what the next articles need, and keep what was worked out for it."""
        self._fingerprints = {article.revision_id: take_fingerprint(article.text) for article, _ in batch}
        self._counts = {article.revision_id: count_text_terms(article, article.text) for article, _ in batch}
        keys: dict[tuple[int, int], dict[str, None]] = {}
        for article, _ in batch:
            found = keys.setdefault(self._window_of(article), {})
            found |= dict.fromkeys(_name_keys(self._fingerprints[article.revision_id]))
        self.desk.look_ahead(
            article_ids=dict.fromkeys(article.article_id for article, _ in batch),
            incident_ids=dict.fromkeys(
                make_id("inc", article.article_id, ref)
                for article, reading in batch
                for ref in {claim.incident_ref for claim in reading.claims}
            ),
            terms=dict.fromkeys(term for counts in self._counts.values() for term in counts),
            keys={days: list(of_days) for days, of_days in keys.items()},
        )

    def _window_of(self, article: Article) -> tuple[int, int]:
        day = article.published_at.toordinal()
        return day - self.rules.window_days, day + self.rules.window_days

    def take(self, article: Article, reading: Reading) -> None:
        """Place one article's reading; one that is known, or older than what is known, changes no record."""
        known = self.desk.article(article.article_id)
        reading = replace(reading, claims=sort_claims(reading.claims))
        article = self._group_text(article, known)
        self._articles.append(article)
        if known is not None and (article.revision < known.revision or reading.reading_id == known.reading_id):
            return
        counts = self._counts.pop(article.revision_id, None) or count_text_terms(article, article.text)
        placements, loose = self._place_references(article, reading, known, counts)
        self._leave_former(article, reading, known, placements)
        if known is None:
            self.desk.learn_terms(counts)
        memory = ArticleMemory(
            article_id=article.article_id,
            revision=article.revision,
            revision_id=article.revision_id,
            reading_id=reading.reading_id,
            syndication_id=article.syndication_id,
            placements=tuple(placements),
            loose=tuple(loose),
            pinned_to=known.pinned_to if known else (),
            kept_from=known.kept_from if known else (),
            judged_by=known.judged_by if known else "",
        )
        self.desk.put_article(memory)

    def _group_text(self, article: Article, known: ArticleMemory | None) -> Article:
        """Give an article its syndication group: that of the nearest text that is the same, else one of its own."""
        if known is not None and known.revision_id == article.revision_id:
            return replace(article, syndication_id=known.syndication_id)
        fingerprint = self._fingerprints.pop(article.revision_id, None)
        if fingerprint is None:
            fingerprint = take_fingerprint(article.text)
        keys = _name_keys(fingerprint)
        syndication_id = self._choose_group(article, known, fingerprint, keys)
        if fingerprint:
            day = article.published_at.toordinal()
            self.desk.put_text(TextMemory(article.revision_id, syndication_id, day, fingerprint), keys)
        return replace(article, syndication_id=syndication_id)

    def _choose_group(
        self, article: Article, known: ArticleMemory | None, fingerprint: Fingerprint, keys: Sequence[str]
    ) -> str:
        targets = self.desk.find_targets(keys, *self._window_of(article))
        likely = Counter(one for found in targets.values() for one in found).most_common(_MAX_TEXTS)
        same = [
            text for text in self.desk.texts(one for one, _ in likely) if is_same_text(fingerprint, text.fingerprint)
        ]
        best = min(
            same,
            key=lambda t: (-measure_resemblance(fingerprint, t.fingerprint), t.published_day, t.revision_id),
            default=None,
        )
        if best is not None:
            return best.syndication_id
        if known is not None and not fingerprint:
            return known.syndication_id
        return make_id("syn", article.revision_id)

    def _place_references(
        self, article: Article, reading: Reading, known: ArticleMemory | None, counts: Mapping[str, int]
    ) -> tuple[list[Placement], list[Loose]]:
        label = self._given.get(article.url or "") or self._given.get(article.canonical_url or "")
        if label is not None:
            return [self._place_given(article, reading, known, counts, label)], []
        placements: list[Placement] = []
        loose: list[Loose] = []
        if reading.kind is ReadingKind.NOT_INCIDENT:
            return placements, loose
        pins = list(known.pinned_to) if known else []
        former = [self.follow_merges(placement.incident_id) for placement in known.placements] if known else []
        for ref in sorted({claim.incident_ref for claim in reading.claims}):
            account = self._describe(article, reading, ref, counts)
            taken = _list_taken(placements, former)
            found = self._find_placement(account, reading, ref, known, pins, taken)
            placement = self._place(article, reading, ref, account, found, known)
            if placement is not None:
                placements.append(placement)
            else:
                loose.append(Loose(make_member(article, reading, ref, home_id=""), account))
        return placements, loose

    def _describe(self, article: Article, reading: Reading, ref: int, counts: Mapping[str, int]) -> Account:
        text = select_text(article, reading, ref)
        mine = counts if text is article.text else count_text_terms(article, text)
        claims = [claim for claim in reading.claims if claim.incident_ref == ref]
        return describe_incident(article, ref, claims, mine, self.desk.count_terms(mine), self.desk.n_texts())

    def _find_placement(
        self,
        account: Account,
        reading: Reading,
        ref: int,
        known: ArticleMemory | None,
        pins: list[str],
        taken: set[str],
    ) -> Found:
        return self._find_pinned(pins, taken, known) or self._find_incident(account, reading, known, taken)

    def _find_pinned(self, pins: list[str], taken: set[str], known: ArticleMemory | None) -> Found | None:
        """Follow a person who linked the article: the first reference goes where they said."""
        for pinned in [self.follow_merges(one) for one in pins]:
            if pinned not in taken and known is not None:
                reason = ("a person linked this article",)
                return Found(pinned, None, actor=f"human:{known.judged_by}", reasons=reason)
        return None

    def _find_incident(self, account: Account, reading: Reading, known: ArticleMemory | None, taken: set[str]) -> Found:
        """Compare an account with the incidents it may be, and judge the likeliest."""
        barred = taken | {self.follow_merges(one) for one in (known.kept_from if known else ())}
        former = [placement.incident_id for placement in known.placements] if known else []
        compared = [
            compare_account(account, profile)
            for profile in self._find_candidates(account, former)
            if profile.incident_id not in barred
        ]
        compared.sort(key=lambda likeness: (-likeness.score, likeness.incident_id))
        considered = [
            (likeness, self._judge(likeness, reading)) for likeness in compared if likeness.score >= NEAR_MISS
        ]
        if considered and considered[0][1] is Verdict.POSITIVE:
            best = considered[0][0]
            return Found(best.incident_id, best, considered[1:], reasons=best.reasons, score=best.score)
        return Found(None, None, considered)

    def _judge(self, likeness: Likeness, reading: Reading) -> Verdict:
        if reading.kind is ReadingKind.ROUNDUP:
            accept = self.rules.accept + (1 - self.rules.accept) * _ROUNDUP_CAUTION
            return replace(self.rules, accept=accept).judge(likeness.score)
        return self.rules.judge(likeness.score)

    def _find_candidates(self, account: Account, former: Sequence[str]) -> list[Profile]:
        """Load the incidents that share the most telling keys with an account, and where the article was before."""
        keys = key_account(account)
        window = self.rules.window_days
        targets = self.desk.find_targets(list(keys), account.published_day - window, account.published_day + window)
        votes: dict[str, float] = {}
        for key, incident_ids in targets.items():
            weight = keys[key]
            for incident_id in incident_ids:
                votes[incident_id] = votes.get(incident_id, 0.0) + weight
        enough = max(_MIN_VOTES, _MIN_SHARE * max(votes.values(), default=0.0))
        votes = {one: vote for one, vote in votes.items() if vote >= enough}
        votes |= dict.fromkeys(former, _FORMER_VOTES)
        best = sorted(votes, key=lambda one: (-round(votes[one], 6), one))[:_MAX_CANDIDATES]
        self.desk.profiles(best)  # at once; what follows finds them there
        live = list(dict.fromkeys(self.follow_merges(one) for one in best))
        return [profile for profile in self.desk.profiles(live).values() if profile.accounts]

    def follow_merges(self, incident_id: str) -> str:
        """Give the incident that stands for one: itself, unless it was merged."""
        seen = {incident_id}
        while (profile := self.desk.profiles([incident_id]).get(incident_id)) and profile.merged_into:
            incident_id = profile.merged_into
            if incident_id in seen:
                break
            seen.add(incident_id)
        return incident_id

    def _place(
        self, article: Article, reading: Reading, ref: int, account: Account, found: Found, known: ArticleMemory | None
    ) -> Placement | None:
        """Link a reference to the incident found, or found one, and write down what was considered."""
        for likeness, verdict in list(found.considered)[:_MAX_NEAR_MISSES]:
            # Only the best is taken, so a second one that would do as well is a question for a person.
            told = Verdict.UNSURE if verdict is Verdict.POSITIVE else verdict
            self.add_link(reading, ref, likeness.incident_id, told, likeness.score, likeness.reasons, LINKER_VERSION, 1)
        incident_id, reasons, score = found.incident_id, found.reasons, found.score
        if incident_id is None:
            claims = [claim for claim in reading.claims if claim.incident_ref == ref]
            if not tells_incident(reading.kind, {c.field for c in claims if c.state is ClaimState.KNOWN}):
                return None
            incident_id, reasons, score = self.make_incident_id(article, reading, ref), ("first report",), 1.0
        self.add_link(reading, ref, incident_id, Verdict.POSITIVE, score, reasons, found.actor, 1)
        self.join(article, reading, ref, incident_id, account, _cause_of_arrival(article, reading, known))
        return Placement(ref, incident_id, 1)

    def _place_given(
        self, article: Article, reading: Reading, known: ArticleMemory | None, counts: Mapping[str, int], label: str
    ) -> Placement:
        """Put an article where a given link says: its first reference into the one incident of the label."""
        ref = min((claim.incident_ref for claim in reading.claims), default=1)
        incident_id = self.desk.label(label)
        if incident_id is None:
            incident_id = self.make_incident_id(article, reading, ref)
            self.desk.put_label(label, incident_id)
        account = self._describe(article, reading, ref, counts)
        self.add_link(reading, ref, incident_id, Verdict.POSITIVE, 1.0, ("given",), "given", 1)
        self.join(article, reading, ref, incident_id, account, _cause_of_arrival(article, reading, known))
        return Placement(ref, incident_id, 1)

    def _leave_former(
        self, article: Article, reading: Reading, known: ArticleMemory | None, placements: Sequence[Placement]
    ) -> None:
        """Take out what an article's earlier reading told of and its new one does not, or counts otherwise."""
        if known is None:
            return
        now_placed = {(placement.incident_ref, placement.incident_id) for placement in placements}
        now_in = {incident_id for _, incident_id in now_placed}
        former = {self.follow_merges(placement.incident_id) for placement in known.placements}
        cause = _cause_of_arrival(article, reading, known)
        if cause is not ChangeCause.EXTRACTOR_CHANGE and now_in - former:
            cause = ChangeCause.LINK_CHANGE  # it tells of another incident now
        for placement in known.placements:
            incident_id = self.follow_merges(placement.incident_id)
            if (placement.incident_ref, incident_id) not in now_placed:
                successor = make_member(article, reading, placement.incident_ref, home_id=incident_id)
                self.leave((article.article_id, placement.incident_ref), incident_id, cause, successor)

    # incidents

    def make_incident_id(self, article: Article, reading: Reading, ref: int) -> str:
        """Name an incident after what told of it first; a name that was given before is never given again."""
        incident_id = make_id("inc", article.article_id, ref)
        if self.desk.dossier(incident_id) is None:
            return incident_id
        return make_id("inc", article.article_id, ref, reading.reading_id)

    def join(
        self, article: Article, reading: Reading, ref: int, incident_id: str, account: Account, cause: ChangeCause
    ) -> None:
        """Add a reading's account to an incident, in the place of what the article's earlier reading said of it."""
        dossier = self.desk.dossier(incident_id) or Dossier(incident_id)
        member = make_member(article, reading, ref, home_id=_find_home(dossier, article.article_id, ref))
        self.add_member(dossier, member, cause)
        self.add_account(incident_id, account)

    def add_member(self, dossier: Dossier, member: Member, cause: ChangeCause) -> Dossier:
        """Align an account's persons with an incident's and add it, in the place of the article's earlier one.

        An article that tells of several incidents gives as many accounts of one, where a person merged them.
        """
        touched = self.touch(dossier.incident_id)
        placed = self._align(dossier, member)
        member = msgspec.structs.replace(member, placed={one.participant_ref: one.participant_id for one in placed})
        for one in placed:
            key = (member.reading_id, member.incident_ref, one.participant_ref, dossier.incident_id, one.participant_id)
            self._alignments[key] = Alignment(
                reading_id=member.reading_id,
                incident_ref=member.incident_ref,
                participant_ref=one.participant_ref,
                incident_id=dossier.incident_id,
                participant_id=one.participant_id,
                score=one.score,
                reasons=one.reasons,
                judged_at=self.now,
            )
        former = [one for one in dossier.members if one.part == member.part]
        touched.departed += [(one, cause, member) for one in former]
        touched.arrived[member.reading_id] = cause
        kept = [one for one in dossier.members if one.part != member.part]
        dossier = msgspec.structs.replace(dossier, members=(*kept, member))
        self.desk.put_dossier(dossier)
        return dossier

    def _align(self, dossier: Dossier, member: Member) -> Sequence[Placed]:
        return align_participants(
            member.statements,
            gather_people(sorted(dossier.members, key=lambda one: (one.order, one.reading_id))),
            incident_id=dossier.incident_id,
            reading_id=member.reading_id,
        )

    def add_account(self, incident_id: str, account: Account) -> None:
        """Let the linker see an account of an incident, and find the incident by it."""
        profile = self.desk.profiles([incident_id]).get(incident_id) or Profile(incident_id)
        kept = [one for one in profile.accounts if one.part != account.part]
        accounts = sorted([*kept, account], key=lambda one: (one.published_day, one.part))
        if len(accounts) > _FIRST_ACCOUNTS + _LAST_ACCOUNTS:
            accounts = accounts[:_FIRST_ACCOUNTS] + accounts[-_LAST_ACCOUNTS:]
        self.desk.put_profile(msgspec.structs.replace(profile, accounts=tuple(accounts)))
        self.desk.put_entries(key_account(account), account.published_day, incident_id)

    def leave(self, part: Part, incident_id: str, cause: ChangeCause, successor: Member | None = None) -> Member | None:
        """Take an article's account out of an incident; returns it, None where it was not there."""
        dossier = self.desk.dossier(incident_id)
        gone = next((member for member in dossier.members if member.part == part), None) if dossier else None
        if dossier is not None and gone is not None:
            self.touch(incident_id).departed.append((gone, cause, successor))
            kept = tuple(member for member in dossier.members if member.part != part)
            self.desk.put_dossier(msgspec.structs.replace(dossier, members=kept))
            self.drop_account(incident_id, part)
        return gone

    def drop_account(self, incident_id: str, part: Part) -> None:
        """Let the linker forget an article's account of an incident."""
        profile = self.desk.profiles([incident_id]).get(incident_id)
        if profile is not None and any(one.part == part for one in profile.accounts):
            kept = tuple(one for one in profile.accounts if one.part != part)
            self.desk.put_profile(msgspec.structs.replace(profile, accounts=kept))

    def touch(self, incident_id: str) -> Touched:
        """Note that an incident is to be resolved anew."""
        return self.touched.setdefault(incident_id, Touched())

    def add_link(
        self,
        reading: Reading,
        ref: int,
        incident_id: str,
        verdict: Verdict,
        score: float,
        reasons: Sequence[str],
        actor: str,
        seq: int,
    ) -> None:
        """Write down a judgement."""
        self.write_link(reading.article_id, reading.reading_id, ref, incident_id, verdict, score, reasons, actor, seq)

    def write_link(
        self,
        article_id: str,
        reading_id: str,
        ref: int,
        incident_id: str,
        verdict: Verdict,
        score: float,
        reasons: Sequence[str],
        actor: str,
        seq: int,
    ) -> None:
        """Write down a judgement about a reading known by its ids."""
        self.links.append(
            Link(
                link_id=make_id("lnk", reading_id, ref, incident_id, seq),
                seq=seq,
                article_id=article_id,
                reading_id=reading_id,
                incident_ref=ref,
                incident_id=incident_id,
                verdict=verdict,
                score=score,
                reasons=tuple(reasons),
                actor=actor,
                judged_at=self.now,
            )
        )

    # versions

    def conclude(self) -> Update:
        """Resolve every touched incident and say what the batch changes."""
        versions = [self._make_version(incident_id, self.touched[incident_id]) for incident_id in sorted(self.touched)]
        return Update(
            articles=tuple(self._articles),
            links=tuple(sorted(self.links, key=lambda link: link.link_id)),
            alignments=tuple(self._alignments[key] for key in sorted(self._alignments)),
            incidents=tuple(incident for incident, _ in versions if incident is not None),
            changes=tuple(change for _, changes in versions for change in changes),
            refused=tuple(self.refused),
            desk_changes=self.desk.gather_changes(today=self.now.toordinal(), window_days=self.rules.window_days),
        )

    def _make_version(self, incident_id: str, touched: Touched) -> tuple[Incident | None, tuple[Change, ...]]:
        """Make an incident's next version, if anything moved."""
        dossier = self.desk.dossier(incident_id)
        if dossier is None:
            return None, ()
        members = sorted(dossier.members, key=lambda member: (member.order, member.reading_id))
        version = dossier.version + 1
        if dossier.merged_into is not None and touched.merged_into is None:
            return None, ()
        resolution = resolve_members(members, dossier.judgements)
        difference = diff_versions(
            dossier.standing,
            resolution,
            members,
            Trigger(touched.arrived, touched.departed, touched.judged),
            incident_id=incident_id,
            version=version,
            known_at=self.now,
        )
        changes = difference.changes
        standing = difference.standing
        if touched.merged_into is not None:
            # The record stays as it stood: from here on it is told under the other id.
            changes = (self._tell_merge(dossier, version, touched.merged_into, ChangeKind.MERGED),)
            standing, difference = dossier.standing, replace(difference, facts=())
        elif touched.restored_from is not None:
            changes = (self._tell_merge(dossier, version, None, ChangeKind.SPLIT), *changes)
        if not changes and dossier.version > 0:
            self.desk.put_dossier(msgspec.structs.replace(dossier, standing=standing))
            return None, ()
        self.desk.put_dossier(msgspec.structs.replace(dossier, version=version, standing=standing))
        incident = build_incident(resolution, members, incident_id=incident_id, version=version, known_at=self.now)
        return replace(incident, facts=difference.facts, merged_into=dossier.merged_into), changes

    def _tell_merge(self, dossier: Dossier, version: int, into: str | None, kind: ChangeKind) -> Change:
        former = self.touched[dossier.incident_id].restored_from
        return Change(
            change_id=make_id("chg", dossier.incident_id, version, None, "merged_into", kind),
            incident_id=dossier.incident_id,
            version=version,
            known_at=self.now,
            participant_id=None,
            field="merged_into",
            kind=kind,
            cause=ChangeCause.HUMAN,
            before_state=None if former is None else ClaimState.KNOWN,
            before=former,
            after_state=None if into is None else ClaimState.KNOWN,
            after=into,
            article_id=None,
            claim_id=None,
            quote=None,
            source_id=None,
            published_at=None,
        )


def _list_taken(placements: Sequence[Placement], former: Sequence[str]) -> set[str]:
    """List the incidents that have their reference of an article: one each, or as many as persons brought together."""
    placed, room = Counter(placement.incident_id for placement in placements), Counter(former)
    return {incident_id for incident_id, n in placed.items() if n >= max(1, room[incident_id])}


def _find_home(dossier: Dossier, article_id: str, ref: int) -> str:
    """Find which incident an article's account belongs to, if its incident is made of several by a merge."""
    former = {member.incident_ref: member.home_id for member in dossier.members if member.article_id == article_id}
    return former.get(ref) or next(iter(former.values()), dossier.incident_id)


def _name_keys(fingerprint: Fingerprint) -> list[str]:
    return [f"f:{value}" for value in key_fingerprint(fingerprint)]


def tells_incident(kind: ReadingKind, known: Set[str]) -> bool:
    """Say whether an account with these fields known is enough to found an incident on.

    A report that tells of an incident is. A follow-up or a line of a roundup has to say where or when it happened, a
    roundup both, and who was in it or what came of it: else it would found a record of a court date.
    """
    has_place, has_day = bool(known & _PLACES), "occurred_date" in known
    has_matter = bool(known & _HARM or known & {"name", "age"})
    if kind is ReadingKind.INCIDENT:
        return bool(known)
    if kind is ReadingKind.ROUNDUP:
        return has_place and has_day and has_matter
    return (has_place or has_day) and has_matter


def _cause_of_arrival(article: Article, reading: Reading, known: ArticleMemory | None) -> ChangeCause:
    """Say why a reading moves a record: what the page says of itself, else how the reading came about."""
    if known is not None and known.revision_id == article.revision_id:
        return ChangeCause.EXTRACTOR_CHANGE
    if reading.notice is Notice.CORRECTION:
        return ChangeCause.CORRECTION
    if reading.notice is Notice.RETRACTION:
        return ChangeCause.RETRACTION
    return ChangeCause.NEW_REPORT if known is None else ChangeCause.SOURCE_EDIT
