"""Orders and their parts. Money and states move through the services alone, so all but the catalogue is read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from tickets.admin.base import NoDeleteAdmin, ReadOnlyAdmin, ReadOnlyInline, badge, money
from tickets.models import (
    DeliveryProblem,
    Invoice,
    Order,
    OrderLine,
    Product,
    Refund,
    Return,
    ReturnLine,
    Shipment,
    ShipmentEvent,
)


class LineInline(ReadOnlyInline):
    model = OrderLine
    columns = ("sku", "name", "variant", "quantity", "unit_price", "returned_quantity")


class ShipmentInline(ReadOnlyInline):
    model = Shipment
    columns = ("tracking_number", "carrier", "status", "shipped_at", "estimated_delivery", "delivered_at")


class ReturnInline(ReadOnlyInline):
    model = Return
    columns = ("number", "status", "reason", "fee", "created_at")


class RefundInline(ReadOnlyInline):
    model = Refund
    columns = ("amount", "status", "reason", "approved_by", "created_at")
    related = ("approved_by",)


class ProblemInline(ReadOnlyInline):
    model = DeliveryProblem
    columns = ("kind", "wish", "is_open", "created_at")


class InvoiceInline(ReadOnlyInline):
    model = Invoice
    columns = ("number", "amount", "status", "issued_at", "due_at")


class ShipmentEventInline(ReadOnlyInline):
    model = ShipmentEvent
    columns = ("at", "location", "description")


class ReturnLineInline(ReadOnlyInline):
    model = ReturnLine
    columns = ("order_line", "quantity")
    related = ("order_line",)


@admin.register(Product)
class ProductAdmin(NoDeleteAdmin):
    list_display = ("sku", "name", "variant", "category", "cost")
    list_filter = ("category",)
    search_fields = ("sku", "name", "variant")

    @admin.display(description="price", ordering="price")
    def cost(self, obj: Product) -> SafeString:
        return money(obj.price)


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = (
        "order_number",
        "customer_name",
        "state",
        "sum",
        "refunded",
        "shipping_method",
        "placed_at",
        "delivered_at",
    )
    list_filter = ("status", "shipping_method", "placed_at")
    list_select_related = ("customer",)
    search_fields = (
        "=order_number",
        "customer__email",
        "customer__name",
        "=shipments__tracking_number",
        "=returns__number",
    )
    date_hierarchy = "placed_at"
    inlines = (LineInline, ShipmentInline, ReturnInline, RefundInline, ProblemInline, InvoiceInline)

    @admin.display(description="status", ordering="status")
    def state(self, obj: Order) -> SafeString:
        return badge(obj.status, obj.get_status_display())

    @admin.display(description="total", ordering="total")
    def sum(self, obj: Order) -> SafeString:
        return money(obj.total, obj.currency)

    @admin.display(description="refunded", ordering="refunded_total")
    def refunded(self, obj: Order) -> SafeString | None:
        return money(obj.refunded_total, obj.currency) if obj.refunded_total else None


@admin.register(OrderLine)
class OrderLineAdmin(ReadOnlyAdmin):
    list_display = ("order", "sku", "name", "variant", "quantity", "unit_price", "returned_quantity")
    list_select_related = ("order",)
    search_fields = ("=order__order_number", "=sku", "name")


@admin.register(Shipment)
class ShipmentAdmin(ReadOnlyAdmin):
    list_display = ("tracking_number", "order", "carrier", "state", "shipped_at", "estimated_delivery", "delivered_at")
    list_filter = ("status", "carrier", "shipped_at")
    list_select_related = ("order",)
    search_fields = ("=tracking_number", "=order__order_number", "order__customer__email")
    inlines = (ShipmentEventInline,)

    @admin.display(description="status", ordering="status")
    def state(self, obj: Shipment) -> SafeString:
        return badge(obj.status, obj.get_status_display())

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The page lists its order lines: fetched once, not one by one."""
        found = super().get_object(request, object_id, from_field)
        return found and Shipment.objects.select_related("order").prefetch_related("lines").get(pk=found.pk)


@admin.register(ShipmentEvent)
class ShipmentEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "shipment", "location", "description")
    list_select_related = ("shipment",)
    search_fields = ("=shipment__tracking_number", "=shipment__order__order_number")


@admin.register(Return)
class ReturnAdmin(ReadOnlyAdmin):
    list_display = ("number", "order", "state", "reason", "fee", "created_at")
    list_filter = ("status", "created_at")
    list_select_related = ("order",)
    search_fields = ("=number", "=order__order_number", "order__customer__email")
    inlines = (ReturnLineInline,)

    @admin.display(description="status", ordering="status")
    def state(self, obj: Return) -> SafeString:
        return badge(obj.status, obj.get_status_display())


@admin.register(ReturnLine)
class ReturnLineAdmin(ReadOnlyAdmin):
    list_display = ("parent", "order_line", "quantity")
    list_select_related = ("parent", "order_line")
    search_fields = ("=parent__number", "=order_line__sku")


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    list_display = ("order", "sum", "state", "reason", "approved_by", "created_at")
    list_filter = ("status", "created_at")
    list_select_related = ("order", "approved_by")
    search_fields = ("=order__order_number", "order__customer__email")
    date_hierarchy = "created_at"

    @admin.display(description="amount", ordering="amount")
    def sum(self, obj: Refund) -> SafeString:
        return money(obj.amount, obj.order.currency)

    @admin.display(description="status", ordering="status")
    def state(self, obj: Refund) -> SafeString:
        return badge(obj.status, obj.get_status_display())


@admin.register(DeliveryProblem)
class DeliveryProblemAdmin(NoDeleteAdmin):
    """What the customer reported stays as it is; staff close it."""

    list_display = ("order", "kind", "wish", "is_open", "created_at")
    list_filter = ("is_open", "kind", "wish")
    list_select_related = ("order",)
    search_fields = ("=order__order_number", "order__customer__email")
    readonly_fields = ("order", "action", "kind", "wish", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
