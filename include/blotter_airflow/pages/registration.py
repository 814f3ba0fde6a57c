"""What Airflow's plugin manager is told of the pages.

Belongs here: names, addresses and places in the navigation. Plugins are loaded by every part of Airflow, so the
application is only made where it is asked for: in the API server.
"""

from typing import Any

URL_PREFIX = "/blotter"


class _LateApp:
    """The application, made when the API server first calls it; schedulers and workers never do."""

    def __init__(self) -> None:
        self._app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._app is None:
            from blotter_airflow.pages.app import make_app

            self._app = make_app()
        await self._app(scope, receive, send)


FASTAPI_APPS: list[dict[str, Any]] = [{"app": _LateApp(), "url_prefix": URL_PREFIX, "name": "blotter pages"}]

_VIEWS = (
    ("Incidents", "/", "blotter-incidents"),
    ("Sources", "/sources", "blotter-sources"),
    ("Quarantine", "/quarantine", "blotter-quarantine"),
    ("Review", "/review", "blotter-review"),
)
EXTERNAL_VIEWS: list[dict[str, Any]] = [
    {
        "name": name,
        "href": URL_PREFIX + path,
        "destination": "nav",
        "url_route": route,
        "category": "blotter",
        "nav_top_level": name == "Incidents",
    }
    for name, path, route in _VIEWS
]
