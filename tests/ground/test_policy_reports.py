"""What browsers report of the content security policy: taken in both forms, counted by kind, bounded, and shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from structlog.testing import capture_logs

from support_agent.env import env
from support_agent.models import PolicyReport
from support_agent.policy import MAX_BYTES
from support_agent.runtime import policy_reports, ratelimit
from tests.cast import Cast

pytestmark = pytest.mark.django_db
OURS = "http://testserver"
OLD, NEW = "application/csp-report", "application/reports+json"
PAGES = ["/", "/help/", "/help/none/", "/privacy/", "/no/such/page", "/account/login/", "/admin/login/", "/demo/mail/",
         "/admin/", "/django-rq/", "/api/v1/docs", "/api/v1/none", "/metrics", "/message/", "/admin/ops/"]  # fmt: skip


def old(page: str = "/", **values: Any) -> dict[str, Any]:
    body = {"document-uri": OURS + page, "effective-directive": "script-src-elem", "blocked-uri": "inline"}
    return {"csp-report": body | {key.replace("_", "-"): value for key, value in values.items()}}


def new(page: str = "/", **values: Any) -> dict[str, Any]:
    body = {"documentURL": OURS + page, "effectiveDirective": "img-src", "blockedURL": "https://evil.example/p?c=1"}
    return {"type": "csp-violation", "age": 3, "user_agent": "x", "url": OURS + page, "body": body | values}


def post(client: Client, data: Any, kind: str = OLD, **extra: Any) -> int:
    body = data if isinstance(data, bytes) else json.dumps(data)
    return client.post("/csp-report/", body, content_type=kind, **extra).status_code


def kinds() -> set[tuple[str, str, str, int]]:
    return set(PolicyReport.objects.values_list("directive", "blocked", "path", "count"))


def test_both_forms_are_counted_by_kind() -> None:
    client = Client(enforce_csrf_checks=True)
    assert post(client, old("/help/?q=my+name+is+Ada#top")) == 204
    assert post(client, old("/help/?q=other")) == 204
    assert post(client, [new(), new(), {"type": "deprecation", "body": {}}], NEW) == 204
    assert kinds() == {("script-src-elem", "inline", "/help/", 2), ("img-src", "evil.example", "/", 2)}


def test_neither_ids_nor_queries_nor_samples_are_kept(client: Client) -> None:
    secret = "ada.lovelace"
    page = f"/admin/inbox/0198c2aa-0000-7000-8000-0000000000aa/{secret}7/K7F-42P/?token={secret}"
    with capture_logs() as lines:
        post(client, old(page, blocked_uri=f"https://user:{secret}@cdn.example/{secret}?{secret}", script_sample=secret,
                         referrer=f"{OURS}/?{secret}"))  # fmt: skip
        post(client, old(page, blocked_uri=f"https://cdn.example/{secret}"))
    assert kinds() == {("script-src-elem", "cdn.example", "/admin/inbox/-/-/-/", 2)}
    assert secret not in str(lines)
    assert [line["event"] for line in lines if line["event"] != "request"] == ["policy_violation"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("data:image/png;base64,AAAA", "data:"),
        ("chrome-extension://abcdef/x.js", "chrome-extension:"),
        ("eval", "eval"),
        ("data", "data:"),
        ("<b>&", "other"),
        (7, "other"),
        (None, "other"),
        ("http://[", "http:"),
        ("https://EVIL.example:8443/x", "evil.example:8443"),
        ("https://evil.example<b>/", "other"),
    ],
)
def test_what_was_blocked_in_one_word(client: Client, given: Any, kept: str) -> None:
    post(client, old(blocked_uri=given))
    assert {blocked for _, blocked, _, _ in kinds()} == {kept}


@pytest.mark.parametrize(
    "data",
    [
        b"{", b"null", b"[]", b"7", b'"x"', b"\xff\xfe", b"[" * 60_000, {"csp-report": []}, {"csp-report": {}},
        [[]], [{"type": "csp-violation"}], [{"type": "csp-violation", "body": 1}],
        old(document_uri="http://elsewhere.example/"), old(document_uri="about:blank"), old(document_uri=None),
        old(document_uri="http://testserver@elsewhere.example/"),
    ],
    ids=str,
)  # fmt: skip
def test_what_tells_nothing_of_our_pages_is_left_out(client: Client, data: Any) -> None:
    for kind in (OLD, NEW):
        assert post(client, data, kind) == 204
    assert not kinds()


def test_an_unknown_directive_is_other(client: Client) -> None:
    post(client, old(effective_directive="x" * 5000))
    post(client, old(effective_directive=None, violated_directive="img-src 'self'"))
    post(client, old(effective_directive=["script-src"]))
    assert {directive for directive, *_ in kinds()} == {"other", "img-src"}


def test_bounded_in_size_kinds_and_rate(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/csp-report/").status_code == 405
    assert post(client, old(), "application/json") == 415
    assert post(client, old(), "text/plain") == 415
    assert post(client, b" " * MAX_BYTES + b"{}") == 413
    assert not kinds()
    assert post(client, [new("/" + "a" * n) for n in range(1, 31)], NEW) == 204
    assert len(kinds()) == policy_reports.MOST_AT_ONCE
    monkeypatch.setattr(policy_reports, "MOST_KINDS", policy_reports.MOST_AT_ONCE + 1)
    for path in ("/one/", "/two/", "/three/"):
        post(client, old(path))
    assert ("script-src-elem", "other", "/", 2) in kinds()
    assert len(kinds()) == policy_reports.MOST_AT_ONCE + 2
    monkeypatch.setitem(ratelimit.RATES, "policy_report", 0)
    monkeypatch.setattr("support_agent.runtime.ratelimit.env", env.model_copy(update={"rate_limit_scale": 1.0}))
    answers = [post(client, old(), REMOTE_ADDR="198.51.100.77") for _ in range(2)]
    assert answers == [204, 429]


def test_staff_and_prometheus_see_it(client: Client, cast: Cast) -> None:
    client.force_login(cast.ops)
    assert "Refused by browsers" not in client.get("/admin/ops/").content.decode()
    post(client, old("/help/"))
    post(client, old("/"))
    shown = client.get("/admin/ops/").content.decode()
    assert "Refused by browsers" in shown
    assert "script-src-elem" in shown
    assert 'desk_policy_violations_total{directive="script-src-elem"} 2.0' in client.get("/metrics").content.decode()
    assert client.get("/admin/support_agent/policyreport/?q=inline").status_code == 200


def test_every_page_names_the_endpoint(cast: Cast, client: Client) -> None:
    for user in (None, cast.admin):
        if user:
            client.force_login(user)
        for page in PAGES:
            answer = client.get(page)
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy, page
            assert "unsafe" not in policy, page
            assert f"report-uri {settings.POLICY_REPORTS}" in policy, page
            assert "report-to csp" in policy, page
            assert answer.headers["Reporting-Endpoints"] == 'csp="/csp-report/"', page


def test_error_pages_too(client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    client.raise_request_exception = False
    bad = client.get("/", headers={"host": "elsewhere.example"})
    forged = Client(enforce_csrf_checks=True).post("/account/login/", {"email": "x"})
    client.force_login(cast.agent)
    refused = client.get("/admin/ops/")
    monkeypatch.setattr("support_agent.chat.pages.conversation_current", lambda *_: 1 / 0)
    crashed = client.get("/")
    for answer, status in ((bad, 400), (forged, 403), (refused, 403), (crashed, 500)):
        assert answer.status_code == status
        assert "report-to csp" in answer.headers["Content-Security-Policy"]
