/* One thread in the inbox. What is shown comes from the server as fragments; here is only the glue: fetching what is new,
   putting it in without moving what is read, sending the forms, and the keys. The socket is inbox-socket.js: its frames
   arrive as `inbox:*` events, and `inbox:send` goes out. Without it the page asks by itself. */
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const thread = $("thread"), scroll = $("thread-scroll");
  if (!thread) return;
  const id = thread.dataset.conversation;
  const POLL_LIVE = 20000, POLL_ALONE = 4000, TYPING_FOR = 6000, ASSIST_EVERY = 1200, AT_END = 80;
  let seq = Number(thread.dataset.seq), since = thread.dataset.since;
  let freshForm = "", heard = 0, asking = null, again = false, following = true, typingUntil = 0;

  const send = (frame) => document.dispatchEvent(new CustomEvent("inbox:send", { detail: frame }));
  const tell = (words) => { const live = $("inbox-said"); live.textContent = ""; setTimeout(() => { live.textContent = words; }, 50); };
  const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < AT_END;
  const toEnd = () => { scroll.scrollTop = scroll.scrollHeight; };

  /* ---- what the server says is put in by region; unchanged ones are left alone ---- */

  const plain = (html) => html.replace(/name="(csrfmiddlewaretoken|form_id)" value="[^"]*"/g, "");
  const known = new Map();
  for (const region of document.querySelectorAll("[data-region]")) known.set(region.id, plain(region.outerHTML));

  function replace(fresh) {
    const html = plain(fresh.outerHTML);
    const old = $(fresh.id);
    if (!old || known.get(fresh.id) === html) return;
    known.set(fresh.id, html);
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const caret = focused?.matches("textarea") ? [focused.selectionStart, focused.selectionEnd] : null;
    for (const field of old.querySelectorAll("textarea[id], input[id]:not([type=hidden])")) {
      const same = fresh.querySelector(`#${CSS.escape(field.id)}`);
      if (!same) continue;
      if (field.type === "radio") same.checked = field.checked;
      else if (field.value) {
        if (field.value !== field.defaultValue) sameForm(field.form, same.form);
        same.value = field.value;
      }
    }
    const draft = old.querySelector("#draft-id")?.value;
    if (draft && fresh.querySelector("#draft-id")) fresh.querySelector("#draft-id").value = draft;
    for (const open of old.querySelectorAll("details[open] > summary")) {
      const same = [...fresh.querySelectorAll("details > summary")].find((one) => one.textContent === open.textContent);
      if (same) same.parentElement.open = true;
    }
    old.replaceWith(fresh);
    if (!focused) return;
    const seen = (one) => Boolean(one) && one.getClientRects().length > 0;  // not in a closed menu
    const back = [focused.id && $(focused.id), ...fresh.querySelectorAll("textarea, button, summary")].find(seen) || scroll;
    back.focus({ preventScroll: true });
    if (caret && back.matches("textarea")) back.setSelectionRange(...caret);
  }

  /* Words that are not known to have arrived keep the id of their form: sent again, they still arrive once. */
  function sameForm(old, fresh) {
    if (old?.elements.form_id && fresh?.elements.form_id) fresh.elements.form_id.value = old.elements.form_id.value;
  }
  function newForm(action, formId) {
    for (const form of document.forms) if (form.action === action && form.elements.form_id) form.elements.form_id.value = formId;
  }

  function append(items) {
    const wasAtEnd = atEnd();
    let said = 0, newest = null;
    for (const item of items) {
      if ($(item.id)) continue;
      $("nothing-said")?.remove();
      $("said").append(item);
      said += 1;
      if (item.dataset.who && item.dataset.who !== thread.dataset.me) newest = item;
      if (item.dataset.kind === "customer") typingUntil = 0;
    }
    if (!said) return;
    showTyping();
    if (newest) tell(`${newest.dataset.kind === "note" ? "Note by" : "New message from"} ${newest.dataset.who}: ${newest.querySelector(".text").textContent.trim().slice(0, 160)}`);
    if (wasAtEnd || following) toEnd();
    else if (newest) $("new-below").hidden = false;
  }

  function apply(html, words = "") {
    const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("fresh");
    if (!fresh) return "";
    const done = fresh.dataset.done || "";
    if ((done === "reply" || done === "note") && words !== null) Composer.sent(done, words);  // null: a draft was sent as it is
    append([...(fresh.querySelector("[data-append]")?.children || [])]);
    for (const region of fresh.querySelectorAll("[data-region]")) replace(document.adoptNode(region));
    seq = Math.max(seq, Number(fresh.dataset.seq) || 0);
    freshForm = fresh.dataset.form;
    if ("more" in fresh.dataset) setTimeout(refresh, 0);
    since = fresh.dataset.since || since;
    seen();
    Composer.settle();
    localTimes();
    pollAssists();
    return done;
  }

  /* What is on the screen has been seen: a reply is held only for what came after. */
  function seen() {
    const field = $("seen-seq");
    if (field && !document.hidden && (following || atEnd())) field.value = Math.max(Number(field.value) || 0, seq);
  }

  async function refresh() {
    if (asking) { again = true; return asking; }
    const query = new URLSearchParams({ after: seq, since });
    if (!document.hidden) query.set("seen", "1");
    asking = fetch(`${thread.dataset.events}?${query}`, { headers: { "X-Fragment": "1" } })
      .then(async (answer) => {
        if (answer.redirected || answer.status === 403) return location.reload();
        if (answer.ok) { apply(await answer.text()); offline(false); }
      })
      .catch(() => offline(true))
      .finally(() => {
        asking = null;
        if (again) { again = false; refresh(); }
      });
    return asking;
  }
  function offline(is) {
    thread.classList.toggle("is-offline", is);
    if (is) alertWith("The connection is lost. What you write is kept here.");
    else if ($("thread-alert")?.dataset.offline) alertWith("");
  }
  function alertWith(words) {
    const box = $("thread-alert");
    if (!box) return;
    box.textContent = words;
    if (words) box.dataset.offline = "1"; else delete box.dataset.offline;
  }

  /* ---- the forms ---- */

  class Unsent extends Error {}

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-live]")) return;
    event.preventDefault();
    if (form.dataset.busy) return;
    form.dataset.busy = "1";
    const body = new URLSearchParams(new FormData(form, event.submitter));
    const button = event.submitter;
    if (button) button.setAttribute("aria-busy", "true");
    const words = form.dataset.sends === "draft" ? null : form.querySelector("#reply, #note")?.value;
    const insertion = form.dataset.insertText !== undefined && { ...form.dataset };
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Fragment": "1", "X-After": seq, "X-Since": since } })
        .catch(() => { throw new Unsent("offline"); });
      if (answer.redirected || answer.status === 403) throw new Unsent("refused");
      if (!answer.ok && answer.status !== 409) throw new Unsent("failed");
      form.closest("details.menu")?.removeAttribute("open");
      const text = await answer.text();
      if (!text.includes('id="fresh"')) return void (await refresh());
      const done = apply(text, words);
      if (done) newForm(form.action, freshForm);
      if (answer.ok && insertion) Composer.insertDraft(insertion);
      if (done === "reply") { following = true; toEnd(); }
      if (done) tell(done === "deed" ? `Done. ${$("thread-head").querySelector(".badge").textContent}` : done === "reply" ? "Sent." : "Note added.");
      if (answer.status === 409) ($("held")?.textContent.trim() ? $("reply") : $("thread-alert"))?.focus?.();
    } catch (problem) {
      if (!(problem instanceof Unsent)) throw problem;  // a fault of ours must not look like one of the line
      alertWith(problem.message === "refused"
        ? "You are signed out, or your role does not permit this. Your text is kept here; reload the page."
        : "That did not reach the server. Your text is kept here: try again.");
    } finally {
      delete form.dataset.busy;
      button?.removeAttribute("aria-busy");
    }
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.action?.endsWith("/logout/")) return;
    Composer.forgetAll();  // nobody's words stay behind on a shared machine
  });

  /* ---- earlier messages, in place ---- */

  document.addEventListener("click", async (event) => {
    const link = event.target.closest("#older a");
    if (link) {
      event.preventDefault();
      const before = new URL(link.href).searchParams.get("before");
      const answer = await fetch(`${thread.dataset.events}?before=${before}`, { headers: { "X-Fragment": "1" } });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("fresh");
      const height = scroll.scrollHeight;
      $("said").prepend(...[...fresh.querySelector("[data-prepend]").children].filter((one) => !$(one.id)));
      $("older").replaceWith(fresh.querySelector("#older"));
      scroll.scrollTop += scroll.scrollHeight - height;
      localTimes();
      ($("older").querySelector("a") || scroll).focus({ preventScroll: true });
    }
    if (event.target.closest("#new-below")) { following = true; toEnd(); scroll.focus(); }
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  scroll.addEventListener("scroll", () => {
    following = atEnd();
    if (following) { $("new-below").hidden = true; seen(); }
  }, { passive: true });

  /* ---- the socket's news ---- */

  const mine = (event) => event.detail?.id === id || event.detail?.conversation_id === id;
  document.addEventListener("inbox:ready", () => { heard = Date.now(); refresh(); });
  document.addEventListener("inbox:pong", () => { heard = Date.now(); });
  document.addEventListener("inbox:event", (event) => { heard = Date.now(); if (mine(event)) refresh(); });
  document.addEventListener("inbox:changed", (event) => { heard = Date.now(); if (mine(event)) refresh(); });
  document.addEventListener("inbox:typing", (event) => {
    if (!mine(event)) return;
    typingUntil = Date.now() + TYPING_FOR;
    showTyping();
  });
  document.addEventListener("inbox:presence", (event) => {
    if (!mine(event)) return;
    const others = (names) => [...new Set(names || [])].filter((name) => name !== thread.dataset.me);
    const replying = others(event.detail.replying);
    const viewing = others(event.detail.viewing).filter((name) => !replying.includes(name));
    const said = [];
    if (replying.length) said.push(`${replying.join(", ")} ${replying.length > 1 ? "are" : "is"} replying`);
    if (viewing.length) said.push(`${viewing.join(", ")} ${viewing.length > 1 ? "are" : "is"} looking at this`);
    presence = { words: said.join(" · "), busy: replying.length > 0 };
    showPresence();
  });
  let presence = { words: "", busy: false };
  function showPresence() {
    const box = $("presence");
    if (!box) return;
    box.textContent = presence.words;
    box.hidden = !presence.words;
    box.classList.toggle("busy", presence.busy);
  }
  function showTyping() {
    const box = $("typing");
    const is = Date.now() < typingUntil;
    const wasAtEnd = atEnd();
    box.hidden = !is;
    box.textContent = is ? `${thread.dataset.customer[0].toUpperCase()}${thread.dataset.customer.slice(1)} is typing …` : "";
    if (is && wasAtEnd) toEnd();
  }
  setInterval(showTyping, 1000);
  new MutationObserver(showPresence).observe(thread, { childList: true });  // the head may have been put in anew
  let last = Date.now();
  setInterval(() => {
    const every = Date.now() - heard < 40000 ? POLL_LIVE : POLL_ALONE;
    if (document.hidden || Date.now() - last < every) return;
    last = Date.now();
    refresh();
  }, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  addEventListener("online", refresh);
  addEventListener("offline", () => offline(true));
  let polling = 0;
  function pollAssists() {
    clearTimeout(polling);
    if ($("assists")?.dataset.poll) polling = setTimeout(refresh, ASSIST_EVERY);
  }

  function localTimes() {
    for (const time of document.querySelectorAll("#thread time:not([data-local]), #panel time:not([data-local])")) {
      const at = new Date(time.dateTime);
      const style = Math.abs(Date.now() - at) > 12 * 3600 * 1000 ? { dateStyle: "medium", timeStyle: "short" } : { timeStyle: "short" };
      time.textContent = new Intl.DateTimeFormat(navigator.language, style).format(at);
      time.dataset.local = "";
    }
  }

  /* ---- keys: r reply, n note, e close (asks first), / search or canned; of the assistant's draft: s send (asks first),
     c change, 1 to 4 discard. Off when the profile says so. ---- */

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const menu = event.target.closest?.("details.menu[open]");
      if (menu) { menu.open = false; menu.querySelector("summary").focus(); return; }
      if (!event.defaultPrevented && event.target.matches?.("#reply, #note")) { event.target.blur(); scroll.focus({ preventScroll: true }); }
      return;
    }
    if ($("inbox")?.dataset.shortcuts !== "on" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches?.("input, textarea, select, [contenteditable]")) return;
    if (event.key === "r" && $("reply")) Composer.show("reply");
    else if (event.key === "r" && $("claim")) $("claim").focus();
    else if (event.key === "n" && $("note")) Composer.show("note");
    else if (event.key === "s" && $("draft-send")) $("draft-send").focus();
    else if (event.key === "c" && $("draft-change")) $("draft-change").click();
    else if (document.querySelector(`#draft [data-discard="${CSS.escape(event.key)}"]`)) document.querySelector(`#draft [data-discard="${CSS.escape(event.key)}"]`).click();
    else if (event.key === "e" && $("close-menu")) { $("close-menu").open = true; $("close-now").focus(); }
    else return;
    event.preventDefault();
  });

  localTimes();
  toEnd();
  pollAssists();
  Composer.start({ id, send });
  // A new page begins where reading does; who came for one message, or writes already, is left there.
  if (!location.hash && document.activeElement === document.body) $("thread-title").focus({ preventScroll: true });
})();
