"""What costs something and is done only when asked for: one call of the model, one mail."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from support_agent.agent.types import ModelFailure, ModelReply, ModelRequest, Tier
from support_agent.doctor.finding import Finding
from support_agent.env import env
from support_agent.llm.client import build_client

PATIENCE_S = 15


def model_answer() -> Iterator[Finding]:
    """Each configured model says a word; together a small part of a cent."""
    if env.demo_model:
        yield Finding("model asked", "missing", "there is no key to ask with", "set ANTHROPIC_API_KEY")
        return
    for tier in Tier:
        try:
            reply = asyncio.run(_ask(tier))
        except ModelFailure as failure:
            mend = "correct ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL and the names of the models"
            yield Finding("model asked", "missing", f"{tier.value}: {failure.kind}, {failure}", mend)
        else:
            detail = f"{reply.model} answered in {reply.duration_ms} ms for {reply.spend.cost_usd:.6f} USD"
            yield Finding("model asked", "ok", detail)


async def _ask(tier: Tier) -> ModelReply:
    client = build_client(
        api_key=env.anthropic_api_key.get_secret_value(),
        small=env.agent_model_small,
        medium=env.agent_model_medium,
        large=env.agent_model_large,
        base_url=env.anthropic_base_url,
        first_token_s=PATIENCE_S,
        max_retries=0,
    )
    messages = [{"role": "user", "content": "Are you there? Answer with one word."}]
    try:
        return await client.call(ModelRequest(tier, "Answer briefly.", messages, max_tokens=64, timeout_s=PATIENCE_S))
    finally:
        await client.aclose()


def mail_sent(to: str) -> Iterator[Finding]:
    if settings.DEMO or not env.email_url.get_secret_value():
        yield Finding(
            "mail sent", "missing", "no mail leaves", "set DEMO=false and EMAIL_URL=smtp://user:password@host:587"
        )
        return
    text = f"This mail was sent by manage.py doctor --live of {settings.SITE_ORIGIN}: mails leave."
    try:
        mail = EmailMessage("Mails leave", text, settings.DEFAULT_FROM_EMAIL, [to])
        mail.connection = get_connection(timeout=PATIENCE_S)
        mail.send()
    except OSError as error:  # SMTPException is one
        yield Finding("mail sent", "missing", f"{type(error).__name__}: {error}", "correct EMAIL_URL and EMAIL_FROM")
    else:
        yield Finding("mail sent", "ok", f"handed to {settings.EMAIL_HOST} for {to}: see that it arrives")
