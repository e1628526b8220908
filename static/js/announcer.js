/* The one polite live region. The server's fragments put what is to be said into #spoken, each line with the seq of its
   event; here it is said once, whatever is replayed, and changes of the queue once a minute at most. */
"use strict";
window.Announcer = (() => {
  const $ = (id) => document.getElementById(id);
  const region = $("announcer"), waiting = $("spoken");
  const KEPT = 6, QUEUE_EVERY = 60000;
  let heard = Number($("cursor").dataset.seq);   // the seq of what was said, or shown with the page
  let place = { text: "", at: -Infinity, timer: 0 };
  let lost = "";                                 // what was said of the connection

  function say(text) {
    const line = document.createElement("p");
    line.textContent = text.replace(/\s+/g, " ").trim();
    if (!line.textContent) return;
    region.append(line);
    while (region.childElementCount > KEPT) region.firstElementChild.remove();
  }
  function sayPlace(text) {
    clearTimeout(place.timer);
    if (text === place.text) return;
    const wait = place.at + QUEUE_EVERY - Date.now();
    if (wait > 0) place.timer = setTimeout(() => $("place") && sayPlace(text), wait);
    else {
      place = { text, at: Date.now(), timer: 0 };
      say(text);
    }
  }
  new MutationObserver(() => {
    let upto = heard;
    for (const line of waiting.querySelectorAll("p")) {
      const seq = Number(line.dataset.seq);
      line.remove();
      if ("queue" in line.dataset) sayPlace(line.textContent);
      else if (seq > heard) {
        upto = Math.max(upto, seq);
        say(line.textContent);
      }
    }
    heard = upto;
  }).observe(waiting, { childList: true });
  new MutationObserver(() => {
    const told = $("connection").firstElementChild?.textContent || "";
    if (told && told !== lost) say(told);
    if (!told && lost) say(Words.get("connected"));
    lost = told;
  }).observe($("connection"), { childList: true });

  return { say };
})();
