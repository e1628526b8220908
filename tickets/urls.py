"""The desk's public pages, and what search engines ask for."""

from __future__ import annotations

from django.urls import path

from tickets.views import brand
from tickets.views import help as help_pages
from tickets.views.crawlers import robots, sitemap
from tickets.views.help_feedback import feedback
from tickets.views.help_suggest import suggest

urlpatterns = [
    path("help/", help_pages.home, name="help"),
    path("help/suggest/", suggest, name="help_suggest"),  # before the articles: no article has this slug
    path("help/category/<slug:category>/", help_pages.category, name="help_category"),
    path("help/<slug:slug>/", help_pages.article, name="help_article"),
    path("help/<slug:slug>/feedback/", feedback, name="help_feedback"),
    path("workspace.css", brand.colours, name="workspace_colours"),
    path("brand/logo-<slug:digest>.png", brand.logo, name="workspace_logo"),
    path("brand/icon-<slug:digest>.png", brand.icon, name="workspace_icon"),
    path("sitemap.xml", sitemap, name="sitemap"),
    path("robots.txt", robots, name="robots"),
]
