/* The line without a socket: frames by POST, what is new by asking again and again, at the pace the server names. What
   is on the page says where to go on (#cursor), so whichever way an event comes, it comes once. docs/transport.md.
   On #chat it fires `polling:up`, `polling:down` and `polling:gone` (detail: the status). */
"use strict";
window.Polling = (() => {
  const $ = (id) => document.getElementById(id);
  const chat = $("chat");
  const WITHIN = 15000, HIDDEN = 20, QUIET_AFTER = 60000, QUIET = 3, PLACE_EVERY = 60000;
  const QUIETLY = ["read", "typing"];  // frames that nothing comes of here
  let isOn = false, isUp = false, asking = null, isWanted = false, timer = 0, misses = 0;
  let state = null;     // what the server said goes on; null: we know nothing
  let placeAt = 0, newsAt = 0;
  let shown = Promise.resolve(), posted = Promise.resolve();

  const seq = () => Number($("cursor").dataset.seq);
  const address = (name) => `/chat/${chat.dataset.conversation}/${name}/`;
  const fire = (name, detail) => chat.dispatchEvent(new CustomEvent(name, { detail }));

  /* Fragments go the way htmx takes those of the socket, one lot after the other. */
  function show(html) {
    shown = shown.then(async () => {
      fire("line:before");
      await htmx.swap({ sourceElement: chat, target: chat, swap: "innerHTML swapEmpty:false", text: html, transition: false });
      fire("line:after");
    }).catch(console.error);
    return shown;
  }

  async function request(path, options, ending = new AbortController()) {
    const late = setTimeout(() => ending.abort(), WITHIN);
    try {
      return await fetch(path, { ...options, headers: { ...Door.authorize(), ...options.headers }, signal: ending.signal });
    } finally {
      clearTimeout(late);
    }
  }

  /* ---- asking ---- */

  async function ask() {
    clearTimeout(timer);
    if (!isOn) return;
    if (asking) { isWanted = true; return; }
    const mine = asking = new AbortController();
    let wait;
    try {
      wait = await look(mine);
    } catch {
      if (mine !== asking) return;
      down();
      misses += 1;
      wait = Math.min(2 ** misses, HIDDEN);
    }
    if (mine !== asking) return;  // stopped meanwhile
    asking = null;
    timer = setTimeout(ask, isWanted ? 0 : wait * 1000);
    isWanted = false;
  }

  /* One look: how many seconds to wait before the next. */
  async function look(mine) {
    const after = seq();
    const query = new URLSearchParams({ after });
    if (state !== null) query.set("state", state);
    if (Date.now() >= placeAt) query.set("place", "1");
    const answer = await request(`${address("events")}?${query}`, {}, mine);
    if (mine !== asking) return 0;
    if (answer.status === 401 || answer.status === 404) return gone(answer.status);
    if (answer.status === 429) return Number(answer.headers.get("Retry-After")) || HIDDEN;
    if (!answer.ok) throw new Error(answer.status);
    const html = await answer.text();
    if (mine !== asking || after !== seq()) return 0;  // the socket was faster: what is here is known
    up();
    if (html) {
      newsAt = Date.now();
      await show(html);
    }
    state = answer.headers.get("X-State") ?? "";
    if (query.has("place")) placeAt = Date.now() + PLACE_EVERY;
    const again = Number(answer.headers.get("X-Again")) * (Date.now() - newsAt > QUIET_AFTER ? QUIET : 1);
    return document.hidden ? Math.max(again, HIDDEN) : again;
  }

  function up() {
    misses = 0;
    if (isUp) return;
    isUp = true;
    fire("polling:up");
  }
  function down() {
    isUp = false;
    fire("polling:down");
  }
  function gone(status) {
    stop();
    fire("polling:gone", status);
    return 0;
  }

  function start() {
    if (isOn) return;
    [isOn, isUp, state, misses, placeAt, newsAt] = [true, false, null, 0, 0, Date.now()];
    ask();
  }
  function stop() {
    isOn = isUp = isWanted = false;
    clearTimeout(timer);
    asking?.abort();
    asking = null;
  }

  /* ---- telling ---- */

  /** Send one frame: whether the server has it, whatever it said of it. Frames go out one after the other. */
  function post(frame) {
    const sent = posted.then(() => tell(frame)).catch(() => { if (isOn) down(); return false; });
    posted = sent;
    return sent;
  }
  async function tell(frame) {
    const headers = { "Content-Type": "application/json" };
    const answer = await request(address("frames"), { method: "POST", headers, body: JSON.stringify(frame) });
    if (answer.status === 401 || answer.status === 403 || answer.status === 404) gone(answer.status);
    else if (!answer.headers.has("X-Fragments") && answer.status >= 429) throw new Error(answer.status);
    else if (answer.headers.has("X-Fragments")) {
      const html = await answer.text();
      if (html) await show(html);
      if (!QUIETLY.includes(frame.type)) {
        newsAt = Date.now();
        ask();
      }
    }
    return true;
  }

  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });

  return { start, stop, ask, post, isOn: () => isOn, isUp: () => isUp, shown: () => shown };
})();
