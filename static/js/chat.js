/* Glue between the page and its line (line.js). What is shown comes from the server as fragments; here are only the
   composer, the outbox and what stands round the log (log.js). */
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const chat = $("chat"), text = $("text");
  const TYPING_EVERY = 3000;
  const UPLOAD_LASTS = 2 * 60 * 1000;  // another tab may still be at it
  const own = new Set();      // messages whose bubble stands in this tab's outbox
  const uploads = new Map();  // their images that are on their way, by message
  const tabs = "BroadcastChannel" in window && !chat.dataset.framed ? new BroadcastChannel("chat") : null;
  let starting = null;    // the request that begins a conversation
  let lastTyping = 0, lastRead = 0, settling = false;

  const { isOpen, send, connect, tell } = Line;
  const conversation = () => chat.dataset.conversation;

  /* ---- beginning ---- */

  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  /* A conversation begins with the first word or wish, not with a page view. */
  function start() {
    if (conversation()) return Promise.resolve(true);
    starting ??= Door.start()
      .then((fresh) => {
        begun(fresh.id);
        tabs?.postMessage({ begun: conversation() });
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
  function begun(id) {
    chat.dataset.conversation = id;
    Outbox.adopt(id);
    Draft.adopt(id);
    $("download").href = `/chat/${id}/transcript.txt`;
    settle();
    connect();
  }
  tabs?.addEventListener("message", ({ data }) => {
    if (data.begun && !conversation() && !starting) begun(data.begun);
  });
  chat.addEventListener("submit", async (event) => {
    const form = event.target;
    if (conversation() || !form.hasAttribute("hx-ws:send")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (await start()) form.requestSubmit(event.submitter);
  }, true);

  /* ---- writing ---- */

  /* On screen at once; sent when the line is open and its images are up. Answers the entry. */
  function post(words, taken = [], after = "") {
    words = words.trim();
    if (!words && !taken.length) return null;
    $("alert").textContent = "";
    const entry = Outbox.add(words, conversation(), { files: taken.map(({ id, name }) => ({ id, name })), after });
    show(entry, taken);
    Log.follow();
    settle();
    if (taken.some((item) => !item.id)) finish(entry.id, taken);
    if (conversation()) flush();
    else start();
    return entry;
  }
  async function finish(id, taken) {
    uploads.set(id, taken);
    const arrived = (await Promise.all(taken.map((item) => item.done))).every(Boolean);
    if (!uploads.has(id)) return;  // edited meanwhile
    if (!arrived) return fail(id, taken.filter((item) => item.failed).map((item) => item.why).join(" "));
    uploads.delete(id);
    Outbox.change(id, { files: taken.map((item) => ({ id: item.id, name: item.name })) });
    flush();
  }
  function show(entry, taken = []) {
    const bubble = document.createElement("article");
    bubble.className = "message customer waiting";
    bubble.id = `c-${entry.id}`;
    bubble.dataset.author = "customer";
    if (entry.text) {
      const words = document.createElement("div");
      words.className = "words";
      words.textContent = entry.text;
      bubble.append(words);
    }
    if (entry.files?.length) bubble.append(pictures(entry.files, taken));
    const mark = document.createElement("p");
    mark.className = "mark";
    mark.id = `mark-${entry.id}`;
    bubble.append(mark);
    $("outbox").append(bubble);
    own.add(entry.id);
    if (!entry.failed) mark.textContent = Words.get(taken.some((item) => !item.id) ? "uploading" : isOpen() ? "sending" : "waiting");
    else if (entry.cut) fail(entry.id, Words.get("image_cut"), false);
    else fail(entry.id);
  }
  function pictures(files, taken) {
    const list = document.createElement("ul");
    list.className = "files";
    files.forEach(({ name }, n) => {
      const item = document.createElement("li"), canvas = taken[n]?.canvas;
      const spoken = Words.get("image_named", { name });
      if (canvas) {
        canvas.removeAttribute("aria-hidden");
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", spoken);
        item.append(canvas);
      } else item.textContent = spoken;
      list.append(item);
    });
    return list;
  }
  function fail(id, why = "", repeats = true) {
    Outbox.change(id, { failed: true });
    const note = document.createElement("span");
    note.className = "error";
    note.textContent = `${Words.get("not_sent")}${why ? `. ${why}` : ""}`;
    const buttons = [button("edit", id)];
    if (repeats) buttons.unshift(button("again", id));
    $(`mark-${id}`)?.replaceChildren(note, ...buttons);
  }
  function button(action, id) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "button quiet small";
    made.dataset[action] = id;
    made.textContent = Words.get(action === "again" ? "send_again" : "edit");
    return made;
  }
  /* In the order they were written; a part of a long message does not overtake one that failed. */
  function flush() {
    const failed = new Set();
    for (const entry of Outbox.of(conversation())) {
      if (entry.failed || failed.has(entry.after)) failed.add(entry.id);
      else if (isOpen() && entry.files.every((file) => file.id)) {
        const mark = $(`mark-${entry.id}`);
        if (mark && !mark.querySelector("[data-acked]")) mark.textContent = Words.get("sending");
        const attachments = entry.files.map((file) => file.id);
        send({ type: "message", client_message_id: entry.id, text: entry.text, ...(attachments.length ? { attachments } : {}) });
      }
    }
  }
  function again(id) {
    const taken = uploads.get(id);
    Outbox.change(id, { failed: false });
    if (taken) {
      taken.filter((item) => item.failed).forEach(Attach.upload);
      $(`mark-${id}`).textContent = Words.get("uploading");
      finish(id, taken);
    }
    flush();
  }
  function edit(id) {
    const entry = Outbox.get(id);
    Attach.put(uploads.get(id) || Attach.kept((entry?.files || []).filter((file) => file.id)));
    uploads.delete(id);
    forget(id);
    $(`c-${id}`)?.remove();
    text.value = [entry?.text, text.value.trim()].filter(Boolean).join("\n\n");
    wrote();
    text.focus();
  }
  function forget(id) {
    own.delete(id);
    Outbox.remove(id);
  }
  addEventListener("pagehide", () => { for (const id of uploads.keys()) Outbox.change(id, { failed: true, cut: true }); });

  /* ---- the field ---- */

  function grow() {
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight + 2, innerHeight * 0.35)}px`;
  }
  function count() {
    const length = Long.length(text.value), over = length - Long.LIMIT;
    $("count").hidden = length <= Long.WARN;
    if (length <= Long.WARN) return;
    const values = { length: length.toLocaleString(Words.locale), most: Long.LIMIT.toLocaleString(Words.locale), over: over.toLocaleString(Words.locale) };
    $("counted").textContent = Words.get(over > 0 ? "too_long" : "long", values);
    $("counted").classList.toggle("error", over > 0);
    $("split").hidden = over <= 0;
    if (over > 0) $("split").textContent = Words.get("split", { parts: Long.split(text.value).length });
  }
  function wrote() {
    grow();
    count();
    Draft.keep();
  }
  function emptied() {
    text.value = "";
    wrote();
    text.focus();
  }
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    if (Long.length(text.value.trim()) > Long.LIMIT) return $("split").focus();
    if (post(text.value, Attach.take())) emptied();
  });
  $("split").addEventListener("click", () => {
    let after = "", taken = Attach.take();
    for (const part of Long.split(text.value)) {
      after = post(part, taken, after).id;
      taken = [];
    }
    emptied();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    $("composer").requestSubmit();
  });
  text.addEventListener("input", () => {
    grow();
    count();
    if (Date.now() - lastTyping < TYPING_EVERY || !$("banner").querySelector(".human")) return;
    lastTyping = Date.now();
    send({ type: "typing" });
  });
  text.addEventListener("drafted", () => {
    grow();
    count();
  });
  document.addEventListener("click", (event) => {
    const found = event.target.closest("[data-opener], [data-again], [data-edit], #latest");
    if (!found) return;
    if ("opener" in found.dataset) {
      event.preventDefault();  // it is a form's, for who has no scripts
      post(found.textContent);
    }
    if (found.dataset.again) again(found.dataset.again);
    if (found.dataset.edit) edit(found.dataset.edit);
    if (found.id === "latest") Log.follow();
  });
  document.addEventListener("click", (event) => { if (!event.target.closest("#options")) $("options").open = false; });
  $("options").addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !$("options").open) return;
    event.preventDefault();  // it closes this, not the frame around
    $("options").open = false;
    $("options").firstElementChild.focus();
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-signs-out]")) return;
    Outbox.clear();
    Draft.clear();
  });

  /* ---- what came ---- */

  chat.addEventListener("line:open", () => {
    lastRead = 0;  // what was read last may have been lost with the old connection
    flush();
    markRead();
  });
  chat.addEventListener("line:after", soon);
  chat.addEventListener("htmx:after:swap", soon);

  /* Once for all that came since the last frame; a page nobody sees draws no frames. */
  function soon() {
    if (settling) return;
    settling = true;
    if (document.hidden) setTimeout(settle);
    else requestAnimationFrame(settle);
  }
  /* Bring what stands round the log to order. It asks only for parts that do not grow with the conversation. */
  function settle() {
    settling = false;
    arrived();
    const moved = $("connection").querySelector("[data-moved]");
    if (moved) return Door.moved({ id: moved.dataset.moved, token: moved.dataset.token });
    if ($("contact")?.querySelector("[data-saved]")) chat.dataset.saved = "yes";
    const last = $("messages").lastElementChild, waits = $("outbox").childElementCount;
    $("empty").hidden = Boolean(last || waits || $("live").childElementCount);
    $("delivery").hidden = Boolean(waits) || !last?.matches(".customer");
    const banner = $("banner").firstElementChild;
    $("human").hidden = Boolean(banner?.matches(".waiting, .human"));
    $("person-answers").hidden = !(banner?.matches(".human") || document.querySelector(".notice-bar[data-people]"));
    $("assistant-answers").hidden = !$("person-answers").hidden;
    $("options").hidden = !conversation() && !$("options").querySelector("li:not([data-needs])");
    for (const one of $("options").parentElement.querySelectorAll("[data-needs]")) {
      one.hidden = !conversation() || (one.dataset.needs === "open" && Boolean(banner?.matches(".closed")));
    }
    Log.settle();
    markRead();
  }
  /* The server has shown a message by its own: its bubble went with that. Or it has refused it. */
  function arrived() {
    const seq = Number($("cursor").dataset.seq);
    for (const id of own) {
      const acked = $(`mark-${id}`)?.querySelector("[data-acked]");
      if (acked && Number(acked.dataset.acked) <= seq) $(`c-${id}`).remove();  // it stands in the log already
      if (!$(`c-${id}`)) forget(id);
    }
    for (const failure of $("outbox").querySelectorAll("[data-failed]:not([data-seen])")) {
      failure.dataset.seen = "";
      const id = failure.closest(".message").id.slice(2);
      Outbox.change(id, { failed: true });
      if (failure.dataset.retryAfter) setTimeout(() => again(id), failure.dataset.retryAfter * 1000);
    }
  }
  function markRead() {
    const seq = Number($("cursor").dataset.seq);
    if (document.hidden || Door.isHidden() || seq <= lastRead || !isOpen()) return;
    lastRead = seq;
    send({ type: "read", seq });
  }
  document.addEventListener("visibilitychange", markRead);

  /* ---- as the page opens ---- */

  Attach.onBegin(start);
  Draft.restore();
  if ("asked" in text.dataset) {  // what was asked for stands in the field: neither "back" nor a reload asks again
    history.replaceState(null, "", location.pathname);
    text.focus();
    text.setSelectionRange(text.value.length, text.value.length);
  }
  wrote();
  if (!conversation()) Outbox.forget();
  for (const entry of Outbox.of(conversation())) {
    if ($("messages").querySelector(`[data-client-id="${entry.id}"]`)) Outbox.remove(entry.id);
    else if (entry.files.every((file) => file.id) || entry.cut) show(entry);
    else if (Date.now() - entry.at > UPLOAD_LASTS) {
      Outbox.change(entry.id, { failed: true, cut: true });
      show({ ...entry, failed: true, cut: true });
    }
  }
  settle();
  if (conversation()) connect();  // here and not in the markup: htmx may be ready before these listeners are
  else if (Outbox.of("").length) start();
})();
