/* Texts longer than a message may be: how long they are, and how they fall into parts. Nothing is left out of them. */
"use strict";
window.Long = (() => {
  const LIMIT = 5000, WARN = 4500;
  const MARK = 12;  // room for "(12/14)" and a line
  const BREAKS = [/\n\s*\n/g, /\n/g, /(?<=[.!?…。؟])\s+/g, /\s+/g];

  /* As the server counts: characters, not the halves that some of them have here. */
  function length(text) {
    return text.length <= WARN ? text.length : [...text].length;
  }
  /* The end of the first part: after the last paragraph that fits, else line, sentence, word, character. */
  function cut(text, room) {
    const head = [...text.slice(0, 2 * room)].slice(0, room).join("");
    for (const pattern of BREAKS) {
      const ends = [...head.matchAll(pattern)].map((found) => found.index + found[0].length);
      const last = ends.filter((end) => end > head.length / 4).at(-1);
      if (last) return last;
    }
    return head.length;
  }
  function split(text) {
    const parts = [];
    let rest = text.trim();
    while (length(rest) > LIMIT - MARK) {
      const end = cut(rest, LIMIT - MARK);
      parts.push(rest.slice(0, end).trimEnd());
      rest = rest.slice(end).trimStart();
    }
    parts.push(rest);
    return parts.length > 1 ? parts.map((part, n) => `(${n + 1}/${parts.length})\n${part}`) : parts;
  }
  return { LIMIT, WARN, length, split };
})();
