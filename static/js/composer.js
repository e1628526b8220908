/* What is written in a thread: drafts kept in this browser until they are sent, `/` for canned replies and `@` for
   colleagues (a list worked by keyboard, told to screen readers), and who is replying. thread.js does the rest. */
"use strict";
const Composer = (() => {
  const $ = (id) => document.getElementById(id);
  const PREFIX = "desk:draft:";
  const TRIGGER = { "/": /(^|\s)\/([\w-]*)$/, "@": /(^|[\s(])@([\w.+-]*)$/ };
  const REPLYING_FOR = 8000;
  let id = "", send = () => {}, replyingAt = 0, asked = 0;
  let open = null;  // {field, from}: where the list would put its choice

  /* ---- drafts ---- */

  const key = (field) => `${PREFIX}${id}:${field.id}`;
  function keep(field) {
    try {
      if (field.value.trim()) localStorage.setItem(key(field), JSON.stringify({ text: field.value, draft: field.id === "reply" ? $("draft-id").value : "" }));
      else localStorage.removeItem(key(field));
    } catch { /* a full or forbidden store: the text is still in the page */ }
  }
  function restore(field) {
    let kept = null;
    try { kept = JSON.parse(localStorage.getItem(key(field))); } catch { /* not ours */ }
    if (!kept?.text || field.value) return;
    field.value = kept.text;
    if (field.id === "reply" && kept.draft) $("draft-id").value = kept.draft;
  }
  function forgetAll() {
    for (const one of Object.keys(localStorage)) if (one.startsWith(PREFIX)) localStorage.removeItem(one);
  }
  /* What was sent goes; what was typed after it while it was on its way stays. */
  function sent(kind, text) {
    const field = $(kind);
    if (!field) return;
    field.value = text && field.value !== text && field.value.startsWith(text) ? field.value.slice(text.length).trimStart() : "";
    if (kind === "reply") { $("draft-id").value = ""; replying(false); }
    keep(field);
  }
  function settle() {
    for (const field of [$("reply"), $("note")]) if (field) restore(field);
  }

  /* ---- who is replying ---- */

  function replying(on) {
    if (on && Date.now() - replyingAt < REPLYING_FOR / 2) return;
    if (!on && !replyingAt) return;
    replyingAt = on ? Date.now() : 0;
    send({ type: "replying", on });
  }
  setInterval(() => { if (replyingAt && Date.now() - replyingAt > REPLYING_FOR) replying(false); }, 1000);

  /* ---- putting words in ---- */

  function put(field, text, from = field.selectionStart, to = field.selectionEnd) {
    field.focus();
    field.setRangeText(text, from, to, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  function show(kind) {
    const radio = $(`kind-${kind}`);
    if (radio) radio.checked = true;
    $(kind)?.focus();
  }
  function insertDraft({ insertInto, insertText, assist }) {
    show(insertInto);
    const field = $(insertInto);
    if (!field) return;
    if (insertInto === "reply") $("draft-id").value = assist;
    put(field, field.value.trim() ? `${field.value.trimEnd()}\n\n${insertText}` : insertText, 0, field.value.length);
  }
  document.addEventListener("click", (event) => {
    const choice = event.target.closest(".pop [data-insert]");
    if (!choice || !$("reply")) return;
    event.preventDefault();
    choice.closest("details").open = false;
    show("reply");
    put($("reply"), choice.dataset.insert);
  });

  /* ---- the list of suggestions ---- */

  const list = () => $("suggestions");
  const options = () => [...list().querySelectorAll("[role=option]")];
  async function suggest(field) {
    const sign = field.dataset.suggest;
    const found = field.value.slice(0, field.selectionStart).match(TRIGGER[sign]);
    if (!found || field.selectionStart !== field.selectionEnd) return hide();
    const mine = ++asked;
    let html = "";
    try {
      const answer = await fetch(`${field.dataset.suggestUrl}?q=${encodeURIComponent(found[2])}`, { headers: { "X-Fragment": "1" } });
      if (!answer.ok || answer.redirected) return hide();
      html = await answer.text();
    } catch { return hide(); }
    if (mine !== asked || document.activeElement !== field) return;
    const fresh = new DOMParser().parseFromString(html, "text/html");
    list().replaceChildren(...fresh.querySelectorAll("[role=option]"));
    if (!options().length) return hide();
    open = { field, from: field.selectionStart - found[2].length - 1 };
    list().hidden = false;
    list().setAttribute("aria-label", sign === "/" ? "Canned replies" : "Colleagues");
    field.setAttribute("aria-controls", "suggestions");
    mark(0);
    $("inbox-said").textContent = `${options().length} ${sign === "/" ? "canned replies" : "colleagues"}; up and down to choose, Enter to insert.`;
  }
  function hide() {
    asked += 1;
    if (!open) return;
    open.field.removeAttribute("aria-activedescendant");
    open.field.removeAttribute("aria-controls");
    open = null;
    list().hidden = true;
    list().replaceChildren();
  }
  function mark(at) {
    const all = options();
    const chosen = all[(at + all.length) % all.length];
    for (const one of all) one.setAttribute("aria-selected", String(one === chosen));
    open.field.setAttribute("aria-activedescendant", chosen.id);
    chosen.scrollIntoView({ block: "nearest" });
  }
  function take(option) {
    const { field, from } = open;
    const text = option.dataset.insert;
    hide();
    put(field, text, from, field.selectionStart);
    hide();
  }
  function steer(event) {
    const at = options().findIndex((one) => one.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown") mark(at + 1);
    else if (event.key === "ArrowUp") mark(at - 1);
    else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") take(options()[at]);
    else if (event.key === "Escape") hide();
    else return;
    event.preventDefault();
  }
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest("#suggestions [role=option]");
    if (!option || !open) return;
    event.preventDefault();
    take(option);
  });

  /* ---- keys and typing; the fields may be put in anew at any time, so the document listens ---- */

  const isField = (target) => target.matches?.("#reply, #note");
  document.addEventListener("input", (event) => {
    if (event.target.matches?.("#article-q")) return searchArticles(event.target);
    if (!isField(event.target)) return;
    keep(event.target);
    if (event.target.id === "reply") replying(Boolean(event.target.value.trim()));
    suggest(event.target);
  });
  document.addEventListener("focusout", (event) => {
    if (!isField(event.target)) return;
    hide();
    if (event.target.id === "reply") replying(false);
  });
  document.addEventListener("keydown", (event) => {
    if (!isField(event.target) || event.isComposing) return;
    if (open) steer(event);
    if (event.defaultPrevented) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.target.form.requestSubmit();
    }
  }, true);
  let searching = 0;
  function searchArticles(field) {
    clearTimeout(searching);
    searching = setTimeout(async () => {
      try {
        const answer = await fetch(`${field.dataset.search}?q=${encodeURIComponent(field.value)}`, { headers: { "X-Fragment": "1" } });
        if (!answer.ok || answer.redirected) return;
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        $("articles").replaceChildren(...fresh.body.childNodes);
      } catch { /* the next letter asks again */ }
    }, 200);
  }
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "article-form") return;
    event.preventDefault();
    searchArticles($("article-q"));
  });

  function start(given) {
    ({ id, send } = given);
    settle();
  }
  return { start, sent, settle, show, insertDraft, forgetAll };
})();
