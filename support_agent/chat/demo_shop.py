"""A page of the demo shop that embeds the widget as any site would, with a strict policy of its own; DEMO only."""

from __future__ import annotations

import time
from typing import Any

from csp.constants import NONE, SELF
from csp.decorators import csp
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from support_agent.chat.account import chosen_person, demo_cast
from tickets.models import Customer, Product

SHELF = ("TNT-2P-GRN", "BPK-40-BLU-M", "LNT-200-RST", "SLB-TMB-GRN", "STV-HTH", "JKT-RDG-BLU-M")
PEOPLE = 4
IDENTITY_S = 600
CHOICES = {"theme": ("auto", "light", "dark"), "position": ("end", "start"), "locale": ("", *dict(settings.LANGUAGES))}
GREETING = "Questions about gear? We know it well."
POLICY = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF],
    "font-src": [SELF],
    "connect-src": [SELF],
    "frame-src": [SELF],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
    "base-uri": [NONE],
    "report-uri": settings.POLICY_REPORTS,
}


@require_GET
@never_cache
@ensure_csrf_cookie
@csp(POLICY)
def shop(request: HttpRequest) -> HttpResponse:
    """Shelves and the widget's script tag; `?theme=&position=&locale=&greeting=1` are its options, to try them."""
    if not settings.DEMO:
        raise Http404
    asked = {name: request.GET.get(name, "") for name in CHOICES}
    chosen = {name: value if value in CHOICES[name] else CHOICES[name][0] for name, value in asked.items()}
    products = {product.sku: product for product in Product.objects.filter(sku__in=SHELF)}
    context: dict[str, Any] = {
        "products": [products[sku] for sku in SHELF if sku in products],
        "people": demo_cast()[:PEOPLE],
        "choices": CHOICES,
        "chosen": chosen,
        "greeting": GREETING if "greeting" in request.GET else "",
    }
    return render(request, "demo/shop.html", context)


@require_POST
@never_cache
def identity(request: HttpRequest) -> JsonResponse:
    """{identity}: what a shop's server signs for whoever is signed in there; here for one of the demo's people."""
    person = chosen_person(request)
    customer = Customer.objects.filter(user=person).first() if person else None
    if not settings.DEMO or customer is None or not settings.IDENTITY_SECRET:
        raise Http404
    import jwt  # and cryptography with it

    claims = {
        "sub": customer.external_id or f"demo-{customer.pk}",
        "email": customer.email,
        "name": customer.name,
        "exp": int(time.time()) + IDENTITY_S,
    }
    return JsonResponse({"identity": jwt.encode(claims, settings.IDENTITY_SECRET, algorithm="HS256")})
