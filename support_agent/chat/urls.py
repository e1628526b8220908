"""The customers' pages."""

from __future__ import annotations

from django.urls import URLPattern, path

from support_agent.chat import account, demo_shop, pages, plain, polling, returns, widget
from support_agent.chat.back import back, back_again
from support_agent.chat.languages import choose
from support_agent.chat.leave import leave_message
from support_agent.chat.over import new, over
from support_agent.chat.past import past, past_one, resume
from support_agent.chat.pictures import picture
from support_agent.chat.transcript import download, transcript

urlpatterns: list[URLPattern] = [
    path("", pages.chat, name="chat"),
    path("chat/start/", pages.start, name="chat-start"),
    path("chat/new/", new, name="chat-new"),
    path("chat/over/", over, name="chat-over"),
    path("chat/past/", past, name="chat-past"),
    path("chat/<uuid:conversation_id>/", past_one, name="chat-past-one"),
    path("chat/<uuid:conversation_id>/resume/", resume, name="chat-resume"),
    path("chat/<uuid:conversation_id>/transcript.txt", download, name="chat-transcript-text"),
    path("chat/<uuid:conversation_id>/earlier/", pages.earlier, name="chat-earlier"),
    path("chat/<uuid:conversation_id>/frames/", polling.frame, name="chat-frames"),
    path("chat/<uuid:conversation_id>/events/", polling.events, name="chat-events"),
    path("chat/<uuid:conversation_id>/news/", plain.news, name="chat-news"),
    path("chat/do/", plain.do, name="chat-do"),
    path("chat/<uuid:conversation_id>/images/<uuid:attachment_id>/", picture, name="chat-picture"),
    path("chat/back/", back, name="chat-back"),
    path("chat/back/again/", back_again, name="chat-back-again"),
    path("chat/transcript/", transcript, name="chat-transcript"),
    path("returns/<str:number>/label/", returns.label, name="return-label"),
    path("message/", leave_message, name="leave-message"),
    path("privacy/", pages.privacy, name="privacy"),
    path("language/", choose, name="language"),
    path("account/login/", account.sign_in, name="login"),
    path("account/logout/", account.sign_out, name="logout"),
    path("widget.js", widget.script, name="widget-script"),
    path("widget/", widget.frame, name="widget"),
    path("widget/<uuid:conversation_id>/", widget.thread, name="widget-thread"),
    path("demo/shop/", demo_shop.shop, name="demo-shop"),
    path("demo/shop/identity/", demo_shop.identity, name="demo-shop-identity"),
    path("demo/mail/", account.demo_mail, name="demo-mail"),
]
