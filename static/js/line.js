/* The page's line to the server: htmx's socket (hx-ws), whose fragments htmx swaps in, and while none stands, polling
   (polling.js). Here is which of the two it is, the way back after a loss and what is said about that. On #chat it fires
   `line:open`, `line:before` and `line:after` (round each fragment that came). */
"use strict";
window.Line = (() => {
  const $ = (id) => document.getElementById(id);
  const chat = $("chat");
  const PING_EVERY = 25000, ANSWER_WITHIN = 10000;
  const PATIENCE = 3000, TRIES = 2;  // so long, or so many sockets that did not stand, and we poll
  const SOON = 4000, SELDOM = 30000;  // the longest pause before the next socket: without polling, and with it
  const PASSING = ["typing", "read", "ping"];
  const SEQ = /id="cursor" data-seq="(\d+)"/;
  let line = null;       // htmx's connection: {url, socket, config}
  let isLive = false;    // the socket stands: it has said something
  let heard = 0;         // when the server last said something there
  let tries = 0;         // sockets since then that did not stand
  let patience = 0, later = 0;
  let isOver = false;
  let kept = [];         // what was pressed while nothing stood

  const conversation = () => chat.dataset.conversation;
  const isOpen = () => isLive || Polling.isUp();
  const fire = (name) => chat.dispatchEvent(new CustomEvent(`line:${name}`));

  /** Send a frame by whichever way stands; what is passing is not sent late. */
  function send(frame) {
    if (isLive) line.socket.send(JSON.stringify(frame));
    else if (Polling.isUp()) deliver(frame);
    return isOpen();
  }
  /* Messages are kept by the outbox; a form that was pressed is kept here until something stands. */
  async function deliver(frame) {
    if (await Polling.post(frame) || frame.type === "message" || PASSING.includes(frame.type)) return;
    kept.push(frame);
    if (!Polling.isOn()) lost();
  }
  function opened() {
    const waiting = kept;
    kept = [];
    waiting.forEach(send);
    if (!$("connection").querySelector("[data-moved]")) $("connection").replaceChildren();
    fire("open");
  }

  /* ---- the socket ---- */

  // Also after a close of our own, when nothing came back on the old line; htmx would take that for meant.
  htmx.config.ws = { ...htmx.config.ws, reconnectCodes: [1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014, 4408] };

  const socketUrl = () => {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const token = chat.dataset.token ? `&token=${encodeURIComponent(chat.dataset.token)}` : "";
    return `${scheme}//${location.host}/ws/chat/${conversation()}/?format=html&after=${$("cursor").dataset.seq}${token}`;
  };
  function connect() {
    clearTimeout(later);
    isOver = false;
    chat.setAttribute("hx-ws:connect", socketUrl());
    htmx.process(chat, true);
    if (memory("get")) poll();
  }
  /* Where no socket stood on the last page, we do not wait for one. */
  function memory(act) {
    try { return sessionStorage[`${act}Item`](`${Door.store}polling`, "yes"); } catch { return null; /* storage is off */ }
  }
  chat.addEventListener("htmx:ws:before:connection", (event) => {
    line = event.detail.connection;
    line.url = socketUrl();  // a connection made again goes on after what is shown
    if (!patience && !Polling.isOn()) patience = setTimeout(poll, PATIENCE);
  });
  chat.addEventListener("htmx:ws:after:connection", () => { heard = Date.now(); });
  chat.addEventListener("htmx:ws:before:message:incoming", (event) => {
    heard = Date.now();
    const { detail } = event;
    const seq = SEQ.exec(detail.message.data)?.[1];
    // What polling is showing comes first, and what it has shown already does not come again.
    detail.waitUntil(Polling.shown().then(() => { detail.cancelled = Number(seq) <= Number($("cursor").dataset.seq); }));
    if (!isLive) stands();
    fire("before");
  });
  chat.addEventListener("htmx:ws:after:message:incoming", () => fire("after"));
  chat.addEventListener("htmx:ws:close", (event) => {
    const { code, reason } = event.detail;
    if (reason === "removed" || isOver) return;
    isLive = false;
    if (code === 4404) return over("not_yours");
    failed();
    if (code === 4401 || code === 4429) retry(code);
  });
  chat.addEventListener("htmx:ws:error", (event) => {  // forbidden, or not there at all: htmx will not try again
    if (isLive || event.detail.connection !== line || line?.socket) return;
    tries = TRIES;
    failed();
    retry();
  });
  function stands() {
    [isLive, tries] = [true, 0];
    line.config.reconnectMaxDelay = SOON;
    clearTimeout(patience);
    clearTimeout(later);
    patience = 0;
    Polling.stop();
    memory("remove");
    opened();
  }
  function failed() {
    tries += 1;
    if (!navigator.onLine) return lost();
    if (tries >= TRIES) poll();
    else if (!patience) patience = setTimeout(poll, PATIENCE);
  }
  /* Another session may have taken this one's place, and the other windows may have gone: polling finds out. */
  function retry(code) {
    poll();
    clearTimeout(later);
    later = setTimeout(connect, code === 4401 ? SOON : SELDOM);
  }

  /* ---- without it ---- */

  function poll() {
    clearTimeout(patience);
    patience = 0;
    if (isLive || isOver || !conversation() || !navigator.onLine) return;
    if (line?.config) line.config.reconnectMaxDelay = SELDOM;
    Polling.start();
  }
  chat.addEventListener("polling:up", () => {
    memory("set");
    opened();
  });
  chat.addEventListener("polling:down", () => { if (!isLive) lost(); });
  chat.addEventListener("polling:gone", (event) => over(event.detail === 404 ? "not_yours" : "signed_out"));

  /* Forms are put on the socket by htmx while one stands; else they go out here, and nowhere twice. */
  chat.addEventListener("submit", (event) => {
    const form = event.target;
    if (isLive || !conversation() || !form.hasAttribute("hx-ws:send")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    deliver(frameOf(new FormData(form, event.submitter)));
  }, true);
  chat.addEventListener("htmx:ws:before:message:outgoing", (event) => {
    const { message } = event.detail;
    message.values = frameOf(Object.entries(message.values));
  });
  /* What a form says, without what only a form that is posted needs. */
  function frameOf(entries) {
    const { csrfmiddlewaretoken, conversation: named, ...frame } = Object.fromEntries(entries);
    return frame;
  }

  /* ---- what is said about it ---- */

  function over(word) {
    isOver = true;
    Polling.stop();
    clearTimeout(later);
    line?.socket?.close();
    isLive = false;
    tell(Words.get(word), true);
  }
  const lost = () => tell(Words.get(navigator.onLine ? "lost" : "offline"));
  function tell(words, isFinal = false) {
    const box = document.createElement("p");
    box.className = "offline";
    box.textContent = isFinal ? words : `${words} ${Words.get("kept")}`;
    if (isFinal) {
      const link = document.createElement("a");
      link.href = "/";
      link.textContent = Words.get("reload");
      box.append(" ", link);
    }
    $("connection").replaceChildren(box);
  }
  addEventListener("offline", () => {
    isLive = false;
    Polling.stop();
    lost();
    line?.socket?.close();
  });
  addEventListener("online", () => {
    tries = 0;
    if (conversation() && !isOver) connect();
  });
  setInterval(() => {
    if (!isLive) return;
    if (Date.now() - heard > PING_EVERY + ANSWER_WITHIN) line.socket.close();  // half open; htmx opens another, which it would not for a code of ours
    else if (Date.now() - heard > PING_EVERY) send({ type: "ping" });
  }, 5000);

  return { isOpen, send, connect, tell };
})();
