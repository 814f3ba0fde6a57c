"""What a source must be shown before it answers: a password, a token, a key.

Belongs here: reading one from where an operator keeps it, which hosts may see it, and keeping it out of everything that
is told. Does not belong here: asking (`fetch`). A credential is never part of an address, a setting or a source's file.
"""

import base64
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from blotter.config import CREDENTIALS_ENV_PREFIX
from blotter.errors import SettingsError
from blotter.sources import Source

FindSecret = Callable[[str], str | None]  # the text of a credential by its name

HIDDEN = "***"
_FORMS = "`basic USER:PASSWORD`, `bearer TOKEN` or `header NAME: VALUE`"
_HEADER = re.compile(r"([A-Za-z0-9-]{1,80}):\s*(\S.*)")
_MIN_SECRET_CHARS = 4  # shorter ones stand in too many innocent words to be looked for
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Credential:
    """One header and the hosts (`host:port`) that may see it. Its text shows in no representation."""

    header: str
    value: str = field(repr=False)
    hosts: frozenset[str]
    secrets: tuple[str, ...] = field(repr=False)  # every form in which it could come back, longest first

    def hide(self, told: _T) -> _T:
        """Give a dataclass whose text fields do not show the credential, whatever a server made of it."""
        changed = {
            one.name: hidden
            for one in fields(told)  # type: ignore[arg-type]
            if isinstance(text := getattr(told, one.name), str) and (hidden := self._hide_text(text)) != text
        }
        return replace(told, **changed) if changed else told  # type: ignore[type-var]

    def _hide_text(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        return text


def find_in_environment(name: str, environ: Mapping[str, str] | None = None) -> str | None:
    """Look a credential up in the environment: `harbor-courier` is $BLOTTER_CREDENTIALS_HARBOR_COURIER."""
    environ = os.environ if environ is None else environ
    return environ.get(CREDENTIALS_ENV_PREFIX + re.sub(r"[^A-Z0-9]", "_", name.upper())) or None


def find_credential(source: Source, find_secret: FindSecret | None = None) -> Credential | None:
    """Give the credential that a source names; None where it names none.

    It is asked of `find_secret` first, then of the environment. Raises SettingsError where it is nowhere, or has none
    of the forms; the message never shows it.
    """
    if source.credentials is None:
        return None
    text = (find_secret(source.credentials) if find_secret else None) or find_in_environment(source.credentials)
    where = f"credentials {source.credentials!r} of source {source.id}"
    if text is None:
        raise SettingsError(where, "an Airflow connection, or a BLOTTER_CREDENTIALS_ variable, of that name")
    hosts = filter(None, [source.homepage, *(feed.url for feed in source.feeds)])
    return parse_credential(text, where=where, urls=hosts)


def parse_credential(text: str, *, where: str, urls: Iterable[str]) -> Credential:
    """Read the text of a credential, for the hosts of `urls`; raises SettingsError, which does not show it."""
    form, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    secrets = {text.strip(), rest}
    if form.lower() == "basic" and ":" in rest:
        header, packed = "Authorization", base64.b64encode(rest.encode()).decode()
        value = f"Basic {packed}"
        secrets |= {packed, rest.partition(":")[2]}
    elif form.lower() == "bearer" and rest:
        header, value = "Authorization", f"Bearer {rest}"
    elif form.lower() == "header" and (parts := _HEADER.fullmatch(rest)):
        header, value = parts[1], parts[2]
        secrets.add(value)
    else:
        raise SettingsError(where, _FORMS)
    if not value.isprintable() or not value.isascii():
        raise SettingsError(where, "printable ASCII without line ends")
    spelled = secrets | {quote(secret) for secret in secrets} | {quote(secret, safe="") for secret in secrets}
    return Credential(
        header=header,
        value=value,
        hosts=frozenset(name_host(url) for url in urls),
        secrets=tuple(sorted((one for one in spelled if len(one) >= _MIN_SECRET_CHARS), key=len, reverse=True)),
    )


def name_host(url: str) -> str:
    """Give the `host:port` of an address."""
    split: Any = urlsplit(url)
    return f"{split.hostname}:{split.port or (443 if split.scheme == 'https' else 80)}"
