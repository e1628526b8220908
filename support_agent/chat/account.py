"""Customers sign in and out; the demo offers its cast at one click and shows every e-mail it 'sent'."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from support_agent.addresses import client_address
from support_agent.chat.conversations import conversations_claim
from support_agent.chat.languages import signed_in
from support_agent.runtime.ratelimit import allow
from tickets.errors import RateLimited
from tickets.models import Customer, DemoMail, User
from tickets.selectors.customers import customer_by_email

CAST_SIZE = 8
MAILS = 100


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """E-mail and password, or in the demo a click on one of the cast. The session key changes, its contents stay."""
    error, status = "", 200
    if request.method == "POST":
        try:
            allow("login", client_address(request.META))
            user = chosen_person(request) or _known(request)
        except RateLimited as limited:
            user, error, status = None, limited.message, 429
        if user is not None:
            login(request, user)
            conversations_claim(request.session, user.customer)
            signed_in(request, user.customer.locale)
            return redirect(_next(request))
        error = error or _("That e-mail address and password do not belong together.")
    context = {"error": error, "email": request.POST.get("email", ""), "next": _next(request), "cast": demo_cast()}
    return render(request, "account/login.html", context, status=status)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session with everything in it; its open sockets are told (chat/endings.py)."""
    logout(request)
    return redirect("/")


@require_GET
@never_cache
def demo_mail(request: HttpRequest) -> HttpResponse:
    """Every e-mail of the demo, newest first; `?to=` narrows it."""
    if not settings.DEMO:
        raise Http404
    to = request.GET.get("to", "").replace("\x00", "").strip()
    mails = DemoMail.objects.filter(to__icontains=to) if to else DemoMail.objects.all()
    return render(request, "demo/mail.html", {"mails": mails.order_by("-created_at")[:MAILS], "to": to})


def _known(request: HttpRequest) -> User | None:
    """Whom e-mail and password belong to; an unknown address costs the same hashing as a known one."""
    customer = customer_by_email(request.POST.get("email", "").replace("\x00", ""))
    username = customer.user.username if customer and customer.user else ""
    user = authenticate(request, username=username, password=request.POST.get("password", ""))
    return user if isinstance(user, User) else None


def chosen_person(request: HttpRequest) -> User | None:
    """The cast member whose button was pressed; never without DEMO, never staff."""
    if not settings.DEMO or "as" not in request.POST:
        return None
    try:
        chosen = UUID(request.POST["as"])
    except ValueError:
        return None
    customer = _demo_people().select_related("user").filter(pk=chosen).first()
    return customer.user if customer else None


def demo_cast() -> list[Customer]:
    if not settings.DEMO:
        return []
    return list(_demo_people().annotate(order_count=Count("orders")).order_by("-order_count", "name")[:CAST_SIZE])


def _demo_people() -> QuerySet[Customer]:
    people = Customer.objects.filter(user__is_active=True, user__is_staff=False)
    return people.exclude(status=Customer.Status.CLOSED)


def _next(request: HttpRequest) -> str:
    """Where to go on: a path of this site, else the chat."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    return wanted if url_has_allowed_host_and_scheme(wanted, None) and wanted.startswith("/") else "/"
