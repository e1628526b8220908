"""The desk in Django's admin: one module per noun, every model, searchable."""

from django.contrib import admin

from tickets.admin import (  # noqa: F401 - importing registers
    actions,
    audit,
    conversations,
    customers,
    inbox,
    jobs,
    knowledge,
    mail,
    orders,
    privacy,
    staff,
    surveys,
    tickets,
)

admin.site.site_header = "Alder & Pine desk"
admin.site.site_title = "Alder & Pine desk"
admin.site.index_title = "Records"
