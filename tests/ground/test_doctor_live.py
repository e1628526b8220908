"""`doctor --live`: whether customers may come."""

from __future__ import annotations

import json
import os
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.socialaccount.models import SocialAccount
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import LazySettings
from django.contrib.auth.models import Group
from django.core import mail
from django.core.management import call_command

from support_agent.doctor import address, asked, data, people
from support_agent.doctor.finding import Finding, findings, findings_within
from tests.cast import Cast
from tests.staff_sign_in.conftest import give_app
from tests.workspace.conftest import FJELL
from tickets.demo.people import DEMO_PASSWORD
from tickets.models import User
from tickets.workspace import DEFAULT, as_if

GOOD: dict[str, Any] = {"hsts": "max-age=31536000", "socket": 101, "inside": 404, "days": 60}
Site = Callable[..., str]


def certificate(folder: Path, days: float) -> tuple[Path, Path]:
    """A certificate of localhost that signs itself, of a life of 90 days, and its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    ends = datetime.now(UTC) + timedelta(days=days)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=90))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "site.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "site.key").write_bytes(private)
    return folder / "site.pem", folder / "site.key"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Serves https as a proxy in front of the product would, or worse; its origin becomes ours."""
    servers: list[ThreadingHTTPServer] = []

    def serve(**changed: Any) -> str:
        how = GOOD | changed

        class Proxy(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status = how["inside"] if self.path in ("/readyz", "/metrics") else 200
                self.send_response(how["socket"] if "Upgrade" in self.headers else status)
                if how["hsts"]:
                    self.send_header("Strict-Transport-Security", how["hsts"])
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        Proxy.protocol_version = "HTTP/1.1"
        server = ThreadingHTTPServer(("localhost", 0), Proxy)
        server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        pem, key = certificate(tmp_path, how["days"])
        context.load_cert_chain(pem, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        origin = f"https://localhost:{server.server_port}"
        monkeypatch.setattr(address, "env", SimpleNamespace(allowed_origins=[origin]))
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        return origin

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def states(found: list[Finding]) -> dict[str, str]:
    return {one.name: one.state for one in found}


def test_a_good_address_is_well(site: Site) -> None:
    site()
    found = findings(address.public_address)
    assert states(found) == dict.fromkeys(("certificate", "address", "hsts", "sockets", "inside"), "ok")


@pytest.mark.parametrize(
    ("changed", "name", "state"),
    [
        ({"days": 20}, "certificate", "note"),
        ({"days": 5}, "certificate", "missing"),
        ({"hsts": ""}, "hsts", "missing"),
        ({"socket": 403}, "sockets", "missing"),
        ({"inside": 200}, "inside", "missing"),
        ({"inside": 503}, "inside", "missing"),
    ],
)
def test_what_is_wrong_with_an_address_is_told_with_its_mend(
    site: Site, changed: dict[str, Any], name: str, state: str
) -> None:
    site(**changed)
    found = {one.name: one for one in findings(address.public_address)}
    assert found[name].state == state
    assert found[name].mend
    assert {one for one in found if found[one].state != "ok"} == {name}


def test_a_certificate_nobody_signed_and_an_address_that_is_none(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site()
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    assert states(findings(address.public_address)) == {"certificate": "missing"}
    monkeypatch.setattr(address, "env", SimpleNamespace(allowed_origins=["https://localhost:1"]))
    [closed] = findings(address.public_address)
    assert "https://localhost:1 does not answer" in closed.detail
    monkeypatch.setattr(address, "env", SimpleNamespace(allowed_origins=["http://shop.example"]))
    assert states(findings(address.public_address)) == {"address": "missing"}


def test_a_check_that_never_comes_back_holds_nothing_up() -> None:
    over = threading.Event()

    def address() -> Iterator[Finding]:
        over.wait()
        yield Finding("address", "ok", "")

    assert findings_within(0.05, "address", address)[0].detail == "no answer within 0.05 s"
    over.set()


def test_backups_are_made_recent_and_tried(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path

    def found(hours: float, checked: bool) -> dict[str, str]:
        made = datetime.now(UTC) - timedelta(hours=hours)
        note = {
            "made_at": made.isoformat(),
            "file": "b.tar",
            "bytes": 1,
            "checked_at": made.isoformat() if checked else None,
        }
        (tmp_path / "last-backup.json").write_text(json.dumps(note))
        return states(findings(data._backups))

    assert states(findings(data._backups)) == {"backup": "missing"}
    assert found(1, checked=True) == {"backup": "ok"}
    assert found(1, checked=False) == {"backup": "ok", "backup tried": "note"}
    assert found(50, checked=True) == {"backup": "missing"}


def test_a_settings_file_for_everybody_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "BASE_DIR", tmp_path)
    assert findings(data._env_file) == []
    (tmp_path / ".env").touch(0o640)
    assert states(findings(data._env_file)) == {"env file": "ok"}
    (tmp_path / ".env").chmod(0o644)
    assert states(findings(data._env_file)) == {"env file": "missing"}


@pytest.mark.django_db
def test_staff_have_roles_and_passwords_of_their_own(cast: Cast) -> None:
    assert states(findings(people._staff))["staff"] == "ok"
    assert states(findings(people._demo_left)) == {"passwords": "ok"}
    late = User.objects.create_user("late", is_staff=True, password=DEMO_PASSWORD)
    assert [one.detail for one in findings(people._staff) if one.name == "roles"] == ["without a role: late"]
    assert [one.detail for one in findings(people._demo_left)] == ["the demo's, which all know: late"]
    late.groups.add(Group.objects.get(name="agent"))
    User.objects.filter(groups__name__in=("agent", "lead")).update(is_active=False)
    assert states(findings(people._staff))["staff"] == "missing"


@pytest.mark.django_db
def test_who_has_no_second_factor_is_named(cast: Cast, settings: LazySettings) -> None:
    def who() -> str:
        return "; ".join(one.detail for one in findings(people._second_factors))

    settings.STAFF_MFA = "required"
    assert states(findings(people._second_factors)) == {"second factors": "note"}
    assert "agent" in who()
    User.objects.filter(is_staff=True).exclude(username="agent").update(is_active=False)
    RecoveryCodes.activate(cast.agent)  # for an emergency, and no factor
    assert who() == "not set up yet: agent"
    give_app(cast.agent)
    assert states(findings(people._second_factors)) == {"second factors": "ok"}
    settings.STAFF_MFA = "optional"
    assert "may sign in without one" in who()


@pytest.mark.django_db
def test_whom_a_trusted_provider_asks_needs_no_factor_of_ours(cast: Cast, settings: LazySettings) -> None:
    settings.STAFF_MFA = "required"
    User.objects.filter(is_staff=True).exclude(username="agent").update(is_active=False)
    SocialAccount.objects.create(user=cast.agent, provider="company", uid="42")
    for settings.OIDC_TRUST_MFA, state in ((False, "note"), (True, "ok")):
        assert states(findings(people._second_factors)) == {"second factors": state}


def test_a_desk_that_nobody_named_or_never_opens_is_told() -> None:
    closed = replace(FJELL, week=((),) * 7)
    for house, state in ((DEFAULT, "missing"), (closed, "missing"), (FJELL, "ok")):
        with as_if(house):
            assert states(findings(people._company)) == {"workspace": state}


@pytest.mark.django_db
def test_without_articles_there_is_nothing_to_answer_from() -> None:
    assert states(findings(people._articles)) == {"articles": "missing"}


@pytest.mark.django_db
def test_the_servers_are_new_enough_and_the_clock_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    assert states(findings(data._postgres_server)) == {"postgres version": "ok", "clock": "ok", "connections": "ok"}
    monkeypatch.setattr("support_agent.doctor.data.time.time", lambda: datetime.now(UTC).timestamp() - 3600)
    assert states(findings(data._postgres_server))["clock"] == "missing"


def test_a_mail_leaves_only_when_asked(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEMO = False
    settings.EMAIL_HOST = "mail.shop.example"
    monkeypatch.setattr(asked, "env", SimpleNamespace(email_url=SimpleNamespace(get_secret_value=lambda: "smtp://x")))
    [sent] = asked.mail_sent("ops@shop.example")
    assert sent.state == "ok"
    assert mail.outbox[0].to == ["ops@shop.example"]


@pytest.mark.django_db
def test_the_command_lists_what_a_demo_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", live=True, json=True)
    report = json.loads(capsys.readouterr().out)
    assert ended.value.code == 1
    assert not report["ok"]
    found = {check["name"]: check for check in report["checks"]}
    for name in ("address", "articles", "staff", "runner", "scheduler", "who answers"):
        assert found[name]["state"] == "missing", name
        assert found[name]["mend"], name
    assert "mail sent" not in found
