"""How German, French, Spanish and Arabic write what the critic checks: digits, months, weekdays, periods, times, money.

The words stand beside the English ones in claims.py: an answer's language need not be known to read its figures.
"""

from __future__ import annotations

import re

_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫٬٪،", "01234567890123456789.,%,")
_DIRECTIONS = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")  # marks that only steer bidirectional text


def western(text: str) -> str:
    """The text with the digits 0-9 and without marks of direction; of the same length but for those."""
    return _DIRECTIONS.sub("", text.translate(_DIGITS))


MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "januar jänner janvier janv enero ene يناير كانون_الثاني",
            "februar feber février févr febrero فبراير شباط",
            "märz mär mrz mars marzo مارس آذار",
            "april avril avr abril abr أبريل ابريل إبريل نيسان",
            "mai mayo مايو أيار",
            "juni juin junio يونيو يونيه حزيران",
            "juli juillet juil julio يوليو يوليه تموز",
            "august août aout agosto ago أغسطس اغسطس آب",
            "september septembre septiembre سبتمبر أيلول",
            "oktober okt octobre octubre أكتوبر اكتوبر تشرين_الأول",
            "november novembre noviembre نوفمبر تشرين_الثاني",
            "dezember dez décembre déc diciembre dic ديسمبر كانون_الأول",
        ),
        start=1,
    )
    for name in (one.replace("_", " ") for one in names.split())
}
WEEKDAYS = {
    name: english
    for english, names in {
        "mon": "montag lundi lunes الاثنين الإثنين",
        "tue": "dienstag mardi martes الثلاثاء",
        "wed": "mittwoch mercredi miércoles miercoles الأربعاء",
        "thu": "donnerstag jeudi jueves الخميس",
        "fri": "freitag vendredi viernes الجمعة",
        "sat": "samstag sonnabend samedi sábado السبت",
        "sun": "sonntag dimanche domingo الأحد",
    }.items()
    for name in names.split()
}
COUNTS = {
    name: count
    for count, names in {
        1: "ein eine einen einem einer un une una",
        2: "zwei deux dos",
        3: "drei trois tres ثلاثة ثلاث",
        4: "vier quatre cuatro أربعة أربع",
        5: "fünf cinq cinco خمسة خمس",
        6: "sechs seis ستة ست",
        7: "sieben sept siete سبعة سبع",
        8: "acht huit ocho ثمانية",
        9: "neun neuf nueve تسعة",
        10: "zehn dix diez عشرة عشر",
        12: "zwölf douze doce",
        14: "vierzehn quatorze catorce",
        15: "fünfzehn quinze quince",
        20: "zwanzig vingt veinte عشرين عشرون",
        30: "dreißig trente treinta ثلاثين ثلاثون",
        60: "sechzig soixante sesenta ستين ستون",
    }.items()
    for name in names.split()
}
UNITS = {
    name: unit
    for unit, names in {
        ("s", 1): "sekunde sekunden seconde secondes segundo segundos ثانية ثوان ثواني",
        ("s", 60): "minuten minuto minutos دقيقة دقائق",
        ("s", 3600): "stunde stunden heure heures hora horas ساعة ساعات",
        ("s", 86_400): "tag tage tagen werktag werktage werktagen arbeitstag arbeitstage arbeitstagen geschäftstage "
        "geschäftstagen kalendertage kalendertagen jour jours día días dia dias يوم أيام ايام يوما يومًا",
        ("s", 604_800): "woche wochen semaine semaines semana semanas أسبوع أسابيع أسبوعا أسبوعًا",
        ("mo", 1): "monat monate monaten mois mes meses شهر أشهر شهور شهرا شهرًا",
        ("mo", 12): "jahr jahre jahren ans année années año años سنة سنوات عام أعوام عاما عامًا",
    }.items()
    for name in names.split()
}
# Two of a thing are one word in Arabic; "an" alone is an English word.
PHRASES = {
    "دقيقتين": ("s", 120), "دقيقتان": ("s", 120), "ساعتين": ("s", 7200), "ساعتان": ("s", 7200),
    "يومين": ("s", 172_800), "يومان": ("s", 172_800), "أسبوعين": ("s", 1_209_600), "أسبوعان": ("s", 1_209_600),
    "شهرين": ("mo", 2), "شهران": ("mo", 2), "سنتين": ("mo", 24), "سنتان": ("mo", 24), "عامين": ("mo", 24),
    "عامان": ("mo", 24), "un an": ("mo", 12),
}  # fmt: skip
TO = r"bis|à|a|إلى"
OR = r"oder|und|ou|et|o|y|أو|و"
PERCENT = r"Prozent\b|pour ?cent\b|por ciento\b|بالمئة|بالمائة|في المئة|في المائة"
MONEY = r"d[oó]lar(?:es)?\b|دولار(?:ًا|ا|ات)?|يورو"
MONEY_OF = {"dólar": "dollar", "dólare": "dollar", "dolar": "dollar", "دولار": "dollar", "يورو": "euro"}

_DAYS = "|".join(WEEKDAYS)
# A relative time, and the English one it says; None is a weekday, which stands in its group.
WHEN = (
    (re.compile(r"\b(?<!guten )(?<!am )morgen\b|\bdemain\b|\b(?<!la )mañana\b|\bغد(?:ًا|ا)\b", re.I), "tomorrow"),
    (re.compile(r"\bheute\b|\baujourd['’]hui\b|\bhoy\b|\bاليوم\b(?! ال)", re.I), "today"),
    (re.compile(r"\bheute abend\b|\bce soir\b|\besta noche\b|\bالليلة\b", re.I), "tonight"),
    (re.compile(r"\bdiese woche\b|\bcette semaine\b|\besta semana\b|\bهذا الأسبوع\b", re.I), "this week"),
    (
        re.compile(r"\bnächste woche\b|\bsemaine prochaine\b|\b(?:próxima semana|semana que viene)\b"
                   r"|\bالأسبوع (?:القادم|المقبل)\b", re.I),
        "next week",
    ),
    (
        re.compile(r"\b(?:sofort|umgehend)\b|\b(?:immédiatement|tout de suite)\b|\b(?:inmediatamente|ahora mismo)\b"
                   r"|\bفور(?:ًا|ا)\b", re.I),
        "immediately",
    ),
    (
        re.compile(rf"\b(?:bis(?: zum)?|am|vor|d['’]ici(?: à)?|avant|pour le|antes del?|para el|el|قبل(?: يوم)?|يوم)"
                   rf" ({_DAYS})\b", re.I),
        None,
    ),
)  # fmt: skip
WILL = (
    r"\b(?:werden|wird|werde)\b|\b(?:allons|vont|va|sera|seront|recevrez|aurez|arrivera|(?:rembours|envoi|enverr|livr)\w*rons)\b"
    r"|\b(?:vamos|van|será|serán|recibirá|tendrá|llegará|(?:enviar|reembolsar|devolver)emos)\b|\bسوف\b|\bس[أتني]\w{2,}"
)
