/* What is written and not sent yet: kept for each conversation in the browser's storage, in step between tabs, gone when
   it is sent or its writer signs out. */
"use strict";
window.Draft = (() => {
  const KEY = `${Door.store}drafts`;
  const DAYS_14 = 14 * 24 * 60 * 60 * 1000, WAIT = 300;
  const chat = document.getElementById("chat"), text = document.getElementById("text");
  let waiting = 0;
  let followed = "";  // what stands here because another tab wrote it

  const here = () => chat.dataset.conversation || "new";
  function read() {
    try {
      const kept = Object.entries(JSON.parse(localStorage.getItem(KEY)) || {});
      const mine = ({ owner, at }) => (!owner || owner === chat.dataset.owner) && Date.now() - at < DAYS_14;
      return Object.fromEntries(kept.filter(([, draft]) => mine(draft)));
    } catch { return {}; }
  }
  function write(drafts) {
    try {
      if (Object.keys(drafts).length) localStorage.setItem(KEY, JSON.stringify(drafts));
      else localStorage.removeItem(KEY);
    } catch { /* storage is off or full: the words are still in the field */ }
  }
  function keep() {
    clearTimeout(waiting);
    waiting = 0;
    const { [here()]: known, ...others } = read();
    const now = text.value.trim() ? { [here()]: { text: text.value, owner: chat.dataset.owner, at: Date.now() } } : {};
    if (known?.text !== now[here()]?.text) write({ ...others, ...now });
  }
  function put(words) {
    text.value = words;
    text.dispatchEvent(new Event("drafted"));
  }
  /* What both tabs had until now: sent in one, it goes in the other. */
  function before(event) {
    try { return JSON.parse(event.oldValue)?.[here()]?.text; } catch { return ""; }
  }
  addEventListener("storage", (event) => {
    if (event.key !== KEY && event.key !== null) return;
    if (document.activeElement === text && document.hasFocus()) return;
    if (text.value && text.value !== followed && text.value !== before(event)) return;
    followed = read()[here()]?.text || "";
    if (text.value !== followed) put(followed);
  });
  text.addEventListener("input", () => {
    followed = "";
    waiting ||= setTimeout(keep, WAIT);
  });
  addEventListener("pagehide", () => { if (waiting) keep(); });

  return {
    /** Put back what was being written here; words that the page came with go below it. */
    restore() {
      const asked = text.value.trim(), drafts = read(), fresh = drafts.new;
      delete drafts.new;
      if (fresh) drafts[here()] ??= fresh;  // signing in may have led to a conversation
      const kept = drafts[here()]?.text || "";
      write(drafts);  // without what is another's or old
      if (kept) put(kept.includes(asked) ? kept : `${kept.trimEnd()}\n\n${asked}`);
    },
    keep,
    /** A conversation has begun: what is being written belongs to it. */
    adopt(conversation) {
      const { new: fresh, ...others } = read();
      write(fresh ? { ...others, [conversation]: fresh } : others);
    },
    clear: () => write({}),
  };
})();
