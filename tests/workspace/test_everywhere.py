"""With a second company's workspace nothing that a customer or staff sees names the first."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core import mail
from django.template.loader import get_template
from django.test import Client, RequestFactory

from support_agent.busy import come_again, failed
from support_agent.chat.renderers.spoken import spoken
from support_agent.runtime.house import house_lines
from tests.cast import Cast
from tests.ops.made import signed_in
from tests.workspace.conftest import FJELL
from tickets import hours, jobs, policy
from tickets.languages import languages, money, speaking
from tickets.markdown import link_allowed, render
from tickets.models import Conversation, Order
from tickets.services.conversations import conversation_create
from tickets.services.messages import message_post, message_staff, message_system
from tickets.services.returns import return_create
from tickets.services.transcripts import mail_transcript, transcript_file
from tickets.workspace import DEFAULT, UNKNOWN, Workspace, as_if

pytestmark = pytest.mark.django_db
FIRST = re.compile(r"alder|trailmate|cascade post|portland, oregon|#1f5240", re.IGNORECASE)
PAGES = ("/", "/help/", "/help/category/technical/", "/help/no-such-page/", "/privacy/", "/message/", "/account/login/")
STAFF = ("/admin/", "/admin/inbox/", "/admin/ops/", "/admin/report/", "/admin/tickets/order/", "/admin/login/")


def page_of(client: Client, path: str, **headers: str) -> str:
    return client.get(path, headers=headers).content.decode()


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "ar"])
def test_no_page_of_customers_names_another_company(language: str, client: Client, fjell: Workspace) -> None:
    for path in (*PAGES, "/widget/", "/widget/?quiet=1", f"/widget/?locale={language}", "/widget.js"):
        text = page_of(client, path, **{"accept-language": language})
        assert not FIRST.search(text), (path, FIRST.search(text))
        assert "Fjell Cycles" in text, path


def test_a_page_has_the_company_s_address_colours_terms_and_hours(client: Client, fjell: Workspace) -> None:
    text = page_of(client, "/")
    assert "Monday, 9:00–12:00, 13:00–17:00; Tuesday to Thursday, 9:00–17:00; Friday, 9:00–15:00 Oslo time" in text
    home = page_of(client, "/help/")
    for words in ("Fjell Cycles AS, Bergen, Norway", "mailto:hei@fjell.example", "https://fjell.example/terms"):
        assert words in home
    assert 'content="Fjell Cycles"' in home
    sheet = re.search(r'href="(/workspace\.css\?v=\w+)"', home)
    assert sheet
    answer = client.get(sheet[1])
    assert "--accent:light-dark(#0057b8," in answer.content.decode()
    assert "immutable" in answer["Cache-Control"]
    assert client.get("/workspace.css?v=old")["Cache-Control"] == "no-cache"
    assert home.index("tokens.css") < home.index(sheet[1])
    assert "light-dark(#0057b8, #" in page_of(client, "/widget.js")
    assert "personvern@fjell.example" in page_of(client, "/privacy/")


def test_our_own_look_needs_no_sheet(client: Client, demo: Workspace) -> None:
    assert "workspace.css" not in page_of(client, "/help/")
    assert "#1f5240" in page_of(client, "/widget.js")


@pytest.mark.parametrize("path", STAFF)
def test_no_page_of_staff_names_another_company(path: str, client: Client, cast: Cast, fjell: Workspace) -> None:
    cast.team.email = ""
    client = client if "login" in path else signed_in(client, cast, "admin")
    text = page_of(client, path).replace("@alderandpine.example", "")  # the cast's own addresses
    assert not FIRST.search(text), (path, FIRST.search(text))
    assert "Fjell Cycles" in text


def test_pages_of_errors_name_it_without_the_database(fjell: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    request = RequestFactory().get("/")
    for answer in (failed(request), come_again(request, OSError())):
        assert "Fjell Cycles" in answer.content.decode()
        assert not FIRST.search(answer.content.decode())
    with as_if(UNKNOWN):
        text = get_template("500.html").render()
    assert not FIRST.search(text)
    assert "mailto:" not in text


def conversation_of(cast: Cast) -> Conversation:
    found, _ = conversation_create(channel="chat", customer=cast.owner, identity="session")
    message_post(conversation=found, client_message_id=uuid4(), text="Hello")
    message_system(conversation=found, text="A person has it now.")
    message_staff(conversation=found, staff=cast.agent, text="I am here.")
    found.refresh_from_db()
    return found


@pytest.mark.parametrize("language", ["en", "de", "ar"])
def test_mails_and_transcripts_are_the_company_s(language: str, cast: Cast, fjell: Workspace) -> None:
    conversation = conversation_of(cast)
    Conversation.objects.filter(pk=conversation.pk).update(locale=language)
    mail_transcript(str(conversation.pk), conversation.last_seq)
    with speaking(language):
        texts = [transcript_file(conversation)]
    texts += [f"{sent.subject}\n{sent.body}" for sent in mail.outbox]
    assert len(texts) == 2
    for text in texts:
        assert not FIRST.search(text), text
        assert "Fjell Cycles" in text
        assert "Oslo" in text
    assert str(mail.outbox[0].body).endswith("\n\nFjell Cycles\nhei@fjell.example\n")


def test_what_is_read_aloud_names_it(fjell: Workspace) -> None:
    event = {"type": "message", "message": {"role": "system", "author": "", "html": "<p>Hello</p>"}}
    assert spoken(event) == ["Fjell Cycles: Hello"]


def test_a_label_has_its_address_and_carrier(client: Client, cast: Cast, fjell: Workspace) -> None:
    parcel = return_create(customer_id=cast.owner.pk, order_number="AP-100001", skus=["TNT-2P-GRN"], reason="too large")
    client.force_login(cast.owner_user)
    text = page_of(client, f"/returns/{parcel.number}/label/")
    assert "Bryggen 1" in text
    assert "Posten" in text
    assert not re.search("alder|cascade post|tland, oregon", text, re.IGNORECASE)


def test_links_lead_to_its_website_and_no_longer_to_another_s(fjell: Workspace) -> None:
    assert link_allowed("https://fjell.example/x")
    assert link_allowed("https://www.fjell.example/x")
    assert link_allowed("mailto:hei@fjell.example")
    assert not link_allowed("mailto:other@fjell-mail.example")
    assert not link_allowed("https://alderandpine.example/x")
    assert "href" in render("[a](https://fjell.example/)")


def test_the_rules_use_its_figures(fjell: Workspace) -> None:
    house = Workspace(policy=policy.Policy(return_days=14, refund_limit=Decimal("20.00"), return_fee=Decimal("1.50")))
    delivered = datetime(2026, 11, 1, tzinfo=UTC)
    with as_if(house):
        assert policy.return_until(delivered) == (delivered + timedelta(days=14)).date()
        assert policy.return_fee("basic") == Decimal("1.50")
        assert policy.needs_approval(Decimal("21"), of_order=Decimal(0), of_customer=Decimal(0))
    assert not policy.needs_approval(Decimal("21"), of_order=Decimal(0), of_customer=Decimal(0))


def test_money_without_a_currency_is_in_its_own(fjell: Workspace) -> None:
    assert money("1200") == "NOK\u00a01,200.00"
    assert money("1200", "USD") == "$1,200.00"
    assert Order().currency == "NOK"


def test_only_the_languages_it_offers_are_spoken(client: Client) -> None:
    with as_if(Workspace(languages=("en", "de"))):
        assert [code for code, _ in languages()] == ["en", "de"]
        assert 'lang="en"' in page_of(client, "/", **{"accept-language": "fr"})
        assert 'lang="de"' in page_of(client, "/", **{"accept-language": "de"})
        assert '"fr":' not in page_of(client, "/widget.js")


def test_its_own_privacy_text_takes_the_place_of_ours(client: Client) -> None:
    text = "# Ours\n\n<script>x</script> [a](https://evil.example)"
    with as_if(Workspace(privacy_text=text)):
        shown = page_of(client, "/privacy/")
    assert "What we keep" not in shown
    assert "<script>x" not in shown
    assert "evil.example" not in shown
    with as_if(Workspace(privacy_url="https://fjell.example/privacy")):
        assert 'href="https://fjell.example/privacy"' in page_of(client, "/")


def test_hours_in_words(fjell: Workspace) -> None:
    christmas = datetime(2026, 12, 23, 18, tzinfo=UTC)
    assert hours.when(christmas) == "when we open Monday 9:00 (Oslo time)"
    with as_if(Workspace(time_zone="Europe/Oslo", week=(((0, 1440),), *((),) * 6))):
        assert hours.words() == "Monday, all day Oslo time"
        later = hours.when(datetime(2026, 11, 24, 12, tzinfo=UTC))
        assert later == "when we open Monday 0:00 (Oslo time)"


def test_the_demo_adds_nothing_to_the_prompt_and_others_their_voice() -> None:
    assert house_lines(DEFAULT) == ""
    lines = house_lines(FJELL)
    assert '"Fjell Cycles"' in lines
    assert "formal form of address" in lines
    assert '"Say bicycle, never bike."' in lines
    assert "none of which they change" in lines


def test_jobs_sign_with_it(cast: Cast, fjell: Workspace) -> None:
    assert not hasattr(jobs, "SIGNATURE")
    assert fjell.signature == "\n\nFjell Cycles\nhei@fjell.example\n"
