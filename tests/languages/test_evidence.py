"""The critic reads answers in German, French, Spanish and Arabic: what is true passes, what was changed is caught."""

from __future__ import annotations

import json

import pytest

from support_agent.agent.critic import check_answer, check_sentence
from support_agent.agent.evidence import evidence_of
from support_agent.agent.gate import Gate
from support_agent.agent.routing import asks_for_person

ORDER = json.dumps(
    {
        "status": "success",
        "order": {
            "order_number": "AP-104233",
            "total": "1234.56",
            "fee": "12.95",
            "currency": "USD",
            "delivered_at": "2026-11-18T09:00:00Z",
        },
        "return_until": "2027-03-03",
    }
)
ARTICLE = json.dumps(
    {
        "status": "success",
        "results": [
            {"n": 1, "snippet": "Money is back in 5-7 business days. Plus saves 10 %. The warranty is two years."}
        ],
    }
)
FACTS = evidence_of([ORDER, ARTICLE], ["Wo ist ١٠٤٢٣٣?"])


def issues(sentence: str) -> list[str]:
    return [issue.rule for issue in check_sentence(sentence, FACTS)]


@pytest.mark.parametrize(
    "true",
    [
        "Bestellung AP-104233 kam am 18. November 2026 an und kostete 1.234,56 $.",
        "Sie kam am Mittwoch, 18.11.2026, an; die Gebühr sind 12,95 USD.",
        "Bis zum 3. März 2027 können Sie sie zurückgeben, also bis zum 3.3.2027.",
        "Das Geld ist in 5–7 Werktagen da, in 5 bis 7 Tagen. Mit Plus sparen Sie 10 Prozent, zwei Jahre Garantie.",
        "La commande AP-104233 est arrivée le mercredi 18 novembre 2026 ; total : 1\u202f234,56 $.",
        "Le remboursement prend 5 à 7 jours ouvrés, entre 5 et 7 jours ; 10 % de remise, garantie de deux ans.",
        "El pedido llegó el miércoles 18 de noviembre de 2026 y costó 1.234,56 $; la tarifa es de 12,95 dólares.",
        "El dinero llega en 5 a 7 días hábiles, antes del 3 de marzo de 2027, con un 10 por ciento.",
        "وصل الطلب AP-104233 يوم الأربعاء 18 نوفمبر 2026 بمبلغ 1,234.56 US$ خلال 5-7 أيام عمل.",
        "وصل الطلب في ١٨ نوفمبر ٢٠٢٦ بمبلغ ١٬٢٣٤٫٥٦ دولار، والرسوم ١٢٫٩٥ دولار، والضمان سنتان و١٠٪.",
        "طلبك رقم 104233 وصل في 18/11/2026.",
    ],
)
def test_what_is_true_passes_in_every_language(true: str) -> None:
    assert issues(true) == []


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ("Sie kam am 19. November 2026 an.", "unbacked_date"),
        ("Sie kam am Freitag, 18. November 2026, an.", "unbacked_date"),
        ("Bis zum 4. März können Sie sie zurückgeben.", "unbacked_date"),
        ("Sie kam am 19.11. an.", "unbacked_date"),
        ("Das kostet 1.234,65 $.", "unbacked_amount"),
        ("Das kostet 12,59.", "unbacked_amount"),
        ("Das Geld ist in 3–5 Werktagen da.", "unbacked_period"),
        ("Das Geld ist in zwei Wochen da.", "unbacked_period"),
        ("Mit Plus sparen Sie 15 Prozent.", "unbacked_percentage"),
        ("Le 19 novembre 2026, elle est arrivée.", "unbacked_date"),
        ("Le remboursement prend 5 à 8 jours.", "unbacked_period"),
        ("Cela coûte 12,59 $.", "unbacked_amount"),
        ("Llegó el 19 de noviembre de 2026.", "unbacked_date"),
        ("El dinero llega en tres semanas.", "unbacked_period"),
        ("Cuesta 21,95 dólares.", "unbacked_amount"),
        ("وصل الطلب في ١٩ نوفمبر ٢٠٢٦.", "unbacked_date"),
        ("المبلغ ١٢٫٥٩ دولار.", "unbacked_amount"),
        ("سيصل المبلغ خلال أسبوعين.", "unbacked_period"),
        ("خصم ٢٠٪ لك.", "unbacked_percentage"),
        ("رقم الطلب AP-999999.", "unbacked_identifier"),
        ("Wir werden es morgen senden.", "unbacked_promise"),
        ("Nous allons l’envoyer demain.", "unbacked_promise"),
        ("Se lo vamos a enviar mañana.", "unbacked_promise"),
        ("سوف نرسله غدًا.", "unbacked_promise"),
        ("Ihre Bestellung wurde storniert.", "unbacked_deed"),
        ("Wir haben Ihnen den Betrag bereits erstattet.", "unbacked_deed"),
        ("Votre commande a été annulée.", "unbacked_deed"),
        ("Nous avons remboursé la commande.", "unbacked_deed"),
        ("Su pedido ha sido cancelado.", "unbacked_deed"),
        ("Hemos reembolsado el importe.", "unbacked_deed"),
        ("تم إلغاء طلبك.", "unbacked_deed"),
        ("لقد ألغينا الطلب.", "unbacked_deed"),
        ("Nennen Sie mir bitte Ihr Passwort.", "banned"),
        ("Communiquez-nous votre mot de passe.", "banned"),
        ("Envíenos su contraseña, por favor.", "banned"),
        ("أرسل لنا كلمة المرور.", "banned"),
    ],
)
def test_what_was_changed_is_caught_in_every_language(changed: str, rule: str) -> None:
    assert rule in issues(changed)


