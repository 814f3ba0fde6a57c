"""The error tree and the reason codes of refusals and quarantine.

Belongs here: exceptions that cross a package boundary, and every reason code that a row may carry.
Does not belong here: handling them; what a stage does with a reason is the stage's.
"""

from enum import StrEnum


class BlotterError(Exception):
    """Base of every error that blotter raises on purpose."""


class SettingsError(BlotterError):
    """A setting that cannot work: `where` names file and key, `expected` says what would."""

    def __init__(self, where: str, expected: str, got: object = None) -> None:
        self.where, self.expected, self.got = where, expected, got
        super().__init__(f"{where}: expected {expected}" + (f", got {got!r}" if got is not None else ""))


class InputRejected(BlotterError):
    """An input that cannot succeed however often it is tried: it is quarantined or refused with `reason`."""

    def __init__(self, reason: "Reason", message: str) -> None:
        self.reason, self.message = reason, message
        super().__init__(f"{reason}: {message}")


class PublishingError(BlotterError):
    """A bundle that must not be published (older than the newest, or at odds with what stands)."""


class LockHeld(PublishingError):
    """Another writer holds the warehouse; it is named where it said who it is."""


class StoreDamaged(BlotterError):
    """Stored bytes that are not what was stored: the disk or a hand changed them; the message names the file."""


class GateClosed(BlotterError):
    """A quality gate blocked the batch: nothing of it was published and its inputs stay pending.

    `blocking` names what did not hold and in which rows, alike for the same trouble; `is_news` says whether who is on
    call has not been told of it today.
    """

    def __init__(self, message: str, *, blocking: tuple[str, ...] = ()) -> None:
        self.blocking, self.is_news = blocking, True
        super().__init__(message)


class JudgementRefused(BlotterError):
    """A person's judgement that cannot be followed; the message says why, and nothing was written."""


class Reason(StrEnum):
    """Why an input was refused or quarantined. The comment says what the operator can do."""

    # refused: a decision of the other side, or of ours about the page
    ROBOTS = "robots"  # robots.txt forbids; ask the publisher
    CONSENT_WALL = "consent_wall"  # the page is a consent form
    PAYWALL = "paywall"  # the text is behind payment
    BOT_CHALLENGE = "bot_challenge"  # the page asks to prove a person
    GONE = "gone"  # 404 or 410, or a page that says so
    INDEX_PAGE = "index_page"  # a list of articles, no article
    ERASED = "erased"  # its bytes were erased for legal reasons, and are not kept again
    # quarantined: cannot be processed as it is
    UNDECODABLE = "undecodable"  # bytes are no text in any tried encoding
    MALFORMED = "malformed"  # not the format its ending promises
    EMPTY = "empty"  # nothing in it
    NO_TEXT = "no_text"  # a page without article text
    NO_DATE = "no_date"  # no publication date could be found or trusted
    IMPOSSIBLE_DATE = "impossible_date"  # a date before printing or in the future
    TOO_LARGE = "too_large"  # over a limit of bytes, count or ratio
    TOO_SLOW = "too_slow"  # over its time limit
    OUT_OF_MEMORY = "out_of_memory"  # over its memory limit
    UNSAFE_PATH = "unsafe_path"  # a link, or a name that leaves its folder
    UNSUPPORTED = "unsupported"  # an ending or a language that is not read
    BAD_SIDECAR = "bad_sidecar"  # the .meta.json beside it does not parse
    FETCH_FAILED = "fetch_failed"  # the page could not be fetched after all retries
    FAILED_CHECK = "failed_check"  # a quality check set these rows aside
    LOST = "lost"  # its bytes are gone from the raw archive, or no longer what was kept: restore them, then replay
    CRASHED = "crashed"  # an unexpected error: a defect of ours; the message has it
