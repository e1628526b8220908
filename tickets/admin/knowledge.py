"""The help centre. An article is saved through its service, which indexes it for the search."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, FloatField, Q, Value
from django.db.models.functions import Cast, NullIf
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tickets.admin.base import ReadOnlyAdmin, ReadOnlyInline, RecordAdmin, badge, list_link
from tickets.admin.translations import TranslationInline, formset_save
from tickets.models import Article, ArticleFeedback, ArticleSection, ArticleTranslation, User
from tickets.models.knowledge import SearchIndex, SearchTerm
from tickets.services.articles import article_delete, article_save


class Helpful(admin.SimpleListFilter):
    """Articles by what their readers thought of them."""

    title = "readers"
    parameter_name = "readers"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("unhelped", "Mostly not helped"), ("helped", "Mostly helped"), ("silent", "Said nothing yet")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Of articles with `answers` and `share`, as the list counts them."""
        match self.value():
            case "unhelped":
                return queryset.filter(answers__gt=0, share__lt=0.5)
            case "helped":
                return queryset.filter(share__gte=0.5)
            case "silent":
                return queryset.filter(answers=0)
        return queryset


class CommentInline(ReadOnlyInline):
    """What readers wrote, the latest first."""

    model = ArticleFeedback
    verbose_name_plural = "what readers missed"
    columns = ("comment", "created_at")
    show_change_link = False

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).exclude(comment="")


class SectionInline(ReadOnlyInline):
    model = ArticleSection
    columns = ("language", "position", "heading", "text", "embedder")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("embedding", "lexemes")


@admin.register(Article)
class ArticleAdmin(RecordAdmin):
    list_display = ("title", "category", "state", "readers", "helped", "updated_at", "page")
    list_filter = ("status", "audience", "category", Helpful)
    search_fields = ("title", "slug", "keywords", "summary", "body")
    prepopulated_fields = {"slug": ("title",)}
    fields = ("title", "slug", "category", "status", "audience", "summary", "keywords", "body", "updated_at")
    readonly_fields = ("updated_at",)
    inlines = (TranslationInline, CommentInline, SectionInline)

    def get_queryset(self, request: HttpRequest) -> Any:
        yes = Cast(Count("feedback", Q(feedback__helpful=True)), FloatField())
        return (
            super()
            .get_queryset(request)
            .annotate(answers=Count("feedback"), share=yes / NullIf(Count("feedback"), Value(0)))
        )

    @admin.display(description="helpful", ordering="share")
    def helped(self, obj: Any) -> SafeString | None:
        """The share of readers whom it helped, and how many said; leads to their answers."""
        if not obj.answers:
            return None
        return list_link(ArticleFeedback, "article", obj.pk, f"{obj.share:.0%} of {obj.answers}")

    @admin.display(description="status", ordering="status")
    def state(self, obj: Article) -> SafeString:
        return badge(obj.status, obj.get_status_display())

    @admin.display(description="audience", ordering="audience")
    def readers(self, obj: Article) -> SafeString:
        return badge(obj.audience, obj.get_audience_display())

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
            audience=obj.audience,
            actor=request.user,
        )
        obj.pk = saved.pk

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        assert isinstance(request.user, User)
        if formset.model is ArticleTranslation:
            formset_save(formset, request.user)
        else:
            super().save_formset(request, form, formset, change)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        assert isinstance(request.user, User)
        article_delete(article=obj, actor=request.user)


@admin.register(ArticleFeedback)
class ArticleFeedbackAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "article", "helpful", "comment")
    list_filter = ("helpful", ("comment", admin.EmptyFieldListFilter), "created_at", "article__category")
    list_select_related = ("article",)
    search_fields = ("article__title", "article__slug", "comment")
    ordering = ("-created_at",)


@admin.register(ArticleSection)
class ArticleSectionAdmin(ReadOnlyAdmin):
    list_display = ("article", "audience", "language", "position", "heading", "embedder")
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
