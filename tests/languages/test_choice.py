"""Which language a page speaks: the address, the menu, who came, the browser; staff pages stay English."""

from __future__ import annotations

import pytest
from django.test import Client

from support_agent.chat.visitors import SESSION_KEY
from tests.cast import Cast, make_cast
from tickets.models import Conversation
from tickets.services.conversations import conversation_create
from tickets.services.thread_links import link_make, link_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


def head(client: Client, path: str = "/privacy/", accept: str = "") -> str:
    """The page's <html …> tag."""
    answer = client.get(path, headers={"accept-language": accept} if accept else {})
    page = answer.content.decode()
    tag = page[page.index("<html") :].split(">")[0]
    assert f'lang="{answer["Content-Language"]}"' in tag
    return tag


@pytest.mark.parametrize(
    ("accept", "language", "direction"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de", "ltr"),
        ("fr-CA", "fr", "ltr"),
        ("es-MX,es", "es", "ltr"),
        ("ar-EG,ar;q=0.8", "ar", "rtl"),
        ("ja,en;q=0.5", "en", "ltr"),
        ("ja", "en", "ltr"),
        ("", "en", "ltr"),
    ],
)
def test_the_browser_s_language_and_its_direction(client: Client, accept: str, language: str, direction: str) -> None:
    tag = head(client, accept=accept)
    assert f'lang="{language}"' in tag
    assert f'dir="{direction}"' in tag


def test_the_menu_wins_over_the_browser_and_is_remembered(client: Client) -> None:
    answer = client.post("/language/", {"language": "fr", "next": "/help/?q=tent"})
    assert (answer.status_code, answer["Location"]) == (302, "/help/?q=tent")
    assert client.cookies["language"]["httponly"]
    assert 'lang="fr"' in head(client, accept="de")
    assert 'lang="es"' in head(client, "/privacy/?locale=es-ES", accept="de")  # a link into another language
    assert 'lang="fr"' in head(client, "/privacy/?locale=xx", accept="de")


@pytest.mark.parametrize("wrong", [{"language": "xx"}, {}, {"language": "de", "next": "https://evil.example/"}])
def test_the_menu_takes_only_what_it_offers(client: Client, wrong: dict[str, str]) -> None:
    answer = client.post("/language/", wrong)
    assert answer["Location"] == "/"
    assert ("language" in client.cookies) == (wrong.get("language") == "de")
    assert client.get("/language/").status_code == 405


def test_answers_say_what_they_depend_on(client: Client) -> None:
    vary = client.get("/help/")["Vary"]
    assert "Accept-Language" in vary
    assert "Cookie" in vary


@pytest.mark.parametrize("path", ["/admin/", "/admin/inbox/", "/admin/ops/", "/admin/tickets/article/", "/django-rq/"])
def test_staff_pages_stay_english(client: Client, cast: Cast, path: str) -> None:
    client.force_login(cast.admin)
    client.cookies["language"] = "ar"
    answer = client.get(path, headers={"accept-language": "de"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert answer["Content-Language"] == "en"
    assert 'dir="rtl"' not in page
    assert "Log out" in page or "Queues" in page


def test_a_conversation_begins_in_the_page_s_language_and_follows_the_menu(client: Client) -> None:
    begun = client.post("/chat/start/", headers={"accept-language": "de"}).json()["id"]
    assert Conversation.objects.get(pk=begun).locale == "de"
    client.post("/language/", {"language": "es"})
    assert Conversation.objects.get(pk=begun).locale == "es"
    client.cookies["language"] = "ar"  # chosen in another tab, meanwhile
    client.get("/")
    assert Conversation.objects.get(pk=begun).locale == "ar"


def test_the_country_of_a_locale_stays(client: Client) -> None:
    conversation, _ = conversation_create(channel="chat", locale="de-CH")
    session = client.session
    session[SESSION_KEY] = [str(conversation.pk)]
    session.save()
    client.get("/", headers={"accept-language": "de"})
    conversation.refresh_from_db()
    assert conversation.locale == "de-CH"


def test_who_signs_in_is_spoken_to_in_their_own_language(client: Client, cast: Cast) -> None:
    cast.owner.locale = "fr-FR"
    cast.owner.save()
    form = {"email": cast.owner.email, "password": "correct-horse-7"}
    client.post("/account/login/", form, headers={"accept-language": "de"})
    assert 'lang="fr"' in head(client, accept="de")
    client.post("/language/", {"language": "de"})
    assert 'lang="de"' in head(client, accept="fr")


def test_a_link_out_of_a_mail_leads_back_in_the_conversation_s_language(client: Client, cast: Cast) -> None:
    conversation, _ = conversation_create(channel="chat", customer=cast.owner, identity="code", locale="ar")
    link = link_make(conversation=conversation, email=cast.owner.email, upto_seq=0)
    assert 'dir="rtl"' in head(client, f"/chat/back/?token={link_token(link)}", accept="en")
    client.post("/chat/back/", {"token": link_token(link)}, headers={"accept-language": "en"})
    assert 'lang="ar"' in head(client, "/", accept="en")
