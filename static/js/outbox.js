/* Messages on their way: kept in the browser's storage until the server shows them as its own, so that a lost
   connection, a reload or a second tab neither loses nor doubles one (the server knows each by its id). */
"use strict";
window.Outbox = (() => {
  const KEY = `${Door.store}outbox`;
  const DAY = 24 * 60 * 60 * 1000;
  let memory = [];

  function read() {
    try { memory = JSON.parse(localStorage.getItem(KEY)) || []; } catch { /* storage is off: this tab only */ }
    return memory.filter((entry) => Date.now() - entry.at < DAY).map((entry) => ({ files: [], ...entry }));
  }
  function write(entries) {
    memory = entries;
    try { localStorage.setItem(KEY, JSON.stringify(entries)); } catch { /* storage is off or full */ }
  }
  return {
    /** Entries of a conversation, and those written before there was one. */
    of: (conversation) => read().filter((entry) => !entry.conversation || entry.conversation === conversation),
    all: read,
    get: (id) => read().find((entry) => entry.id === id),
    /** `files`: [{id, name}], the id empty while it is uploaded; `after`: the entry that must go first. */
    add(text, conversation, { files = [], after = "" } = {}) {
      const entry = { id: uuid(), text, conversation, at: Date.now(), failed: false, files, after };
      write([...read(), entry]);
      return entry;
    },
    change(id, values) { write(read().map((entry) => (entry.id === id ? { ...entry, ...values } : entry))); },
    remove(id) { write(read().filter((entry) => entry.id !== id)); },
    adopt(conversation) { write(read().map((entry) => ({ ...entry, conversation: entry.conversation || conversation }))); },
    /** Signed out: only what never belonged to a conversation stays. */
    forget: () => write(read().filter((entry) => !entry.conversation)),
    clear: () => write([]),
  };

  function uuid() {
    if (crypto.randomUUID) return crypto.randomUUID();  // only in secure contexts
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  }
})();
