/* An article's page: its feedback without a reload, and links to its sections that are copied by a press. */
"use strict";
(() => {
  document.addEventListener("submit", async (event) => {
    const box = event.target.closest("#feedback");
    if (!box) return;
    event.preventDefault();
    if (box.dataset.busy) return;
    box.dataset.busy = "yes";
    const form = event.target, pressed = event.submitter;
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form, pressed), headers: { "X-Fragment": "1" } });
      if (!answer.ok) throw new Error(answer.status);
      replace(box, await answer.text(), pressed);
    } catch {
      delete box.dataset.busy;
      box.querySelector(".said").textContent = box.dataset.failed;
    }
  });
  function replace(box, html, pressed) {
    const fresh = new DOMParser().parseFromString(html, "text/html").getElementById("feedback");
    const words = fresh.querySelector(".said").textContent;
    fresh.querySelector(".said").textContent = "";
    box.replaceWith(fresh);
    const comment = fresh.querySelector("textarea");
    const again = pressed?.value && fresh.querySelector(`button[value="${pressed.value}"]`);
    (pressed?.value === "no" && comment ? comment : again || fresh).focus();
    requestAnimationFrame(() => { fresh.querySelector(".said").textContent = words; });  // a live region tells what changes in it
  }

  document.addEventListener("click", async (event) => {
    const anchor = event.target.closest(".anchor");
    if (!anchor || event.ctrlKey || event.metaKey || event.shiftKey) return;
    try {
      await navigator.clipboard.writeText(anchor.href);
    } catch { return; }  // not allowed, or no https: the link has still put the section into the address
    const words = anchor.closest("[data-copied]").dataset.copied;
    document.getElementById("copied").textContent = "";
    requestAnimationFrame(() => { document.getElementById("copied").textContent = words; });
    anchor.dataset.copied = words;
    setTimeout(() => { delete anchor.dataset.copied; }, 2000);
  });
})();
