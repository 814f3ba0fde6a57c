"""Telling who asked to be told when a record changes: rules, wording, delivery.

Belongs here: everything between a published change and the message that tells it. Does not belong here: what a change
is (`blotter.track`), and keeping alerts until they are sent (`blotter.store.outbox`).
"""

from blotter.alert.match import match_changes

__all__ = ["match_changes"]
