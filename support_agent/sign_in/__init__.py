"""How staff sign in: password and second factor, passkey, or the company's provider (docs/staff-sign-in.md).

Built on django-allauth's flows; of its pages only those in `urls.py` exist. Customers sign in by chat/account.py.
"""
