"""Customers' own data: one field at a time, checked, and taken back on request."""

from __future__ import annotations

import re
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from tickets.errors import Conflict, DeskError, NotAllowed, NotFound
from tickets.models import Customer
from tickets.redaction import without_secrets
from tickets.services.audit import audit

FIELDS = ("name", "phone", "shipping_address", "marketing_opt_in")
YES, NO = {"true", "yes", "y", "on", "1"}, {"false", "no", "n", "off", "0"}
# Nothing that renders, links or hides: these values are read by staff, carriers and the model.
FORBIDDEN = re.compile(
    r"[<>{}\x00-\x09\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|https?://|www\.", re.IGNORECASE
)
Value = str | bool


class InvalidValue(DeskError):
    """The value cannot be kept; the text says what is wrong with it."""

    code = "invalid_value"


def customer_clean(field: str, value: Value, *, locale: str = "en") -> Value:
    """The value as it is kept. Raises InvalidValue."""
    if field == "marketing_opt_in":
        return _yes_or_no(value)
    text = str(value).strip() if field == "phone" else without_secrets(str(value).strip())
    if FORBIDDEN.search(text):
        raise InvalidValue("must be plain text without links or special characters")
    if field == "phone":
        return _phone(text, locale)
    if field == "name":
        return _name(text)
    if field == "shipping_address":
        return _address(text)
    raise InvalidValue("is not a field that can be changed")


@transaction.atomic
def customer_update(*, customer_id: UUID, field: str, value: Value) -> None:
    """Change one field to a clean value. Raises NotFound."""
    customer = customer_lock(customer_id)
    if field not in FIELDS:
        raise InvalidValue("is not a field that can be changed")
    setattr(customer, field, value)
    customer.save(update_fields=[field])


def customer_identified(*, sub: str, email: str, name: str) -> Customer:
    """The customer behind an identity that the host site signed: by `sub`, or by the e-mail at its first use, which
    binds the two; an unknown address makes a customer. With a remote backend `sub` is what that system knows them by.
    Safe when several come first at once.

    Raises Conflict when the address is bound to another `sub`, NotAllowed for a closed account.
    """
    for __ in range(3):
        try:
            with transaction.atomic():
                customer = _bound(sub, email.strip().lower()) or Customer.objects.create(
                    external_id=sub, email=email.strip(), name=shown_name(name, email)
                )
                break
        except IntegrityError:
            continue  # somebody wrote the same sub or address meanwhile: read again
    else:
        raise Conflict("This identity was used in several places at once. Please try again.")
    if customer.status == Customer.Status.CLOSED:
        raise NotAllowed("This account is closed.")
    return customer


def _bound(sub: str, email: str) -> Customer | None:
    """Who has this `sub`, else who has the address and is bound to it now."""
    known = Customer.objects.filter(external_id=sub).first()
    if known is not None:
        return known
    by_email = Customer.objects.select_for_update(no_key=True).alias(lowered=Lower("email")).filter(lowered=email)
    customer = by_email.first()
    if customer is None or customer.external_id == sub:  # bound meanwhile, by the same identity
        return customer
    if customer.external_id is not None:
        raise Conflict("This e-mail address belongs to another identity.")
    customer.external_id = sub
    customer.save(update_fields=["external_id"])
    audit(actor=None, action="customer.bind_identity", obj=customer, changes={"external_id": ("", sub)})
    return customer


def shown_name(name: str, email: str) -> str:
    try:
        return str(customer_clean("name", name))
    except InvalidValue:
        return email.strip().partition("@")[0][:120]


def customer_lock(customer_id: UUID) -> Customer:
    """The customer, locked to the end of the transaction. Raises NotFound."""
    customer = Customer.objects.select_for_update(no_key=True).filter(pk=customer_id).first()
    if customer is None:
        raise NotFound(_("We could not find that account."))
    return customer


def _yes_or_no(value: Value) -> bool:
    word = str(value).strip().lower()
    if word not in YES | NO:
        raise InvalidValue("must be yes or no")
    return word in YES


def _name(text: str) -> str:
    text = " ".join(text.split())
    if not 2 <= len(text) <= 120 or not any(letter.isalpha() for letter in text):
        raise InvalidValue("must be a name of 2 to 120 characters")
    return text


def _address(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.splitlines()]
    text = "\n".join(line for line in lines if line)
    if not 10 <= len(text) <= 300 or not any(letter.isalpha() for letter in text):
        raise InvalidValue("must be a full postal address: street, town, postcode, country")
    return text


def _phone(text: str, locale: str) -> str:
    import phonenumbers  # of no use to most processes

    region = locale.replace("_", "-").partition("-")[2].upper()[:2] or "US"
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise InvalidValue("must be a phone number; with its country code when it is not a US one, like +49 30 901820")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
