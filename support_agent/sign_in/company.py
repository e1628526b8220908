"""Whom the company's provider means: found by the subject once bound, by a verified address before, made when the role
mapping names them. Roles follow the claim at each sign-in."""

from __future__ import annotations

import hashlib
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import transaction

from tickets.models import Role, User
from tickets.services.audit import audit
from tickets.services.staff import staff_create, staff_roles_set

Claims = dict[str, Any]
PROVIDER = "company"
KEPT = ("iss", "sub", "email", "name", "amr", "acr")


class NotWelcome(Exception):
    """Who the provider means does not come in; the text says why, and what to do."""


def person_of(claims: Claims) -> User:
    """The member of staff, with the roles of the claim; raises NotWelcome. Roles that are taken stay taken then."""
    email = str(claims.get("email") or "").strip().lower()
    if settings.OIDC_ALLOWED_DOMAINS and email.rpartition("@")[2] not in settings.OIDC_ALLOWED_DOMAINS:
        raise NotWelcome(f"Addresses such as {email or '(none)'} may not sign in here. Use your company account.")
    roles = roles_of(claims)
    with transaction.atomic():
        user = _bound(claims, email, roles)
        kept = None if roles is None else staff_roles_set(user=user, roles=roles)
    if kept is not None and not kept and not user.is_superuser:
        raise NotWelcome(f"{settings.OIDC_NAME} gives you no role here. Ask whoever hands them out there.")
    return user


def _bound(claims: Claims, email: str, roles: set[Role] | None) -> User:
    """Who is bound to the subject, and from the first time on stays it."""
    uid = hashlib.sha256(f"{claims['iss']} {claims['sub']}".encode()).hexdigest()  # another issuer, another person
    account = SocialAccount.objects.select_related("user").filter(provider=PROVIDER, uid=uid).first()
    is_new = account is None
    if account is None:
        account = SocialAccount(user=_first_time(claims, email, roles), provider=PROVIDER, uid=uid)
    user: User = account.user
    if not (user.is_active and user.is_staff):
        raise NotWelcome("This account is switched off. Ask an admin.")
    account.extra_data = {name: claims[name] for name in KEPT if name in claims}
    account.save()
    if is_new:
        audit(actor=user, action="staff.bind", obj=user, changes={"provider": ("", claims["iss"])})
    return user


def _first_time(claims: Claims, email: str, roles: set[Role] | None) -> User:
    """The one member of staff with this verified address, or a new one when the claim gives a role."""
    if claims.get("email_verified") is not True or not email:
        raise NotWelcome(f"{settings.OIDC_NAME} has not verified your e-mail address. Have it verified there first.")
    found = list(User.objects.filter(email__iexact=email, is_staff=True)[:2])
    if len(found) > 1:
        raise NotWelcome(f"Several accounts have the address {email}. Ask an admin to correct it.")
    if found:
        if SocialAccount.objects.filter(user=found[0], provider=PROVIDER).exists():
            raise NotWelcome(f"{email} belongs to another identity of {settings.OIDC_NAME}. Ask an admin to reset it.")
        return found[0]
    if not roles:
        raise NotWelcome(f"There is no account for {email} here. Ask an admin to make one.")
    return staff_create(
        email=email,
        first_name=str(claims.get("given_name") or "")[:150],
        last_name=str(claims.get("family_name") or "")[:150],
    )


def roles_of(claims: Claims) -> set[Role] | None:
    """The roles of the claim's values; None when roles are not the provider's business here."""
    if not settings.OIDC_ROLE_CLAIM:
        return None
    told = claims.get(settings.OIDC_ROLE_CLAIM) or []
    values = [told] if isinstance(told, str) else told if isinstance(told, list) else []
    return {Role(settings.OIDC_ROLES[str(value)]) for value in values if str(value) in settings.OIDC_ROLES}


def has_second_factor(claims: Claims) -> bool:
    """Whether the provider says that it asked for one (RFC 8176's `mfa`, or a class of that name)."""
    methods = claims.get("amr") or []
    words = [*methods, str(claims.get("acr") or "")] if isinstance(methods, list) else [str(methods)]
    return any(word == "mfa" or "multi-factor" in word or word.endswith(":mfa") for word in map(str, words))
