"""/admin/workspace/: who may, what is kept, what is refused beside its field, and what pages show afterwards."""

from __future__ import annotations

import io
import re
import threading
import time
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from tests.cast import Cast
from tests.ops.made import signed_in
from tickets.models import AuditEntry, AuditValue, Workspace
from tickets.workspace import forget, values_of, workspace

pytestmark = pytest.mark.django_db
PAGE = "/admin/workspace/"


def typed(client: Client, **changes: Any) -> dict[str, Any]:
    """The page's fields as they stand, with some typed anew."""
    found = client.get(PAGE).context
    fields = {field.html_name: field.value() for field in found["form"] if field.name not in ("logo_file", "no_logo")}
    for _, team in found["teams"]:
        fields |= {field.html_name: field.value() for field in team}
    return {**{name: "" if value is None else value for name, value in fields.items()}, **changes}


def saved(client: Client, **changes: Any) -> Any:
    return client.post(PAGE, typed(client, **changes))


def picture(kind: str = "PNG", size: tuple[int, int] = (240, 96), **options: Any) -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", size, "#0057b8").save(out, format=kind, **options)
    return SimpleUploadedFile(f"logo.{kind.lower()}", out.getvalue())


@pytest.mark.parametrize(("role", "reads", "writes"), [("agent", 403, 403), ("ops", 403, 403), ("lead", 200, 403)])
def test_leads_read_and_admins_change(role: str, reads: int, writes: int, client: Client, cast: Cast) -> None:
    admin = signed_in(Client(), cast, "admin")
    fields = typed(admin, name="Taken over")
    signed_in(client, cast, role)
    assert client.get(PAGE).status_code == reads
    assert client.get(f"{PAGE}shades/?accent=red").status_code == reads
    assert client.post(PAGE, fields).status_code == writes
    assert not Workspace.objects.filter(name="Taken over").exists()
    if reads == 200:
        text = client.get(PAGE).content.decode()
        assert "<fieldset" in text
        assert 'value="save"' not in text


def test_what_is_saved_is_kept_audited_and_said_by_every_page(client: Client, cast: Cast) -> None:
    signed_in(client, cast, "admin")
    answer = saved(
        client, name="Fjell  Cycles", accent="0057B8", time_zone="Europe/Oslo", day_0="9-12, 13-17", currency="nok",
        holidays="12-25 Christmas Day", return_days=14, openers="Is my bike ready?\n\nWhere are you?",
        order_number_format="fc-####, FC-######", languages=["de"],
    )  # fmt: skip
    assert answer.status_code == 302, list(answer.context["form"].errors.items())
    row = Workspace.objects.get()
    now = values_of(row)
    assert (now.name, now.accent, now.currency, now.policy.return_days) == ("Fjell Cycles", "#0057b8", "NOK", 14)
    assert now.week[0] == ((540, 720), (780, 1020))
    assert now.languages == ("en", "de")
    assert now.openers == ("Is my bike ready?", "Where are you?")
    assert now.order_number_format == "fc-####, FC-######"
    entry = AuditEntry.objects.get(action="workspace.change")
    values = {value.field: (value.before, value.after) for value in AuditValue.objects.filter(entry=entry)}
    assert entry.actor == cast.admin
    assert values["name"] == ("Alder & Pine", "Fjell Cycles")
    assert values["return_days"] == ("30", "14")
    assert "email" not in values  # it stayed


def test_lines_as_browsers_send_them_are_no_change(client: Client, cast: Cast) -> None:
    signed_in(client, cast, "admin")
    row = Workspace.objects.get_or_create(pk=1)[0]
    row.privacy_text = "# Privacy\n\nWe keep little."
    row.save()
    sent = {name: getattr(row, name).replace("\n", "\r\n") for name in ("return_address", "privacy_text")}
    assert all("\r\n" in text for text in sent.values())
    assert saved(client, **sent).status_code == 302
    assert not AuditEntry.objects.filter(action="workspace.change").exists()
    assert saved(client, return_address="One\r\nTwo").status_code == 302
    assert Workspace.objects.get().return_address == "One\nTwo"


def test_saving_nothing_new_writes_nothing(client: Client, cast: Cast) -> None:
    signed_in(client, cast, "admin")
    before = Workspace.objects.get_or_create(pk=1)[0].version
    assert saved(client).status_code == 302
    assert Workspace.objects.get().version == before
    assert not AuditEntry.objects.filter(action__in=("workspace.change", "team.change")).exists()


