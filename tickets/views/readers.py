"""Whose articles a page may show: by who is signed in, and by what was verified in this browser."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers, patch_vary_headers

from tickets import hooks
from tickets.access import BEGUN_KEY, staff_roles
from tickets.audience import EVERYONE, STAFF, Readers, readers_of
from tickets.models import Customer, User

P = ParamSpec("P")


def readers_of_request(request: HttpRequest) -> Readers:
    """Staff whose session opens the desk see everything; by the customers' door they are customers. A stranger's
    browser reads what its own conversations, verified by a code, may be answered from: their sources link here."""
    user = request.user if isinstance(request.user, User) and request.user.is_active else None
    if user is not None and staff_roles(user) and all(agrees(request) for agrees in hooks.opens_desk):
        return STAFF
    if user is not None and (customer := Customer.objects.filter(user=user).first()) is not None:
        return readers_of(customer)
    ids = request.session.get(BEGUN_KEY, [])
    customers = Customer.objects.filter(conversations__in=ids).distinct() if ids else []
    return EVERYONE.union(*(readers_of(one) for one in customers))


def for_readers(
    view: Callable[Concatenate[HttpRequest, Readers, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Hand a view its readers, and keep what it shows to more than everyone out of every cache."""

    @wraps(view)
    def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        readers = readers_of_request(request)
        response = view(request, readers, *args, **kwargs)
        patch_vary_headers(response, ["Cookie"])
        if readers != EVERYONE:
            del response["Cache-Control"]
            add_never_cache_headers(response)
        return response

    return answer
