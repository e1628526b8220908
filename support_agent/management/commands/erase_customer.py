"""`manage.py erase_customer <email>`: erase a person, and print the receipt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.core.validators import validate_email

from support_agent.management.base import OpsCommand
from support_agent.privacy import receipts
from support_agent.privacy.erase import NobodyFound, erase, erase_rehearsed, receipts_apply

Json = dict[str, Any]


class Command(OpsCommand):
    help = "Erases everything of an e-mail address; orders and invoices stay under a pseudonym. Prints a receipt."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", nargs="?", default="", help="whose data")
        parser.add_argument("--dry-run", action="store_true", help="print the same counts and write nothing")
        parser.add_argument("--reapply", metavar="FILE", help="erase again what these receipts say, after a restore")

    def handle(self, *args: Any, email: str, dry_run: bool, reapply: str | None, **options: Any) -> None:
        if bool(email) == bool(reapply):
            raise CommandError("give an e-mail address, or --reapply and a file of receipts", returncode=2)
        if reapply:
            return self._reapply(reapply, options["json"])
        try:
            validate_email(email)
            request = erase_rehearsed(email) if dry_run else erase(email)
        except ValidationError:
            raise CommandError(f"{email!r} is no e-mail address", returncode=2) from None
        except NobodyFound:
            raise CommandError(f"nothing is held of {email!r}", returncode=2) from None
        self._print({"dry_run": dry_run, **receipts.receipt_of(request)}, as_json=options["json"])

    def _reapply(self, name: str, as_json: bool) -> None:
        try:
            found = receipts.read(Path(name).read_text().splitlines())
        except (OSError, UnicodeDecodeError, receipts.BadReceipts) as problem:
            raise CommandError(f"{name!r} cannot be read: {problem}", returncode=2) from None
        number = receipts_apply(found)
        if as_json:
            self.print_json({"receipts": number})
        else:
            self.stdout.write(f"{number} receipts applied")

    def _print(self, receipt: Json, *, as_json: bool) -> None:
        if as_json:
            return self.print_json(receipt)
        what = "would be erased; nothing was written" if receipt["dry_run"] else f"erased at {receipt['done_at']}"
        rows = "\n".join(f"  {table:<36}{number:>8}" for table, number in receipt["counts"].items())
        self.stdout.write(f"{receipt['pseudonym']}: {what}\n{rows}\nreceipt {receipt['id']}")
