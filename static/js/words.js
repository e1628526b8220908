/* The scripts' words, in the page's language: support_agent/chat/words.py, put into the page as JSON. */
"use strict";
window.Words = (() => {
  const words = JSON.parse(document.getElementById("words").textContent);
  /** A text by its key; `{name}` in it is filled from `values`. */
  const get = (key, values = {}) => (words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  /** The page's language for times and figures, with the digits the server writes; English as the reader's country has it. */
  const page = document.documentElement.lang;
  const own = navigator.languages?.find((one) => one.split("-")[0] === page) ?? page;
  const locale = page === "ar" ? `${own}-u-nu-latn` : own;
  return { get, locale };
})();
