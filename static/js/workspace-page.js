/* The preview follows what is typed, the contrast is said at once, and leaving with changes asks first. Without this
   script the Preview button shows the same. */
(() => {
  "use strict";
  const form = document.getElementById("workspace");
  if (!form) return;
  const PAUSE = 250;
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  let waiting = 0, asked = 0;

  async function colour() {
    const number = ++asked;
    const typed = { accent: form.elements.accent.value, accent_dark: form.elements.accent_dark.value };
    const answer = await fetch(`${form.dataset.shades}?${new URLSearchParams(typed)}`).catch(() => null);
    if (!answer?.ok || number !== asked) return;
    const { css, problems } = await answer.json();
    sheet.replaceSync(css);
    for (const name of Object.keys(typed)) {
      const place = form.querySelector(`[data-problem="${name}"]`);
      place.textContent = problems[name] || "";
      place.hidden = !problems[name];
      place.closest(".field").classList.toggle("is-wrong", name in problems);
    }
  }

  form.addEventListener("input", ({ target }) => {
    form.classList.add("is-changed");
    for (const shown of document.querySelectorAll(`[data-shows="${target.name}"]`)) {
      shown.textContent = target.value;
      shown.hidden = !target.value;
    }
    if (!["accent", "accent_dark"].includes(target.name)) return;
    clearTimeout(waiting);
    waiting = setTimeout(colour, PAUSE);
  });
  form.addEventListener("submit", () => form.classList.remove("is-changed"));
  addEventListener("beforeunload", (event) => { if (form.classList.contains("is-changed")) event.preventDefault(); });
})();
