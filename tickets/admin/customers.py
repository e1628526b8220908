"""Customers and invoices."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from tickets.admin.base import NoDeleteAdmin, ReadOnlyAdmin, badge, joined, list_link, money
from tickets.models import Conversation, Customer, Invoice, Order, Ticket


@admin.register(Customer)
class CustomerAdmin(NoDeleteAdmin):
    list_display = ("name", "email", "plan", "state", "phone", "created_at")
    list_filter = ("plan", "status", "marketing_opt_in")
    search_fields = ("name", "email", "phone", "=external_id", "=orders__order_number", "=conversations__reference")
    date_hierarchy = "created_at"
    raw_id_fields = ("user",)
    readonly_fields = ("records", "external_id", "created_at")
    fieldsets = (
        (None, {"fields": ("name", "email", "phone", "shipping_address", "locale", "marketing_opt_in")}),
        ("Account", {"fields": ("plan", "status", "user", "external_id", "created_at")}),
        ("Records", {"fields": ("records",)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Whose sign-in opens this account is for those to decide who look after sign-ins."""
        fixed = () if request.user.has_perm("tickets.change_user") else ("user",)
        return (*self.readonly_fields, *fixed)

    @admin.display(description="status", ordering="status")
    def state(self, obj: Customer) -> SafeString:
        return badge(obj.status, obj.get_status_display())

    @admin.display(description="lists")
    def records(self, obj: Customer) -> SafeString:
        nouns = ((Order, "Orders"), (Invoice, "Invoices"), (Ticket, "Tickets"), (Conversation, "Conversations"))
        return joined([list_link(model, "customer", obj.pk, words) for model, words in nouns])


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    list_display = ("number", "customer_name", "order", "sum", "state", "issued_at", "due_at")
    list_filter = ("status", "issued_at")
    list_select_related = ("customer", "order")
    search_fields = ("=number", "=order__order_number", "customer__email", "customer__name")
    date_hierarchy = "issued_at"

    @admin.display(description="amount", ordering="amount")
    def sum(self, obj: Invoice) -> SafeString:
        return money(obj.amount, obj.currency)

    @admin.display(description="status", ordering="status")
    def state(self, obj: Invoice) -> SafeString:
        return badge(obj.status, obj.get_status_display())
