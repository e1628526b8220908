/* The page's line to the server: htmx's socket (hx-ws), whose fragments htmx swaps in. Here are its address, the way back
   after a loss and what is said about that. On #chat it fires `line:open`, `line:before` and `line:after` (round each
   fragment that came). */
"use strict";
window.Line = (() => {
  const $ = (id) => document.getElementById(id);
  const chat = $("chat");
  const PING_EVERY = 25000, ANSWER_WITHIN = 10000;
  const GONE = { 4401: "signed_out", 4404: "not_yours", 4429: "too_many" };
  let line = null;  // htmx's connection: {url, socket}
  let heard = 0;    // when the server last said something

  const isOpen = () => line?.socket?.readyState === WebSocket.OPEN;
  const send = (frame) => isOpen() && line.socket.send(JSON.stringify(frame));
  const conversation = () => chat.dataset.conversation;
  const fire = (name) => chat.dispatchEvent(new CustomEvent(`line:${name}`));

  // Also after a close of our own, when nothing came back on the old line; htmx would take that for meant.
  htmx.config.ws = { ...htmx.config.ws, reconnectCodes: [1000, 1001, 1005, 1006, 1011, 1012, 1013, 1014, 4408] };

  const socketUrl = () => {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const token = chat.dataset.token ? `&token=${encodeURIComponent(chat.dataset.token)}` : "";
    return `${scheme}//${location.host}/ws/chat/${conversation()}/?format=html&after=${$("cursor").dataset.seq}${token}`;
  };
  function connect() {
    chat.setAttribute("hx-ws:connect", socketUrl());
    htmx.process(chat, true);
  }
  chat.addEventListener("htmx:ws:before:connection", (event) => {
    line = event.detail.connection;
    line.url = socketUrl();  // a connection made again goes on after what is shown
  });
  chat.addEventListener("htmx:ws:after:connection", () => {
    heard = Date.now();
    fire("open");
  });
  chat.addEventListener("htmx:ws:before:message:incoming", () => {
    heard = Date.now();
    fire("before");
  });
  chat.addEventListener("htmx:ws:after:message:incoming", () => fire("after"));
  chat.addEventListener("htmx:ws:close", (event) => {
    const { code, reason } = event.detail;
    if (reason === "removed") return;
    if (code in GONE) tell(Words.get(GONE[code]), true);
    else tell(Words.get(navigator.onLine ? "lost" : "offline"));
  });
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
    tell(Words.get("offline"));
    line?.socket?.close();
  });
  addEventListener("online", () => { if (conversation()) connect(); });
  setInterval(() => {
    if (!isOpen()) return;
    if (Date.now() - heard > PING_EVERY + ANSWER_WITHIN) line.socket.close();  // half open; htmx opens another, which it would not for a code of ours
    else if (Date.now() - heard > PING_EVERY) send({ type: "ping" });
  }, 5000);

  return { isOpen, send, connect, tell, authorize: Door.authorize };
})();
