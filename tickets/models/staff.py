"""People who sign in, and the teams and presence of those who answer."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models

from tickets.ids import new_id
from tickets.models.base import Record


class User(AbstractUser):
    """Anyone who signs in: a customer (with a `customer` row) or staff (with a `staff_profile`)."""

    id: models.UUIDField[uuid.UUID, uuid.UUID] = models.UUIDField(primary_key=True, default=new_id, editable=False)

    class Meta(AbstractUser.Meta):
        pass


class Team(Record):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    email = models.EmailField(blank=True, help_text="Where new escalations of this team are announced.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a member of staff may do; each is a Django group of the same name."""

    AGENT = "agent", "Agent"
    LEAD = "lead", "Lead"
    OPS = "ops", "Ops"
    ADMIN = "admin", "Admin"


class Availability(models.TextChoices):
    AVAILABLE = "available", "Available"
    BUSY = "busy", "Busy"
    AWAY = "away", "Away"


class StaffProfile(Record):
    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="staff_profile")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="members")
    display_name = models.CharField(max_length=80, help_text="The name customers see.")
    availability = models.CharField(max_length=10, choices=Availability.choices, default=Availability.AWAY)
    capacity = models.PositiveSmallIntegerField(default=4, help_text="Conversations at the same time.")
    shortcuts = models.BooleanField(default=True, help_text="Keyboard shortcuts in the inbox.")
    sound = models.BooleanField(default=True, help_text="A sound when a conversation begins to wait.")
    seen_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When the inbox was open last.")

    def __str__(self) -> str:
        return self.display_name
