"""Sign-in by the company's provider: who comes in, with which roles, and which tokens are not believed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.management import call_command
from django.test import Client

from tests.cast import PASSWORD, Cast
from tests.fakes.identity_provider import CLIENT, SECRET, Provider, serving_provider
from tests.staff_sign_in.conftest import code_now, give_app
from tickets.models import AuditEntry, User

# Of its own transactions, since no connection may wait for the provider.
pytestmark = pytest.mark.django_db(transaction=True)
AGENT = {"sub": "42", "email": "agent@alderandpine.example", "email_verified": True}
NEW = {"sub": "7", "email": "nora@alderandpine.example", "email_verified": True, "given_name": "Nora"}


@pytest.fixture(scope="module")
def served() -> Iterator[Provider]:
    with serving_provider() as provider:
        yield provider


@pytest.fixture
def provider(served: Provider, settings: Any) -> Provider:
    settings.OIDC_ISSUER, settings.OIDC_NAME = served.url, "Birch Login"
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT, SECRET
    settings.OIDC_ROLE_CLAIM, settings.OIDC_ROLES = "groups", {"support": "agent", "heads": "lead", "it": "admin"}
    settings.OIDC_ALLOWED_DOMAINS = ["alderandpine.example"]
    settings.OIDC_TRUST_MFA = True
    served.issuer, served.key, served.lies, served.userinfo = served.url, Provider("").key, {}, None
    return served


def come(provider: Provider, person: dict[str, Any], browser: Client | None = None) -> tuple[Client, str]:
    """Through the provider and back: the browser, and what its next page says."""
    browser, provider.person = browser or Client(), person
    sent = browser.get("/admin/login/company/?next=/admin/inbox/")
    back = urlsplit(provider.sign_in(sent.headers["Location"]))
    answer = browser.get(f"{back.path}?{back.query}", follow=True)
    return browser, answer.content.decode()


def is_in(browser: Client) -> bool:
    return "_auth_user_id" in browser.session


def test_a_verified_address_binds_and_the_subject_counts_from_then_on(cast: Cast, provider: Provider) -> None:
    browser, _ = come(provider, {**AGENT, "groups": ["support"], "amr": ["pwd", "mfa"]})
    assert browser.session["_auth_user_id"] == str(cast.agent.pk)
    assert browser.get("/admin/inbox/").status_code == 200
    renamed = {**AGENT, "email": "agent-married@alderandpine.example", "email_verified": False, "groups": ["support"]}
    again, _ = come(provider, {**renamed, "amr": ["mfa"]})
    assert again.session["_auth_user_id"] == str(cast.agent.pk)
    thief, said = come(provider, {**AGENT, "sub": "43", "groups": ["support"]})
    assert not is_in(thief)
    assert "belongs to another identity" in said


def test_somebody_new_is_made_when_the_mapping_gives_a_role(cast: Cast, provider: Provider) -> None:
    for groups in ([], ["kitchen"]):
        browser, said = come(provider, {**NEW, "groups": groups})
        assert not is_in(browser)
        assert "There is no account for nora@alderandpine.example" in said
    browser, _ = come(provider, {**NEW, "groups": ["support"], "amr": ["mfa"]})
    nora = User.objects.get(email=NEW["email"])
    assert nora.is_staff
    assert not nora.is_superuser
    assert not nora.has_usable_password()
    assert [group.name for group in nora.groups.all()] == ["agent"]
    assert browser.get("/admin/inbox/").status_code == 200
    assert browser.get("/admin/ops/").status_code == 403


def test_roles_follow_the_claim_and_none_is_the_end(cast: Cast, provider: Provider) -> None:
    come(provider, {**NEW, "groups": "heads", "amr": ["mfa"]})  # a single value, as some send it
    nora = User.objects.get(email=NEW["email"])
    come(provider, {**NEW, "groups": ["support", "kitchen"], "amr": ["mfa"]})
    assert [group.name for group in nora.groups.all()] == ["agent"]
    browser, said = come(provider, {**NEW, "groups": ["kitchen"], "amr": ["mfa"]})
    assert not is_in(browser)
    assert "gives you no role here" in said
    assert not nora.groups.exists()
    assert AuditEntry.objects.filter(action="staff.roles", object_id=str(nora.pk)).count() == 3


def test_the_last_admin_stays_one(cast: Cast, provider: Provider) -> None:
    User.objects.filter(pk=cast.admin.pk).update(is_active=False)
    come(provider, {**NEW, "groups": ["it"], "amr": ["mfa"]})
    browser, _ = come(provider, {**NEW, "groups": ["kitchen"], "amr": ["mfa"]})
    nora = User.objects.get(email=NEW["email"])
    assert is_in(browser)
    assert [group.name for group in nora.groups.all()] == ["admin"]


@pytest.mark.parametrize(
    "lies",
    [
        {"nonce": "of-another-sign-in"},
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"exp": int(time.time()) - 3600},
    ],
)
def test_a_token_that_is_not_for_this_sign_in_is_not_believed(
    cast: Cast, provider: Provider, lies: dict[str, Any]
) -> None:
    provider.lies = lies
    browser, said = come(provider, {**AGENT, "groups": ["support"]})
    assert not is_in(browser)
    assert "cannot be trusted" in said


def test_a_token_signed_by_somebody_else_is_not_believed(cast: Cast, provider: Provider) -> None:
    provider.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    browser, said = come(provider, {**AGENT, "groups": ["support"]})
    assert not is_in(browser)
    assert "cannot be trusted" in said


def test_an_issuer_that_calls_itself_otherwise_is_not_asked(cast: Cast, provider: Provider) -> None:
    provider.issuer = "https://evil.example"
    answer = Client().get("/admin/login/company/", follow=True)
    assert "does not answer" in answer.content.decode()


def test_an_answer_without_the_browsers_state_is_refused(cast: Cast, provider: Provider) -> None:
    first, provider.person = Client(), {**AGENT, "groups": ["support"]}
    back = urlsplit(provider.sign_in(first.get("/admin/login/company/").headers["Location"]))
    victim = Client()
    assert "Begin again" in victim.get(f"{back.path}?{back.query}", follow=True).content.decode()
    assert not is_in(victim)
    first.get(f"{back.path}?{back.query}")
    assert is_in(first)
    replayed = first.get(f"{back.path}?{back.query}", follow=True)
    assert "Begin again" in replayed.content.decode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"email_verified": False}, "has not verified your e-mail"),
        ({"email_verified": "true"}, "has not verified your e-mail"),
        ({"email": "agent@elsewhere.example"}, "may not sign in here"),
    ],
)
def test_an_address_must_be_verified_and_the_companys(
    cast: Cast, provider: Provider, change: dict[str, Any], words: str
) -> None:
    browser, said = come(provider, {**AGENT, "groups": ["support"], **change})
    assert not is_in(browser)
    assert words in said


def test_claims_may_come_from_userinfo_of_the_same_person(cast: Cast, provider: Provider) -> None:
    provider.userinfo = {**AGENT, "groups": ["support"]}
    browser, _ = come(provider, {"sub": "42", "amr": ["mfa"]})
    assert is_in(browser)
    provider.userinfo = {**AGENT, "sub": "somebody-else", "groups": ["it"]}
    browser, said = come(provider, {"sub": "42"})
    assert not is_in(browser)
    assert "cannot be trusted" in said


@pytest.mark.parametrize("trusted", [True, False])
def test_the_providers_second_factor_counts_when_it_is_trusted(
    cast: Cast, provider: Provider, settings: Any, trusted: bool
) -> None:
    settings.OIDC_TRUST_MFA = trusted
    browser, _ = come(provider, {**AGENT, "groups": ["support"], "amr": ["pwd", "mfa"]})
    assert (browser.get("/admin/inbox/").status_code == 200) is trusted
    browser, said = come(provider, {**AGENT, "groups": ["support"], "amr": ["pwd"]})
    assert "Set up a second factor to go on" in said
    give_app(cast.agent)
    browser, said = come(provider, {**AGENT, "groups": ["support"], "amr": ["pwd"]})
    assert "Second step" in said
    assert not is_in(browser)
    browser.post("/admin/login/code/", {"code": code_now(cast.agent)})
    assert browser.get("/admin/inbox/").status_code == 200


def test_only_the_provider_but_for_the_glass_one_breaks(cast: Cast, provider: Provider, settings: Any) -> None:
    settings.OIDC_ONLY = True
    for person in (cast.agent, cast.admin):  # the admin is a superuser, but without a factor
        answer = Client().post("/admin/login/", {"username": person.username, "password": PASSWORD})
        assert "Passwords are switched off" in answer.content.decode()
    give_app(cast.admin)
    browser = Client()
    browser.post("/admin/login/", {"username": "admin", "password": PASSWORD})
    assert not is_in(browser)
    browser.post("/admin/login/code/", {"code": code_now(cast.admin)})
    assert browser.get("/admin/inbox/").status_code == 200
    elsewhere = Client()
    elsewhere.force_login(cast.agent)
    assert elsewhere.get("/admin/inbox/").headers["Location"].startswith("/admin/login/")


def test_without_a_provider_there_is_no_such_door(cast: Cast) -> None:
    assert Client().get("/admin/login/company/").status_code == 404
    assert "/admin/login/company/" not in Client().get("/admin/login/").content.decode()


def test_a_reset_unbinds(cast: Cast, provider: Provider) -> None:
    come(provider, {**AGENT, "groups": ["support"]})
    call_command("staff_reset_mfa", "agent")
    browser, _ = come(provider, {**AGENT, "sub": "43", "groups": ["support"], "amr": ["mfa"]})
    assert is_in(browser)
