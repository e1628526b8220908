"""Django's settings, all read from support_agent.env."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from csp.constants import NONCE, NONE, SELF

from support_agent import embedded
from support_agent.email_url import parse_email_url
from support_agent.env import BASE_DIR, LOOPBACK, env
from support_agent.logs import logging_settings

SECRET_KEY = env.secret_key.get_secret_value()
IDENTITY_SECRET = env.identity_secret.get_secret_value()
DEBUG = env.debug
DEMO = env.demo
TRUST_PROXY = env.trust_proxy
DATA_DIR = env.data_dir
ALLOWED_HOSTS = list(dict.fromkeys([*(env.allowed_hosts or sorted(LOOPBACK)), env.host]))
ALLOWED_ORIGINS = env.allowed_origins
WIDGET_ORIGINS = env.widget_origins or env.allowed_origins
"""The sites that may put the chat into a frame, besides our own pages."""
CSRF_TRUSTED_ORIGINS = env.allowed_origins
SITE_ORIGIN = env.allowed_origins[0] if env.allowed_origins else env.origin
"""Where links in e-mails lead."""
LINK_HOSTS = {urlsplit(origin).hostname or "" for origin in (*env.allowed_origins, env.origin)}
"""Our own hosts: links in answers and articles may lead there, and to the workspace's website (tickets.markdown)."""

ROOT_URLCONF = "support_agent.urls"
ASGI_APPLICATION = "support_agent.asgi.application"
AUTH_USER_MODEL = "tickets.User"
AUTHENTICATION_BACKENDS = ["tickets.sign_in.PasswordBackend"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "/account/login/"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "/"

INSTALLED_APPS = [
    "support_agent",  # before those whose templates and commands it replaces
    "tickets",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "django_rq",
    "ninja",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
]
MIDDLEWARE = [
    "support_agent.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "support_agent.compression.CompressionMiddleware",
    "support_agent.middleware.StaticFilesMiddleware",
    "support_agent.middleware.PolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "support_agent.chat.languages.LanguageMiddleware",
    "support_agent.health.HostMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "support_agent.sign_in.gate.StaffGate",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "support_agent.busy.BusyMiddleware",
    "support_agent.middleware.one_thread",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django.template.loaders.filesystem.Loader", "support_agent.templates.StrictLoader"],
                )
            ],
            "builtins": ["tickets.templatetags.workspace"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    }
]


