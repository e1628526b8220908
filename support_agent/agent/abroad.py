"""The same in German, French, Spanish and Arabic: that something was done, and that a person is wanted.

done.py and routing.py have the English, which they know far better; these know the plain ways to say it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Tongue:
    """`deeds`: a participle's pattern for each deed of done.py; `did`: how a finished deed is said, with {deeds};
    `nothing`: what makes its clause a rule, a question or a no."""

    deeds: MappingProxyType[str, str]
    did: re.Pattern[str]
    nothing: re.Pattern[str]


def _tongue(deeds: dict[str, str], did: str, nothing: str) -> Tongue:
    every = "|".join(deeds.values())
    return Tongue(MappingProxyType(deeds), re.compile(did.replace("{deeds}", every), re.I), re.compile(nothing, re.I))


TONGUES = (
    _tongue(
        {
            "cancelled": r"storniert|annulliert",
            "refunded": r"erstattet|zurückerstattet|zurückgezahlt|gutgeschrieben|zurücküberwiesen",
            "changed": r"geändert|aktualisiert|berichtigt|korrigiert",
            "approved": r"genehmigt|bewilligt|freigegeben",
            "replaced": r"ersetzt|erneut (?:ver|ge)sendet|neu verschickt",
            "deleted": r"gelöscht",
            "unlocked": r"entsperrt|freigeschaltet|verifiziert",
            "processed": r"veranlasst|bearbeitet|ausgeführt|abgeschlossen",
        },
        r"\b(?:wurden?|ist|sind|haben?|hat)\b(?:(?!\b(?:wurden?|ist|sind|haben?|hat|und|wird|werden|kann|können)\b)[^.;:!?]){0,80}?"
        r"\b(?P<deed>{deeds})\b(?!\s+(?:werden|wird|haben|hat)\b)",
        r"\b(?:wenn|falls|sobald|nachdem|bis|bevor|ob|nicht|kein\w*|nichts|wie|was|wer|welche\w*|wann|solange)\b",
    ),
    _tongue(
        {
            "cancelled": r"annulée?s?",
            "refunded": r"remboursée?s?|créditée?s?",
            "changed": r"modifiée?s?|changée?s?|corrigée?s?|mise?s? à jour",
            "approved": r"approuvée?s?|acceptée?s?|accordée?s?",
            "replaced": r"remplacée?s?|renvoyée?s?",
            "deleted": r"supprimée?s?|effacée?s?",
            "unlocked": r"débloquée?s?|vérifiée?s?",
            "processed": r"traitée?s?|effectuée?s?|émise?s?",
        },
        r"\b(?:(?:a|ont)(?:\s+(?:bien|déjà|maintenant))*\s+été|avons|ai|est|sont)"
        r"(?:\s+(?:bien|déjà|maintenant|désormais|également|entièrement|intégralement|vous))*\s+(?P<deed>{deeds})\b",
        r"\b(?:si|lorsque?|quand|dès que|une fois|après|avant|tant que|pas|aucune?|rien|jamais|comment|qui|que)\b"
        r"|\bs['’]il",
    ),
    _tongue(
        {
            "cancelled": r"cancelad[oa]s?|anulad[oa]s?",
            "refunded": r"reembolsad[oa]s?|devuelto|abonad[oa]s?",
            "changed": r"cambiad[oa]s?|actualizad[oa]s?|modificad[oa]s?|corregid[oa]s?",
            "approved": r"aprobad[oa]s?|autorizad[oa]s?|concedid[oa]s?",
            "replaced": r"reemplazad[oa]s?|sustituid[oa]s?|reenviad[oa]s?",
            "deleted": r"eliminad[oa]s?|borrad[oa]s?",
            "unlocked": r"desbloquead[oa]s?|verificad[oa]s?",
            "processed": r"tramitad[oa]s?|procesad[oa]s?|emitid[oa]s?|completad[oa]s?",
        },
        r"\b(?:(?:ha|han)\s+sido|fue(?:ron)?|hemos|he|(?:se|le|les)\s+ha|(?:se|le|les)\s+han|está|están)"
        r"(?:\s+(?:ya|ahora|totalmente|correctamente))*\s+(?P<deed>{deeds})\b",
        r"\b(?:si|cuando|una vez|después|hasta|antes|no|nada|ningun[oa]?|nunca|cómo|que|quien)\b",
    ),
    _tongue(
        {
            "cancelled": r"إلغاء|ألغينا|ألغيت|أُلغي\w*|ألغي",
            "refunded": r"استرداد|رد المبلغ|رددنا|إعادة المبلغ|أعدنا المبلغ|استرجاع المبلغ",
            "changed": r"تغيير|تحديث|تعديل|غيرنا|غيّرنا|حدثنا|حدّثنا|عدلنا|عدّلنا",
            "approved": r"الموافقة|وافقنا|اعتماد",
            "replaced": r"استبدال|استبدلنا",
            "deleted": r"حذف|حذفنا",
            "unlocked": r"فتح الحساب|التحقق",
            "processed": r"معالجة|تنفيذ|إصدار|نفذنا|نفّذنا",
        },
        r"(?:\bتم(?:ت)?\s+|\b(?:لقد|قد)\s+)(?P<deed>{deeds})",
        r"\b(?:إذا|لو|عندما|بعد|قبل|حتى|لم|لن|لا|متى|كيف|ما|هل|إن|بمجرد)\b",
    ),
)
_CLAUSE = re.compile(r"[,;:–—،؛]")


def said_done_abroad(sentence: str) -> Iterator[str]:
    """What a sentence in one of these languages says was done."""
    for tongue in TONGUES:
        for match in tongue.did.finditer(sentence):
            clause = _CLAUSE.split(sentence[: match.start("deed")])[-1]
            if not tongue.nothing.search(clause):
                yield _deed(tongue, match["deed"])


def deeds_told_abroad(text: str) -> set[str]:
    """What words of the desk's own say was done, however they say it."""
    return {
        name
        for tongue in TONGUES
        for name, words in tongue.deeds.items()
        if re.search(rf"(?<!\w)(?:{words})(?!\w)", text, re.IGNORECASE)
    }


