/* Suggestions below the search field while somebody types: the server's fragment as a listbox, the field a combobox.
   Without this script the form searches as any form does. */
"use strict";
(() => {
  const WAIT = 150, LEAST = 2, KEPT = 40;
  const field = document.getElementById("q"), list = document.getElementById("suggest"), said = document.getElementById("suggest-said");
  const form = field?.closest("[data-suggest]");
  if (!form) return;
  const known = new Map();  // what the server said, by what was typed
  let timer = 0, asking = null, shown = "", chosen = -1, quietUntil = 0;

  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", "suggest");
  field.setAttribute("aria-expanded", "false");

  const typed = () => field.value.trim().replace(/\s+/g, " ");
  const options = () => [...list.querySelectorAll("[role=option]")];

  function choose(at) {
    const all = options();
    chosen = at;
    all.forEach((one, number) => one.setAttribute("aria-selected", String(number === at)));
    if (all[at]) {
      field.setAttribute("aria-activedescendant", all[at].id);
      all[at].scrollIntoView({ block: "nearest" });
    } else field.removeAttribute("aria-activedescendant");
  }
  function open() {
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
  }
  function close() {
    clearTimeout(timer);
    asking?.abort();
    choose(-1);
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
  }
  function show(query, html) {
    if (query !== shown) {
      list.innerHTML = html;  // our own server's, which escapes what was typed
      said.textContent = list.querySelector("[data-said]")?.dataset.said || "";
      shown = query;
    }
    choose(-1);
    if (options().length) open(); else close();
  }
  async function ask() {
    const query = typed();
    if (query.length < LEAST) {
      said.textContent = shown = "";
      return close();
    }
    if (known.has(query)) return show(query, known.get(query));
    if (Date.now() < quietUntil) return close();
    asking?.abort();  // an older answer must not come after a newer one
    asking = new AbortController();
    const asked = new URLSearchParams(new FormData(form));
    asked.set("q", query);
    try {
      const answer = await fetch(`${form.dataset.suggest}?${asked}`, { signal: asking.signal, headers: { "X-Fragment": "1" } });
      if (answer.status === 429) quietUntil = Date.now() + 1000 * (Number(answer.headers.get("Retry-After")) || 60);
      if (!answer.ok) return close();
      const html = await answer.text();
      if (known.size >= KEPT) known.delete(known.keys().next().value);
      known.set(query, html);
      if (document.activeElement === field && query === typed()) show(query, html);
    } catch { /* overtaken, or offline: what is shown stays, and Enter still searches */ }
  }

  field.addEventListener("input", (event) => {
    clearTimeout(timer);
    if (!event.isComposing) timer = setTimeout(ask, known.has(typed()) ? 0 : WAIT);
  });
  field.addEventListener("compositionend", () => { timer = setTimeout(ask, WAIT); });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const count = options().length, isOpen = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) return void ask();
      const step = event.key === "ArrowDown" ? 1 : -1;
      choose((chosen + 1 + step + count + 1) % (count + 1) - 1);  // past either end: back to the field itself
    } else if (event.key === "Enter" && isOpen && chosen >= 0) {
      event.preventDefault();
      options()[chosen].click();
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();  // the first closes the list, the next one empties the field
      close();
    }
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault());  // the field keeps the focus
  form.addEventListener("focusout", (event) => { if (!form.contains(event.relatedTarget)) close(); });
  form.addEventListener("submit", close);
})();
