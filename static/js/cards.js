/* Cards: they warn before their time is over and offer to begin anew, take one press for one, keep the focus through
   their states, and let a code be pasted however it was written. What is shown comes from the server. */
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const chat = $("chat");
  const MINUTE = 60000, WARN = 2 * MINUTE, PRESSED = 4000;
  const ahead = Date.parse($("announcer").dataset.now) - Date.now();  // of the server's clock before this one's
  const now = () => Date.now() + ahead;
  const minutes = (left) => new Intl.NumberFormat(Words.locale, { style: "unit", unit: "minute", unitDisplay: "long" })
    .format(Math.max(1, Math.ceil(left / MINUTE)));
  let timer = 0, isFirst = true, held = null;

  /* ---- time ---- */

  /* One timer for all cards, set to when the next of them changes. */
  function look() {
    clearTimeout(timer);
    let next = Infinity;
    for (const card of document.querySelectorAll("[data-expires]:not([data-over])")) next = Math.min(next, runOut(card));
    for (const card of document.querySelectorAll("[data-undo-until]:not([data-over])")) next = Math.min(next, runDown(card));
    if (next < Infinity) timer = setTimeout(look, Math.max(250, next));
    isFirst = false;
  }
  /* Each answers how many ms from now it changes. */
  function runOut(card) {
    const left = Date.parse(card.dataset.expires) - now();
    const kind = card.id === "verification" ? "code" : "offer";
    if (left > WARN) return left - WARN;
    tell(card, left > 0 ? Words.get(`${kind}_soon`, { time: minutes(left) }) : Words.get(`${kind}_over`), left > 0 ? "warned" : "over");
    if (left > 0) return left % MINUTE || MINUTE;
    const hadFocus = card.contains(document.activeElement);
    for (const part of card.querySelectorAll("[data-decides], [data-open-until]")) part.hidden = true;
    const renews = card.querySelector("[data-renews]");
    if (renews) renews.hidden = false;
    if (hadFocus && !document.activeElement.checkVisibility()) (renews?.querySelector("button") || card).focus();
    return Infinity;
  }
  function tell(card, words, mark) {
    const line = card.querySelector("[data-clock]");
    if (!line) return;
    line.textContent = words;
    line.hidden = false;
    if (!isFirst && !(mark in card.dataset)) Announcer.say(`${words} ${card.querySelector("h2").textContent}`);
    card.dataset[mark] = "";
  }
  function runDown(card) {
    const left = Date.parse(card.dataset.undoUntil) - now(), form = card.querySelector("[data-undoes]");
    if (left > 0) {
      form.querySelector("[data-left]").textContent = ` (${Words.get("left", { time: minutes(left) })})`;
      return left % MINUTE || MINUTE;
    }
    const hadFocus = form.contains(document.activeElement);
    card.dataset.over = "";
    form.hidden = true;
    if (hadFocus) card.focus();
    return Infinity;
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });

  /* ---- one press ---- */

  chat.addEventListener("submit", (event) => {
    const form = event.target;
    if (!chat.dataset.conversation || !form.closest(".card")) return;
    if ("sent" in form.dataset) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    form.dataset.sent = "";
    setTimeout(() => { delete form.dataset.sent; }, PRESSED);  // should nothing come of it, another press is another try
  }, true);

  /* ---- focus ---- */

  const named = (one) => `${one.name} ${one.value} ${one.getAttribute("aria-label") || one.textContent.trim()}`;
  chat.addEventListener("line:before", () => {
    const { activeElement } = document, home = activeElement?.closest(".card[id], [id^='feedback-']");
    held = home ? { id: home.id, control: named(activeElement), began: !!activeElement.closest("[data-renews]") } : null;
  });
  chat.addEventListener("line:after", () => {
    look();
    const home = held && document.activeElement === document.body && $(held.id);
    if (!home) return;
    const renewed = home.dataset.renewedAs && $(`action-${home.dataset.renewedAs}`);
    const same = [...home.querySelectorAll("button")].find((one) => named(one) === held.control && one.checkVisibility());
    const code = home.querySelector("#code"), anew = held.began && code?.checkVisibility() ? code : null;
    (renewed || anew || same || code || home.querySelector("button[name]") || home).focus();
  });

  /* ---- codes ---- */

  chat.addEventListener("paste", (event) => {
    if (event.target.id !== "code") return;
    const found = event.clipboardData.getData("text").match(/\p{Nd}(?:[\s\-–]*\p{Nd}){5}/u);
    if (!found) return;
    event.preventDefault();
    event.target.value = found[0].replace(/[^\p{Nd}]/gu, "");
  });

  look();
})();
