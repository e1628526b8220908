"""What search engines ask for: the map of the help centre, and where they may look."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.contrib.sitemaps.views import sitemap as sitemap_view
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from tickets.audience import EVERYONE
from tickets.models import Article
from tickets.selectors.articles import ABOUT, published_articles
from tickets.structured import absolute

# The longest rule that fits a path wins. Conversations, accounts and the desk are nobody's search results.
ROBOTS = """User-agent: *
Disallow: /
Allow: /help/
Disallow: /help/?
Disallow: /help/suggest/
Allow: /privacy/
Allow: /static/
Allow: /sitemap.xml

Sitemap: {sitemap}
"""


if TYPE_CHECKING:
    Base = Sitemap[Any]
else:  # generic only for the type checker
    Base = Sitemap


class OurSitemap(Base):
    """Addresses by the configured origin, whatever Host a request names."""

    def get_protocol(self, protocol: str | None = None) -> str:
        return urlsplit(settings.SITE_ORIGIN).scheme

    def get_domain(self, site: object = None) -> str:
        return urlsplit(settings.SITE_ORIGIN).netloc


class Shelves(OurSitemap):
    """The help centre's front page and its categories: as new as their newest article."""

    def items(self) -> list[tuple[str, datetime | None]]:
        changed = dict(published_articles(EVERYONE).order_by().values_list("category").annotate(at=Max("updated_at")))
        home = (reverse("help"), max(changed.values(), default=None))
        return [home, *((reverse("help_category", args=[kind]), changed[kind]) for kind in ABOUT if kind in changed)]

    def location(self, item: tuple[str, datetime | None]) -> str:
        return item[0]

    def lastmod(self, item: tuple[str, datetime | None]) -> datetime | None:
        return item[1]


class Articles(OurSitemap):
    def items(self) -> QuerySet[Article]:
        return published_articles(EVERYONE).only("slug", "updated_at").order_by("slug")

    def lastmod(self, item: Article) -> datetime:
        return item.updated_at


@require_safe
def sitemap(request: HttpRequest) -> HttpResponseBase:
    return sitemap_view(request, {"shelves": Shelves, "articles": Articles})


@require_safe
@cache_control(max_age=3600, public=True)
def robots(request: HttpRequest) -> HttpResponse:
    return HttpResponse(ROBOTS.format(sitemap=absolute("/sitemap.xml")), content_type="text/plain; charset=utf-8")
