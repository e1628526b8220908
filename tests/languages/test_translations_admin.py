"""Staff write translations beside their article; one whose article changed since is marked, and confirmed by a save."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.cast import Cast, make_cast
from tests.languages.conftest import Translate
from tickets.audience import EVERYONE
from tickets.models import Article, ArticleTranslation, AuditEntry
from tickets.search import search
from tickets.services.articles import article_save


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


def form_of(article: Article, *rows: dict[str, str]) -> dict[str, str]:
    names = ("title", "category", "status", "audience", "summary", "keywords", "body")
    form = {name: getattr(article, name) for name in names}
    known = sum("id" in row for row in rows)
    form |= {"translations-TOTAL_FORMS": str(len(rows)), "translations-INITIAL_FORMS": str(known)}
    for number, row in enumerate(rows):
        row = {"article": str(article.pk), **row}
        form |= {f"translations-{number}-{name}": value for name, value in row.items()}
    for other in ("sections", "feedback"):
        form |= {f"{other}-TOTAL_FORMS": "0", f"{other}-INITIAL_FORMS": "0"}
    return form


@pytest.mark.parametrize("who", ["lead", "ops", "admin"])
def test_written_changed_and_removed_beside_the_article(
    client: Client, cast: Cast, shelf: dict[str, Article], who: str
) -> None:
    article = shelf["returns"]
    client.force_login(getattr(cast, who))
    page = f"/admin/tickets/article/{article.pk}/change/"
    row = {"language": "de", "status": "published", "title": "Zurücksenden", "summary": "", "keywords": "Retoure"}
    answer = client.post(page, form_of(article, {**row, "body": "Ungenutzte Artikel nehmen wir zurück."}))
    assert answer.status_code == 302, answer.content.decode()[:3000]
    made = ArticleTranslation.objects.get(article=article, language="de")
    assert search("Retoure", language="de", readers=EVERYONE)[0].title == "Zurücksenden"
    assert AuditEntry.objects.filter(action="translation.save", object_id=str(made.pk)).exists()
    if who != "ops":  # who may not delete articles may not delete their translations
        kept = {**row, "id": str(made.pk), "body": made.body, "DELETE": "on"}
        assert client.post(page, form_of(article, kept)).status_code == 302
        assert not ArticleTranslation.objects.exists()
        assert search("Retoure", language="de", readers=EVERYONE) == []


def test_a_stale_translation_is_marked_until_it_is_confirmed(
    client: Client, cast: Cast, shelf: dict[str, Article], translate: Translate
) -> None:
    made = translate("returns", "de", "Zurücksenden", "Ungenutzte Artikel.")
    assert not made.is_stale
    fields = {name: getattr(shelf["returns"], name) for name in ("title", "category", "status")}
    article_save(slug="returns", body="Now within 60 days.", **fields)
    client.force_login(cast.lead)
    listed = client.get("/admin/tickets/articletranslation/?fits=no").content.decode()
    assert "article changed since" in listed
    form = {"action": "confirm", "_selected_action": str(made.pk)}
    client.post("/admin/tickets/articletranslation/", form)
    assert "article changed since" not in client.get("/admin/tickets/articletranslation/").content.decode()
    assert AuditEntry.objects.filter(action="translation.save", object_id=str(made.pk)).exists()
