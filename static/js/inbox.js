/* The list beside the thread: fetched again when something changed, brought into place without a jump; clocks, title,
   sound, choosing and keys. What is shown comes from the server (templates/ops/inbox/list.html). */
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const root = $("inbox"), pane = $("pane-list");
  const SOON = 150, AT_LEAST = 2000, AT_LEAST_HIDDEN = 6000, WITH_LINE = 30000, WITHOUT_LINE = 15000, TICK = 1000, CHOSEN = 1000;
  const KEPT = "inbox-scroll";
  const title = document.title;
  let isOnline = false, timer = 0, asked = 0, took = 0, isAsking = false, isAskedAgain = false;
  let newestWait = $("list-head").dataset.newestWait;

  const say = (words) => { $("inbox-said").textContent = ""; setTimeout(() => { $("inbox-said").textContent = words; }, 50); };

  /* ---- the list ---- */

  /* At once after a quiet time; on a busy desk every two seconds, and never more than a fifth of the time. */
  function refreshSoon() {
    if (timer) return;
    const pause = Math.max(document.hidden ? AT_LEAST_HIDDEN : AT_LEAST, took * 4);
    timer = setTimeout(refresh, Math.max(SOON, asked + took + pause - Date.now()));
  }
  async function refresh() {
    clearTimeout(timer);
    timer = 0;
    if (isAsking) { isAskedAgain = true; return; }
    isAsking = true;
    asked = Date.now();
    try {
      const answer = await fetch(`${root.dataset.list}?${root.dataset.query}&open=${root.dataset.open}`);
      if (answer.redirected) return tellLine("You are signed out.", true);
      if (answer.ok) show(await answer.text());
    } catch { /* offline: the line says so, and the next round tries again */ }
    finally {
      isAsking = false;
      took = Date.now() - asked;
      if (isAskedAgain) { isAskedAgain = false; refreshSoon(); }
    }
  }
  function show(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html").body;
    const scroll = $("rows-scroll"), focused = document.activeElement;
    const anchor = anchorRow(scroll), was = anchor?.getBoundingClientRect().top;
    InboxMorph.children(pane, fresh);
    if (focused !== document.activeElement && focused?.isConnected && pane.contains(focused)) focused.focus({ preventScroll: true });
    if (anchor?.isConnected && scroll.scrollTop > 0) scroll.scrollTop += anchor.getBoundingClientRect().top - was;
    settle();
    announce();
  }
  /* The row that must not move: the one in focus, else the first in sight. */
  function anchorRow(scroll) {
    const own = document.activeElement?.closest?.(".row");
    if (own) return own;
    const top = scroll.getBoundingClientRect().top;
    return [...scroll.querySelectorAll(".row")].find((row) => row.getBoundingClientRect().bottom > top);
  }
  function announce() {
    const { waiting, newestWait: newest } = $("list-head").dataset;
    if (newest && newest > newestWait) {
      say(`A conversation began to wait. ${waiting} waiting.`);
      ring();
    }
    if (newest) newestWait = newest;
  }
  function settle() {
    const waiting = Number($("list-head").dataset.waiting);
    if ($("waiting-words")) put($("waiting-words"), waiting ? `${waiting} ${waiting === 1 ? "waits" : "wait"} for a person.` : "Nobody is waiting.");
    document.title = waiting ? `(${waiting}) ${title}` : title;
    localTimes();
    tick();
    chosen();
  }

  /* ---- clocks ---- */

  function span(ms, isClose) {
    const s = Math.floor(Math.abs(ms) / 1000);
    if (isClose && s < 600) return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
    if (s < 60) return `${s} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    return s < 86400 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} d`;
  }
  function put(element, words) {
    if (element.textContent !== words) element.textContent = words;
  }
  function tick() {
    const now = Date.now();
    for (const clock of document.querySelectorAll("time[data-due]")) {
      const left = new Date(clock.dateTime) - now;
      clock.classList.toggle("late", left <= 0);
      clock.closest(".row")?.classList.toggle("is-late", left <= 0);
      put(clock, (clock.dataset.what || "") + (left > 0 ? `due in ${span(left, true)}` : `late by ${span(left, true)}`));
    }
    for (const time of document.querySelectorAll("time[data-ago]")) put(time, `${span(now - new Date(time.dateTime), false)} ago`);
  }
  function localTimes() {
    for (const time of pane.querySelectorAll("time[data-local]")) {
      put(time, new Intl.DateTimeFormat(navigator.language, { weekday: "short", hour: "numeric", minute: "2-digit" }).format(new Date(time.dateTime)));
    }
  }

  /* ---- next ---- */

  /* One click takes one: the button rests until the page has changed, or three seconds. */
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "next-form") return;
    const button = $("next");
    button.disabled = true;
    setTimeout(() => { button.disabled = false; }, 3000);
  });

  /* ---- the line ---- */

  function tellLine(words, isFinal = false) {
    const line = $("inbox-line");
    line.textContent = words;
    if (!isFinal) return;
    const link = document.createElement("a");
    link.href = location.href;
    link.textContent = "Reload";
    line.append(" ", link);
  }
  document.addEventListener("inbox:line", ({ detail }) => {
    isOnline = detail.online;
    root.classList.toggle("is-offline", !isOnline);
    root.classList.toggle("is-online", isOnline);
    tellLine(detail.words, detail.isOver);
    if (isOnline) refresh();  // what was missed meanwhile
  });
  document.addEventListener("inbox:changed", () => refreshSoon());
  document.addEventListener("inbox:event", () => refreshSoon());
  document.addEventListener("inbox:mention", ({ detail }) => {
    say(`${detail.from} mentioned you in ${detail.reference}.`);
    mentioned(detail);
    ring();
  });
  setInterval(() => { if (Date.now() - asked > (isOnline ? WITH_LINE : WITHOUT_LINE)) refresh(); }, 5000);
  setInterval(tick, TICK);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });

  function mentioned({ id, reference, from }) {
    const note = document.createElement("p"), link = document.createElement("a"), close = document.createElement("button");
    note.className = "toast";
    link.href = `/admin/inbox/${encodeURIComponent(id)}/?${root.dataset.query}`;
    link.textContent = `${from} mentioned you in ${reference}`;
    close.type = "button";
    close.className = "icon";
    close.setAttribute("aria-label", "Dismiss");
    close.textContent = "×";
    close.addEventListener("click", () => note.remove());
    note.append(link, close);
    $("toasts").append(note);
    setTimeout(() => note.remove(), 20000);
  }

  /* ---- sound: two short tones, made here ---- */

  let audio = null;
  const wake = () => { audio ??= new AudioContext(); if (audio.state === "suspended") audio.resume(); };
  addEventListener("pointerdown", wake, { once: true });
  addEventListener("keydown", wake, { once: true });
  function ring() {
    document.dispatchEvent(new CustomEvent("inbox:ring"));
    if (root.dataset.sound !== "on" || audio?.state !== "running") return;  // browsers want a gesture first
    [[660, 0], [880, 0.13]].forEach(([pitch, after]) => {
      const tone = audio.createOscillator(), volume = audio.createGain(), at = audio.currentTime + after;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0, at);
      volume.gain.linearRampToValueAtTime(0.12, at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.001, at + 0.28);
      tone.connect(volume).connect(audio.destination);
      tone.start(at);
      tone.stop(at + 0.3);
    });
  }

  /* ---- forms that need no new page ---- */

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-quiet]")) return;
    event.preventDefault();
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form, event.submitter), headers: { "X-Inbox": "1" } });
      const { ok, said } = await answer.json();
      say(said);
      toast(said, ok);
      const menu = ok && form.closest("details.menu");
      if (menu) {
        menu.open = false;
        menu.querySelector("summary").focus({ preventScroll: true });  // the button that had the focus is hidden
      }
      if (form.id === "bulk" && ok) {
        const first = boxes().find((box) => box.checked)?.closest(".row").querySelector("a");
        choose(false);
        first?.focus({ preventScroll: true });  // the button that had the focus is gone
      }
    } catch {
      toast("That did not reach us. Try again.", false);
    }
    refresh();
  });
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (event.target.id === "availability-choice") decideSoon();
    else if (form?.matches("[data-at-once]")) form.requestSubmit();
    if (form?.id === "preferences") {
      root.dataset.sound = form.elements.sound.checked ? "on" : "off";
      root.dataset.shortcuts = form.elements.shortcuts.checked ? "on" : "off";
    }
    if (event.target.name === "conversation") chosen();
  });
  /* Arrow keys pass through every choice: what counts is where they stop, or Enter, or leaving. */
  let choosing = 0;
  function decideSoon() {
    clearTimeout(choosing);
    choosing = setTimeout(decide, CHOSEN);
  }
  function decide() {
    if (!choosing) return;
    clearTimeout(choosing);
    choosing = 0;
    $("availability")?.requestSubmit();
  }
  document.addEventListener("focusout", (event) => { if (event.target.id === "availability-choice") decide(); });
  document.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.id === "availability-choice") decide(); });

  function toast(words, ok) {
    const note = document.createElement("p");
    note.className = `toast ${ok ? "" : "bad"}`;
    note.textContent = words;
    document.querySelectorAll(".toast:not(:has(a))").forEach((old) => old.remove());
    $("toasts").append(note);
    setTimeout(() => note.remove(), 6000);
  }

  /* ---- choosing ---- */

  const boxes = () => [...pane.querySelectorAll('input[name="conversation"]')];
  function chosen() {
    const number = boxes().filter((box) => box.checked).length;
    if ($("bulk-count")) put($("bulk-count"), `${number} chosen`);
    root.classList.toggle("has-chosen", number > 0);
  }
  function choose(on) {
    boxes().forEach((box) => { box.checked = on && !box.disabled; });
    chosen();
  }
  let lastBox = null;
  pane.addEventListener("click", (event) => {
    if (event.target.id === "bulk-none") choose(false);
    const box = event.target.closest('input[name="conversation"]');
    if (!box) return;
    if (event.shiftKey && lastBox?.isConnected) {
      const all = boxes(), [from, to] = [all.indexOf(lastBox), all.indexOf(box)].sort((a, b) => a - b);
      all.slice(from, to + 1).forEach((one) => { if (!one.disabled) one.checked = box.checked; });
      chosen();
    }
    lastBox = box;
  });

  /* ---- keys; those of the thread (r, n, e) are in thread.js ---- */

  const keys = $("keys");
  $("keys-open").addEventListener("click", () => keys.showModal());
  keys.addEventListener("click", (event) => { if (event.target === keys) keys.close(); });
  const links = () => [...pane.querySelectorAll(".row > a")];
  function move(step) {
    const all = links(), now = all.findIndex((link) => link.closest(".row").contains(document.activeElement));
    const open = all.findIndex((link) => link.getAttribute("aria-current"));
    const from = now >= 0 ? now : open;
    const next = all[from < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(from + step, 0), all.length - 1)];
    next?.focus({ preventScroll: true });
    next?.closest(".row").scrollIntoView({ block: "nearest" });
  }
  const isWriting = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;
  const DEEDS = {
    j: () => move(1),
    k: () => move(-1),
    x: () => document.activeElement.closest(".row")?.querySelector('input[name="conversation"]')?.click(),
    "/": () => { $("inbox-search").focus(); $("inbox-search").select(); },
    "?": () => keys.showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isWriting(event.target) && pane.contains(event.target)) event.target.blur();
    if (root.dataset.shortcuts !== "on" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (!(event.key in DEEDS) || isWriting(event.target) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    DEEDS[event.key]();
  });
  document.addEventListener("click", (event) => {
    for (const box of pane.querySelectorAll(".finding details[open]")) if (!box.contains(event.target)) box.open = false;
  });
  pane.addEventListener("keydown", (event) => {
    const box = event.key === "Escape" && event.target.closest(".finding details[open]");
    if (box) { box.open = false; box.querySelector("summary").focus(); }
  });

  /* ---- from page to page ---- */

  addEventListener("pagehide", () => sessionStorage.setItem(KEPT, JSON.stringify([root.dataset.query, $("rows-scroll").scrollTop])));
  const [query, top] = JSON.parse(sessionStorage.getItem(KEPT) || "[]");
  if (query === root.dataset.query) $("rows-scroll").scrollTop = top;
  pane.querySelector(".row.is-open")?.scrollIntoView({ block: "nearest" });
  if (!location.search && root.dataset.open) history.replaceState(null, "", `?${root.dataset.query}`);
  root.classList.add("has-script");
  settle();
})();
