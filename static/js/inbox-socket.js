/* The inbox's line to the server. Each frame becomes an event `inbox:<type>` on the document, its `detail` the frame; an
   event `inbox:send` sends its `detail`. Lost connections are made again, and what is watched is watched again.
   `inbox:line` tells whether the line stands: {online, words}. */
"use strict";
(() => {
  const PING_EVERY = 20000, ANSWER_WITHIN = 10000, LONGEST_PAUSE = 30000;
  const FINAL = {
    4401: "You are signed out.",
    4403: "Your role does not open the inbox any more.",
    4429: "The inbox is open in too many windows. Close some.",
  };
  let socket = null, tries = 0, timer = 0, heard = 0, isOver = false;
  let watched = null, isReplying = false;  // said again after a lost connection
  let readTo = 0;

  const isOpen = () => socket?.readyState === WebSocket.OPEN;
  const tell = (type, detail) => document.dispatchEvent(new CustomEvent(`inbox:${type}`, { detail }));
  const send = (frame) => { if (isOpen()) socket.send(JSON.stringify(frame)); };

  function connect() {
    clearTimeout(timer);
    if (isOver || socket?.readyState <= WebSocket.OPEN) return;
    socket = new WebSocket(`${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/ws/inbox/`);
    socket.addEventListener("message", (event) => {
      heard = Date.now();
      const frame = JSON.parse(event.data);
      if (frame.type === "ready") ready();
      if (frame.type === "event" && frame.id === watched && frame.seq) read(frame.seq);
      tell(frame.type, frame);
    });
    socket.addEventListener("close", (event) => lost(event.code));
  }
  function ready() {
    tries = 0;
    tell("line", { online: true, words: "" });
    if (watched) send({ type: "watch", conversation_id: watched });
    if (watched && isReplying) send({ type: "replying", on: true });
  }
  function lost(code) {
    socket = null;
    isOver = code in FINAL;
    tell("line", { online: false, words: FINAL[code] || "Offline. Trying again.", isOver });
    if (isOver) return;
    const pause = Math.min(LONGEST_PAUSE, 1000 * 2 ** tries++);
    timer = setTimeout(connect, pause / 2 + Math.random() * pause / 2);
  }
  function read(seq) {
    readTo = Math.max(readTo, seq);
    if (document.hidden || !watched || !readTo) return;
    send({ type: "read", conversation_id: watched, seq: readTo });
    readTo = 0;
  }

  document.addEventListener("inbox:send", ({ detail }) => {
    if (detail.type === "watch") { watched = detail.conversation_id; readTo = 0; }
    if (detail.type === "unwatch") { watched = null; isReplying = false; }
    if (detail.type === "replying") isReplying = Boolean(detail.on);
    send(detail);
  });
  document.addEventListener("visibilitychange", () => read(0));
  addEventListener("online", () => { tries = 0; connect(); });
  addEventListener("offline", () => socket?.close());
  addEventListener("pagehide", () => { clearTimeout(timer); socket?.close(); });
  addEventListener("pageshow", (event) => { if (event.persisted) { tries = 0; connect(); } });
  setInterval(() => {
    if (!isOpen()) return;
    const silence = Date.now() - heard;
    if (silence > PING_EVERY + ANSWER_WITHIN) socket.close(4000);  // half open: nothing comes back
    else if (silence > PING_EVERY) send({ type: "ping" });
  }, 5000);

  watched = document.getElementById("inbox").dataset.open || null;
  connect();
})();
