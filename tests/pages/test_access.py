"""Nothing of the pages answers without a login; nothing acts without permission, or on a form of someone else's."""

import re

import pytest
from starlette.routing import Mount

from blotter_airflow.pages.access import sign_form
from blotter_airflow.pages.app import make_app

PAGES = ("/", "/incidents.json", "/sources", "/quarantine", "/review", "/static/pages.css", "/static/pages.js")


def list_routes() -> list[tuple[str, str]]:
    """Every method and path that the application answers, with something in the place of parameters."""
    return [(method, re.sub(r"\{(\w+)\}", "x", route.path)) for route in make_app().routes for method in route.methods]


def list_forms(page: str) -> list[dict[str, str]]:
    """The hidden fields of each form of a page that sends something."""
    forms = re.findall(r'<form[^>]*method="post"[^>]*>.*?</form>', page, re.DOTALL)
    return [dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)) for form in forms]


def test_the_application_is_routes_and_nothing_else() -> None:
    assert len(list_routes()) >= 11
    assert not [route for route in make_app().routes if isinstance(route, Mount)]
    assert not {path for _, path in list_routes()} & {"/docs", "/redoc", "/openapi.json"}


@pytest.mark.parametrize(("method", "path"), list_routes())
def test_every_route_refuses_the_anonymous(site, method: str, path: str) -> None:
    answer = site.nobody.ask(method, path, data={"token": "x", "action": "link"} if method == "POST" else None)
    assert answer.status_code == 401
    assert "incident" not in answer.text.lower()
    forged = site.nobody.ask(method, path, headers={"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."})
    assert forged.status_code in (401, 403)


def test_airflow_mounts_the_pages_and_names_them_in_its_navigation(site) -> None:
    assert [route.path for route in site.app.routes if route.path.startswith("/blotter")] == ["/blotter"]
    from airflow import plugins_manager

    views = {view["name"]: view for view in plugins_manager.get_plugin_info() for view in view["external_views"]}
    assert set(views) == {"Incidents", "Sources", "Quarantine", "Review"}
    for view in views.values():
        assert site.vera.get(view["href"].removeprefix("/blotter")).status_code == 200


def test_a_viewer_sees_every_page_and_no_form_that_acts(site) -> None:
    for path in PAGES:
        assert site.vera.get(path).status_code == 200, path
    found = re.findall(r'href="/blotter(/(?:incidents|quarantine)/[^"?]+)"', site.vera.get("/").text)
    found += re.findall(r'href="/blotter(/quarantine/[^"?]+)"', site.vera.get("/quarantine").text)
    assert len(found) >= 4
    for path in (*found, "/review"):
        page = site.vera.get(path)
        assert page.status_code == 200
        assert list_forms(page.text) == []


def test_a_viewer_is_refused_to_act(site) -> None:
    token = list_forms(site.olga.get("/review").text)[0]["token"]
    for path in ("/judge", "/quarantine/x/replay"):
        assert site.vera.post(path, data={"token": token, "action": "unlink"}).status_code == 403


def test_a_form_of_another_user_or_site_or_of_nobody_is_refused(site) -> None:
    class Vera:
        def get_id(self) -> str:
            return "vera"

    own = list_forms(site.olga.get("/review").text)[0]
    of_another = {**own, "token": sign_form(Vera()), "action": "unlink", "reason": "x"}
    changed = {**own, "token": own["token"][:-2] + "AA", "action": "unlink", "reason": "x"}
    without = {name: value for name, value in own.items() if name != "token"} | {"action": "unlink"}
    assert site.olga.post("/judge", data=of_another).status_code == 403
    assert site.olga.post("/judge", data=changed).status_code == 403
    assert site.olga.post("/judge", data=without).status_code == 422
    good = {**own, "action": "unlink", "reason": "x"}
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
    ):
        assert site.olga.post("/judge", data=good, headers=headers).status_code == 403
    assert "Waiting for the next build" not in site.olga.get("/review").text


def test_every_answer_forbids_what_the_pages_do_not_need(site) -> None:
    for browser, path in (
        (site.vera, "/"),
        (site.vera, "/static/pages.js"),
        (site.nobody, "/"),
        (site.vera, "/incidents/x"),
    ):
        headers = browser.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
    page = site.vera.get("/").text
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|style=", page)  # nothing that the policy would have to allow
