/* The support chat on any site: <script async src="https://support.example/widget.js"></script>. See docs/widget.md.
   It adds one element with a shadow root (no style leaks in or out), one global name (SupportChat) and one key in
   localStorage. The chat itself is a frame of our own origin, loaded when it is opened first. */
(() => {
  "use strict";
  const WORDS = /*words*/ {};  // {language: {key: text}}, put in by the server
  const script = document.currentScript || document.querySelector('script[src*="/widget.js"]');
  const early = window.SupportChat;
  if (!script || (early && early.loaded)) return;

  const KEY = "support-chat", PATIENCE = 20000, GREETING_AFTER = 3000, MOST_SHOWN = 9;
  const PHONE = matchMedia("(max-width: 480px), (max-height: 480px)");
  const ORIGIN = new URL(script.src, location.href).origin;
  const { theme = "auto", position = "end", greeting = "", ...given } = script.dataset;
  const language = pick(given.locale || document.documentElement.lang || navigator.language);
  const words = WORDS[language] || WORDS.en;
  const listeners = {};
  let identity = given.identity || "", isOpen = false, isFull = false, unread = 0, forgets = false;
  let port = null, waiting = 0, held = null;

  function pick(wanted) {
    const known = wanted.toLowerCase().replace("_", "-");
    return [known, known.split("-")[0]].find((one) => one in WORDS) || "en";
  }

  /* What this site's own storage remembers: that there is a conversation, and that the greeting was seen. */
  function memory() {
    try { return JSON.parse(localStorage.getItem(KEY)) || {}; } catch { return {}; }
  }
  function remember(values) {
    try { localStorage.setItem(KEY, JSON.stringify({ ...memory(), ...values })); } catch { /* storage is off */ }
  }
  function emit(name, detail) {
    for (const listener of listeners[name] || []) {
      try { listener(detail); } catch (error) { setTimeout(() => { throw error; }); }
    }
  }

  /* ---- what is seen ---- */

  const CSS = `
    :host { all: initial !important; position: fixed !important; z-index: 2147483647 !important;
      inset-block: auto 0 !important; color-scheme: ${{ light: "light", dark: "dark" }[theme] || "light dark"} !important; }
    :host([hidden]) { display: none !important; }
    @media print { :host { display: none !important; } }
    * { box-sizing: border-box; font: 500 15px/1.4 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
    aside { display: block; --pine: light-dark(/*accent*/#1f5240, #a9d3bd/**/); --on: light-dark(/*on*/#fbfaf6, #14241d/**/);
      --paper: light-dark(#fbfaf6, #17211d); --ink: light-dark(#1f2b26, #ece9df); --line: light-dark(#dedbd0, #3c4843);
      --gap: max(16px, env(safe-area-inset-bottom)); --side: max(16px, env(safe-area-inset-right), env(safe-area-inset-left)); }
    button { margin: 0; border: 0; cursor: pointer; }
    :focus-visible { outline: 3px solid var(--pine); outline-offset: 3px; }
    #launcher { position: fixed; bottom: var(--gap); display: grid; place-items: center; width: 56px; height: 56px; padding: 0;
      border-radius: 28px; background: var(--pine); color: var(--on); box-shadow: 0 2px 6px #0003, 0 8px 24px #0003;
      transition: transform 160ms ease-out; }
    #launcher:hover { transform: translateY(-2px); }
    svg { width: 26px; height: 26px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
    [aria-expanded="false"] .shut, [aria-expanded="true"] .chat, #badge:empty, [hidden] { display: none !important; }
    #badge { position: absolute; top: -4px; inset-inline-end: -4px; min-width: 22px; padding: 0 6px; border: 2px solid var(--paper);
      border-radius: 11px; background: #b3261e; color: #fff; font-size: 12px; font-weight: 700; line-height: 18px; text-align: center; }
    dialog { position: fixed; inset: auto; bottom: calc(var(--gap) + 72px); margin: 0; padding: 0; overflow: hidden;
      width: min(400px, 100vw - 32px); height: min(680px, 100dvh - 112px); max-width: none; max-height: none;
      border: 1px solid var(--line); border-radius: 16px; background: var(--paper); color: var(--ink); box-shadow: 0 8px 40px #0004; }
    dialog[open] { animation: rise 180ms ease-out; }
    dialog::backdrop { background: none; }
    dialog.full { inset: 0 auto auto 0; top: var(--top, 0); width: 100vw; height: var(--height, 100dvh); border: 0; border-radius: 0; }
    iframe { position: absolute; inset: 0; width: 100%; height: 100%; border: 0; }
    #failed { padding: 24px; } #failed * { margin: 0 0 16px; } #failed a { color: var(--pine); margin-inline-end: 16px; }
    #greeting { position: fixed; bottom: calc(var(--gap) + 72px); display: flex; align-items: start; gap: 4px;
      width: max-content; max-width: min(300px, 100vw - 32px);
      border: 1px solid var(--line); border-radius: 14px; background: var(--paper); color: var(--ink); box-shadow: 0 8px 24px #0003; }
    #greeting button { min-width: 32px; min-height: 32px; padding: 10px 0 10px 16px; background: none; color: inherit; text-align: start; overflow-wrap: anywhere; }
    #greeting button + button { padding: 0; text-align: center; font-size: 20px; }
    #status { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    .right > * { right: var(--side); } .left > * { left: var(--side); }
    @keyframes rise { from { opacity: 0; transform: translateY(12px); } }
    @media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }`;

  const make = (tag, values = {}, ...inside) => {
    const made = tag === "svg" || tag === "path" ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(values)) made.setAttribute(name, value);
    made.append(...inside);
    return made;
  };
  const icon = (name, ...paths) => make("svg", { class: name, viewBox: "0 0 24 24", "aria-hidden": "true" }, ...paths.map((d) => make("path", { d })));
  const badge = make("span", { id: "badge", "aria-hidden": "true" });
  const launcher = make("button", { id: "launcher", type: "button", "aria-expanded": "false", "aria-haspopup": "dialog" },
    icon("chat", "M21 11.500a8 8 0 0 1-11.600 7.100L4 20l1.400-4.800A8 8 0 1 1 21 11.500z", "M9 10.500h6M9 13.500h4"), icon("shut", "m6 9 6 6 6-6"), badge);
  const frame = make("iframe", { title: words.title, referrerpolicy: "strict-origin", allow: "" });
  const panel = make("dialog", { "aria-label": words.title });
  const status = make("p", { id: "status", role: "status" });
  const rtl = /^(ar|fa|he|ur)\b/.test(language);
  const isLeft = position === "left" || position === (rtl ? "end" : "start");
  const aside = make("aside", { lang: language, dir: rtl ? "rtl" : "ltr", class: isLeft ? "left" : "right", "aria-label": words.name }, launcher, panel, status);
  const host = make("support-chat");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();  // which a site's style-src does not forbid
  sheet.replaceSync(CSS);
  root.adoptedStyleSheets = [sheet];
  root.append(aside);

  function label() {
    badge.textContent = unread ? (unread > MOST_SHOWN ? `${MOST_SHOWN}+` : unread) : "";
    const text = isOpen ? words.close : words.open;
    launcher.setAttribute("aria-label", unread && !isOpen ? `${text}. ${words.unread} ${unread}` : text);
    launcher.setAttribute("aria-expanded", String(isOpen));
  }

  /* ---- opening and closing ---- */

  function show() {
    isFull = PHONE.matches;
    panel.classList.toggle("full", isFull);
    if (isFull) panel.showModal();
    else panel.show();
    hold(isFull);
    fit();
  }
  function hold(wanted) {  // on a phone the page behind does not scroll meanwhile
    const style = document.documentElement.style;
    if (wanted && !held) {
      held = [style.getPropertyValue("overflow"), style.getPropertyPriority("overflow")];
      style.setProperty("overflow", "hidden", "important");
    } else if (!wanted && held) {
      style.setProperty("overflow", ...held);
      held = null;
    }
  }
  function fit() {  // above the phone's keyboard
    if (!isOpen || !isFull || !window.visualViewport) return;
    panel.style.setProperty("--height", `${visualViewport.height}px`);
    panel.style.setProperty("--top", `${visualViewport.offsetTop}px`);
  }
  function open() {
    if (isOpen) return;
    isOpen = true;
    dismiss();
    load(false);
    show();
    label();
    say({ type: "open" });
    frame.focus();
    emit("open");
  }
  function close() {
    if (!isOpen) return;
    const isWithin = document.activeElement === host;
    isOpen = false;
    panel.close();
    hold(false);
    label();
    say({ type: "close" });
    if (isWithin) launcher.focus();
    emit("close");
  }
  launcher.addEventListener("click", () => (isOpen ? close() : open()));
  launcher.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  panel.addEventListener("cancel", (event) => { event.preventDefault(); close(); });
  PHONE.addEventListener("change", () => {
    if (!isOpen) return;
    panel.close();
    show();
  });
  for (const name of ["resize", "scroll"]) window.visualViewport?.addEventListener(name, fit);

  /* ---- the frame ---- */

  function load(isQuiet) {  // quiet: a page that only counts what is unread
    const query = new URLSearchParams({ locale: language, theme, ...(isQuiet && { quiet: "1" }) });
    const address = `${ORIGIN}/widget/?${query}`;
    if (frame.src === address || (isQuiet && frame.src)) return;
    port?.close();
    port = null;
    frame.remove();  // put in anew: another address in the same frame would be one more step for "back"
    frame.src = address;
    panel.replaceChildren(frame);
    if (isQuiet) return;
    clearTimeout(waiting);
    waiting = setTimeout(fail, PATIENCE);
  }
  function fail() {
    const shut = make("button", { type: "button" }, words.close);
    shut.addEventListener("click", close);
    const again = make("a", { href: `${ORIGIN}/`, target: "_blank", rel: "noopener" }, words.elsewhere);
    frame.remove();
    frame.removeAttribute("src");
    panel.replaceChildren(make("div", { id: "failed" }, make("p", {}, words.failed), again, shut));
    shut.focus();
    emit("error", { code: "frame_not_loaded" });
  }
  const say = (message) => port?.postMessage(message);

  /* The frame tells that it is ready; it gets a channel that nobody else can listen to or speak on. */
  addEventListener("message", (event) => {
    if (event.origin !== ORIGIN || event.source !== frame.contentWindow || event.data?.support !== "ready") return;
    clearTimeout(waiting);
    port?.close();
    const channel = new MessageChannel();
    port = channel.port1;
    port.onmessage = ({ data }) => hear(data);
    frame.contentWindow.postMessage({ support: "hello", identity, isOpen, forgets }, ORIGIN, [channel.port2]);
    forgets = false;
  });
  function hear(message) {
    if (message.type === "close") close();
    if (message.type === "unread") count(message.count);
    if (message.type === "conversation") remember({ conversation: message.exists });
    if (message.type === "error") emit("error", { code: message.code });
    if (message.type === "ready" || message.type === "identified") emit(message.type);
  }
  function count(now) {
    if (now === unread) return;
    status.textContent = now > unread && !isOpen ? `${words.unread} ${now}` : "";
    unread = now;
    label();
    emit("unread", unread);
  }

  /* ---- the greeting, where the site wants one: once, and never again after it was dismissed ---- */

  let bubble = null;
  function greet() {
    if (isOpen || memory().greeted || memory().conversation) return;
    const text = make("button", { type: "button" }, greeting);
    const away = make("button", { type: "button", "aria-label": words.dismiss }, "×");
    bubble = make("div", { id: "greeting", role: "status" }, text, away);
    text.addEventListener("click", open);
    away.addEventListener("click", () => { dismiss(); launcher.focus(); });
    aside.prepend(bubble);
    remember({ greeted: true });
  }
  function dismiss() {
    bubble?.remove();
    bubble = null;
  }

  /* ---- what the site may call ---- */

  const calls = {
    open, close,
    toggle: () => (isOpen ? close() : open()),
    identify(jwt) {
      identity = String(jwt || "");
      say({ type: "identify", identity });
    },
    logout() {
      identity = "";
      remember({ conversation: false });
      count(0);
      if (port) return say({ type: "logout" });
      forgets = true;  // as soon as the frame is there: its storage is its own
      load(true);
    },
    on(name, listener) { (listeners[name] ||= []).push(listener); },
    off(name, listener) { listeners[name] = (listeners[name] || []).filter((one) => one !== listener); },
  };
  const api = (name, ...values) => calls[name]?.(...values);
  api.loaded = true;
  window.SupportChat = api;

  function begin() {
    document.documentElement.append(host);  // beside the body, which some sites replace
    host.popover = "manual";  // above everything, whatever the page transforms or stacks
    host.showPopover?.();
    label();
    for (const call of early?.q || []) api(...call);
    if (memory().conversation) load(true);
    if (greeting) setTimeout(greet, GREETING_AFTER);
  }
  if (document.body) begin();
  else addEventListener("DOMContentLoaded", begin);
})();
