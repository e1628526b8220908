/* The chat page inside another site: the same page and scripts, by the conversation's token and without any cookie.
   It settles whose conversation is shown, fetches it, and only then lets the page's own scripts run. */
"use strict";
(async () => {
  const { locale } = JSON.parse(document.getElementById("widget").textContent);
  const CONVERSATIONS = "/api/v1/conversations";
  const AGAIN_AFTER = 4000;
  const $ = (id) => document.getElementById(id);
  let identity = "", place = "anon", isShown = true, seen = new Set();

  const current = () => Store.get(place);
  const bearer = (entry, headers = {}) => ({ ...headers, ...(entry && { Authorization: `Bearer ${entry.token}` }) });
  const ask = (path, options) => fetch(path, { credentials: "omit", ...options });
  const post = (path, body, entry) =>
    ask(path, { method: "POST", body: JSON.stringify(body), headers: bearer(entry, { "Content-Type": "application/json" }) });
  const again = () => location.replace(location.href);
  const failed = (code) => Host.tell({ type: "error", code });
  const pause = () => new Promise((resolve) => { setTimeout(resolve, AGAIN_AFTER); });

  /* ---- what the page's scripts use in place of the cookie (door.js) ---- */

  window.Door = {
    store: "widget.",
    isHidden: () => !isShown,
    start,
    moved({ id, token }) {
      if (token) Store.put(place, { ...current(), id, token, seen: 0 });
      again();
    },
  };

  /** Begin a conversation; whoever cannot be identified begins one without a name. */
  async function start() {
    const wanted = { locale, ...(Host.isFramed && { widget_origin: Host.origin() }) };
    let answer = identity && (await post(CONVERSATIONS, { ...wanted, identity }));
    if (answer && !answer.ok && (await isRefused(answer))) identity = "";
    if (!identity) answer = await post(CONVERSATIONS, wanted);
    if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).detail || Words.get("not_started"));
    const begun = await answer.json();
    place = identity ? "known" : "anon";
    Store.put(place, { id: begun.id, token: begun.token, seen: 0, who: Store.who(identity) });
    $("chat").dataset.token = begun.token;
    $("chat").dataset.known = identity ? "yes" : "no";
    if (identity) Host.tell({ type: "identified" });
    Host.tell({ type: "conversation", exists: true });
    return begun;
  }

  /** Whether it is the identity that was refused, and not the conversation: the site is told, the customer is not. */
  async function isRefused(answer) {
    const { code = "" } = await answer.clone().json().catch(() => ({}));
    const isIdentity = code.startsWith("identity_") || code === "conflict" || code === "not_allowed";
    if (isIdentity) failed(code === "conflict" ? "identity_conflict" : code === "not_allowed" ? "identity_refused" : code);
    return isIdentity;
  }

  /* ---- whose conversation is shown ---- */

  /** Settle `place`: what somebody else began is forgotten, what was begun without a name becomes theirs. */
  async function settle(given) {
    identity = given;
    place = "anon";
    if (!identity) return;
    const who = Store.who(identity);
    if (Store.get("known") && Store.get("known").who !== who) Store.drop("known");
    for (const found of ["known", "anon"]) {
      const entry = Store.get(found);
      if (!entry) continue;
      const answer = await patient(() => post(`${CONVERSATIONS}/${entry.id}/identity`, { identity }, entry));
      const { code } = answer.ok ? {} : await answer.clone().json().catch(() => ({}));
      if (answer.ok) {
        Store.drop("anon");
        Store.put("known", { ...entry, who });
        place = "known";
        return Host.tell({ type: "identified" });
      }
      if (code === "unauthorised" || code === "not_found" || code === "conflict") Store.drop(found);
      else if (await isRefused(answer)) identity = "";
      if (!identity) return;
    }
    place = Store.get("known") ? "known" : "anon";
  }
  /** The page with the conversation's history in it, as the server draws it; nothing when there is none to show. */
  async function thread() {
    const entry = current();
    if (!entry) return;
    const answer = await patient(() => ask(`/widget/${entry.id}/?locale=${locale}`, { headers: bearer(entry) }));
    if (answer.status === 404) {
      Store.drop(place);
      return Host.tell({ type: "conversation", exists: false });
    }
    if (!answer.ok) throw new Error(`thread ${answer.status}`);
    const drawn = new DOMParser().parseFromString(await answer.text(), "text/html");
    $("chat").replaceWith(document.adoptNode(drawn.getElementById("chat")));
    $("chat").dataset.token = entry.token;
  }
  /** An answer, however long the network is away. */
  async function patient(request) {
    for (;;) {
      try {
        const answer = await request();
        if (answer.status !== 429 && answer.status < 500) return answer;
      } catch { /* offline */ }
      await pause();
    }
  }

  /* ---- the page around the frame ---- */

  function hear(message) {
    if (message.type === "open") shown(true);
    if (message.type === "close") shown(false);
    if (message.type === "logout") {
      Store.clear();
      Outbox.clear();
      Host.tell({ type: "conversation", exists: false });
      again();
    }
    if (message.type === "identify") identified(message.identity);
  }
  /** Somebody signed in around us, or their identity was renewed. Another conversation than the one shown: draw anew. */
  async function identified(given) {
    if (place === "known" && given && Store.who(given) === current()?.who) {
      identity = given;
      return;
    }
    const before = current()?.id;
    await settle(given);
    if (current()?.id !== before) again();  // the page around says hello again
    else $("chat").dataset.known = identity ? "yes" : "no";
  }
  function shown(wanted) {
    isShown = wanted;
    if (!wanted) seen = new Set(theirs());
    else focus();
    count();
    document.dispatchEvent(new Event("visibilitychange"));  // what was not read so far may be now
  }
  const theirs = () => [...document.querySelectorAll("#messages > .message:is(.assistant, .staff)")].map(({ id }) => id);
  function count() {
    if (isShown && current()) Store.put(place, { ...current(), seen: Number($("cursor").dataset.seq) });
    Host.tell({ type: "unread", count: isShown ? 0 : theirs().filter((id) => !seen.has(id)).length });
  }
  /** A file of ours, fetched with the token: a link by itself would bring none. */
  async function download(link) {
    const answer = await ask(link.href, { headers: bearer(current()) });
    if (!answer.ok) return;
    const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition"))?.[1] || "chat.txt";
    const href = URL.createObjectURL(await answer.blob());
    Object.assign(document.createElement("a"), { href, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(href), AGAIN_AFTER);
  }
  function focus() {
    if (matchMedia("(pointer: fine)").matches) $("text").focus();
  }

  addEventListener("storage", ({ key }) => {  // another tab began, ended or lost a conversation
    if (key === Store.key && (current()?.id || "") !== $("chat").dataset.conversation) again();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) Host.tell({ type: "close" });
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("#shut")) return Host.tell({ type: "close" });
    const link = event.target.closest("a[href]");
    if (!link || link.getAttribute("href").startsWith("#")) return;
    if (link.hasAttribute("download") && link.protocol !== "blob:") {
      event.preventDefault();
      return download(link);
    }
    if (link.getAttribute("href") === "/") {  // the chat itself: here, that is this page
      event.preventDefault();
      return again();
    }
    link.target = "_blank";
    link.rel = "noopener";
  }, true);
  document.addEventListener("submit", (event) => {
    if (!event.target.matches('form[action="/chat/new/"]')) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!document.querySelector(".banner.closed")) Line.send({ type: "close" });
    Store.drop(place);
    Host.tell({ type: "conversation", exists: false });
    again();
  }, true);
  document.addEventListener("htmx:config:request", ({ detail }) => {
    Object.assign(detail.ctx.request.headers, bearer(current()));
  });

  /* ---- beginning ---- */

  const { content } = $("later");
  document.head.append(...content.querySelectorAll("script:not([src])"));  // what they read
  const scripts = [...content.querySelectorAll("script")];
  document.head.append(...scripts.map(({ src }) => Object.assign(document.createElement("link"), { rel: "preload", as: "script", href: src })));
  const hello = await Host.hello;
  isShown = hello.isOpen;
  if (hello.forgets) Store.clear();
  await settle(hello.identity);
  await thread();
  if (identity) $("chat").dataset.known = "yes";
  await Promise.all(scripts.map(({ src }) => new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src, async: false, onload: resolve, onerror: reject });
    document.head.append(script);
  })));
  Host.listen(hear);
  $("shut").hidden = !Host.isFramed;
  $("chat").addEventListener("line:after", count);
  $("chat").inert = false;  // until here a form would leave by itself
  document.documentElement.dataset.ready = "";
  shown(isShown);
  Host.tell({ type: "conversation", exists: Boolean(current()) });
  Host.tell({ type: "ready" });
})();