@pytest.mark.parametrize(
    ("field", "text", "sentence"),
    [
        ("accent", "#ffd400", "The nearest shade that passes is #"),
        ("accent", "red", "is no colour"),
        ("accent_dark", "#222222", "Choose the accent itself first|too dark"),
        ("day_1", "18-8", "ends before it begins"),
        ("time_zone", "Oslo", "is no time zone"),
        ("holidays", "Christmas", "Line 1"),
        ("currency", "XXX", "is no currency"),
        ("refund_limit", "100.01", "less than or equal to 100"),
        ("return_days", "0", "greater than or equal to 1"),
        ("order_number_format", "##", "fewer than three digits"),
        ("website", "javascript:alert(1)", "Enter a valid URL"),
        ("privacy_url", "ftp://x.example/", "Enter a valid URL"),
        ("name", "  ", "This field is required"),
        ("house_style", "x" * 501, "at most 500"),
        ("openers", "1\n2\n3\n4\n5", "4 questions at most"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_kept(
    field: str, text: str, sentence: str, client: Client, cast: Cast
) -> None:
    signed_in(client, cast, "admin")
    answer = saved(client, **{"name": "Half", field: text})
    page = answer.content.decode()
    assert answer.status_code == 422
    said = re.search(rf'data-problem="{field}"(?! hidden)[^>]*>([^<]*)</p>', page)
    assert said, field
    assert re.search(sentence, said[1])
    assert not Workspace.objects.filter(name="Half").exists()


def test_a_week_without_a_single_hour_is_refused(client: Client, cast: Cast) -> None:
    signed_in(client, cast, "admin")
    answer = saved(client, **{f"day_{number}": "" for number in range(7)})
    assert "people must be there" in answer.content.decode()


def test_a_preview_shows_what_is_typed_and_keeps_nothing(client: Client, cast: Cast) -> None:
    signed_in(client, cast, "admin")
    answer = saved(client, deed="preview", name="Fjell Cycles", accent="#0057b8")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert '<b data-shows="name">Fjell Cycles</b>' in page
    assert "is-changed" in page  # and says that it is not saved
    assert "shades.css?accent=%230057b8" in page
    assert "#0057b8" in client.get(f"{PAGE}shades.css?accent=%230057b8").content.decode()
    assert not Workspace.objects.filter(name="Fjell Cycles").exists()


def test_the_script_is_told_what_is_wrong_with_a_colour(client: Client, cast: Cast) -> None:
    signed_in(client, cast, "lead")
    told = client.get(f"{PAGE}shades/", {"accent": "#ffd400", "accent_dark": "#111"}).json()
    assert told["problems"].keys() == {"accent", "accent_dark"}
    hostile = client.get(f"{PAGE}shades.css", {"accent": "#fff}body{display:none"}).content.decode()
    assert "body" not in hostile


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
def test_a_logo_is_written_anew_and_served_for_ever(kind: str, client: Client, cast: Cast) -> None:
    signed_in(client, cast, "admin")
    options = {"comment": b"camera of Olivia"} if kind == "JPEG" else {}
    assert saved(client, logo_file=picture(kind, (480, 192), **options)).status_code == 302
    row = Workspace.objects.get()
    assert row.logo_width == 60
    for name, size in (("logo", (240, 96)), ("icon", (180, 180))):
        answer = client.get(f"/brand/{name}-{row.logo_digest}.png")
        assert answer["Content-Type"] == "image/png"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "immutable" in answer["Cache-Control"]
        image = Image.open(io.BytesIO(answer.content))
        assert (image.format, image.size) == ("PNG", size)
        assert b"Olivia" not in answer.content
    assert client.get("/brand/logo-0000000000000000.png").status_code == 404
    assert client.get("/brand/logo-.png").status_code == 404
    assert saved(client, no_logo="on").status_code == 302
    assert client.get(f"/brand/logo-{row.logo_digest}.png").status_code == 404


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "not an image we can read"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 100, "not an image we can read"),
        (b"x" * (1024 * 1024 + 1), "1 MB at most"),
        (picture(size=(900, 100)).read(), "six times as wide"),
        (picture(size=(20, 20)).read(), "only 20 pixels high"),
    ],
    ids=["svg", "broken", "large", "wide", "small"],
)
def test_what_is_no_logo_is_refused(content: bytes, sentence: str, client: Client, cast: Cast) -> None:
    signed_in(client, cast, "admin")
    answer = saved(client, logo_file=SimpleUploadedFile("logo.png", content))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Workspace.objects.exclude(logo_digest="").exists()


def test_teams_are_named_here(client: Client, cast: Cast) -> None:
    signed_in(client, cast, "admin")
    prefix = f"team-{cast.team.pk}"
    assert saved(client, **{f"{prefix}-name": "Faktura", f"{prefix}-email": "faktura@fjell.example"}).status_code == 302
    cast.team.refresh_from_db()
    assert (cast.team.name, cast.team.email) == ("Faktura", "faktura@fjell.example")
    assert AuditEntry.objects.filter(action="team.change", object_id=str(cast.team.pk)).count() == 1


def test_nobody_waits_long_for_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = threading.Event()
    monkeypatch.setattr("tickets.workspace._version", gone.wait)
    monkeypatch.setattr("tickets.workspace.FIRST_WAIT_S", 0.2)
    forget()
    try:
        begun = time.monotonic()
        assert {workspace().name for _ in range(50)} == {"Customer support"}
        assert time.monotonic() - begun < 2
    finally:
        gone.set()
        forget()


@pytest.mark.django_db(transaction=True)
def test_every_process_says_so_within_seconds(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    forget()
    try:
        assert workspace().name == "Alder & Pine"
        Workspace.objects.update_or_create(pk=1, defaults={"name": "Fjell Cycles"})  # as another process does it
        assert workspace().name == "Alder & Pine"  # no query at each use
        monkeypatch.setattr("tickets.workspace.FRESH_S", 0.0)
        monkeypatch.setattr("tickets.workspace.STALE_S", 0.0)
        assert workspace().name == "Fjell Cycles"
        assert "Fjell Cycles" in client.get("/help/").content.decode()
        Workspace.objects.all().delete()
        assert workspace().name == "Alder & Pine"
    finally:
        forget()
