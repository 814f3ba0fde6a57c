"""Who may see the pages and who may act on them, and that a form was sent from one of our own.

Belongs here: asking Airflow's own login and permissions, and the token of a form. Does not belong here: users, roles or
passwords; those are Airflow's. Reading needs GET on assets, acting needs POST on them, which for Airflow's simple auth
manager are the roles `viewer` and `op`, and for FAB the permissions "can read" and "can create" on Assets.
"""

from typing import Any
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_asset
from airflow.configuration import conf
from fastapi import HTTPException, Request
from itsdangerous import BadSignature, URLSafeTimedSerializer

__all__ = ["GetUserDep", "check_form", "may_act", "requires_actor", "requires_reader", "sign_form"]

_FORM_AGE_S = 12 * 3600

requires_reader = requires_access_asset(method="GET")
requires_actor = requires_access_asset(method="POST")


def may_act(user: Any) -> bool:
    """Say whether a user may change anything, so that a page offers only what it will do."""
    return bool(get_auth_manager().is_authorized_asset(method="POST", user=user))


def sign_form(user: Any) -> str:
    """Make the token that a form of this user carries."""
    return _signer().dumps(str(user.get_id()))


def check_form(request: Request, user: Any, token: str) -> None:
    """Refuse a form that did not come from a page of ours, made for this user, today; raises HTTPException 403.

    A browser also tells from where a form was sent, in a header that no page can forge: another site is refused first.
    """
    came_from = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if came_from not in (None, "same-origin", "none"):
        raise HTTPException(403, "This form was sent from another site.")
    if came_from is None and origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise HTTPException(403, "This form was sent from another site.")
    try:
        made_for = _signer().loads(token, max_age=_FORM_AGE_S)
    except BadSignature:
        made_for = None
    if made_for != str(user.get_id()):
        raise HTTPException(403, "This form is too old, or was made for someone else. Open the page again and repeat.")


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(conf.get_mandatory_value("api", "secret_key"), salt="blotter-pages")
