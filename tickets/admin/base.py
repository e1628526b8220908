"""What the admin's pages share. History is read-only; a change by staff is audited by field."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db import models, transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from tickets.models import User
from tickets.services.audit import audit

NOTHING = "–"

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
    StackedInline = admin.StackedInline[Any, Any]
else:  # generic only for the type checker
    ModelAdmin, TabularInline, StackedInline = admin.ModelAdmin, admin.TabularInline, admin.StackedInline


class MomentWidget(AdminSplitDateTime):
    """Date and time, each named after the field: Django's own label names neither."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        words = name.rpartition("-")[2].replace("_", " ")
        for part, what in zip(context["widget"]["subwidgets"], ("date", "time"), strict=True):
            part["attrs"]["aria-label"] = f"{words}, {what}"
        return context


class RecordAdmin(ModelAdmin):
    """Every list: fifty rows, no second count over the whole table, actions with a name."""

    formfield_overrides = {models.DateTimeField: {"widget": MomentWidget}}

    list_per_page = 50
    show_full_result_count = False
    save_on_top = False
    empty_value_display = NOTHING

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = capfirst(str(self.model._meta.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    @admin.display(description="customer", ordering="customer__name")
    def customer_name(self, obj: Any) -> str | None:
        """For lists with a customer, where the address would take the room."""
        return obj.customer.name if obj.customer else None

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool) -> None:
        """Save, and write down who changed which fields."""
        before = {name: form.initial.get(name) for name in form.changed_data}
        super().save_model(request, obj, form, change)
        after = {name: form.cleaned_data.get(name) for name in form.changed_data}
        changes = {name: (before[name], after[name]) for name in form.changed_data if name != "password"}
        assert isinstance(request.user, User)
        verb = "change" if change else "add"
        audit(actor=request.user, action=f"{obj._meta.model_name}.{verb}", obj=obj, changes=changes)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        assert isinstance(request.user, User)
        audit(actor=request.user, action=f"{obj._meta.model_name}.delete", obj=obj, changes={"record": (obj, None)})
        super().delete_model(request, obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Those chosen in the list, each as if by itself: Django's own way would leave no trace of them."""
        for obj in queryset:
            self.delete_model(request, obj)


class ReadOnlyAdmin(RecordAdmin):
    """History and whatever a promise depends on: changed by the services alone, never by hand."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """With the moment a record was made, which Django leaves out as not editable."""
        has_time = any(field.name == "created_at" for field in self.model._meta.concrete_fields)
        return tuple(dict.fromkeys((*self.readonly_fields, *(("created_at",) if has_time else ()))))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class NoDeleteAdmin(RecordAdmin):
    """Editable, but never deleted: other records lean on it. Erasure has its own command."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(TabularInline):
    """Rows of another model that belong to the one shown."""

    extra = 0
    can_delete = False
    show_change_link = True
    columns: tuple[str, ...] = ()
    related: tuple[str, ...] = ()  # what its columns look up, fetched with the rows

    def get_queryset(self, request: HttpRequest) -> Any:
        queryset = super().get_queryset(request)
        return queryset.select_related(*self.related) if self.related else queryset

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.columns

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.columns

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def money(amount: Decimal, currency: str = "USD") -> SafeString:
    """Right-aligned by the sheet, with its currency: 1,290.00 USD."""
    return format_html('<span class="money">{} {}</span>', f"{amount:,.2f}", currency)


def usd(amount: Decimal) -> SafeString:
    """Costs of the assistant, to a hundredth of a cent."""
    return format_html('<span class="money">${}</span>', f"{amount:,.4f}")


def badge(value: str, label: str) -> SafeString:
    """A state in its colour; `value` is the class."""
    return format_html('<span class="badge {}">{}</span>', value, label)


def list_link(model: type[models.Model], field: str, key: Any, text: str) -> SafeString:
    """To the list of the records that point at one."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return format_html('<a href="{}?{}__id__exact={}">{}</a>', url, field, key, text)


def joined(links: list[SafeString]) -> SafeString:
    return format_html_join(" · ", "{}", ((one,) for one in links))


def conversation_pages(conversation_id: Any) -> SafeString:
    """To the inbox and the trace of a conversation."""
    return format_html(
        '<a href="/admin/inbox/{0}/">Inbox</a> · <a href="/admin/traces/{0}/">Trace</a>', conversation_id
    )


def trace_link(obj: models.Model) -> str:
    """Where the trace shows a record of a conversation; for `view_on_site`."""
    return f"/admin/traces/find/{obj.pk}/"
