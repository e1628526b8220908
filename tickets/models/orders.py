"""Orders, and what happens to them: shipments, returns, refunds, delivery problems.

Money out is held by the database: a trigger keeps `Order.refunded_total` equal to the sum of its refunds that were not
rejected, and a check keeps that within `paid_total` (promise I4), whoever inserts the row.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from tickets.models.base import Record, money
from tickets.models.customers import Customer
from tickets.models.staff import User
from tickets.workspace import currency_of_house


class Product(Record):
    sku = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=120)
    variant = models.CharField(max_length=80, blank=True)
    category = models.CharField(max_length=40, db_index=True)
    price = money()

    class Meta:
        ordering = ["sku"]

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"


class Order(Record):
    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        PAID = "paid", "Paid"
        PACKED = "packed", "Packed"
        SHIPPED = "shipped", "Shipped"
        DELIVERED = "delivered", "Delivered"
        CANCELLED = "cancelled", "Cancelled"
        PARTLY_RETURNED = "partly_returned", "Partly returned"
        RETURNED = "returned", "Returned"
        REFUNDED = "refunded", "Refunded"

    order_number = models.CharField(max_length=40, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="orders")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING, db_index=True)
    currency = models.CharField(max_length=3, default=currency_of_house)
    total = money()
    paid_total = money(default=0)
    refunded_total = money(default=0, editable=False)
    shipping_method = models.CharField(max_length=20, default="standard")
    shipping_address = models.TextField()
    note = models.TextField(blank=True, help_text="The customer's own words at the checkout: data, never instructions.")
    placed_at = models.DateTimeField(db_index=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    status_before_cancel = models.CharField(max_length=16, blank=True, editable=False)

    class Meta:
        ordering = ["-placed_at"]
        indexes = [models.Index(fields=["customer", "-placed_at"], name="order_by_customer")]
        constraints = [
            models.CheckConstraint(condition=Q(total__gte=0) & Q(paid_total__gte=0), name="order_amounts_not_negative"),
            models.CheckConstraint(
                condition=Q(refunded_total__gte=0) & Q(refunded_total__lte=F("paid_total")),
                name="order_refunds_within_paid",
            ),
        ]

    def __str__(self) -> str:
        return self.order_number


class OrderLine(Record):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    sku = models.CharField(max_length=32)
    name = models.CharField(max_length=120)
    variant = models.CharField(max_length=80, blank=True)
    quantity = models.PositiveIntegerField()
    unit_price = money()
    returned_quantity = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["sku"]
        constraints = [
            models.UniqueConstraint(fields=["order", "sku"], name="order_line_once_per_sku"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="order_line_quantity_positive"),
            models.CheckConstraint(
                condition=Q(returned_quantity__lte=F("quantity")), name="order_line_returned_within_bought"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name} {self.variant}".rstrip()


class Shipment(Record):
    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        IN_TRANSIT = "in_transit", "In transit"
        DELAYED = "delayed", "Delayed"
        DELIVERED = "delivered", "Delivered"
        LOST = "lost", "Lost"
        RETURNED = "returned", "Returned"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="shipments")
    tracking_number = models.CharField(max_length=32, unique=True)
    carrier = models.CharField(max_length=60)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PENDING, db_index=True)
    shipped_at = models.DateTimeField(null=True, blank=True)
    estimated_delivery = models.DateField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    lines = models.ManyToManyField(OrderLine, related_name="shipments", blank=True)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return self.tracking_number


class ShipmentEvent(Record):
    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    location = models.CharField(max_length=120, blank=True)
    description = models.CharField(max_length=200)

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["shipment", "-at"], name="shipment_event_latest")]

    def __str__(self) -> str:
        return self.description


class Return(Record):
    class Status(models.TextChoices):
        LABEL_SENT = "label_sent", "Label sent"
        RECEIVED = "received", "Received"
        REFUNDED = "refunded", "Refunded"
        REJECTED = "rejected", "Rejected"
        CANCELLED = "cancelled", "Cancelled"

    number = models.CharField(max_length=16, unique=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="returns")
    action = models.OneToOneField(
        "tickets.Action", null=True, blank=True, on_delete=models.PROTECT, related_name="made_return"
    )
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.LABEL_SENT, db_index=True)
    reason = models.CharField(max_length=500)
    fee = money(default=0)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.number


class ReturnLine(Record):
    parent = models.ForeignKey(Return, on_delete=models.CASCADE, related_name="lines")
    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="return_lines")
    quantity = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["parent", "order_line"], name="return_line_once"),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="return_line_quantity_positive"),
        ]


class Refund(Record):
    class Status(models.TextChoices):
        APPROVED = "approved", "Approved"
        PAID = "paid", "Paid out"
        REJECTED = "rejected", "Rejected"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="refunds")
    action = models.OneToOneField(
        "tickets.Action", null=True, blank=True, on_delete=models.PROTECT, related_name="made_refund"
    )
    amount = money()
    reason = models.CharField(max_length=500)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.APPROVED, db_index=True)
    approved_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_positive")]

    def __str__(self) -> str:
        return f"{self.amount} of {self.order_id}"


class DeliveryProblem(Record):
    class Kind(models.TextChoices):
        LOST = "lost", "Lost"
        LATE = "late", "Late"
        DAMAGED = "damaged", "Damaged"
        WRONG_ITEM = "wrong_item", "Wrong item"
        MISSING_ITEM = "missing_item", "Missing item"

    class Wish(models.TextChoices):
        REPLACEMENT = "replacement", "Replacement"
        REFUND = "refund", "Refund"
        WAIT = "wait", "Wait"

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="problems")
    action = models.OneToOneField(
        "tickets.Action", null=True, blank=True, on_delete=models.PROTECT, related_name="made_problem"
    )
    kind = models.CharField(max_length=12, choices=Kind.choices)
    wish = models.CharField(max_length=12, choices=Wish.choices)
    is_open = models.BooleanField(default=True, db_index=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.get_wish_display()})"
