"""MCP servers and their tools: entered, listed, allowed one by one and tried. Admins change; ops and leads look."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from support_agent.admin.mcp_forms import ServerForm, ToolForm, TryForm
from support_agent.admin.mcp_shown import arguments_shown, difference
from support_agent.models import McpServer, McpTool
from support_agent.runtime import catalogue
from support_agent.runtime.mcp.listing import server_list
from support_agent.runtime.mcp.trying import tool_try
from tickets.access import staff_roles
from tickets.admin.base import ReadOnlyInline, RecordAdmin, badge
from tickets.models import Role, User

BADGES = {"new": "waiting", "allowed": "ok", "changed": "failed", "gone": "", "refused": ""}


def state_badge(tool: McpTool) -> SafeString:
    return badge(BADGES[tool.state], tool.get_state_display())


class AdminsOnly(RecordAdmin):
    """A program of a server runs on this machine: only the role admin may say which."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        user = request.user
        return allowed and isinstance(user, User) and (user.is_superuser or Role.ADMIN in staff_roles(user))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and self.has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self.has_change_permission(request)

    def staff(self, request: HttpRequest) -> User:
        """Who may change. Raises PermissionDenied."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        assert isinstance(request.user, User)
        return request.user


class McpToolInline(ReadOnlyInline):
    model = McpTool
    columns = ("shown_state", "title", "category", "label")
    verbose_name_plural = "tools"

    @admin.display(description="state")
    def shown_state(self, tool: McpTool) -> SafeString:
        return state_badge(tool)


@admin.register(McpServer)
class McpServerAdmin(AdminsOnly):
    form = ServerForm
    list_display = ("name", "transport", "where", "is_active", "tools_allowed", "listed_at", "trouble")
    list_filter = ("transport", "is_active")
    search_fields = ("name", "url", "command")
    inlines = (McpToolInline,)
    change_form_template = "admin/support_agent/mcpserver/change_form.html"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        may = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        secrets = ("secrets", "forget_secrets") if may else ()
        seen = ("listed_at", "trouble") if obj else ()
        return [
            (None, {"fields": ("name", "transport", "is_active", *seen)}),
            ("A program on this machine", {"fields": ("command", "arguments")}),
            ("An address", {"fields": ("url",)}),
            ("Environment or headers", {"fields": (*secrets, *(("names_kept",) if obj else ()))}),
        ]

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else ()  # a server that is being added has listed nothing yet

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("listed_at", "trouble", "names_kept", *(("name",) if obj else ()))

    @admin.display(description="kept now")
    def names_kept(self, server: McpServer) -> str:
        return ", ".join(server.secret_names) or "nothing"

    @admin.display(description="where")
    def where(self, server: McpServer) -> str:
        return server.url or server.command

    @admin.display(description="tools allowed")
    def tools_allowed(self, server: McpServer) -> str:
        states = [tool.state for tool in server.tools.all()]
        return f"{states.count('allowed')} of {len(states) - states.count('gone')}"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("tools")

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool) -> None:
        """What is secret is not kept in the audit; that it was changed is."""
        if "secrets" in form.changed_data:
            form.initial["secrets"], form.cleaned_data["secrets"] = "…", "…"
        super().save_model(request, obj, form, change)
        transaction.on_commit(catalogue.forget)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        transaction.on_commit(catalogue.forget)

    def get_urls(self) -> list[URLPattern]:
        listing = self.admin_site.admin_view(require_POST(self.list_tools))
        return [path("<uuid:pk>/list/", listing, name="mcpserver_list"), *super().get_urls()]

    def list_tools(self, request: HttpRequest, pk: Any) -> HttpResponse:
        staff, server = self.staff(request), McpServer.objects.filter(pk=pk).first()
        if server is None:
            raise Http404
        if trouble := server_list(server=server, staff=staff):
            messages.error(request, f"{server} could not be listed. {trouble}")
        else:
            catalogue.forget()
            states = list(server.tools.values_list("state", flat=True))
            waiting = states.count("new") + states.count("changed")
            messages.success(request, f"{server} lists {len(states) - states.count('gone')}; {waiting} to look at.")
        return redirect("admin:support_agent_mcpserver_change", pk)


@admin.register(McpTool)
class McpToolAdmin(AdminsOnly):
    form = ToolForm
    list_display = ("name", "shown_state", "server", "title", "category", "label")
    list_filter = ("state", "server", "category")
    list_select_related = ("server",)
    search_fields = ("name", "tool", "title", "description")
    change_form_template = "admin/support_agent/mcptool/change_form.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # servers list them

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # they go with their server

    @admin.display(description="state", ordering="state")
    def shown_state(self, tool: McpTool) -> SafeString:
        return state_badge(tool)

    @admin.display(description="as its server says it")
    def listed(self, tool: McpTool) -> SafeString:
        return arguments_shown(tool)

    @admin.display(description="what has changed")
    def changes(self, tool: McpTool) -> SafeString | str:
        return difference(tool)

    @admin.display(description="server")
    def of_server(self, tool: McpTool) -> SafeString:
        url = reverse("admin:support_agent_mcpserver_change", args=[tool.server_id])
        return format_html('<a href="{}">{}</a>', url, tool.server)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("of_server", "shown_state", "listed", "changes", "allowed_by")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        """A field for each argument, so that somebody decides who fills it."""
        if obj is None or not self.has_change_permission(request, obj):
            return super().get_form(request, obj, change, **options)
        options["fields"] = None
        return ToolForm.of(obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        may = obj is not None and self.has_change_permission(request, obj)
        decided = ("decision",) if may else ()
        sources = tuple(ToolForm.of(obj).base_fields) if may else ()
        who = tuple(name for name in sources if name.startswith("source_"))
        return [
            (None, {"fields": ("of_server", "shown_state", "changes", "listed")}),
            ("What the assistant reads", {"fields": ("description", "purpose", "label")}),
            ("What it does", {"fields": ("category", "needs_confirmation")}),
            *([("Who fills its arguments", {"fields": (*who, "impersonal")})] if may else []),
            ("Where it is offered", {"fields": ("surfaces", "subjects", "unverified")}),
            ("Limits", {"fields": ("timeout_s", "max_result_chars", "per_conversation", "per_day")}),
            ("Decision", {"fields": (*decided, "allowed_by")}),
        ]

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool) -> None:
        obj.allowed_by = self.staff(request) if obj.state == McpTool.State.ALLOWED else None
        super().save_model(request, obj, form, change)
        transaction.on_commit(catalogue.forget)

    def get_urls(self) -> list[URLPattern]:
        trying = self.admin_site.admin_view(self.try_it)
        return [path("<uuid:pk>/try/", trying, name="mcptool_try"), *super().get_urls()]

    def try_it(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """One call by hand, as it would be made in a conversation."""
        staff = self.staff(request)
        tool = McpTool.objects.select_related("server").filter(pk=pk).first()
        if tool is None:
            raise Http404
        form, answer = TryForm(request.POST or None, tool=tool), None
        if request.method == "POST" and form.is_valid():
            answer = tool_try(
                tool=tool, arguments=form.cleaned_data["arguments"], email=form.cleaned_data["email"], staff=staff
            )
        context = {
            **self.admin_site.each_context(request),
            "title": f"Try {tool.tool}",
            "opts": self.model._meta,
            "tool": tool,
            "form": form,
            "answer": json.dumps(answer, indent=2, ensure_ascii=False, default=str) if answer else "",
        }
        return render(request, "admin/support_agent/mcptool/try.html", context)
