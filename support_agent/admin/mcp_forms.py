"""The forms of MCP servers and tools."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from support_agent.agent.toolkit import Json
from support_agent.agent.types import Surface
from support_agent.models import McpServer, McpTool
from support_agent.runtime.mcp.schemas import Unusable, input_schema, names_of_persons
from support_agent.runtime.mcp.spec import Trouble, command_of, is_address, sealed_secrets
from support_agent.tools.own import SUBJECTS

_NAME = {"stdio": re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}"), "http": re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")}
_OURS = re.compile(r"(?i)host|content-.*|transfer-encoding|connection|accept.*|mcp-.*|(ld|dyld|python)_?.*")
SOURCE = "source_"
OURS = {McpTool.Source.EMAIL.value, McpTool.Source.REFERENCE.value}

if TYPE_CHECKING:
    ServerModelForm = forms.ModelForm[McpServer]
    ToolModelForm = forms.ModelForm[McpTool]
else:  # generic only for the type checker
    ServerModelForm = ToolModelForm = forms.ModelForm


class ServerForm(ServerModelForm):
    secrets = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text="One NAME=value a line: the environment of a program, the headers of an address. What is "
        "entered takes the place of all that is kept; empty leaves it. Kept encrypted, and never shown again.",
    )
    forget_secrets = forms.BooleanField(required=False, label="Forget what is kept")

    class Meta:
        model = McpServer
        fields = ("name", "transport", "command", "arguments", "url", "is_active")
        labels = {"url": "Address"}
        widgets = {"arguments": forms.Textarea(attrs={"rows": 3, "spellcheck": "false"})}

    def clean_arguments(self) -> list[str]:
        given = self.cleaned_data["arguments"] or []
        if not (isinstance(given, list) and all(isinstance(one, str) and "\x00" not in one for one in given)):
            raise ValidationError('Write a list of texts, such as ["--port", "1"].')
        return given

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        transport = data.get("transport", "")
        if transport == McpServer.Transport.STDIO:
            try:
                command_of(data.get("command") or "")
            except Trouble as trouble:
                self.add_error("command", str(trouble))
        elif not is_address(data.get("url") or ""):
            self.add_error("url", "Enter an https address without a name and password in it.")
        try:
            self.secret_values = _secrets(data.get("secrets") or "", transport)
        except ValidationError as error:
            self.add_error("secrets", error)
        return data

    def save(self, commit: bool = True) -> McpServer:
        if self.cleaned_data["secrets"] or self.cleaned_data["forget_secrets"]:
            self.instance.sealed = sealed_secrets(self.secret_values)
            self.instance.secret_names = sorted(self.secret_values)
        return super().save(commit)


def _secrets(text: str, transport: str) -> dict[str, str]:
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, equals, value = line.partition("=")
        if not equals or transport not in _NAME or not _NAME[transport].fullmatch(name) or _OURS.fullmatch(name):
            raise ValidationError("Each line is NAME=value, and the name one that a server may be given.")
        found[name] = value
    return found


class ToolForm(ToolModelForm):
    surfaces = forms.MultipleChoiceField(
        choices=[(one.value, one.value.replace("_", " ")) for one in Surface],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="None chosen: everywhere.",
    )
    subjects = forms.MultipleChoiceField(
        choices=[(one, one) for one in sorted(SUBJECTS)],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="None chosen: whatever the plan is about.",
    )
    impersonal = forms.BooleanField(
        required=False,
        label="It shows nothing of any one customer, and changes nothing of theirs",
        help_text="Needed where we fill none of its arguments: every verified customer may then ask it for whatever "
        "the assistant writes, such as somebody else's order number.",
    )
    decision = forms.ChoiceField(
        choices=[("allow", "Allow it, as it is listed now"), ("refuse", "Refuse it")],
        widget=forms.RadioSelect,
    )

    class Meta:
        model = McpTool
        fields = (
            "description", "purpose", "label", "category", "needs_confirmation", "surfaces", "subjects", "unverified",
            "timeout_s", "max_result_chars", "per_conversation", "per_day",
        )  # fmt: skip
        labels = {
            "timeout_s": "Seconds for a call",
            "max_result_chars": "Characters of an answer",
            "per_conversation": "Calls in a conversation",
            "per_day": "Calls in a day",
        }

    @classmethod
    def of(cls, tool: McpTool) -> type[ToolForm]:
        """The form with a choice for each argument; one that seems to name a person has no answer to begin with."""
        schema, persons = schema_of(tool), []
        if schema is not None:
            persons = names_of_persons(schema)
        fields: dict[str, Any] = {}
        for name in schema["properties"] if schema else ():
            asked = [("", "Decide …")] if name in persons else []
            fields[SOURCE + name] = forms.ChoiceField(
                label=name,
                choices=[*asked, *McpTool.Source.choices],
                initial=tool.sources.get(name, "" if asked else McpTool.Source.MODEL),
                required=False,
                help_text="It seems to say whom or whose record the call is about." if asked else "",
            )
        return type("ToolFormOfOne", (cls,), fields)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.state in (McpTool.State.ALLOWED, McpTool.State.REFUSED):
            self.initial["decision"] = "allow" if self.instance.state == McpTool.State.ALLOWED else "refuse"
        self.initial["impersonal"] = self._was_impersonal()
        if not self.instance.description:
            self.initial["description"] = str(self.instance.definition.get("description", ""))[:1000]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("decision") != "allow":
            return data
        try:
            schema = input_schema(self.instance.definition)
        except Unusable as error:
            raise ValidationError(f"It cannot be allowed. {error}") from None
        if self.instance.state == McpTool.State.GONE:
            raise ValidationError("Its server does not list it, so it cannot be allowed.")
        if not (data.get("description") or "").strip():
            self.add_error("description", "The assistant needs to read what it is for.")
        for name in names_of_persons(schema):
            if not data.get(SOURCE + name):
                why = "Say who fills it: if it names the customer, we do, so that nobody can ask about somebody else."
                self.add_error(SOURCE + name, why)
        fills = [value for name, value in data.items() if name.startswith(SOURCE)]
        if data.get("unverified") and (set(fills) - {McpTool.Source.MODEL} or self._proposes(data)):
            self.add_error("unverified", "A tool about the customer, or one that is confirmed, needs a verified one.")
        if not (data.get("unverified") or data.get("impersonal") or set(fills) & OURS):
            why = "Let us fill the argument that names the customer, or say that it shows nothing of any one customer."
            self.add_error("impersonal", why)
        return data

    def _was_impersonal(self) -> bool:
        """Whether that was said when this very definition was allowed."""
        tool = self.instance
        is_allowed = tool.state == McpTool.State.ALLOWED and tool.pinned_digest == tool.digest
        return is_allowed and not tool.unverified and not set(tool.sources.values()) & OURS

    def _proposes(self, data: dict[str, Any]) -> bool:
        return bool(data.get("needs_confirmation") or data.get("category") == McpTool.Category.MUTATION)

    def save(self, commit: bool = True) -> McpTool:
        tool, data = self.instance, self.cleaned_data
        tool.sources = {
            name.removeprefix(SOURCE): value or McpTool.Source.MODEL.value
            for name, value in data.items()
            if name.startswith(SOURCE)
        }
        if data["decision"] == "allow":
            tool.state, tool.pinned, tool.pinned_digest = McpTool.State.ALLOWED, tool.definition, tool.digest
        else:
            tool.state = McpTool.State.REFUSED
        saved: McpTool = super().save(commit)
        return saved


class TryForm(forms.Form):
    arguments = forms.JSONField(
        required=False,
        initial=dict,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        help_text="A JSON object.",
    )
    email = forms.EmailField(
        required=False,
        label="As which customer",
        help_text="For arguments that we fill. Use a customer made for tests.",
    )
    sure = forms.BooleanField(required=False, label="It changes something, and I want that")

    def __init__(self, *args: Any, tool: McpTool, **options: Any) -> None:
        super().__init__(*args, **options)
        if tool.proposes:
            self.fields["sure"].required = True
        else:
            del self.fields["sure"]

    def clean_arguments(self) -> Json:
        given = self.cleaned_data["arguments"] or {}
        if not isinstance(given, dict):
            raise ValidationError("Write a JSON object, such as {}.")
        return given


def schema_of(tool: McpTool) -> Json | None:
    try:
        return input_schema(tool.definition)
    except Unusable:
        return None
