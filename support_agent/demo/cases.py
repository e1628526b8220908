"""What ended with a person: said, why, which team, and what the person wrote."""

from __future__ import annotations

from tickets.models import EscalationReason as Why

# (customer's words, reason, team, topic, summary, replies)
CASES: list[tuple[str, Why, str, str, str, list[str]]] = [
    (
        "Let me talk to a human please",
        Why.ASKED,
        "support",
        "person",
        "Asked for a person right away; no topic given yet.",
        ["Hi, this is a person now. What can I do for you?"],
    ),
    (
        "I was charged twice for my last order and want both explained",
        Why.MONEY,
        "billing",
        "charged twice",
        "Says the last order was charged twice; wants both charges explained.",
        [
            "I see two authorisations, but only one was captured. The other one disappears within 3 days.",
            "I have noted it on your account; write to me if it is still there on Friday.",
        ],
    ),
    (
        "This is the third time. I want 300.00 back or I call my bank",
        Why.MONEY,
        "billing",
        "refund",
        "Third contact about the same order, wants 300.00 back and mentions a chargeback.",
        ["I'm sorry it took three tries. I have approved the refund; it takes 5-7 business days."],
    ),
    (
        "My lawyer will contact you about the stove accident",
        Why.LEGAL,
        "account_management",
        "legal",
        "Mentions a lawyer and an accident with a stove. Nothing was promised.",
        ["Thank you for telling us. Please do not use the stove; a colleague calls you today."],
    ),
    (
        "The stove flared up and burnt my sleeve!! is this thing safe",
        Why.SAFETY,
        "engineering",
        "safety",
        "Reports a flare-up of a multi-fuel stove, light burn on a sleeve, no injury mentioned.",
        [
            "Are you all right? Please close the fuel valve and let it cool. We replace the stove.",
            "A prepaid label for the old one is in your mail; we want to look at it.",
        ],
    ),
    (
        "Trailmate shows E-42 after the update, tried everything in the help",
        Why.UNSURE,
        "engineering",
        "watch firmware",
        "E-42 after a firmware update; restart, re-pairing and reset did not help.",
        ["E-42 is a stuck update. Please leave the watch on the charger for an hour, then update by cable."],
    ),
    (
        "We need 40 tents by the 1st with our own logo, who do I talk to?",
        Why.ASKED,
        "account_management",
        "business",
        "Business customer wants 40 tents with a logo by the 1st of next month.",
        ["Happy to help. I have sent you an offer for 40 Grove 4 tents; printing takes 8 business days."],
    ),
    (
        "Your last invoice has the wrong VAT number on it",
        Why.ASKED,
        "billing",
        "invoice",
        "Invoice carries a wrong VAT number; wants a corrected one.",
        ["Corrected; the new invoice is in your account and in your mail."],
    ),
    (
        "parcel says delivered but there is NOTHING here. second time!",
        Why.UNSURE,
        "support",
        "delivery problem",
        "Carrier says delivered, customer has nothing; second time at this address.",
        [
            "I have opened a search with the carrier and asked for the driver's position.",
            "It was left two doors down. I have put a note on your address.",
        ],
    ),
    (
        "I can't get the code, I lost access to that mailbox",
        Why.UNVERIFIED,
        "support",
        "identity",
        "Cannot receive the code: lost the mailbox. Needs another way to prove who they are.",
        ["Let us do it by the last invoice instead. I have mailed a form to your new address."],
    ),
    (
        "you keep telling me the same thing over and over",
        Why.LOOP,
        "support",
        "complaint",
        "Upset: the same answer came three times.",
        ["Sorry about that. I have read everything; here is what we can do."],
    ),
    (
        "need to change the address on an order that's already packed",
        Why.UNSURE,
        "support",
        "address",
        "Wants another address on an order that is already packed.",
        ["I caught it before the truck; it goes to the new address."],
    ),
]

# The queue as it stands: (case, ending, minutes ago it began, minutes to its deadline, staff it was assigned to or who
# took it over)
OPEN_CASES: list[tuple[int, str, float, float, str]] = [
    (4, "waiting", 4, 1.5, ""),
    (2, "waiting", 19, -4, ""),
    (3, "waiting", 3, 2, ""),
    (6, "waiting", 11, 4, "lead"),
    (8, "waiting", 6, 9, ""),
    (0, "waiting", 2, 13, "agent"),
    (1, "human", 38, -25, "agent2"),
    (5, "human", 55, -41, "agent"),
]
