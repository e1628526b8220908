"""What the chat page's scripts say: texts by key, put into the page as JSON, read by `Words.get` in words.js."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

SCRIPT_WORDS = {
    "signed_out": _("You are signed out. Reload the page to go on."),
    "not_yours": _("This conversation is not open to you any more. Reload the page to begin a new one."),
    "too_many": _(
        "Too many connections at once, perhaps from other windows. Close some, then reload the page in a minute."
    ),
    "lost": _("Connection lost. Trying again …"),
    "offline": _("You are offline."),
    "kept": _("What you write is kept and sent when the connection is back."),
    "reload": _("Reload"),
    "not_started": _("We could not start the chat. Please reload the page."),
    "not_sent": _("Not sent"),
    "sending": _("Sending"),
    "waiting": _("Waiting for the connection"),
    "send_again": _("Send again"),
    "edit": _("Edit"),
    "uploading": _("Uploading images"),
    "long": _("{length} of {most} characters"),
    "too_long": _("{length} characters: {over} more than the {most} that one message can have."),
    "split": _("Send in {parts} parts"),
    "image": _("image"),
    "image_named": _("Image: {name}"),
    "image_kind": _("“{name}” is not an image we can take. Please send a PNG, JPEG or WebP."),
    "image_size": _("“{name}” has {size} MB; an image may have {most} MB at most."),
    "image_many": _("A message can carry {most} images. Send these first."),
    "image_uploading": _("Uploading {name}"),
    "image_failed": _("“{name}” could not be uploaded."),
    "image_again": _("Try again"),
    "image_remove": _("Remove {name}"),
    "image_cut": _("The page was closed before its images were uploaded. Edit it to attach them again."),
    "connected": _("Connected again."),
    "offer_soon": _("{time} left to decide."),
    "offer_over": _("The time to decide is over. Nothing was changed; it can be offered again."),
    "code_soon": _("The code works for {time} more."),
    "code_over": _("The code is no longer valid. A new one can be sent."),
    "left": _("{time} left"),
}

# What the launcher on other sites says (static/js/widget.js).
WIDGET_WORDS = {
    "name": _("Support chat"),
    "title": _("Chat with %(shop)s"),
    "open": _("Open chat"),
    "close": _("Close chat"),
    "unread": _("Unread messages:"),
    "dismiss": _("Dismiss"),
    "failed": _("The chat could not be loaded here."),
    "elsewhere": _("Open it in a new tab"),
}
