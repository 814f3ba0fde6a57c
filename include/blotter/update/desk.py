"""What the core must be able to look up about what is known.

Belongs here: the protocol, and the working copy that a batch writes on. Does not belong here: an implementation over a
database (`blotter.store.desk`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from blotter.link.memory import (
    ArticleMemory,
    DeskChanges,
    Dossier,
    IndexEntry,
    Profile,
    TextMemory,
)

Target = tuple[str, int]  # id and day

MAX_TARGETS = 16


class Desk(Protocol):
    """The open incidents and their index, as the last published batch left them.

    Every look-up is by key, so that its cost depends on what lies near in time, not on history.
    """

    def last_seq(self) -> int:
        """Number of the last batch that was learnt; 0 before the first."""

    def find_targets(self, keys: Sequence[str], first_day: int, last_day: int) -> Mapping[str, Sequence[Target]]:
        """Targets of index entries by key, between two days (ordinals, both included).

        By key at most `MAX_TARGETS` entries, in the order of `sort_latest`.
        """

    def load_profiles(self, incident_ids: Iterable[str]) -> Mapping[str, Profile]:
        """Profiles by incident; those not known are left out."""

    def load_dossiers(self, incident_ids: Iterable[str]) -> Mapping[str, Dossier]:
        """Dossiers by incident; those not known are left out."""

    def load_articles(self, article_ids: Iterable[str]) -> Mapping[str, ArticleMemory]:
        """Memories of articles by id; those not known are left out."""

    def load_texts(self, revision_ids: Iterable[str]) -> Mapping[str, TextMemory]:
        """Fingerprints by revision; those not known, or forgotten, are left out."""

    def count_terms(self, terms: Iterable[str]) -> Mapping[str, int]:
        """In how many texts each term stood; those of none are left out."""

    def n_texts(self) -> int:
        """How many texts were counted."""

    def find_labels(self, labels: Iterable[str]) -> Mapping[str, str]:
        """Incidents of the labels of given links; those not known are left out."""


class WorkingDesk:
    """The desk as a batch in progress sees it: what it wrote itself first, then what was published.

    Nothing is written through; `gather_changes` gives what the desk must learn.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._profiles: dict[str, Profile | None] = {}
        self._dossiers: dict[str, Dossier | None] = {}
        self._articles: dict[str, ArticleMemory] = {}
        self._texts: dict[str, TextMemory] = {}
        # What was looked up ahead for the articles that come next; None: it is not known.
        self._known_articles: dict[str, ArticleMemory | None] = {}
        self._known_texts: dict[str, TextMemory | None] = {}
        self._known_targets: dict[tuple[int, int], dict[str, Sequence[Target]]] = {}
        self._entries: dict[str, set[Target]] = {}
        self._labels: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._written: dict[str, set[str]] = {"profiles": set(), "dossiers": set(), "counts": set()}
        self._n_texts: int | None = None

    def look_ahead(
        self,
        *,
        article_ids: Iterable[str],
        incident_ids: Iterable[str],
        terms: Iterable[str],
        keys: Mapping[tuple[int, int], Sequence[str]],
    ) -> None:
        """Look up at once what the articles that come next will ask for one by one; `keys` by first and last day.

        What was looked up for those before is forgotten, so that memory does not grow with the batch.
        """
        self._profiles = {one: self._profiles[one] for one in self._written["profiles"]}
        self._dossiers = {one: self._dossiers[one] for one in self._written["dossiers"]}
        wanted = list(article_ids)
        found = self._desk.load_articles(wanted)
        self._known_articles = {one: found.get(one) for one in wanted}
        missing = [one for one in incident_ids if one not in self._dossiers]
        dossiers = self._desk.load_dossiers(missing)
        self._dossiers |= {one: dossiers.get(one) for one in missing}
        self.count_terms(terms)
        self._known_targets = {}
        for (first_day, last_day), of_days in keys.items():
            targets = self._desk.find_targets(of_days, first_day, last_day)
            self._known_targets[first_day, last_day] = {key: targets.get(key, ()) for key in of_days}
        revision_ids = list({one for by_key in self._known_targets.values() for ts in by_key.values() for one, _ in ts})
        texts = self._desk.load_texts(revision_ids)
        self._known_texts = {one: texts.get(one) for one in revision_ids}

    def find_targets(self, keys: Sequence[str], first_day: int, last_day: int) -> dict[str, list[str]]:
        """Targets by key, each once, the latest first."""
        ahead = self._known_targets.get((first_day, last_day), {})
        unasked = [key for key in keys if key not in ahead]
        published = self._desk.find_targets(unasked, first_day, last_day) if unasked else {}
        if len(unasked) < len(keys):
            published = {**ahead, **published}
        found: dict[str, list[str]] = {}
        for key in keys:
            mine = {one for one in self._entries.get(key, ()) if first_day <= one[1] <= last_day}
            latest = published.get(key, ())
            if mine:
                latest = sort_latest(mine.union(latest))[:MAX_TARGETS]
            if latest:
                found[key] = list(dict(latest))
        return found

    def profiles(self, incident_ids: Iterable[str]) -> dict[str, Profile]:
        """Profiles by incident."""
        wanted = list(dict.fromkeys(incident_ids))
        missing = [one for one in wanted if one not in self._profiles]
        if missing:
            loaded = self._desk.load_profiles(missing)
            self._profiles |= {one: loaded.get(one) for one in missing}
        return {one: profile for one in wanted if (profile := self._profiles[one]) is not None}

    def dossier(self, incident_id: str) -> Dossier | None:
        """The dossier of an incident; None where there is none."""
        if incident_id not in self._dossiers:
            self._dossiers[incident_id] = self._desk.load_dossiers([incident_id]).get(incident_id)
        return self._dossiers[incident_id]

    def article(self, article_id: str) -> ArticleMemory | None:
        """What is remembered of an article."""
        if article_id in self._articles:
            return self._articles[article_id]
        if article_id in self._known_articles:
            return self._known_articles[article_id]
        return self._desk.load_articles([article_id]).get(article_id)

    def texts(self, revision_ids: Iterable[str]) -> list[TextMemory]:
        """Fingerprints of texts, in the order asked for."""
        wanted = list(dict.fromkeys(revision_ids))
        missing = [one for one in wanted if one not in self._texts and one not in self._known_texts]
        loaded = self._desk.load_texts(missing) if missing else {}
        found = (self._texts.get(one) or self._known_texts.get(one) or loaded.get(one) for one in wanted)
        return [text for text in found if text is not None]

    def count_terms(self, terms: Iterable[str]) -> Mapping[str, int]:
        """In how many texts each term stood."""
        wanted = list(terms)
        missing = [term for term in wanted if term not in self._counts]
        if missing:
            loaded = self._desk.count_terms(missing)
            self._counts |= {term: loaded.get(term, 0) for term in missing}
        return {term: self._counts[term] for term in wanted}

    def n_texts(self) -> int:
        """How many texts were counted."""
        if self._n_texts is None:
            self._n_texts = self._desk.n_texts()
        return self._n_texts

    def label(self, label: str) -> str | None:
        """The incident of a given link's label."""
        if label not in self._labels:
            found = self._desk.find_labels([label]).get(label)
            if found is None:
                return None
            self._labels[label] = found
        return self._labels[label]

    def put_profile(self, profile: Profile) -> None:
        """Write a profile."""
        self._profiles[profile.incident_id] = profile
        self._written["profiles"].add(profile.incident_id)

    def put_dossier(self, dossier: Dossier) -> None:
        """Write a dossier."""
        self._dossiers[dossier.incident_id] = dossier
        self._written["dossiers"].add(dossier.incident_id)

    def put_article(self, memory: ArticleMemory) -> None:
        """Write what is remembered of an article."""
        self._articles[memory.article_id] = memory

    def put_text(self, text: TextMemory, keys: Iterable[str]) -> None:
        """Write a fingerprint and the keys under which it is found."""
        self._texts[text.revision_id] = text
        self.put_entries(keys, text.published_day, text.revision_id)

    def put_entries(self, keys: Iterable[str], day: int, target_id: str) -> None:
        """Write index entries of one target on one day."""
        for key in keys:
            self._entries.setdefault(key, set()).add((target_id, day))

    def put_label(self, label: str, incident_id: str) -> None:
        """Write the incident of a given link's label."""
        self._labels[label] = incident_id

    def learn_terms(self, terms: Iterable[str]) -> None:
        """Count one more text with these terms."""
        listed = list(terms)
        self.count_terms(listed)
        for term in listed:
            self._counts[term] += 1
        self._written["counts"].update(listed)
        self._n_texts = self.n_texts() + 1

    def gather_changes(self, *, today: int, window_days: int) -> DeskChanges:
        """Give everything that was written, in an order that depends on nothing but itself."""
        return DeskChanges(
            seq=self._desk.last_seq() + 1,
            today=today,
            window_days=window_days,
            dossiers=tuple(d for one in sorted(self._written["dossiers"]) if (d := self._dossiers[one]) is not None),
            profiles=tuple(p for one in sorted(self._written["profiles"]) if (p := self._profiles[one]) is not None),
            articles=tuple(self._articles[one] for one in sorted(self._articles)),
            texts=tuple(self._texts[one] for one in sorted(self._texts)),
            entries=tuple(
                IndexEntry(key, day, target)
                for key, targets in sorted(self._entries.items())
                for target, day in sorted(targets)
            ),
            labels=dict(sorted(self._labels.items())),
            term_counts={term: self._counts[term] for term in sorted(self._written["counts"])},
            n_texts=self.n_texts(),
        )


def sort_latest(targets: Iterable[Target]) -> list[Target]:
    """Sort targets by day and id, the latest first."""
    return sorted(targets, key=lambda target: (target[1], target[0]), reverse=True)
