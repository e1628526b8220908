"""The desk in Django's admin: one module per noun, every model, searchable."""

from django.contrib import admin

from tickets.admin import (  # noqa: F401 - importing registers
    actions,
    audit,
    conversations,
    customers,
    imports,
    inbox,
    jobs,
    knowledge,
    mail,
    orders,
    privacy,
    staff,
    surveys,
    tickets,
    webhooks,
    workspace,
)

admin.site.site_header = admin.site.site_title = "Desk"  # its name comes from templates/admin/base_site.html
admin.site.index_title = "Records"
