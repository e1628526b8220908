/* Times in the reader's own zone and language; the server writes UTC. */
"use strict";
window.Times = (() => {
  const STYLES = {
    words: { weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit" },
    month: { month: "short" },
    day: { day: "numeric" },
    date: { dateStyle: "medium" },
    on: { dateStyle: "medium", timeZone: "UTC" },  // a day without an hour is the same everywhere
    moment: { dateStyle: "medium", timeStyle: "short" },
    old: { dateStyle: "medium", timeStyle: "short" },
    fresh: { timeStyle: "short" },
  };
  const OLD = 12 * 60 * 60 * 1000;
  const formats = {};

  function local(within) {
    for (const time of within.querySelectorAll("time:not([data-local])")) {
      const at = new Date(time.dateTime);
      const style = time.dataset.style in STYLES ? time.dataset.style : Date.now() - at > OLD ? "old" : "fresh";
      formats[style] ??= new Intl.DateTimeFormat(window.Words?.locale ?? document.documentElement.lang, STYLES[style]);
      time.textContent = formats[style].format(at);
      time.dataset.local = "";
    }
  }
  local(document);
  return { local };
})();
