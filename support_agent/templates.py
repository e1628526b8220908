"""Django's and django-rq's own pages under our content security policy, and as accessible as ours."""

from __future__ import annotations

import re

from django.template import Origin
from django.template.loaders import app_directories

INLINE_BLOCK = re.compile(r"<(style|script)(?=[\s>])(?![^>]*\ssrc=)")
MENDED = [  # what screen readers miss in those templates
    # Names of boxes.
    (re.compile(r'<input(?=[^>]*type="checkbox")(?=[^>]*action-toggle)(?![^>]*aria-label)'), '<input aria-label="All"'),
    (
        re.compile(r'<input(?=[^>]*type="checkbox")(?=[^>]*action-select)(?![^>]*aria-label)'),
        '<input aria-label="Choose"',
    ),
    # A head that heads nothing is a cell.
    (
        re.compile(r'<th scope="col" class="action-checkbox-column">(.*?)</th>', re.S),
        r'<td class="action-checkbox-column">\1</td>',
    ),
    (
        re.compile(r'<th scope="col"(\{\{ header\.class_attrib \}\})>(.*?)</th>', re.S),
        r"{% if 'action-checkbox' in header.class_attrib %}<td\1>\2</td>"
        r'{% else %}<th scope="col"\1>\2</th>{% endif %}',
    ),
    (re.compile(r"<th([^>]*)></th>"), r"<td\1></td>"),
    (re.compile(r"<th>(\{% if [^%]*%\})(.*?)\{% endif %\}</th>"), r"\1<th>\2</th>{% else %}<td></td>{% endif %}"),
    # A wide table that scrolls does so by keyboard too.
    (
        re.compile(
            r'(<div class="js-inline-admin-formset inline-group")(?=\s+id="[^"]*"\s+data-inline-type="tabular")'
        ),
        r'\1 tabindex="0" role="region" aria-labelledby="{{ inline_admin_formset.formset.prefix }}-heading"',
    ),
    # The page's first heading is its first.
    (re.compile(r"(block content_title %\})<h2>(.*?)</h2>"), r"\1<h1>\2</h1>"),
]
INLINE_ATTRIBUTE = re.compile(r"""\s(?:style|on[a-z]+)=("[^"]*"|'[^']*')""")


class StrictLoader(app_directories.Loader):
    """Gives inline blocks of installed templates the page's nonce, and drops style and event attributes.

    django-rq has them on most of its pages, and the admin on one: doing it here outlives their next versions, which a
    copy of each template would not. What the dropped handlers did, a link in the same row does too. What their markup
    keeps from a screen reader is mended on the way.
    """

    def get_contents(self, origin: Origin) -> str:
        text = super().get_contents(origin)
        if not str(origin.template_name).startswith(("admin/", "django_rq/", "registration/")):
            return text
        text = INLINE_ATTRIBUTE.sub("", INLINE_BLOCK.sub(r'<\1 nonce="{{ CSP_NONCE }}"', text))
        for missed, mended in MENDED:
            text = missed.sub(mended, text)
        return text
