"""Every page of the staff's sign-in. Names beginning with `account_` and `mfa_` are those that allauth leads to."""

from __future__ import annotations

from django.urls import path

from support_agent.sign_in import account, confirm, oidc, people, views
from support_agent.sign_in.guard import own_page

urlpatterns = [
    path("admin/login/", views.sign_in, name="account_login"),
    path("admin/login/code/", views.SecondStep.as_view(), name="mfa_authenticate"),
    path("admin/login/passkey/", views.PasskeyAlone.as_view(), name="mfa_login_webauthn"),
    path("admin/login/company/", oidc.begin, name="company"),
    path("admin/login/company/callback/", oidc.callback, name="company_callback"),
    path("admin/account/", account.page, name="mfa_index"),
    path("admin/account/confirm/", confirm.page, name="account_reauthenticate"),
    path("admin/account/app/", own_page(account.AddApp.as_view()), name="mfa_activate_totp"),
    path("admin/account/app/picture.svg", account.picture, name="totp_picture"),
    path("admin/account/passkeys/add/", own_page(account.AddPasskey.as_view()), name="mfa_add_webauthn"),
    path("admin/account/codes/", account.codes, name="mfa_view_recovery_codes"),
    path("admin/account/factors/<int:factor_id>/remove/", account.remove, name="factor_remove"),
    path("admin/account/factors/<int:factor_id>/name/", account.rename, name="factor_name"),
    path("admin/account/sessions/end/", account.end_session, name="session_end"),
    path("admin/account/people/<uuid:user_id>/", people.page, name="staff_sign_in"),
    path("admin/account/people/<uuid:user_id>/end/", people.end_session, name="staff_session_end"),
    path("admin/account/people/<uuid:user_id>/reset/", people.reset, name="staff_reset"),
]
