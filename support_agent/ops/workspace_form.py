"""What may stand in each field of the workspace, and the sentence that says so when it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import URLValidator
from django.forms.boundfield import BoundField

from tickets import masks, opening, palette
from tickets.currencies import CURRENCIES
from tickets.errors import DeskError
from tickets.figures import POLICY
from tickets.languages import ENGLISH
from tickets.models import Workspace
from tickets.services.workspace import NO_LOGO, logo_values

PLAIN = {"autocomplete": "off", "spellcheck": "false"}
MAX_OPENERS, MAX_OPENER = 4, 80
DAYS = [f"day_{number}" for number in range(7)]
SECTIONS = (
    ("company", "Company", ("name", "legal_line", "email", "website", "return_address", "return_carrier")),
    ("look", "Look", ("logo_file", "no_logo", "accent", "accent_dark")),
    ("voice", "Assistant", ("tone", "house_style", "greeting", "openers")),
    ("languages", "Languages and money", ("languages", "currency")),
    ("hours", "Opening hours", ("time_zone", *DAYS, "holidays")),
    (
        "figures",
        "Limits",
        (
            "return_days", "label_days", "return_fee", "refund_days", "refund_limit", "problem_days", "lost_after_days",
        ),
    ),
    ("numbers", "Numbers", ("order_number_format", "other_number_formats")),
    ("legal", "Privacy and terms", ("privacy_email", "privacy_url", "privacy_text", "terms_url")),
)  # fmt: skip


def read(reader: Callable[[str], Any], text: str) -> Any:
    """What a pure reader makes of a text; its refusal stands beside the field."""
    try:
        return reader(text)
    except ValueError as refusal:
        raise forms.ValidationError(str(refusal)) from None


def web(label: str, help_text: str) -> forms.URLField:
    field = forms.URLField(label=label, help_text=help_text, required=False, max_length=200, assume_scheme="https")
    field.default_validators = field.validators = [URLValidator(schemes=["http", "https"])]
    return field


def days(label: str, help_text: str, most: int) -> forms.IntegerField:
    return forms.IntegerField(label=label, help_text=help_text, min_value=1, max_value=most)


def colour(label: str, help_text: str) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, required=False, max_length=7, widget=forms.TextInput({**PLAIN, "size": 9})
    )


def area(rows: int) -> forms.Textarea:
    return forms.Textarea({"rows": rows})


class WorkspaceForm(forms.Form):
    """All of it in one form; `values` is what the service keeps."""

    name = forms.CharField(max_length=60, help_text="As customers know you: in headings, titles, mails and the widget.")
    legal_line = forms.CharField(
        max_length=200, required=False, label="Line in the footer", help_text="Legal name and place, in one line."
    )
    email = forms.EmailField(
        label="Contact address", help_text="Shown on pages and under mails. Mails are sent from EMAIL_FROM."
    )
    website = web("Website", "Links in answers and articles may lead there.")
    return_address = forms.CharField(
        max_length=300, required=False, widget=area(3), help_text="Printed on return labels, line by line."
    )
    return_carrier = forms.CharField(
        max_length=60,
        required=False,
        label="Carrier of returns",
        help_text="Where parcels are handed in. May be empty.",
    )
    logo_file = forms.FileField(
        required=False,
        label="Logo",
        help_text="PNG, WebP or JPEG, up to 1 MB, best 96 pixels high on a clear ground; no SVG: it can hold scripts.",
        widget=forms.FileInput({"accept": "image/png,image/webp,image/jpeg"}),
    )
    no_logo = forms.BooleanField(required=False, label="Use the product's own mark instead")
    accent = colour("Accent", "Of links and buttons, like #1f4a3a. Empty: the product's own green.")
    accent_dark = colour("Accent in the dark theme", "Empty: a lighter shade of the same colour.")
    tone = forms.ChoiceField(choices=Workspace.Tone.choices, help_text="How the assistant sounds.")
    house_style = forms.CharField(
        max_length=500,
        required=False,
        widget=area(4),
        help_text="Words you use or avoid, in up to 500 characters. It shapes wording and cannot change rules.",
    )
    greeting = forms.CharField(
        max_length=200,
        required=False,
        help_text="Under the heading of an empty chat, in every language as it stands here.",
    )
    openers = forms.CharField(
        required=False,
        widget=area(4),
        label="Quick questions",
        help_text=f"One a line, {MAX_OPENERS} at most. Empty: ours, in the customer's language.",
    )
    languages = forms.MultipleChoiceField(
        choices=settings.LANGUAGES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="English is always offered: it is what others fall back to.",
    )
    currency = forms.CharField(
        max_length=3,
        widget=forms.TextInput({**PLAIN, "size": 5}),
        help_text="Of new records and of the limits below, as EUR. A record's amounts are shown in its own.",
    )
    time_zone = forms.CharField(max_length=60, widget=forms.TextInput({**PLAIN, "list": "zones"}))
    holidays = forms.CharField(
        required=False,
        max_length=20_000,
        widget=area(6),
        help_text="One a line: 2026-12-24 Christmas Eve, or 12-25 Christmas Day for every year. Paste a year's list.",
    )
    return_days = days("Days to return", "From the delivery on.", 365)
    label_days = days("Days a label holds", "Until the parcel must be handed in.", 90)
    return_fee = forms.DecimalField(
        label="Fee of a return",
        min_value=Decimal(0),
        max_value=Decimal(100),
        decimal_places=2,
        help_text="Taken off the money back.",
    )
    refund_days = days("Days to ask for a refund", "From the delivery or the order on.", 365)
    refund_limit = forms.DecimalField(
        label="Refund without a person",
        min_value=Decimal(0),
        max_value=POLICY.refund_limit,
        decimal_places=2,
        help_text=f"Up to this sum at a customer's click; {POLICY.refund_limit} at most.",
    )
    problem_days = days("Days to report damage", "Also wrong and missing items, from the delivery on.", 90)
    lost_after_days = days("Days until a parcel is lost", "Without any scan.", 60)
    order_number_format = forms.CharField(
        max_length=200,
        label="Order numbers",
        widget=forms.TextInput(PLAIN),
        help_text="# for a digit, @ for a letter, the rest for itself; several with commas between: AP-######.",
    )
    other_number_formats = forms.CharField(
        max_length=200,
        required=False,
        label="Other numbers",
        widget=forms.TextInput(PLAIN),
        help_text="Further numbers the assistant may quote, such as tracking numbers.",
    )
    privacy_email = forms.EmailField(
        required=False, label="Address for privacy", help_text="Empty: the contact address."
    )
    privacy_url = web("Your privacy notice", "Linked in place of our page.")
    privacy_text = forms.CharField(
        required=False,
        max_length=20_000,
        widget=area(6),
        label="Or its text",
        help_text="In Markdown; shown at /privacy/ in place of ours.",
    )
    terms_url = web("Your terms", "Linked in the footer.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in zip(DAYS, opening.WEEKDAYS, strict=True):
            self.fields[name] = forms.CharField(
                label=label, required=False, max_length=80, widget=forms.TextInput({**PLAIN, "placeholder": "closed"})
            )

    @classmethod
    def of(cls, row: Workspace) -> WorkspaceForm:
        """The form as the row stands."""
        initial = {name: getattr(row, name) for name in cls.base_fields if hasattr(row, name)}
        initial["languages"] = row.languages or [code for code, _ in settings.LANGUAGES]
        initial["holidays"] = opening.write_holidays(row.holidays)
        for name, intervals in zip(DAYS, row.week, strict=True):
            initial[name] = opening.write_day(intervals)
        return cls(initial=initial)

    def sections(self) -> Iterator[tuple[str, str, list[BoundField]]]:
        """(id, title, fields) in the order of the page."""
        for key, title, names in SECTIONS:
            yield key, title, [self[name] for name in names]

    def values(self) -> dict[str, Any]:
        """The columns of the row; after `is_valid`."""
        kept = {name: value for name, value in self.cleaned_data.items() if hasattr(Workspace, name)}
        kept["week"] = [[list(span) for span in self.cleaned_data[name]] for name in DAYS]
        return {**kept, **(self.cleaned_data["logo_file"] or (NO_LOGO if self.cleaned_data["no_logo"] else {}))}

    def clean_name(self) -> str:
        return " ".join(str(self.cleaned_data["name"]).split())

    def clean_house_style(self) -> str:
        return " ".join(str(self.cleaned_data["house_style"]).split())

    def clean_return_address(self) -> str:
        return "\n".join(str(self.cleaned_data["return_address"]).splitlines())

    def clean_privacy_text(self) -> str:
        return "\n".join(str(self.cleaned_data["privacy_text"]).splitlines())

    def clean_logo_file(self) -> dict[str, Any]:
        file = self.cleaned_data["logo_file"]
        if not file:
            return {}
        try:
            return logo_values(file.read())
        except DeskError as refusal:
            raise forms.ValidationError(refusal.message) from None

    def clean_accent(self) -> str:
        return self._colour("accent", "light")

    def clean_accent_dark(self) -> str:
        return self._colour("accent_dark", "dark")

    def clean_openers(self) -> str:
        lines = list(filter(None, map(str.strip, self.cleaned_data["openers"].splitlines())))
        if len(lines) > MAX_OPENERS or any(len(line) > MAX_OPENER for line in lines):
            raise forms.ValidationError(f"{MAX_OPENERS} questions at most, each of up to {MAX_OPENER} characters.")
        return "\n".join(lines)

    def clean_languages(self) -> list[str]:
        """None named means all, those of later versions too."""
        offered = [code for code, _ in settings.LANGUAGES if code == ENGLISH or code in self.cleaned_data["languages"]]
        return [] if len(offered) == len(settings.LANGUAGES) else offered

    def clean_currency(self) -> str:
        code = str(self.cleaned_data["currency"]).strip().upper()
        if code not in CURRENCIES:
            raise forms.ValidationError(f"“{code}” is no currency. Write its three letters, such as EUR.")
        return code

    def clean_time_zone(self) -> str:
        return str(read(opening.zone_of, self.cleaned_data["time_zone"].strip()))

    def clean_holidays(self) -> dict[str, str]:
        return dict(read(opening.read_holidays, self.cleaned_data["holidays"]))

    def clean_order_number_format(self) -> str:
        return ", ".join(mask.text for mask in read(masks.masks, self.cleaned_data["order_number_format"]))

    def clean_other_number_formats(self) -> str:
        return ", ".join(mask.text for mask in read(masks.masks, self.cleaned_data["other_number_formats"]))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in DAYS:
            try:
                cleaned[name] = read(opening.read_day, cleaned.get(name, ""))
            except forms.ValidationError as refusal:
                self.add_error(name, refusal)
        if not any(cleaned.get(name) for name in DAYS) and not set(DAYS) & self.errors.keys():
            self.add_error(DAYS[0], "On one day of the week at least people must be there: customers are told when.")
        if cleaned.get("accent_dark") and not cleaned.get("accent") and "accent" not in self.errors:
            self.add_error("accent_dark", "Choose the accent itself first; this one goes with it.")
        return cleaned

    def _colour(self, name: str, theme: str) -> str:
        if not (text := self.cleaned_data[name].strip()):
            return ""
        found = str(read(palette.read_hex, text))
        wrong = palette.refusals(found) if theme == "light" else palette.refusals("", found)
        if wrong:
            raise forms.ValidationError(str(wrong[0]))
        return found
