"""Writing: drafts, several tabs, long texts, marks, starting over, and two thousand messages."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import ANSWER_MS, Chat
from tests.stack import Stack

pytestmark = [pytest.mark.timeout(240), pytest.mark.deep]
MANY = """(count) => {
    const html = [];
    for (let n = 0; n < count; n++) {
        const role = n % 2 ? "assistant" : "customer";
        html.push(`<article class="message ${role}" id="m-x${n}" data-author="${role}" data-minute="1">
            <header class="byline"><b>A</b> <time datetime="2026-11-21T10:00:00+00:00">10:00</time></header>
            <div class="words"><p>Some words of message ${n}</p></div></article>`);
    }
    document.getElementById("messages").insertAdjacentHTML("afterbegin", html.join(""));
}"""
COUNTING = """() => {
    window.touched = 0;
    for (const type of [Document, Element]) {
        const whole = type.prototype.querySelectorAll;
        type.prototype.querySelectorAll = function (...given) {
            const found = whole.apply(this, given);
            window.touched += found.length;
            return found;
        };
    }
    const parent = Object.getOwnPropertyDescriptor(Element.prototype, "previousElementSibling");
    Object.defineProperty(Element.prototype, "previousElementSibling", {get() {
        window.touched += 1;
        return parent.get.call(this);
    }});
    window.changed = 0;
    new MutationObserver((records) => { window.changed += records.length; })
        .observe(document.getElementById("messages"), {subtree: true, attributes: true, childList: true});
}"""


def field(chat: Chat) -> str:
    return str(chat.page.get_by_label("Your message").input_value())


def test_a_draft_stays_through_reload_navigation_and_sign_in_and_goes_with_its_writer(chat: Chat, stack: Stack) -> None:
    page = chat.page
    chat.open()
    page.get_by_label("Your message").fill("Half a thought")
    page.goto("/help/")
    page.go_back()
    page.wait_for_function("() => document.getElementById('text').value === 'Half a thought'")
    page.reload()
    assert field(chat) == "Half a thought"
    chat.sign_in(stack.demo()["customers"][2]["name"])
    page.wait_for_function("() => document.getElementById('text')?.value === 'Half a thought'")

    # A question from the help centre is put below it, once; neither a reload nor "back" asks again.
    said = chat.own.count()
    page.goto("/?ask=What does it weigh%3F")
    assert field(chat) == "Half a thought\n\nWhat does it weigh?"
    assert page.url.endswith("/")
    page.reload()
    assert field(chat) == "Half a thought\n\nWhat does it weigh?"
    assert chat.own.count() == said

    page.get_by_label("Your message").focus()
    page.keyboard.press("Enter")
    chat.answers.first.wait_for(timeout=ANSWER_MS)
    assert field(chat) == ""
    page.get_by_label("Your message").fill("My other thought")
    page.get_by_role("button", name="Sign out").click()
    page.locator("#empty").wait_for()
    assert field(chat) == ""
    assert page.evaluate("localStorage.getItem('chat.drafts')") is None


def test_two_tabs_are_in_step_and_nothing_is_sent_twice(chat: Chat) -> None:
    page = chat.page
    chat.open()
    other = page.context.new_page()
    other.goto("/")
    beside = Chat(other)
    page.bring_to_front()
    page.get_by_label("Your message").press_sequentially("Do you ship")
    other.wait_for_function("() => document.getElementById('text').value === 'Do you ship'")
    page.get_by_label("Your message").press_sequentially(" to Canada?")
    page.keyboard.press("Enter")
    beside.own.first.wait_for(timeout=ANSWER_MS)  # the other had no conversation yet
    other.wait_for_function("() => document.getElementById('text').value === ''")
    chat.answers.first.wait_for(timeout=ANSWER_MS)
    beside.answers.first.wait_for(timeout=ANSWER_MS)

    # What one tab could not send is sent by whichever comes first; the server keeps one.
    page.context.set_offline(True)
    page.locator("#connection").get_by_text("You are offline.").wait_for()
    for text in ("First of two", "Second of two"):
        chat.write(text)
    page.context.set_offline(False)
    other.reload()
    beside.own.nth(2).wait_for(timeout=ANSWER_MS)
    chat.own.nth(2).wait_for(timeout=ANSWER_MS)
    page.wait_for_function("() => Outbox.all().length === 0")
    for tab in (page, other):
        tab.reload()
        tab.locator("#messages .message.customer").nth(2).wait_for()
        said = [own.inner_text() for own in Chat(tab).own.all()]
        assert [sum(text in one for one in said) for text in ("Canada", "First of two", "Second of two")] == [1, 1, 1]


def test_a_long_text_is_counted_never_cut_and_sent_in_parts_in_order(chat: Chat) -> None:
    page = chat.page
    chat.open()
    paragraph = "This is a sentence about the tent and its pole. " * 30
    long = "\n\n".join(f"Paragraph {n}. {paragraph.strip()}" for n in range(8))
    page.get_by_label("Your message").fill(long[:4_600])
    page.get_by_text("4,600 of 5,000 characters").wait_for()
    assert not page.locator("#split").is_visible()
    page.get_by_label("Your message").fill(long)
    assert f"{len(long) - 5_000:,} more than the 5,000" in page.locator("#counted").inner_text()
    page.keyboard.press("Enter")
    assert field(chat) == long, "nothing is cut, nothing is sent"
    assert page.evaluate("document.activeElement.id") == "split"
    parts = int(re.findall(r"\d+", page.locator("#split").inner_text())[0])
    page.keyboard.press("Enter")
    chat.own.nth(parts - 1).wait_for(timeout=ANSWER_MS)
    sent = [one.inner_text() for one in page.locator("#messages .message.customer .words").all()]
    assert [one.split("\n")[0] for one in sent] == [f"({n + 1}/{parts})" for n in range(parts)]
    assert max(map(len, sent)) <= 5_000
    rest = "\n\n".join(one.split("\n", 1)[1] for one in sent)
    assert rest.split() == long.split(), "all of it, in order"
    assert all(one.split("\n", 1)[1].startswith("Paragraph") for one in sent), "cut between paragraphs"


def test_marks_and_starting_over(chat: Chat, stack: Stack) -> None:
    page = chat.page
    chat.open()
    chat.ask("Hello")
    assert not page.locator("#delivery").is_visible(), "an answer says it better than a mark"
    page.get_by_role("button", name="Talk to a person").click()
    page.locator(".banner.waiting").wait_for(timeout=ANSWER_MS)
    conversation = page.locator("#chat").get_attribute("data-conversation")
    engine = page.context.browser
    assert engine is not None
    desk = engine.new_context(base_url=stack.url).new_page()
    staff = next(one for one in stack.demo()["staff"] if one["role"] == "agent")
    desk.goto(f"/admin/login/?next=/admin/inbox/{conversation}/")
    desk.get_by_label("Username").fill(staff["username"])
    desk.get_by_label("Password").fill(staff["password"])
    desk.keyboard.press("Enter")
    desk.get_by_role("button", name="Take over").click()
    page.locator(".banner.human").wait_for(timeout=ANSWER_MS)
    desk.goto("/admin/inbox/")  # nobody reads
    chat.write("Are you there?")
    page.locator("#delivery", has_text="Sent").wait_for(timeout=ANSWER_MS)
    assert page.locator(".mark:visible").count() == 1
    desk.goto(f"/admin/inbox/{conversation}/")
    page.locator("#delivery", has_text="Seen by our team").wait_for(timeout=ANSWER_MS)
    page.reload()
    assert page.locator("#delivery").inner_text() == "Seen by our team"

    page.get_by_text("Options").click()
    page.get_by_role("button", name="Start over").click()
    page.get_by_role("heading", name="Start over?").wait_for()
    page.get_by_role("link", name="Back to the conversation").click()
    chat.own.first.wait_for()
    page.get_by_text("Options").click()
    page.get_by_role("button", name="Start over").click()
    page.get_by_role("button", name="End it and start over").click()
    page.locator("#empty").wait_for()
    page.get_by_role("link", name="Earlier conversations").last.click()
    page.get_by_role("link", name="Hello").click()
    assert "Are you there?" in page.locator(".past-log").inner_text()
    assert not page.locator(".past-log form:visible").count()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert "Are you there?" in download.value.path().read_text()
    page.get_by_role("button", name="Go on with this conversation").click()
    chat.own.nth(1).wait_for()


def test_with_two_thousand_messages_only_what_is_new_is_handled(chat: Chat) -> None:
    page = chat.page
    chat.open()
    chat.ask("Hello")
    page.evaluate(MANY, 2_000)
    page.evaluate("() => Log.follow()")  # as whatever brings messages does
    page.wait_for_function("() => document.getElementById('messages').childElementCount < 200", timeout=60_000)
    assert page.locator("#messages > .block").count() >= 35
    assert page.locator("#messages .message").count() >= 2_002
    end = "(({scrollHeight, scrollTop, clientHeight}) => scrollHeight - scrollTop - clientHeight)"
    assert page.evaluate(f"{end}(document.getElementById('scroll'))") < 60, "it stayed at the end"
    page.evaluate(COUNTING)
    answer = chat.ask("Do gift cards expire?")
    assert answer.is_visible()
    assert page.evaluate("window.touched") < 400, "what stands is not looked at again for each event"
    assert page.evaluate("window.changed") < 100


def test_earlier_messages_come_in_above_what_is_read(chat: Chat) -> None:
    page = chat.page
    chat.open()
    chat.ask("Hello")
    first = "document.querySelector('#messages .message').getBoundingClientRect().top"
    page.evaluate(MANY, 60)
    page.route("**/earlier/*", lambda route: route.fulfill(content_type="text/html", body=EARLIER))
    page.evaluate("""() => {
        const button = document.createElement("button");
        Object.assign(button, {id: "earlier", textContent: "Show earlier messages"});
        button.setAttribute("hx-get", "/chat/x/earlier/?before=9");
        button.setAttribute("hx-swap", "outerHTML");
        document.getElementById("log").prepend(button);
        htmx.process(button);
        document.querySelector("#messages .message").dataset.was = "first";
        document.getElementById("scroll").scrollTop = 0;
    }""")
    before = page.evaluate(first)
    page.locator("#earlier").focus()
    page.keyboard.press("Enter")
    page.locator("#m-e0").wait_for(state="attached")
    page.wait_for_function("() => document.activeElement?.id === 'earlier'")
    after = page.evaluate(first.replace(".message'", "[data-was]'"))
    assert abs(after - before) < 40, "the eye stays where it was"


EARLIER = (
    '<button id="earlier" class="button quiet small">Show earlier messages</button>'
    '<hx-partial hx-target="#messages" hx-swap="afterbegin">'
    + "".join(
        f'<article class="message staff" id="m-e{n}" data-author="staff" data-minute="{n}"><header class="byline">'
        f'<b>Agent</b> <time datetime="2026-11-21T10:00:00+00:00">10:00</time></header><div class="prose">'
        f"<p>Line {n}</p>"
        "</div></article>"
        for n in range(40)
    )
    + "</hx-partial>"
)
