"""The secrets of alert channels: from the environment, else from Airflow Connections (and so from a secrets backend).

Belongs here: looking a channel's secret up by the name that the file of rules gives. Does not belong here: credentials
of sources (`blotter_airflow.credentials`). Used inside tasks and callbacks; nothing is read while a DAG file is parsed.
"""

import logging
import os
from collections.abc import Iterator, Mapping

log = logging.getLogger(__name__)


class ChannelSecrets(Mapping[str, str]):
    """Secrets by the name of their environment variable; one that is not set is looked up as a connection.

    `SLACK_URL` is the connection `slack_url`: of the Apprise provider's kind its configured address, of any other its
    password, or, without one, the connection as a URI.
    """

    def __getitem__(self, name: str) -> str:
        if os.environ.get(name):
            return os.environ[name]
        found = _read_connection(name.lower())
        if not found:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)


def _read_connection(name: str) -> str | None:
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        connection = Connection.get(name)
    except AirflowNotFoundException:
        return None
    except Exception:  # no Airflow to ask: a callback outside a task
        log.exception("the connection %s cannot be read", name)
        return None
    if connection.conn_type == "apprise":
        config = connection.extra_dejson.get("config") or {}
        listed = config if isinstance(config, list) else [config]
        return next((one["path"] for one in listed if isinstance(one, dict) and one.get("path")), None)
    return connection.password or connection.get_uri() or None
