"""Images: chosen, pasted and dropped, refused in plain words, sent, and seen by the customer and by staff."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from tests.browser.conftest import ANSWER_MS, Chat
from tests.stack import Stack

pytestmark = [pytest.mark.timeout(180), pytest.mark.deep]
PUT = """async ([kind, type, name, bytes]) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], name, {type}));
    const field = document.getElementById("text");
    field.focus();
    const event = kind === "paste"
        ? new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})
        : new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
    (kind === "paste" ? field : document.body).dispatchEvent(event);
}"""


def picture(kind: str = "PNG", size: tuple[int, int] = (600, 400)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (60, 110, 80)).save(out, format=kind)
    return out.getvalue()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """What a customer might choose, by name."""
    made = {
        "tent.png": picture(), "pole.jpg": picture("JPEG"), "bag.webp": picture("WEBP"), "a.png": picture(size=(9, 9)),
        "b.png": picture(size=(8, 8)), "c.png": picture(size=(7, 7)),
        "notes.pdf": b"%PDF-1.7", "huge.png": picture() + b"\0" * 5_500_000,
        "broken.png": b"\x89PNG\r\n\x1a\n" + b"\0" * 90,
    }  # fmt: skip
    for name, content in made.items():
        (tmp_path / name).write_bytes(content)
    return {name: tmp_path / name for name in made}


def test_chosen_pasted_and_dropped_sent_and_seen_by_both_sides(
    chat: Chat, stack: Stack, files: dict[str, Path]
) -> None:
    page = chat.page
    chat.open()
    alert, attached = page.locator("#alert"), page.locator("#attached li")

    # What cannot be sent is said before anything is uploaded, by its name.
    page.locator("#files").set_input_files([files["notes.pdf"], files["huge.png"]])
    assert "“notes.pdf” is not an image we can take" in alert.inner_text()
    assert "“huge.png” has 5.2 MB" in alert.inner_text()
    assert attached.count() == 0

    # The first image begins the conversation; one from each way in.
    page.locator("#files").set_input_files(files["tent.png"])
    page.evaluate(PUT, ["paste", "image/jpeg", "pole.jpg", list(files["pole.jpg"].read_bytes())])
    page.evaluate(PUT, ["drop", "image/webp", "bag.webp", list(files["bag.webp"].read_bytes())])
    page.locator('#attached li[data-state="ready"]').nth(2).wait_for(timeout=ANSWER_MS)
    assert [name.inner_text() for name in page.locator("#attached .name").all()] == ["tent.png", "pole.jpg", "bag.webp"]
    page.locator("#files").set_input_files([files[name] for name in ("a.png", "b.png", "c.png")])
    assert "A message can carry 5 images" in alert.inner_text()
    for name in ("a.png", "b.png"):
        page.get_by_role("button", name=f"Remove {name}").click()
    assert attached.count() == 3

    # What the server refuses is told by its own words, and can be taken out again.
    page.locator("#files").set_input_files(files["broken.png"])
    page.locator('#attached li[data-state="failed"]').wait_for(timeout=ANSWER_MS)
    assert "not an image we can read" in attached.nth(3).inner_text()
    page.get_by_role("button", name="Remove broken.png").click()

    chat.write("What is wrong with this pole?")
    own = chat.own.first
    own.wait_for(timeout=ANSWER_MS)
    assert attached.count() == 0
    shown = own.get_by_role("img")
    assert [one.get_attribute("alt") for one in shown.all()] == [
        f"Image: {n}" for n in ("tent.png", "pole.jpg", "bag.webp")
    ]
    page.wait_for_function(
        "() => [...document.querySelectorAll('#messages .files img')].every((img) => img.naturalWidth > 1)"
    )
    with page.context.expect_page() as opened:
        shown.first.click()
    opened.value.wait_for_load_state()
    assert opened.value.evaluate("document.contentType") == "image/png"
    chat.answers.first.wait_for(timeout=ANSWER_MS)
    assert "cannot see images" in chat.answers.first.inner_text()

    conversation = page.locator("#chat").get_attribute("data-conversation")
    engine = page.context.browser
    assert engine is not None
    desk = engine.new_context(base_url=stack.url).new_page()
    staff = next(one for one in stack.demo()["staff"] if one["role"] == "agent")
    desk.goto(f"/admin/login/?next=/admin/inbox/{conversation}/")
    desk.get_by_label("Username").fill(staff["username"])
    desk.get_by_label("Password").fill(staff["password"])
    desk.keyboard.press("Enter")
    desk.get_by_role("img", name="Image: pole.jpg").wait_for(timeout=ANSWER_MS)
    desk.wait_for_function("() => [...document.querySelectorAll('.files img')].every((img) => img.naturalWidth > 1)")


def test_an_upload_that_fails_is_tried_again_and_the_message_waits_for_it(chat: Chat, files: dict[str, Path]) -> None:
    page = chat.page
    chat.open()
    chat.ask("Hello")
    failing = {"on": True}
    page.route("**/attachments", lambda route: route.abort() if failing["on"] else route.continue_())
    page.locator("#files").set_input_files(files["tent.png"])
    page.locator('#attached li[data-state="failed"]').wait_for()
    assert "“tent.png” could not be uploaded." in page.locator("#attached").inner_text()
    chat.write("Look at this")
    mark = page.locator("#outbox .mark")
    mark.get_by_text("Not sent").wait_for()
    assert chat.own.count() == 1, "words without their image are not what was meant"
    mark.get_by_role("button", name="Edit").click()
    assert page.get_by_label("Your message").input_value() == "Look at this"
    assert page.locator("#attached li").count() == 1
    page.keyboard.press("Enter")
    failing["on"] = False
    mark.get_by_role("button", name="Send again").click()
    chat.own.nth(1).get_by_role("img", name="Image: tent.png").wait_for(timeout=ANSWER_MS)
    assert page.locator("#outbox > *").count() == 0

    # A page that closes with an image on its way says so when it comes back.
    failing["on"] = True
    page.route("**/attachments", lambda route: None)
    page.locator("#files").set_input_files(files["pole.jpg"])
    chat.write("And this one")
    page.locator("#outbox").get_by_text("Uploading images").wait_for()
    page.reload()
    page.locator("#outbox").get_by_text("The page was closed before its images were uploaded").wait_for()
    page.locator("#outbox").get_by_role("button", name="Edit").click()
    assert page.get_by_label("Your message").input_value() == "And this one"
