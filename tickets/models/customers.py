"""Customers and what they were billed."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower

from tickets.models.base import Record, money
from tickets.models.staff import User
from tickets.workspace import currency_of_house


class Plan(models.TextChoices):
    FREE = "free", "Free"
    PLUS = "plus", "Plus"
    ENTERPRISE = "enterprise", "Business"


class Customer(Record):
    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"
        CLOSED = "closed", "Closed"

    user = models.OneToOneField(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="customer")
    external_id = models.CharField(
        max_length=200, null=True, blank=True, unique=True, help_text="`sub` of the signed widget identity."
    )
    email = models.EmailField()
    name = models.CharField(max_length=120)
    phone = models.CharField(max_length=32, blank=True)
    shipping_address = models.TextField(blank=True)
    plan = models.CharField(max_length=12, choices=Plan.choices, default=Plan.FREE)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    locale = models.CharField(max_length=12, default="en")
    marketing_opt_in = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(Lower("email"), name="customer_email_unique")]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


class Invoice(Record):
    class Status(models.TextChoices):
        OPEN = "open", "Open"
        PAID = "paid", "Paid"
        REFUNDED = "refunded", "Refunded"
        VOID = "void", "Void"

    number = models.CharField(max_length=16, unique=True)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="invoices")
    order = models.ForeignKey("tickets.Order", null=True, blank=True, on_delete=models.PROTECT, related_name="invoices")
    description = models.CharField(max_length=200)
    amount = money()
    currency = models.CharField(max_length=3, default=currency_of_house)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    issued_at = models.DateTimeField(db_index=True)
    due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-issued_at"]

    def __str__(self) -> str:
        return self.number
