"""What must be recognised whatever the classifier thinks: patterns over normalised words, in order of precedence."""

from __future__ import annotations

import re

_PERSON = (
    r"(human( being)?|real (person|people|human)|actual (person|human)|live (agent|person|human|chat)|person|someone|somebody|anyone|"
    r"anybody|people|agent|agents|manager|supervisor|representative|staff|colleague|operator|advisor|employee|team member|boss|"
    r"customer service|your team|support team|human support)"
)
_ASK = r"(speak|talk|chat|connect|transfer|put|pass|hand|get|give|want|need|let|forward|escalate|switch|bring|call)"

RULES: tuple[tuple[str, str], ...] = (
    (
        "injection",
        r"ignore (all |any |the |your |my |every )*(previous |prior |above |earlier )*(instruction|rule|prompt|guideline|direction)"
        r"|disregard (all|any|the|your|previous)|system prompt|(your|the) (hidden |secret |initial |original )*(prompt|instructions)\b"
        r"|developer mode|jailbreak|you are now|from now on you|pretend (to be|you are|that you)|act as (a|an|if|my)|admin mode|debug mode"
        r"|new instructions|override (your|the|all)|repeat (everything|the words|the text) above|\bdan\b mode|no restrictions|bypass"
        r"|other customers? (data|order|address|e-mail|detail)|list (all|every) customer|all customers|drop table|select from|print your"
        r"|mark (my|the) order as (refunded|paid)|without (asking|confirmation|verif)|i am (the|an?|your) (admin|developer|ceo|engineer|owner)",
    ),
    (
        "about_bot",
        r"\b(are|is) (you|this) (a |an |even |actually |really |just )*(real|human|bot|robot|ai|person|machine|computer|chatgpt|claude|chatbot|automat\w+|program|alive)\b(?!.*\b(get|want|need|give)\b)"
        r"|(am i|is this|are we) (talking|chatting|speaking|texting|writing) (to|with) (a|an|the|some) (\w+ )?(bot|human|robot|person|ai|machine|computer|real)",
    ),
    (
        "legal",
        r"\b(lawyer|attorney|sue|sueing|suing|legal action|small claims|in court|to court|police|consumer protection|chargeback)\b",
    ),
    (
        "human",
        rf"\b{_ASK}\b( \w+){{0,5}} (to|with|me|for|a|an|the|your|some|real|another|over to) (\w+ ){{0,2}}?{_PERSON}\b(?! (sent|stole|else|took|signed|order|picked|bought|help you))"
        rf"|^(a |the |please |just |real |need |want |i )*(human|agent|representative|operator|real person|person|manager|supervisor|live agent|live chat)( please| now| here| quickly)*$"
        r"|(human|agent|representative|operator|person|manager|supervisor)( please| now)+$"
        r"|(not|no|hate|stop|enough).{0,30}\b(robot|robots|bot|bots|machine|ai|chatbot|computer)\b"
        r"|call me|(is|are) there (a |any )?(human|person|people|anybody|anyone|someone|agent)s? (here|i|there|available|to)"
        r"|\b(human|person) (to )?(help|assist|answer|look)|is anyone real|somebody real|someone real|hand me over",
    ),
)
_COMPILED = tuple((intent, re.compile(pattern)) for intent, pattern in RULES)

ANGRY = re.compile(
    r"\b(angry|furious|ridiculous|unacceptable|disgust\w*|terrible|horrible|awful|worst|useless|scam\w*|fraud|pathetic|fed up|sick of|"
    r"rubbish|crap|bullshit|shit\w*|fuck\w*|fucking|wtf|damn|idiots?|incompetent|joke of a|what a joke|never (again|buy\w*|order\w*)|waste of|wasting my|"
    r"liars?|thieves|outrage\w*|pissed|annoyed|livid|garbage|shame on|stupid|had enough|are you kidding|kidding me|no help at all|"
    r"not (helpful|helping)|does not help|for the (third|fourth|fifth|last|hundredth) time|how many times|absolute joke|insane|hate (you|this))\b"
)
YES = re.compile(
    r"^(yes|ok|sure|correct|right|exactly|please do|do it|go ahead|that is right|that one|of course|absolutely|definitely|affirmative|"
    r"sounds good|please|fine|good|go for it|confirm|confirmed|agreed|yes please|why not)( (please|do|it|that|is|one|go|ahead|thanks|sure|correct|right|do it|thank|you|i|would|like|yes|ok|the))*$"
)
NO = re.compile(
    r"^(no|not|never mind|nevermind|no thanks|do not|forget it|leave it|nothing|cancel that)( (thanks|thank|you|it|that|need|now|really|not|i|do|am|good|all|ok|is|mind|way|leave|want))*$"
)
WHY = re.compile(
    r"^(but |and |so |ok )*(why|how come|what for|why (is|was|not|so|that|did)( \w+){0,5}|for what reason|what is the reason)$"
)
MORE = re.compile(
    r"^(and |so |ok |but )*(then|what else|tell me more|more|more details|details|explain|what does that mean|how|go on|and|what now|what next|anything else)( please)?$"
)
QUESTION = re.compile(
    r"^(and |so |but |ok |hi |hello |hey |please )*(what|when|where|who|why|how|which|can|could|do|does|did|is|are|will|would|should|may|have|has)\b"
)
FOREIGN = re.compile(
    r"\b(donde|esta|mi pedido|pedido|hola|gracias|quiero|ayuda|por favor|wo ist|meine|bestellung|ich|nicht|bitte|danke|"
    r"bonjour|commande|merci|je veux|est ma|livraison|ciao|ordine|dove|grazie|vorrei|onde|obrigado|waar|mijn)\b"
)


def rule_of(words: str) -> str:
    """The intent a rule insists on, or ''."""
    return next((intent for intent, pattern in _COMPILED if pattern.search(words)), "")


def is_foreign(words: str) -> bool:
    return len(set(FOREIGN.findall(words))) >= 2


def asks(words: str, raw: str) -> bool:
    """Whether the message is a question rather than a statement or a wish."""
    return raw.rstrip().endswith("?") or bool(QUESTION.match(words))
