/* Who works by keyboard or screen reader does not lose their place: when what has the focus is replaced or hidden, the
   focus goes to what took its place, else to where writing goes on. */
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const TOO_LARGE = new Set(["chat", "main", "scroll", "log", "messages", "live", "outbox", "composer"]);
  const isShown = (one) => Boolean(one?.isConnected && one.checkVisibility({ checkVisibilityCSS: true }));
  let last = null, homes = [];  // what had the focus, and the ids round it, nearest first

  document.addEventListener("focusin", ({ target }) => {
    last = target;
    homes = [];
    for (let up = target; up; up = up.parentElement) if (up.id && !TOO_LARGE.has(up.id)) homes.push(up.id);
  });
  document.addEventListener("pointerdown", ({ target }) => { if (last && !last.contains(target)) last = null; });  // left by choice
  function keep() {
    const now = document.activeElement;
    if (!last || isShown(last) || (now && now !== document.body && isShown(now))) return;
    const home = homes.map($).find(isShown);
    const next = home || (matchMedia("(pointer: coarse)").matches ? $("scroll") : $("text"));  // a phone's keyboard stays down
    if (home && home.tabIndex < 0) home.tabIndex = -1;
    next.focus({ preventScroll: true });
  }
  const soon = () => requestAnimationFrame(keep);
  $("chat").addEventListener("line:after", keep);
  for (const event of ["htmx:after:swap", "click"]) document.addEventListener(event, soon);
})();
