"""Leaving a message: a ticket that a person answers by e-mail, also while the chat takes no new conversations."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from support_agent.chat.visitors import visitor_of_request
from support_agent.runtime.ratelimit import allow
from tickets import hours
from tickets.errors import MAX_TEXT, RateLimited
from tickets.models import Article, Customer
from tickets.services.tickets import ticket_create

SUBJECTS = {
    Article.Category.BILLING.value: _("Billing"),
    Article.Category.TECHNICAL.value: _("Technical"),
    Article.Category.ACCOUNT.value: _("Account"),
    Article.Category.PRODUCT.value: _("Product"),
}


class LeaveMessage(forms.Form):
    email = forms.EmailField(max_length=254)
    category = forms.ChoiceField(choices=list(SUBJECTS.items()), initial="product")
    text = forms.CharField(max_length=MAX_TEXT, widget=forms.Textarea)


@never_cache
@require_http_methods(["GET", "POST"])
def leave_message(request: HttpRequest) -> HttpResponse:
    """The form; after it, the ticket's number. Nothing typed is lost when something is wrong with it."""
    visitor = visitor_of_request(request)
    customer = Customer.objects.filter(pk=visitor.customer_id).first() if visitor.customer_id else None
    form = LeaveMessage(request.POST or None, initial={"email": customer.email if customer else ""})
    context = {"form": form, "hours": hours.words()}
    if request.method != "POST" or not form.is_valid():
        return render(request, "chat/leave.html", context, status=422 if form.is_bound else 200)
    try:
        allow("left_message", visitor.address)
    except RateLimited as error:
        return render(
            request, "chat/leave.html", {"form": form, "hours": hours.words(), "error": error.message}, status=429
        )
    text = form.cleaned_data["text"].replace("\x00", "")
    ticket = ticket_create(
        subject=text.splitlines()[0][:120],
        body=text,
        category=form.cleaned_data["category"],
        customer=customer,
        contact_email=form.cleaned_data["email"],
    )
    return render(request, "chat/leave.html", {"ticket": ticket})
