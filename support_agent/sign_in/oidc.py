"""Sign-in by the company's identity provider: OpenID Connect's code flow with PKCE, state and nonce.

State, challenge and code exchange are allauth's; the ID token we read ourselves, since allauth checks neither its nonce
nor, over TLS, its signature.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Any

import jwt
import requests
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from support_agent.sign_in.adapters import refused
from support_agent.sign_in.company import NotWelcome, has_second_factor, person_of
from support_agent.sign_in.steps import leave, next_of
from tickets.db import release

PROVIDER = "company"
SCOPE = ["openid", "profile", "email"]
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
ASK_S = 5.0
SKEW_S = 60
TROUBLE = (OAuth2Error, requests.RequestException, jwt.PyJWTError, KeyError, ValueError, TypeError)
Json = dict[str, Any]


@require_GET
@never_cache
def begin(request: HttpRequest) -> HttpResponse:
    """Off to the provider. `?again=1` asks for a fresh authentication there."""
    _configured()
    nonce, challenge = secrets.token_urlsafe(32), generate_code_challenge()
    kept = {"nonce": nonce, "verifier": challenge.pop("code_verifier"), "next": next_of(request)}
    extra = {"nonce": nonce, **challenge, **({"prompt": "login"} if request.GET.get("again") else {})}
    try:
        config = _discover()
        client = _client(request, config)
        client.state = statekit.stash_state(request, provider_id=PROVIDER, state=kept)
        return redirect(client.get_redirect_url(config["authorization_endpoint"], SCOPE, extra))
    except TROUBLE:
        return refused(request, f"{settings.OIDC_NAME} does not answer. Try again in a minute.")


@require_GET
@never_cache
def callback(request: HttpRequest) -> HttpResponse:
    """Back from the provider: whoever the ID token names is signed in, or told why not."""
    _configured()
    kept = statekit.unstash_state(request, provider_id=PROVIDER, state_id=request.GET.get("state", ""))
    if kept is None or "code" not in request.GET:
        return refused(request, f"{settings.OIDC_NAME} did not sign you in. Begin again here.")
    try:
        claims = _claims(request, kept)
    except TROUBLE:
        return refused(request, f"What {settings.OIDC_NAME} answered cannot be trusted. Try again, or tell an admin.")
    try:
        user = person_of(claims)
    except NotWelcome as reason:
        return refused(request, str(reason))
    leave(request, user)
    record_authentication(request, user, "socialaccount", provider=PROVIDER)
    if settings.OIDC_TRUST_MFA and has_second_factor(claims):
        record_authentication(request, user, "mfa", type=PROVIDER)
    answer: HttpResponse = perform_login(request, Login(user=user, redirect_url=kept["next"]))
    return answer


def _configured() -> None:
    if not settings.OIDC_ISSUER:
        raise Http404


def _claims(request: HttpRequest, kept: Json) -> Json:
    """The claims of a token that is the provider's, ours and this sign-in's; what it leaves out is asked for."""
    config = _discover()
    answer = _client(request, config).get_access_token(request.GET["code"], pkce_code_verifier=kept["verifier"])
    token = answer["id_token"]
    keys = jwt.PyJWKSet.from_dict(_ask(config["jwks_uri"]))
    kid = jwt.get_unverified_header(token).get("kid")
    key = keys[kid] if kid else keys.keys[0]
    claims: Json = jwt.decode(
        token,
        key,
        algorithms=ALGORITHMS,
        audience=settings.OIDC_CLIENT_ID,
        issuer=config["issuer"],
        leeway=SKEW_S,
        options={"require": ["exp", "iat", "iss", "aud", "sub", "nonce"]},
    )
    if not hmac.compare_digest(str(claims["nonce"]), kept["nonce"]):
        raise ValueError("The token answers another sign-in.")
    wanted = {"email", "email_verified", *filter(None, [settings.OIDC_ROLE_CLAIM])}
    if not wanted <= claims.keys() and "userinfo_endpoint" in config:
        more = _ask(config["userinfo_endpoint"], {"Authorization": f"Bearer {answer['access_token']}"})
        if more.get("sub") != claims["sub"]:
            raise ValueError("The provider tells of somebody else.")
        claims = {**more, **claims}
    return claims


def _discover() -> Json:
    """The provider's configuration, which has to be that of OIDC_ISSUER. Raises one of TROUBLE."""
    release()  # another system is asked: no connection waits for it
    config = _ask(f"{settings.OIDC_ISSUER.rstrip('/')}/.well-known/openid-configuration")
    if config["issuer"].rstrip("/") != settings.OIDC_ISSUER.rstrip("/"):
        raise ValueError("Another issuer answers.")
    return config


def _ask(url: str, headers: dict[str, str] | None = None) -> Json:
    answer = requests.get(url, headers=headers, timeout=ASK_S)
    answer.raise_for_status()
    found: Json = answer.json()
    return found


def _client(request: HttpRequest, config: Json) -> OAuth2Client:
    methods = config.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return OAuth2Client(
        request,
        settings.OIDC_CLIENT_ID,
        settings.OIDC_CLIENT_SECRET,
        "POST",
        config["token_endpoint"],
        request.build_absolute_uri(reverse("company_callback")),
        basic_auth="client_secret_post" not in methods,
    )
