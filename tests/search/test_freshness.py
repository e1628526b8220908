"""What is saved is found at once, and what is taken back is gone at once."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from tests.search.conftest import Write
from tickets.audience import EVERYONE
from tickets.models import Article, ArticleSection, AuditEntry, SearchTerm, User
from tickets.search import search
from tickets.services.articles import article_delete, article_set_status, terms_recount


def test_an_edit_shows_at_the_next_search(write: Write, shelf: None) -> None:
    write("Tarps", "A tarp keeps rain away.")
    assert search("tarp", readers=EVERYONE)
    write("Sails", "A sail keeps rain away.", slug="tarps")
    assert search("tarp", readers=EVERYONE) == []
    assert search("sail", readers=EVERYONE)[0].title == "Sails"


def test_taking_back_and_publishing_again(write: Write, shelf: None) -> None:
    article = write("Tarps", "A tarp keeps rain away.")
    article_set_status(article=article, status=Article.Status.DRAFT)
    assert search("tarp", readers=EVERYONE) == []
    article_set_status(article=article, status=Article.Status.PUBLISHED)
    assert search("tarp", readers=EVERYONE)


def test_a_deleted_article_is_gone(write: Write, shelf: None) -> None:
    article_delete(article=write("Tarps", "A tarp keeps rain away."))
    assert search("tarp", readers=EVERYONE) == []
    assert not ArticleSection.objects.filter(text__contains="tarp").exists()


def test_the_vocabulary_stays_exact(write: Write, shelf: None) -> None:
    write("Tarps", "A tarp keeps rain away from a tent.")
    write("Tarps", "A tarp keeps the sun away.")
    article_delete(article=write("Ropes", "A rope and a tarp."))
    counted = dict(SearchTerm.objects.values_list("lexeme", "articles"))
    terms_recount()
    assert counted == dict(SearchTerm.objects.values_list("lexeme", "articles"))


def test_changes_by_staff_are_audited(write: Write, django_user_model: type[User]) -> None:
    editor = django_user_model.objects.create_user("editor", "editor@example.com", "x")
    write("Tarps", "A tarp.")
    write("Tarps", "A big tarp.", actor=editor)
    entry = AuditEntry.objects.get(action="article.save")
    assert entry.fields == ["body"]


def test_a_value_that_does_not_fit_is_refused(write: Write) -> None:
    with pytest.raises(ValidationError, match="not a valid choice"):
        write("Tarps", "A tarp.", category="hobbies")
