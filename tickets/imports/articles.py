"""Articles of a source into the help centre: what is new or changed there, and was not changed here.

Each article is one transaction, with its words for the search; vectors and the index's new version come once for a
hundred of them, so that other processes are not made to read the index anew for each.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from tickets.imports.items import Broken, Item, digest_of
from tickets.imports.report import Deed, Report
from tickets.languages import ENGLISH
from tickets.models import Article, ArticleTranslation, ImportedArticle
from tickets.models.translations import Language
from tickets.services.articles import article_save, article_set_status, articles_embed, index_at_once
from tickets.services.translations import translation_save

AT_ONCE = 100
RESERVED = {"suggest", "category"}  # pages of the help centre
TEXTS = ("title", "summary", "body", "keywords")
_LINK = re.compile(r"\[([^\]\n]*)\]\(/?import:([^)#]+)(#[^)\s]*)?\)")
THERE = "is here already, and not from this source; --overwrite takes it over"
DELETED = "was deleted here; --overwrite brings it back"
EDITED = "was changed there, and edited here since; --overwrite takes the source's"
WRITTEN = (Deed.CREATED, Deed.UPDATED)
Status = Article.Status


@dataclass(frozen=True, slots=True)
class Wishes:
    """How it is to be done: `categories` maps the source's words to ours, `category` is for all others; `audience` is
    for articles of which the source says nothing."""

    source: str
    category: str = ""
    categories: Mapping[str, str] = field(default_factory=dict)
    audience: str = Article.Audience.EVERYONE
    publish: bool = False
    overwrite: bool = False
    retire: bool = False
    dry_run: bool = False


def import_articles(
    found: Iterable[Item | Broken], *, wishes: Wishes, report: Report, step: Callable[[int], None] = lambda _: None
) -> None:
    """Do it, and write into the report what became of each. `step` hears how many more are done."""
    Import(wishes, report).run(list(found), step)


class Import:
    """One run over one source."""

    def __init__(self, wishes: Wishes, report: Report) -> None:
        self._wishes, self._report = wishes, report
        rows = ImportedArticle.objects.filter(source=wishes.source).select_related("article")
        self._known = {(row.external_id, row.language): row for row in rows}
        self._taken: dict[str, str] = {}  # slug: the id it is for, of this run
        self._slugs: dict[str, str] = {}  # id: its slug here
        self._seen: set[tuple[str, str]] = set()
        self._broken: set[str] = set()
        self._changed: list[Any] = []

    def run(self, found: Sequence[Item | Broken], step: Callable[[int], None]) -> None:
        for broken in (one for one in found if isinstance(one, Broken)):
            self._skip(broken.where, "", broken.why, broken.external_id)
        items = [one for one in found if isinstance(one, Item)]
        items.sort(key=lambda item: item.language != ENGLISH)  # translations need their article
        items = [item for item in items if self._is_sound(item)]
        for start in range(0, len(items), AT_ONCE):
            some = items[start : start + AT_ONCE]
            if self._wishes.dry_run:
                for item in some:
                    self._one(item)
            else:
                with index_at_once():
                    for item in some:
                        self._one(item)
                    self._embed()
            step(len(some))
        self._vanished()

    def _embed(self) -> None:
        for _ in articles_embed(articles=self._changed) if self._changed else ():
            pass
        self._changed = []

    def _is_sound(self, item: Item) -> bool:
        """Whether it can be imported at all; takes its slug."""
        key = (item.external_id, item.language)
        why = ""
        if key in self._seen:
            why = "the source has this id twice"
        elif not item.title:
            why = "has no title"
        elif not item.body:
            why = "has no text"
        elif item.language not in {ENGLISH, *Language.values}:
            why = f"is in a language we do not speak: {item.language[:20]!r}"
        elif item.audience not in {None, *Article.Audience.values}:
            why = f"audience is {item.audience!r}; one of {', '.join(Article.Audience.values)} is expected"
        elif item.language == ENGLISH:
            why = self._take_slug(item)
        if why:
            self._skip(item.where, item.title, why, item.external_id)
        self._seen.add(key)
        return not why

    def _take_slug(self, item: Item) -> str:
        """Why its slug cannot be had, or nothing."""
        known = self._known.get((item.external_id, ENGLISH))
        slug = known.article.slug if known is not None and known.article is not None else item.slug
        if slug and (slugify(slug) != slug or len(slug) > 120):
            return f"slug is {slug[:60]!r}; small letters, digits and hyphens are expected, 120 at most"
        if slug in RESERVED:
            return f"slug {slug!r} is a page of the help centre"
        if not slug:
            own = slugify(item.external_id.rpartition("/")[2].partition(".")[0])
            slug = slugify(item.title)[:100].strip("-") or f"article-{own or len(self._taken)}"
            if slug in RESERVED or slug in self._taken:
                slug = f"{slug}-{own}"[:120].strip("-")
        if slug in self._taken:
            return f"slug {slug!r} is already that of {self._taken[slug]}"
        self._taken[slug], self._slugs[item.external_id] = item.where, slug
        return ""

    def _skip(self, where: str, name: str, why: str, external_id: str) -> None:
        self._report.add(Deed.SKIPPED, where, name, why)
        self._broken.add(external_id)

    def _one(self, item: Item) -> None:
        try:
            with transaction.atomic():
                deed, why = self._article(item) if item.language == ENGLISH else self._translation(item)
        except ValidationError as problem:
            return self._skip(item.where, item.title, _said(problem), item.external_id)
        if deed is Deed.SKIPPED:
            return self._skip(item.where, item.title, why, item.external_id)
        self._report.add(deed, item.where, item.title, why)
        if deed is not Deed.UNCHANGED:
            self._report.notes += [(item.where, f"left out: {note}" if "×" in note else note) for note in item.notes]

    def _article(self, item: Item) -> tuple[Deed, str]:
        row = self._known.get((item.external_id, ENGLISH))
        here = row.article if row else Article.objects.filter(slug=self._slugs[item.external_id]).first()
        fields = {**self._texts(item), "category": self._category(item)}
        # What staff chose of an article that the source says nothing of stays.
        fields["audience"] = item.audience or (here.audience if here is not None else self._wishes.audience)
        digest = digest_of([item.digest(), fields["category"]])
        deed, why, status = self._decide(item, row, here, digest)
        if deed not in WRITTEN:
            return deed, why
        slug = here.slug if here is not None else self._slugs[item.external_id]
        Article(slug=slug, status=status, **{**fields, "keywords": _joined(fields)}).full_clean(validate_unique=False)
        if not self._wishes.dry_run:
            saved = article_save(slug=slug, status=status, embed=False, **fields)
            self._remember(item, saved, digest, _left(saved), status)
        return deed, why

    def _translation(self, item: Item) -> tuple[Deed, str]:
        row = self._known.get((item.external_id, item.language))
        base = self._known.get((item.external_id, ENGLISH))
        article = base.article if base else Article.objects.filter(slug=self._slugs.get(item.external_id, "")).first()
        if article is None and not (self._wishes.dry_run and item.external_id in self._slugs):
            return Deed.SKIPPED, "there is no English text of it, with which every article begins"
        here = ArticleTranslation.objects.filter(article=article, language=item.language).first() if article else None
        texts, digest = self._texts(item), digest_of(item.digest())
        deed, why, status = self._decide(item, row, here, digest)
        if deed not in WRITTEN:
            return deed, why
        made = ArticleTranslation(language=item.language, status=status, **{**texts, "keywords": _joined(texts)})
        made.full_clean(exclude=["article"], validate_unique=False)
        if not self._wishes.dry_run and article is not None:
            saved = translation_save(article=article, language=item.language, status=status, embed=False, **texts)
            self._remember(item, article, digest, _left(saved), status)
        return deed, why

    def _decide(
        self, item: Item, row: ImportedArticle | None, here: Article | ArticleTranslation | None, digest: str
    ) -> tuple[Deed, str, str]:
        """What is to be done with something that the source has, why when that is not plain, and the status it then
        has: what is published here stays so, and a draft that nobody touched since the import may be published by it.
        """
        publish = self._wishes.publish and not item.is_draft
        if here is None:
            status = Status.PUBLISHED if publish else Status.DRAFT
        else:
            untouched = row is not None and here.status == row.left_status == Status.DRAFT and _left(here) == row.left
            status = Status.PUBLISHED if publish and untouched else Status(here.status)
        deed, why = self._due(row, here, digest)
        if deed is Deed.UNCHANGED and here is not None and status != here.status:
            deed, why = Deed.UPDATED, "published"
        return deed, why, status

    def _due(
        self, row: ImportedArticle | None, here: Article | ArticleTranslation | None, digest: str
    ) -> tuple[Deed, str]:
        over = self._wishes.overwrite
        if row is None and here is None:
            return Deed.CREATED, ""
        if row is None:
            return (Deed.UPDATED, "took over what was here") if over else (Deed.CONFLICT, THERE)
        if row.digest == digest and row.vanished_at is None and not (here is None and over):
            return Deed.UNCHANGED, ""
        if here is None:
            return (Deed.CREATED, "had been deleted here") if over else (Deed.CONFLICT, DELETED)
        if _left(here) != row.left and not over:
            return Deed.CONFLICT, EDITED
        return Deed.UPDATED, "is there again" if row.vanished_at else ""

    def _texts(self, item: Item) -> dict[str, Any]:
        own = item.external_id

        def relink(found: re.Match[str]) -> str:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(own), found[2]))
            slug = self._slugs.get(target) or self._slugs.get(found[2])
            return f"[{found[1]}](/help/{slug}/{found[3] or ''})" if slug else found[1]

        body = _LINK.sub(relink, item.body)
        return {"title": item.title, "summary": item.summary, "body": body, "keywords": item.keywords}

    def _category(self, item: Item) -> str:
        word = item.category.strip().lower()
        ours = word if word in Article.Category.values else ""  # each is its own label, in small letters
        mapped = self._wishes.categories.get(word) or ours or self._wishes.category
        if not mapped:
            told = f"category {item.category!r} is none of ours" if word else "has no category"
            item.notes.append(f"{told}: put into product; --category chooses another")
        return mapped or Article.Category.PRODUCT

    def _remember(self, item: Item, article: Article, digest: str, left: str, status: str) -> None:
        values = {"article": article, "digest": digest, "left": left, "left_status": status}
        moment = {"changed_at": timezone.now(), "vanished_at": None}
        row, _ = ImportedArticle.objects.update_or_create(
            source=self._wishes.source,
            external_id=item.external_id,
            language=item.language,
            defaults={**values, **moment},
        )
        self._known[item.external_id, item.language] = row
        self._changed.append(article.pk)

    def _vanished(self) -> None:
        for key, row in self._known.items():
            if key in self._seen or row.external_id in self._broken or row.article is None:
                continue
            here = _texts_here(row)
            retires = self._wishes.retire and here is not None and here.status == Status.PUBLISHED
            if row.vanished_at is not None and not retires:
                continue  # told before
            why = "taken back into the drafts" if retires else "no longer at the source; --retire makes it a draft"
            self._report.add(Deed.RETIRED if retires else Deed.VANISHED, row.external_id, row.article.title, why)
            if not self._wishes.dry_run:
                with transaction.atomic():
                    if retires:
                        _retire(row)
                    ImportedArticle.objects.filter(pk=row.pk).update(vanished_at=timezone.now())


def _texts_here(row: ImportedArticle) -> Article | ArticleTranslation | None:
    if row.language == ENGLISH:
        return row.article
    return ArticleTranslation.objects.filter(article=row.article, language=row.language).first()


def _retire(row: ImportedArticle) -> None:
    here = _texts_here(row)
    if isinstance(here, Article):
        article_set_status(article=here, status=Status.DRAFT)
    elif here is not None:
        texts: dict[str, Any] = {name: getattr(here, name) for name in ("title", "summary", "body")}
        translation_save(article=here.article, language=here.language, status=Status.DRAFT, embed=False,
                         keywords=here.keywords.split(","), **texts)  # fmt: skip


def _left(here: Article | ArticleTranslation) -> str:
    """A digest of the texts as they are here; publishing is no edit."""
    names = [*TEXTS, "category", "audience"] if isinstance(here, Article) else TEXTS
    return digest_of([getattr(here, name) for name in names])


def _joined(texts: Mapping[str, Any]) -> str:
    return ", ".join(texts["keywords"])


def _said(problem: ValidationError) -> str:
    return "; ".join(f"{name}: {' '.join(told)}" for name, told in problem.message_dict.items())
