"""The help centre. An article is saved through its service, which indexes it for the search."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tickets.admin.base import ReadOnlyAdmin, ReadOnlyInline, RecordAdmin, badge
from tickets.admin.translations import TranslationInline, formset_save
from tickets.models import Article, ArticleSection, ArticleTranslation, User
from tickets.models.knowledge import SearchIndex, SearchTerm
from tickets.services.articles import article_delete, article_save


class SectionInline(ReadOnlyInline):
    model = ArticleSection
    columns = ("language", "position", "heading", "text", "embedder")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("embedding", "lexemes")


@admin.register(Article)
class ArticleAdmin(RecordAdmin):
    list_display = ("title", "category", "state", "updated_at", "page")
    list_filter = ("status", "category")
    search_fields = ("title", "slug", "keywords", "summary", "body")
    prepopulated_fields = {"slug": ("title",)}
    fields = ("title", "slug", "category", "status", "summary", "keywords", "body", "updated_at")
    readonly_fields = ("updated_at",)
    inlines = (TranslationInline, SectionInline)

    @admin.display(description="status", ordering="status")
    def state(self, obj: Article) -> SafeString:
        return badge(obj.status, obj.get_status_display())

    @admin.display(description="page")
    def page(self, obj: Article) -> SafeString | None:
        published = obj.status == Article.Status.PUBLISHED
        return format_html('<a href="{}">Open</a>', obj.get_absolute_url()) if published else None

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else super().get_prepopulated_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Links and citations point at the slug: it stays."""
        return ("slug", *self.readonly_fields) if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool) -> None:
        assert isinstance(request.user, User)
        saved = article_save(
            slug=obj.slug,
            title=obj.title,
            category=obj.category,
            body=obj.body,
            summary=obj.summary,
            keywords=obj.keywords.split(","),
            status=obj.status,
            actor=request.user,
        )
        obj.pk = saved.pk

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        assert isinstance(request.user, User)
        if formset.model is ArticleTranslation:
            formset_save(formset, request.user)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        assert isinstance(request.user, User)
        article_delete(article=obj, actor=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for article in queryset:
            self.delete_model(request, article)


@admin.register(ArticleSection)
class ArticleSectionAdmin(ReadOnlyAdmin):
    list_display = ("article", "language", "position", "heading", "embedder")
    list_filter = ("language", "embedder")
    list_select_related = ("article",)
    search_fields = ("article__title", "heading", "text")
    exclude = ("embedding", "lexemes")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("embedding", "lexemes")


@admin.register(SearchTerm)
class SearchTermAdmin(ReadOnlyAdmin):
    list_display = ("lexeme", "articles")
    search_fields = ("lexeme",)
    ordering = ("-articles", "lexeme")


@admin.register(SearchIndex)
class SearchIndexAdmin(ReadOnlyAdmin):
    list_display = ("id", "version")
