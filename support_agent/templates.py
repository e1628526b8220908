"""Django's and django-rq's own pages under our content security policy."""

from __future__ import annotations

import re

from django.template import Origin
from django.template.loaders import app_directories

INLINE_BLOCK = re.compile(r"<(style|script)(?=[\s>])(?![^>]*\ssrc=)")
INLINE_ATTRIBUTE = re.compile(r"""\s(?:style|on[a-z]+)=("[^"]*"|'[^']*')""")


class StrictLoader(app_directories.Loader):
    """Gives inline blocks of installed templates the page's nonce, and drops style and event attributes.

    django-rq has them on most of its pages, and the admin on one: doing it here outlives their next versions, which a
    copy of each template would not. What the dropped handlers did, a link in the same row does too.
    """

    def get_contents(self, origin: Origin) -> str:
        text = super().get_contents(origin)
        if not str(origin.template_name).startswith(("admin/", "django_rq/", "registration/")):
            return text
        return INLINE_ATTRIBUTE.sub("", INLINE_BLOCK.sub(r'<\1 nonce="{{ CSP_NONCE }}"', text))
