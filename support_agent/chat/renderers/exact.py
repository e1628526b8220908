"""A proposal's arguments as its customer reads them: exactly what will be done, and what it costs or brings."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from support_agent.chat.renderers.cards import is_some, money

Json = dict[str, Any]
BRINGS = {  # of the preview: what it costs and what comes back
    "fee": _("Return label"),
    "expected_refund": _("You get back"),
    "refund": _("You get back"),
}


def arguments_shown(arguments: Json, preview: Json) -> Json:
    """The arguments, amounts with their currency and items by their names beside the SKU."""
    shown, currency = dict(arguments), str(preview.get("currency") or "")
    if currency and "amount" in shown:
        shown["amount"] = money(shown["amount"], currency)
    names = {item["sku"]: _item(item) for item in _items(preview) if item.get("sku")}
    if isinstance(shown.get("skus"), list):
        shown["skus"] = [names.get(sku, sku) for sku in shown["skus"]]
    return shown


def brings(preview: Json) -> list[tuple[str, str]]:
    """Label and amount of what the change costs and brings, as the preview has it."""
    currency = str(preview.get("currency") or "")
    return [
        (str(label), money(preview[name], currency))
        for name, label in BRINGS.items()
        if currency and is_some(preview.get(name))
    ]


def _items(preview: Json) -> list[Json]:
    items = preview.get("items")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _item(item: Json) -> str:
    times = f"{item['quantity']} × " if item.get("quantity", 1) != 1 else ""
    return f"{times}{item.get('name', '')} ({item['sku']})"
