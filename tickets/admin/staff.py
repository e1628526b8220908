"""Users, staff profiles and teams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import Count, Q
from django.http import HttpRequest

from tickets.admin.base import RecordAdmin, StackedInline
from tickets.models import StaffProfile, Team, User

if TYPE_CHECKING:
    UserPages = DjangoUserAdmin[User]
else:
    UserPages = DjangoUserAdmin


class ProfileInline(StackedInline):
    model = StaffProfile
    extra = 0
    can_delete = False


@admin.register(User)
class UserAdmin(RecordAdmin, UserPages):
    list_display = ("username", "email", "first_name", "last_name", "is_staff", "is_active", "last_login")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    inlines = (ProfileInline,)

    def get_view_on_site_url(self, obj: User | None = None) -> str | None:
        """To the second factors and sessions of a member of staff."""
        return f"/admin/account/people/{obj.pk}/" if obj and obj.is_staff else None


@admin.register(StaffProfile)
class StaffProfileAdmin(RecordAdmin):
    list_display = ("display_name", "user", "team", "availability", "capacity")
    list_filter = ("team", "availability")
    list_select_related = ("user", "team")
    search_fields = ("display_name", "user__username", "user__email")
    raw_id_fields = ("user",)


@admin.register(Team)
class TeamAdmin(RecordAdmin):
    list_display = ("name", "slug", "email", "people", "waiting")
    search_fields = ("name", "slug", "email")
    prepopulated_fields = {"slug": ("name",)}

    def get_queryset(self, request: HttpRequest) -> Any:
        return (
            super()
            .get_queryset(request)
            .annotate(
                people_count=Count("members", distinct=True),
                waiting_count=Count("escalations", filter=Q(escalations__status="waiting"), distinct=True),
            )
        )

    @admin.display(description="people", ordering="people_count")
    def people(self, obj: Team) -> int:
        return obj.people_count  # type: ignore[attr-defined,no-any-return]

    @admin.display(description="waiting", ordering="waiting_count")
    def waiting(self, obj: Team) -> int:
        return obj.waiting_count  # type: ignore[attr-defined,no-any-return]
