/* The log: what comes is brought to order by itself (times, neighbours), what stands is not looked at again, so that two
   thousand messages cost no more than twenty. And where it is scrolled to. */
"use strict";
window.Log = (() => {
  const $ = (id) => document.getElementById(id);
  const chat = $("chat"), messages = $("messages"), scroll = $("scroll");
  const NEAR = 60, GESTURE = 1000;
  const LONG = 150, BLOCK = 50;  // items
  let following = true, touched = 0, height = 0;
  let anchor = null;  // what was first, and where it stood, when earlier messages were asked for

  /* ---- what came ---- */

  const keyOf = (item) => {
    const { author, minute } = item.dataset;
    return author && author !== "assistant" ? `${author} ${minute}` : null;  // each answer stands for itself
  };
  function join(item) {
    if (item?.parentElement !== messages) return;
    const last = item.previousElementSibling, key = keyOf(item);
    const before = last?.matches(".block") ? last.lastElementChild : last;
    item.classList.toggle("continued", key !== null && before !== null && key === keyOf(before));
  }
  function arrange(item) {
    Times.local(item.parentElement === messages ? item : item.parentElement ?? item);
    for (const field of item.querySelectorAll("[data-csrf]")) field.value = chat.dataset.csrf;
    join(item);
  }
  function came(records) {
    let changed = false;
    for (const { addedNodes, nextSibling, target } of records) {
      for (const node of addedNodes) {
        if (node.nodeType !== Node.ELEMENT_NODE || !node.isConnected) continue;
        arrange(node);
        changed = true;
      }
      if (target === messages) {
        join(nextSibling);  // its neighbour is another now
        changed = true;
      }
    }
    if (!changed) return;
    hold();
    if (messages.childElementCount > LONG) later(bind);
  }
  const watch = new MutationObserver(came);
  watch.observe(chat, { childList: true, subtree: true });

  /* What lies far above goes into blocks that the browser neither lays out nor paints while they are out of sight: one
     by one, two thousand messages cost more to watch over than to draw. */
  const later = (work) => (window.requestIdleCallback || setTimeout)(work, { timeout: 2000 });
  function bind() {
    came(watch.takeRecords());
    const items = [...messages.children].slice(0, -BLOCK);
    let from = 0;
    const upto = items.findIndex((item, n) => {
      if (item.matches(".block")) from = n + 1;
      return n - from + 1 === BLOCK;
    });
    if (upto < 0) return;
    const run = items.slice(from, upto + 1);
    if (run.some((item) => item.contains(document.activeElement)) || !getSelection().isCollapsed) return;
    const block = document.createElement("div");
    block.className = "block";
    block.style.containIntrinsicBlockSize = `auto ${run.at(-1).getBoundingClientRect().bottom - run[0].getBoundingClientRect().top}px`;
    run[0].before(block);
    block.append(...run);
    watch.takeRecords();  // nothing new came
    if (messages.childElementCount > LONG) later(bind);
  }

  /* ---- scrolling ---- */

  function follow() {
    scroll.scrollTop = $("empty").hidden ? scroll.scrollHeight : 0;  // the greeting is read from its top
  }
  const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR;
  /* Who scrolls up reads; what only grows or is measured anew, above or below, moves nobody. */
  for (const name of ["wheel", "touchmove", "pointerdown", "pointerup", "keydown"]) {
    scroll.addEventListener(name, () => { touched = Date.now(); }, { passive: true });
  }
  scroll.addEventListener("scroll", () => {
    const isMoved = scroll.scrollHeight === height || Date.now() - touched < GESTURE;
    height = scroll.scrollHeight;
    if (atEnd()) {
      following = true;
      $("latest").hidden = true;
    } else if (isMoved) following = false;
  }, { passive: true });

  /* Earlier messages come in above: what was read stays where it is. Browsers do not see to it at the very top. */
  chat.addEventListener("click", (event) => {
    const first = event.target.closest("#earlier") && messages.firstElementChild;
    if (first) anchor = { first, top: first.getBoundingClientRect().top };
  }, true);
  function hold() {
    if (!anchor || messages.firstElementChild === anchor.first) return;
    const { first, top } = anchor;
    const stay = () => { scroll.scrollTop += first.getBoundingClientRect().top - top; };
    following = false;
    anchor = null;
    stay();
    requestAnimationFrame(stay);  // the button above has changed too by then
    if (document.activeElement === document.body) $("earlier")?.focus({ preventScroll: true });
  }

  const view = window.visualViewport;
  /* As high as what the phone's keyboard leaves, and there where it is left; zooming in squeezes nothing. */
  const fit = () => {
    const { height, scale, offsetTop } = view, page = document.documentElement.style;
    page.setProperty("--visible", `${Math.round(height * scale)}px`);
    page.setProperty("--above", `${scale > 1.01 ? 0 : Math.round(offsetTop)}px`);
    if (following) follow();
  };
  for (const event of ["resize", "scroll"]) view?.addEventListener(event, fit);
  if (view) fit();

  return {
    /** Stay at the end, from now on. */
    follow() {
      following = true;
      follow();
    },
    /** After anything changed: at the end if one was there, else a hint that there is more. */
    settle() {
      if (following) follow();
      else $("latest").hidden = atEnd();
    },
  };
})();
