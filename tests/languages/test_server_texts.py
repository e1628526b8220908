"""What we say in a conversation is said in its language, whoever causes it: a socket, a turn, staff, a job."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.utils.translation import gettext

from support_agent.agent.toolkit import ToolContext
from support_agent.chat import commands, frames
from support_agent.chat.renderers.html import HtmlRenderer
from support_agent.llm.demo.brain import respond
from support_agent.runtime import submit
from support_agent.runtime.history import notice_for
from support_agent.tools import ALL
from tests.cast import Cast, make_cast
from tests.fakes.replies import plans, says
from tests.runtime.conftest import Rig
from tests.runtime.conftest import rig as rig
from tickets import jobs
from tickets.db import in_db
from tickets.errors import Conflict, NotFound, TooLong
from tickets.ids import new_id
from tickets.languages import languages, money, speaking
from tickets.models import Action, Conversation, Promise
from tickets.policy import can_cancel
from tickets.services.actions import action_approve, action_decide, token_of
from tickets.services.conversations import conversation_create
from tickets.services.identity import verification_start
from tickets.services.messages import message_post
from tickets.services.transcripts import mail_transcript

PLAN = {
    "goal": "a person",
    "topic": "person",
    "subject": "orders",
    "in_scope": True,
    "complexity": "simple",
    "confidence": 0.9,
    "steps": [{"type": "answer", "priority": "required", "description": "answer"}],
    "is_complete": False,
}


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


def begin(locale: str, cast: Cast | None = None) -> Conversation:
    customer = cast.owner if cast else None
    return conversation_create(
        channel="chat", customer=customer, identity="session" if customer else "", locale=locale
    )[0]


async def test_tasks_of_one_loop_keep_their_languages_apart() -> None:
    async def says_it(code: str) -> str:
        with speaking(code):
            await asyncio.sleep(0)
            here = gettext("Where is my order?")
            await asyncio.sleep(0)
            assert await in_db(gettext, "Where is my order?") == here
            return here

    said = await asyncio.gather(*(says_it(code) for code, _ in languages() for _ in range(20)))
    assert len(set(said)) == 5
    assert gettext("Where is my order?") == "Where is my order?"


@pytest.mark.parametrize(
    ("locale", "words", "ours"),
    [
        ("de-DE", "Ich möchte mit einem Menschen sprechen", "an unser Team weitergegeben"),
        ("ar", "أريد التحدث مع موظف", "أحلت محادثتك إلى فريقنا"),
    ],
)
async def test_a_turn_hands_over_in_its_conversation_s_language(rig: Rig, locale: str, words: str, ours: str) -> None:
    conversation = await in_db(begin, locale)
    rig.model.add(plans(PLAN), says("…?"))
    await rig.ask(conversation, words)
    assert ours in (await rig.answer(conversation))["text"]
    (promise,) = [e["promise"]["text"] for e in await rig.events(conversation) if e["type"] == "promise"]
    with speaking(locale):
        assert promise == gettext("A person from our team answers you here.")
    asked = rig.model.asked[-1]
    assert f"language: {'German' if locale == 'de-DE' else 'Arabic'}" in str(asked["messages"][-1]), "of this turn"
    assert "German" not in str(asked["system"]), "the cached prefix is everybody's"


def context_of(conversation: Conversation) -> ToolContext:
    return ToolContext(
        conversation_id=conversation.pk,
        turn_id=new_id(),
        customer_id=conversation.customer_id,
        locale=conversation.locale,
        idempotency_key=str(new_id()),
    )


def propose(conversation: Conversation, name: str, **arguments: Any) -> Action:
    tool = ALL[name]
    with speaking(conversation.locale):  # as the runner's turn
        tool.run(context_of(conversation), tool.arguments.model_validate(arguments))
    return Action.objects.get(conversation=conversation)


def test_an_action_from_proposal_to_staff_s_approval(cast: Cast) -> None:
    conversation = begin("de", cast)
    action = propose(conversation, "request_refund", order_number="AP-100001", amount="150.00", reason="zu groß")
    assert action.summary == "150,00\u00a0$ von Bestellung AP-100001 erstatten (vorher genehmigt es ein Mensch)"
    with speaking("de"):
        action_decide(conversation=conversation, action_id=action.pk, token=token_of(action), approve=True)
    promise = Promise.objects.get(conversation=conversation, about=f"action:{action.pk}")
    assert promise.text.startswith("Ein Kollege entscheidet darüber: 150,00")
    done = action_approve(action_id=action.pk, staff=cast.lead, approve=True)  # on a staff page, in English
    assert done.receipt["message"] == "150,00\u00a0$ gehen an die ursprüngliche Zahlungsart zurück."


def test_a_no_of_the_shop_s_rules(cast: Cast) -> None:
    with speaking("fr"):
        assert can_cancel("packed").message.startswith("Cette commande est déjà préparée")
    assert can_cancel("packed").message.startswith("This order is already packed")


def test_what_a_socket_is_refused(cast: Cast) -> None:
    conversation, token = conversation_create(channel="chat", locale="es-MX", with_token=True)
    scope = {"headers": [(b"authorization", f"Bearer {token}".encode())], "client": ("127.0.0.1", 1)}

    def refusal(**frame: Any) -> str:
        with pytest.raises((Conflict, NotFound, TooLong, commands.BadValue)) as raised:
            commands.perform(scope, conversation.pk, frames._adapter.validate_python(frame))
        return str(raised.value.message)

    assert refusal(type="contact", email="no").startswith("Escriba una dirección de correo")
    assert refusal(type="message", client_message_id=uuid4(), text="x" * 5001) == (
        "Ese mensaje tiene más de 5.000 caracteres. Envíelo en partes."
    )
    verification_start(conversation=conversation, email="a@example.com")
    assert refusal(type="verify", code="000000") == "Ese código no es correcto. Le quedan 2 intentos."


def test_asking_for_a_person_and_a_hidden_secret(cast: Cast) -> None:
    conversation = begin("ar")
    submit.request_human(conversation=conversation)
    message_post(conversation=conversation, client_message_id=uuid4(), text="4242 4242 4242 4242")
    said = list(conversation.messages.filter(role="system").order_by("seq").values_list("text", flat=True))
    assert said[0].startswith("طلبت التحدث إلى شخص")
    assert said[1].startswith("أخفينا رقم بطاقة")


def test_mails_are_in_the_conversation_s_language(cast: Cast) -> None:
    conversation = begin("de", cast)
    other = begin("fr")
    verification = verification_start(conversation=other, email=cast.owner.email)
    jobs.mail_verification_code(str(verification.pk))
    message_post(conversation=conversation, client_message_id=uuid4(), text="Hallo")
    conversation.refresh_from_db()
    mail_transcript(str(conversation.pk), conversation.last_seq)
    code, transcript = mail.outbox
    assert code.subject == "Votre code de vérification Alder & Pine"
    assert "Bonjour Olivia Owner" in str(code.body)
    assert transcript.subject == f"Ihr Gespräch {conversation.reference} mit Alder & Pine"
    assert "Sie (" in str(transcript.body)
    assert "Uhr, pazifische Zeit" in str(transcript.body)


def test_an_event_rendered_for_one_language_is_not_shown_in_another() -> None:
    event = {"type": "status", "seq": 7, "status": "human", "staff": "Ada"}
    renderer = HtmlRenderer(new_id())
    renderer.language = "de"
    german = renderer.event(event)
    renderer.language = "en"
    english = renderer.event(event)
    assert "Ada ist jetzt im Gespräch" in german
    assert "Ada joined the conversation" in english


@pytest.mark.parametrize(
    ("code", "written"),
    [("en", "$1,234.50"), ("de", "1.234,50\u00a0$"), ("fr", "1\u202f234,50\u00a0$"), ("ar", "1,234.50\u00a0US$")],
)
def test_money(code: str, written: str) -> None:
    with speaking(code):
        assert money("1234.5", "USD") == written


def test_the_demo_model_says_what_it_speaks(cast: Cast) -> None:
    conversation = begin("fr")
    notice = notice_for(conversation)
    assert "language: French (fr)" in notice
    sentence = next(line for line in notice.splitlines() if line.startswith("demo model says: "))[17:]
    assert sentence.startswith("Le modèle de démonstration intégré ne comprend et n’écrit que l’anglais")
    assert "demo model says" not in notice_for(begin("en"))

    def answer(*said: str) -> str:
        messages: list[dict[str, Any]] = []
        for number, text in enumerate(said):
            messages.append({"role": "user" if number % 2 == 0 else "assistant", "content": text})
        messages.append({"role": "system", "content": notice})
        (block,), _ = respond({"system": "", "messages": messages, "tools": [{"name": "x", "input_schema": {}}]})
        return str(block["text"])

    assert answer("Bonjour, où est ma commande s'il vous plaît ?") == sentence
    assert answer("hello") == f"{sentence}\n\n{answer('hello', sentence, 'hello')}"
    assert sentence not in answer("hello", sentence, "hello")
