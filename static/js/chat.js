/* Glue between the page and its line (line.js). What is shown comes from the server as fragments; here are only the
   composer, the outbox and scrolling. */
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const chat = $("chat"), text = $("text"), scroll = $("scroll");
  const TYPING_EVERY = 3000;
  const STYLES = {
    words: { weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit" },
    month: { month: "short" },
    day: { day: "numeric" },
  };
  let starting = null;    // the request that begins a conversation
  let lastTyping = 0, lastRead = 0, focusedCard = "", following = true;

  const { isOpen, send, connect, tell } = Line;
  const conversation = () => chat.dataset.conversation;

  /* ---- beginning ---- */

  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  /* A conversation begins with the first word or wish, not with a page view. */
  function start() {
    if (conversation()) return Promise.resolve(true);
    starting ??= fetch("/chat/start/", { method: "POST", headers: { "X-CSRFToken": chat.dataset.csrf } })
      .then(async (response) => {
        if (!response.ok) throw new Error((await response.json().catch(() => ({}))).message || Words.get("not_started"));
        const begun = await response.json();
        chat.dataset.conversation = begun.id;
        Outbox.adopt(begun.id);
        $("transcript").hidden = !conversation();
        $("end").hidden = false;
        connect();
        return true;
      })
      .catch((error) => {
        if (error instanceof TypeError) {
          tell(Words.get("offline"));
          setTimeout(() => Outbox.of("").length && start(), 3000);
        } else $("alert").textContent = error.message;
        return false;
      })
      .finally(() => { starting = null; });
    return starting;
  }
  chat.addEventListener("submit", async (event) => {
    const form = event.target;
    if (conversation() || !form.hasAttribute("hx-ws:send")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (await start()) form.requestSubmit(event.submitter);
  }, true);

  /* ---- writing ---- */

  function post(words) {
    if (!words.trim()) return;
    $("alert").textContent = "";
    show(Outbox.add(words.trim(), conversation()));
    following = true;
    settle();
    if (conversation()) flush();
    else start();
  }
  function show(entry) {
    const bubble = document.createElement("article");
    bubble.className = "message customer waiting";
    bubble.id = `c-${entry.id}`;
    bubble.dataset.author = "customer";
    const words = document.createElement("div");
    words.className = "words";
    words.textContent = entry.text;
    const mark = document.createElement("p");
    mark.className = "mark";
    mark.id = `mark-${entry.id}`;
    mark.textContent = Words.get(entry.failed ? "not_sent" : isOpen() ? "sending" : "waiting");
    if (entry.failed) mark.append(button(Words.get("send_again"), "again", entry.id), button(Words.get("edit"), "edit", entry.id));
    bubble.append(words, mark);
    $("outbox").append(bubble);
  }
  function button(label, action, id) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "button quiet small";
    made.dataset[action] = id;
    made.textContent = label;
    return made;
  }
  function flush() {
    for (const entry of Outbox.of(conversation())) {
      if (entry.failed || !isOpen()) continue;
      const mark = $(`mark-${entry.id}`);
      if (mark) mark.textContent = Words.get("sending");
      send({ type: "message", client_message_id: entry.id, text: entry.text });
    }
  }
  function again(id) {
    Outbox.change(id, { failed: false });
    flush();
  }
  function grow() {
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight + 2, innerHeight * 0.35)}px`;
  }
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    post(text.value);
    text.value = "";
    grow();
    text.focus();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    $("composer").requestSubmit();
  });
  text.addEventListener("input", () => {
    grow();
    if (Date.now() - lastTyping < TYPING_EVERY || !chat.querySelector(".banner.human")) return;
    lastTyping = Date.now();
    send({ type: "typing" });
  });
  document.addEventListener("click", (event) => {
    const found = event.target.closest("[data-opener], [data-again], [data-edit], #end, #latest");
    if (!found) return;
    if ("opener" in found.dataset) post(found.textContent);
    if (found.dataset.again) again(found.dataset.again);
    if (found.dataset.edit) {
      const entry = Outbox.all().find((one) => one.id === found.dataset.edit);
      Outbox.remove(found.dataset.edit);
      $(`c-${found.dataset.edit}`)?.remove();
      text.value = entry?.text || "";
      grow();
      text.focus();
    }
    if (found.id === "end") send({ type: "close" });
    if (found.id === "latest") { following = true; settle(); }
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-signs-out]")) Outbox.clear();
  });

  /* ---- what came ---- */

  chat.addEventListener("line:open", () => {
    lastRead = 0;  // what was read last may have been lost with the old connection
    flush();
    markRead();
  });
  chat.addEventListener("line:before", () => {
    focusedCard = document.activeElement?.closest(".card, form[id]")?.id || "";
  });
  chat.addEventListener("line:after", () => {
    if (focusedCard && document.activeElement === document.body) $(focusedCard)?.focus();
    settle();
  });
  chat.addEventListener("htmx:after:swap", settle);

  /* Bring the page to order after anything changed: outbox, failures, times, neighbours, scrolling. */
  function settle() {
    for (const entry of Outbox.all()) {
      if (document.querySelector(`[data-client-id="${entry.id}"]`)) {
        Outbox.remove(entry.id);
        $(`c-${entry.id}`)?.remove();
      }
    }
    for (const failure of document.querySelectorAll("[data-failed]:not([data-seen])")) {
      failure.dataset.seen = "";
      const id = failure.closest(".message").id.slice(2);
      Outbox.change(id, { failed: true });
      if (failure.dataset.retryAfter) setTimeout(() => again(id), failure.dataset.retryAfter * 1000);
    }
    if (document.querySelector("#connection [data-moved]")) return location.assign("/");
    document.querySelectorAll("[data-csrf]:not(#chat)").forEach((field) => { field.value = chat.dataset.csrf; });
    if (document.querySelector("#contact [data-saved]")) chat.dataset.saved = "yes";
    joinNeighbours();
    localTimes();
    const busy = $("messages").childElementCount || $("outbox").childElementCount || $("live").childElementCount;
    $("empty").hidden = Boolean(busy);
    const banner = chat.querySelector(".banner");
    $("human").hidden = Boolean(banner?.matches(".waiting, .human"));
    $("person-answers").hidden = !banner?.matches(".human");
    $("assistant-answers").hidden = !$("person-answers").hidden;
    $("transcript").hidden = !conversation();
    $("end").hidden = !conversation() || Boolean(banner?.matches(".closed"));
    if (following) follow();
    else $("latest").hidden = atEnd();
    markRead();
  }
  function joinNeighbours() {
    let before = null;
    for (const message of $("messages").querySelectorAll(":scope > *")) {
      const { author, minute } = message.dataset;
      const key = author && author !== "assistant" ? `${author} ${minute}` : null;  // each answer stands for itself
      message.classList.toggle("continued", key !== null && key === before);
      before = key;
    }
  }
  function localTimes() {
    for (const time of document.querySelectorAll("time:not([data-local])")) {
      const at = new Date(time.dateTime);
      const old = Date.now() - at > 12 * 60 * 60 * 1000;
      const style = STYLES[time.dataset.style] || (old ? { dateStyle: "medium", timeStyle: "short" } : { timeStyle: "short" });
      time.textContent = new Intl.DateTimeFormat(Words.locale, style).format(at);
      time.dataset.local = "";
    }
  }
  function markRead() {
    const seq = Number($("cursor").dataset.seq);
    if (document.hidden || seq <= lastRead || !isOpen()) return;
    lastRead = seq;
    send({ type: "read", seq });
  }

  /* ---- scrolling and the keyboard of a phone ---- */

  function follow() {
    scroll.scrollTop = $("empty").hidden ? scroll.scrollHeight : 0;  // the greeting is read from its top
  }
  const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
  scroll.addEventListener("scroll", () => {
    following = atEnd();
    if (following) $("latest").hidden = true;
  }, { passive: true });
  document.addEventListener("visibilitychange", markRead);
  const view = window.visualViewport;
  const fit = () => {
    document.documentElement.style.setProperty("--visible", `${Math.round(view.height)}px`);
    if (following) follow();
  };
  view?.addEventListener("resize", fit);
  if (view) fit();

  if (!conversation()) Outbox.forget();
  for (const entry of Outbox.of(conversation())) show(entry);
  settle();
  if (conversation()) connect();  // here and not in the markup: htmx may be ready before these listeners are
  else if (Outbox.of("").length) start();
})();
