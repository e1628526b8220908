/* Spot checks by keys alone: 1, 2, 3 choose, Enter keeps. What is typed into a field stays typed. */
"use strict";
(() => {
  const form = document.querySelector("form[data-keys]");
  if (!form) return;
  const choices = [...form.querySelectorAll('input[type="radio"]')];
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const at = event.target;
    if (at.matches('input:not([type="radio"]), textarea, select, [contenteditable]')) return;
    const choice = choices[Number(event.key) - 1];
    if (choice) {
      event.preventDefault();
      choice.checked = true;
      choice.focus({ preventScroll: true });
    } else if (event.key === "Enter" && !at.closest("a, button, summary") && choices.some((one) => one.checked)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  form.addEventListener("submit", (event) => {  // two presses are one
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => delete form.dataset.sent);
})();
