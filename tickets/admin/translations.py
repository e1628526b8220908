"""An article's translations: written beside it in the admin, and a list of their own where the stale ones stand out."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from tickets.admin.base import ReadOnlyAdmin, StackedInline, badge
from tickets.models import ArticleTranslation, User
from tickets.models.translations import TranslatedTerm
from tickets.services.translations import translation_delete, translation_save


class TranslationInline(StackedInline):
    model = ArticleTranslation
    extra = 0
    fields = ("language", "status", "title", "summary", "keywords", "body", "freshness")
    readonly_fields = ("freshness",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ArticleTranslation]:
        found: QuerySet[ArticleTranslation] = super().get_queryset(request)
        return found.select_related("article")

    @admin.display(description="fits the article")
    def freshness(self, obj: ArticleTranslation) -> SafeString | str:
        return _freshness(obj) if obj.pk else ""


class Stale(admin.SimpleListFilter):
    title = "fits the article"
    parameter_name = "fits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("no", "Article changed since"), ("yes", "Up to date")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "no":
                return queryset.filter(article__updated_at__gt=F("updated_at"))
            case "yes":
                return queryset.filter(article__updated_at__lte=F("updated_at"))
        return queryset


@admin.register(ArticleTranslation)
class TranslationAdmin(ReadOnlyAdmin):
    """All of them; they are written on their article's page."""

    list_display = ("title", "article", "language", "status", "fits", "updated_at")
    list_filter = ("language", "status", Stale)
    list_select_related = ("article",)
    search_fields = ("title", "article__title", "article__slug", "body")
    actions = ("confirm",)

    @admin.display(description="fits the article")
    def fits(self, obj: ArticleTranslation) -> SafeString:
        return _freshness(obj)

    @admin.action(description="They fit the article as it is now", permissions=["confirm"])
    def confirm(self, request: HttpRequest, queryset: QuerySet[ArticleTranslation]) -> None:
        assert isinstance(request.user, User)
        for translation in queryset.select_related("article"):
            translation_write(translation, request.user)
        self.message_user(request, f"{len(queryset)} confirmed.")

    def has_confirm_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("tickets.change_article")


@admin.register(TranslatedTerm)
class TranslatedTermAdmin(ReadOnlyAdmin):
    list_display = ("lexeme", "language", "articles")
    list_filter = ("language",)
    search_fields = ("lexeme",)
    ordering = ("language", "-articles", "lexeme")


def formset_save(formset: BaseInlineFormSet[Any, Any, Any], actor: User) -> None:
    """What was written into an article's translations goes through their services."""
    formset.save(commit=False)
    for gone in formset.deleted_objects:
        translation_delete(translation=gone, actor=actor)
    for translation in [*formset.new_objects, *(obj for obj, _ in formset.changed_objects)]:
        translation_write(translation, actor)


def translation_write(translation: ArticleTranslation, actor: User) -> None:
    translation_save(
        article=translation.article,
        language=translation.language,
        title=translation.title,
        summary=translation.summary,
        body=translation.body,
        keywords=translation.keywords.split(","),
        status=translation.status,
        actor=actor,
    )


def _freshness(translation: ArticleTranslation) -> SafeString:
    return badge("missed", "article changed since") if translation.is_stale else badge("done", "up to date")
