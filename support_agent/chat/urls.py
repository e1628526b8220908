"""The customers' pages."""

from __future__ import annotations

from django.urls import URLPattern, path

from support_agent.chat import account, pages
from support_agent.chat.back import back, back_again
from support_agent.chat.languages import choose
from support_agent.chat.leave import leave_message
from support_agent.chat.transcript import transcript

urlpatterns: list[URLPattern] = [
    path("", pages.chat, name="chat"),
    path("chat/start/", pages.start, name="chat-start"),
    path("chat/new/", pages.new, name="chat-new"),
    path("chat/<uuid:conversation_id>/earlier/", pages.earlier, name="chat-earlier"),
    path("chat/back/", back, name="chat-back"),
    path("chat/back/again/", back_again, name="chat-back-again"),
    path("chat/transcript/", transcript, name="chat-transcript"),
    path("message/", leave_message, name="leave-message"),
    path("privacy/", pages.privacy, name="privacy"),
    path("language/", choose, name="language"),
    path("account/login/", account.sign_in, name="login"),
    path("account/logout/", account.sign_out, name="logout"),
    path("demo/mail/", account.demo_mail, name="demo-mail"),
]