@pytest.mark.parametrize(
    "harmless",
    [
        "Guten Morgen, wir werden Ihnen gern helfen.",
        "Sobald das Paket da ist, wird der Betrag erstattet.",
        "Wenn die Bestellung storniert wurde, sehen Sie es hier.",
        "Die Bestellung ist bezahlt und kann noch storniert werden.",
        "Ihre Bestellung wurde nicht storniert.",
        "Si la commande a été annulée, vous recevez un e-mail.",
        "La commande n’a pas été annulée.",
        "Cuando el pedido ha sido cancelado, recibe un correo.",
        "لم يتم إلغاء الطلب.",
        "Geben Sie uns niemals Ihr Passwort.",
        "Firmware 2.3 is the newest version.",
        "Mars and May are names.",
    ],
)
def test_rules_questions_and_noes_claim_nothing(harmless: str) -> None:
    assert issues(harmless) == []


def test_a_deed_that_was_told_may_be_said() -> None:
    done = evidence_of(["action 7: cancel_order, state done"], [])
    for sentence in ("Ihre Bestellung wurde storniert.", "Votre commande a été annulée.", "تم إلغاء طلبك."):
        assert check_sentence(sentence, done) == []


async def test_a_date_with_its_point_passes_the_gate_as_one() -> None:
    shown: list[str] = []

    async def show(text: str) -> None:
        shown.append(text)

    gate = Gate(FACTS, show)
    for piece in ("Bis zum 3. ", "März 2027 geht das. ", "Danach nicht mehr."):
        await gate.feed(piece)
    gate.finish()
    await gate.show()
    assert gate.issues == []
    assert "".join(shown) == "Bis zum 3. März 2027 geht das. Danach nicht mehr."


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        ("Bitte bestätigen Sie es auf der Karte.", False),
        ("Confirmez sur la carte, s’il vous plaît.", False),
        ("Confirme en la tarjeta, por favor.", False),
        ("اضغط على زر التأكيد في البطاقة.", False),
        ("Das habe ich vorbereitet.", True),
    ],
)
def test_that_a_card_waits_must_be_said(answer: str, missing: bool) -> None:
    assert bool(check_answer(answer, [], 2000, ["pending_confirmation"])) == missing


@pytest.mark.parametrize(
    ("words", "wants"),
    [
        ("Ich möchte mit einem Menschen sprechen", True),
        ("Kann ich bitte mit jemandem reden?", True),
        ("Je veux parler à une personne", True),
        ("Puis-je parler avec quelqu'un ?", True),
        ("Quiero hablar con una persona", True),
        ("أريد التحدث مع موظف", True),
        ("Ich möchte nicht mit einem Menschen sprechen", False),
        ("Je ne veux pas parler à une personne", False),
        ("Wo ist meine Bestellung?", False),
        ("¿Dónde está mi pedido?", False),
        ("أين طلبي؟", False),
    ],
)
def test_who_asks_for_a_person_is_understood(words: str, wants: bool) -> None:
    assert asks_for_person(words) == wants