def _deed(tongue: Tongue, words: str) -> str:
    return next(name for name, known in tongue.deeds.items() if re.fullmatch(known, words, re.IGNORECASE))


_PERSON = re.compile(
    r"\bmit (?:eine[mr]|jemand(?:em)?) ?(?:echten |richtigen )?(?:Menschen|Person|Mitarbeiter(?:in)?|Kolleg(?:en|in)"
    r"|(?:Kundenb|B)erater(?:in)?)?\s*(?:sprechen|reden|verbinden|verbunden)"
    r"|\b(?:verbinden Sie mich|holen Sie (?:mir )?(?:bitte )?eine[nr]? (?:Menschen|Mitarbeiter(?:in)?))"
    r"|\b(?:parler|discuter|échanger) (?:à|avec) (?:une? (?:vraie? )?(?:personne|humaine?|conseill(?:er|ère)|agent"
    r"|responsable)|quelqu['’]un)|\bpassez[- ]moi (?:une? )?(?:personne|humain|conseiller|responsable)"
    r"|\bhablar con (?:(?:una?|un) (?:persona|human[oa]|agente|asesora?|responsable|empleado)|alguien)"
    r"|\b(?:páseme|comuníqueme|póngame) con"
    r"|(?:التحدث|أتحدث|اتحدث|التكلم|أتكلم|اتكلم|الحديث) (?:مع|إلى|الى) (?:شخص|موظف|إنسان|انسان|أحد|احد|ممثل|مسؤول)"
    r"|حو[ّ]?لني (?:إلى|الى|ل)",
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(?:nicht|kein\w*|ohne|pas|sans|jamais|no|sin|nunca|لا|لن|بدون)\b", re.IGNORECASE)


def asks_for_person_abroad(clause: str) -> bool:
    """Whether a clause plainly asks for a person, in one of these languages."""
    found = _PERSON.search(clause)
    return bool(found) and not _NOT.search(clause[: found.end()] if found else "")