def database(url: str) -> dict[str, Any]:
    """Django's database dict for a postgresql:// URL; its query (host of a socket, sslmode, …) goes to libpq."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    # A pool that lost its server doubles its pauses: after three seconds it begins anew, when somebody asks.
    pool = {"min_size": 1, "max_size": env.database_pool_size, "timeout": 10, "reconnect_timeout": 3}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", None) or unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 0,  # the pool below keeps connections
        # A cursor that outlives its transaction does not pass a pooler in transaction mode.
        "DISABLE_SERVER_SIDE_CURSORS": bool(env.database_direct_url),
        # Neither does a prepared statement. Elsewhere those are prepared that ask for it (tickets/sql.py), no others.
        "OPTIONS": {**query, "pool": pool, "prepare_threshold": None if env.database_direct_url else 1_000_000},
    }


DATABASE_URL = env.database_url or embedded.database_url(env.data_dir)
DATABASE_DIRECT_URL = env.database_direct_url
"""Where DATABASE_URL leads through a pooler in transaction mode: PostgreSQL itself, for what a session must keep."""
DATABASES = {"default": database(DATABASE_URL)}
REDIS_URL = env.redis_url or embedded.redis_url(env.data_dir)
CACHES = {"default": {"BACKEND": "support_agent.cache.SharedCache", "LOCATION": REDIS_URL}}
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
}
# In the order they are served: codes expire, so mails come first. Jobs of minutes are `long` (support_agent.worker).
RQ_QUEUES = {name: {"URL": REDIS_URL, "DEFAULT_TIMEOUT": 300} for name in ("mail", "default", "long", "evals")}
RQ = {"COMMIT_MODE": "on_db_commit", "DEFAULT_RESULT_TTL": 3600, "WORKER_CLASS": "support_agent.worker.BeatingWorker"}

RQ_SHOW_ADMIN_LINK = False  # its pages in the admin are open to all staff; ours at /django-rq/ ask for the role

ALERT_WEBHOOK_PRIVATE = env.alert_webhook_private

EMBEDDER = env.embedder

BACKEND = env.backend
BACKEND_URL, BACKEND_TOKEN = env.backend_url, env.backend_token.get_secret_value()
"""What the HTTP adapter (tickets.backends.http) speaks to."""
AGENT_TOOLS = env.agent_tools
MCP_COMMANDS = env.mcp_commands
MCP_PRIVATE = env.mcp_private

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

RATE_LIMIT_SCALE = env.rate_limit_scale
# Staff sign in by django-allauth: support_agent/sign_in, docs/staff-sign-in.md.
STAFF_MFA = env.staff_mfa
OIDC_ISSUER, OIDC_NAME = env.oidc_issuer, env.oidc_name
OIDC_ROLE_CLAIM, OIDC_ROLES = env.oidc_role_claim, dict(pair.rsplit("=", 1) for pair in env.oidc_roles)
OIDC_ALLOWED_DOMAINS = [domain.lower() for domain in env.oidc_allowed_domains]
OIDC_ONLY, OIDC_TRUST_MFA = env.oidc_only, env.oidc_trust_mfa
OIDC_CLIENT_ID, OIDC_CLIENT_SECRET = env.oidc_client_id, env.oidc_client_secret.get_secret_value()
ACCOUNT_ADAPTER = "support_agent.sign_in.adapters.StaffAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username"}
# Wrong codes of a person whose password was right; passkeys of an address.
ACCOUNT_RATE_LIMITS = {"login_failed": f"{max(1, round(5 * RATE_LIMIT_SCALE))}/5m/key"}
MFA_RATE_LIMITS = {"webauthn_login": f"{max(1, round(10 * RATE_LIMIT_SCALE))}/m/ip"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]  # nobody signs up: no such page is routed
MFA_ADAPTER = "support_agent.sign_in.adapters.FactorAdapter"
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1  # clocks of telephones are seconds off

# Plain http is for this machine alone: with other hosts and without DEBUG, cookies travel only over https.
_https = not DEBUG and not set(env.allowed_hosts) <= LOOPBACK
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https and env.hsts_subdomains
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUST_PROXY else None
# Only a trusted proxy says what was https; without one, a redirect would go round in circles.
SECURE_SSL_REDIRECT = _https and TRUST_PROXY
SECURE_REDIRECT_EXEMPT = ["^(healthz|readyz|metrics)$"]  # machines ask beside the proxy
# Whether a company's other hosts speak only https is for HSTS_SUBDOMAINS to say, not for us to guess.
SILENCED_SYSTEM_CHECKS = [] if env.hsts_subdomains else ["security.W005", "security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
POLICY_REPORTS = "/csp-report/"
"""Where browsers tell what the policy below made them refuse."""
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "media-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
        "report-uri": POLICY_REPORTS,
        "report-to": "csp",
    }
}

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = DATA_DIR / "media"
ERASURE_RECEIPTS = env.erasure_receipts or DATA_DIR / "erasures.jsonl"
_static = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _static if DEBUG else "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.email_from
EMAIL_REPLY_TO = env.email_reply_to
"""The mailbox that answers to our mails go to; empty: the sender."""
# Printed mails end up in the logs, and codes with them: only when trying things out.
EMAIL_BACKEND = f"django.core.mail.backends.{'console' if DEBUG else 'dummy'}.EmailBackend"
globals().update(parse_email_url(env.email_url.get_secret_value()))
if DEMO:
    EMAIL_BACKEND = "tickets.mail.DemoMailBackend"  # the demo's people are not real: nothing may leave

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
# Each by its own name, as the menu offers them.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español"), ("ar", "العربية")]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SECURE = _https
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["support_agent.formats"]

LOGGING = logging_settings(level=env.log_level, pretty=DEBUG)
