"""Who answers and from what: staff, their second factors, articles, the company's name and hours, routes of alerts."""

from __future__ import annotations

from collections.abc import Iterator

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.db.models import Q

from support_agent.doctor.finding import Check, Finding
from support_agent.health import readiness
from support_agent.ops.selectors.alerts import route_rows
from support_agent.sign_in.standing import FACTORS
from tickets.demo.people import CAST, DEMO_PASSWORD
from tickets.models import Article, ArticleSection, Customer, Role, Team, User
from tickets.search.embedder import get_embedder
from tickets.workspace import workspace

MOST_PASSWORDS = 100  # each takes some 30 ms: whoever signed in last first
PROGRAMS = {"runner": "run_agents", "worker": "rqworker-pool", "scheduler": "rqcron"}


def _staff() -> Iterator[Finding]:
    staff = User.objects.filter(is_staff=True, is_active=True)
    roleless = staff.filter(is_superuser=False).exclude(groups__name__in=Role.values)
    if names := sorted(roleless.values_list("username", flat=True)):
        yield Finding("roles", "missing", f"without a role: {_few(names)}", "give each a group at /admin/tickets/user/")
    may_admin = staff.filter(Q(is_superuser=True) | Q(groups__name=Role.ADMIN)).exists()
    may_answer = staff.filter(groups__name__in=(Role.AGENT, Role.LEAD)).exists()
    if may_admin and may_answer:
        yield Finding("staff", "ok", f"{staff.count()} people, somebody to answer and somebody to administer")
    else:
        lacking = "nobody administers" if not may_admin else "nobody has the role agent or lead to answer customers"
        mend = "manage.py createsuperuser" if not may_admin else "make users with a role at /admin/tickets/user/"
        yield Finding("staff", "missing", lacking, mend)
    silent = sorted(Team.objects.filter(Q(email="") | Q(email__endswith=".example")).values_list("name", flat=True))
    if silent:
        yield Finding(
            "teams", "note", f"nobody is mailed for {_few(silent)}", "set their e-mail at /admin/tickets/team/"
        )


def _demo_left() -> Iterator[Finding]:
    staff = User.objects.filter(is_staff=True, is_active=True).order_by("-last_login")[:MOST_PASSWORDS]
    public = [one.username for one in staff if check_password(DEMO_PASSWORD, one.password)]
    cast = Customer.objects.filter(email__in=[member.email for member in CAST]).count()
    if public:
        yield Finding("passwords", "missing", f"the demo's, which all know: {_few(public)}", "give them others")
    else:
        yield Finding("passwords", "ok", "nobody has the demo's")
    if cast:
        detail = f"{cast} of the demo's customers are in this database"
        yield Finding("demo data", "missing", detail, "begin with an empty database")


def _second_factors() -> Iterator[Finding]:
    """Whoever has a role of the desk sees what customers ordered and paid, and has one set up."""
    if settings.STAFF_MFA != "required":
        yield Finding("second factors", "missing", "staff may sign in without one", "set STAFF_MFA=required")
    own = Authenticator.objects.filter(type__in=FACTORS).values("user_id")
    sees = Q(is_superuser=True) | Q(groups__name__in=Role.values)
    staff = User.objects.filter(sees, is_staff=True, is_active=True).exclude(pk__in=own)
    if settings.OIDC_TRUST_MFA:  # their provider asks for it
        staff = staff.exclude(pk__in=SocialAccount.objects.values("user_id"))
    names = sorted(set(staff.values_list("username", flat=True)))
    if names:
        mend = "they set it up when they sign in next"
        yield Finding("second factors", "note", f"not set up yet: {_few(names)}", mend)
    else:
        yield Finding("second factors", "ok", "whoever has a role has one")


def _articles() -> Iterator[Finding]:
    published = Article.objects.filter(status=Article.Status.PUBLISHED)
    count = published.count()
    if not count:
        mend = "write them at /admin/tickets/article/, or import them"
        yield Finding("articles", "missing", "none is published: the assistant answers from them", mend)
        return
    unread = published.exclude(pk__in=ArticleSection.objects.values("article_id")).count()
    embedder = get_embedder()
    unweighed = 0
    if embedder:
        understood = ArticleSection.objects.filter(language__in=embedder.languages)
        unweighed = understood.exclude(embedder=embedder.name).count()
    if unread or unweighed:
        detail = f"{unread} are not searched, {unweighed} sections have no vector"
        yield Finding("articles", "missing", detail, "manage.py index_articles; the worker makes vectors by itself")
    else:
        yield Finding("articles", "ok", f"{count} published and indexed")


def _company() -> Iterator[Finding]:
    """Whose installation this is."""
    ours, page = workspace(), "/admin/workspace/"
    if ours.is_default:
        yield Finding("workspace", "missing", f"still called {ours.name}", f"say whose shop this is at {page}")
    elif not any(ours.week):
        yield Finding("workspace", "missing", "no office hours: promises have no time", f"set them at {page}")
    else:
        yield Finding("workspace", "ok", f"{ours.name}, hours in {ours.time_zone}")


def _alert_routes() -> Iterator[Finding]:
    rows = [row for row in route_rows() if row.route.is_active]
    mend = "/admin/ops/alerts/#routes: add one, send a test"
    if failing := [row for row in rows if row.error]:
        yield Finding("alerts", "missing", "; ".join(f"{row.route}: {row.error}" for row in failing), mend)
    elif not rows:
        yield Finding("alerts", "missing", "no route is active: nobody is told when something breaks", mend)
    elif not any(row.last_sent for row in rows):
        yield Finding("alerts", "note", "nothing ever went over a route", mend)
    else:
        yield Finding("alerts", "ok", f"go to {', '.join(str(row.route) for row in rows)}")


def _alive() -> Iterator[Finding]:
    found = readiness()
    for name, command in PROGRAMS.items():
        if found[name] == "ok":
            yield Finding(name, "ok", "alive")
        else:
            yield Finding(name, "missing", found[name], f"start manage.py {command}")


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if names[5:] else "")


CHECKS: tuple[Check, ...] = (
    _staff,
    _demo_left,
    _second_factors,
    _articles,
    _company,
    _alert_routes,
    _alive,
)
