/* What a shop's own script does with the widget: it says who is signed in, and hears what happens. The identity is signed
   by the shop's server; when it has expired the shop asks for another. */
"use strict";
window.SupportChat ||= function (...call) { (window.SupportChat.q ||= []).push(call); };
(() => {
  const people = document.getElementById("people"), told = document.getElementById("told");
  let last = null;

  async function identify(button) {
    const fields = new FormData(people);
    fields.set("as", button.value);
    const answer = await fetch(people.action, { method: "POST", body: fields });
    if (!answer.ok) return;
    last = button;
    document.getElementById("who").textContent = `${button.textContent} is signed in here.`;
    window.SupportChat("identify", (await answer.json()).identity);
  }
  people.addEventListener("submit", (event) => {
    event.preventDefault();
    identify(event.submitter);
  });
  document.getElementById("leave").addEventListener("click", () => {
    last = null;
    document.getElementById("who").textContent = "Nobody is signed in here.";
    window.SupportChat("logout");
  });
  for (const select of document.querySelectorAll("select")) {
    select.value = new URLSearchParams(location.search).get(select.name) || select.value;
  }
  for (const name of ["ready", "open", "close", "unread", "identified", "error"]) {
    window.SupportChat("on", name, (detail) => {
      told.textContent = [name, detail?.code ?? detail].filter((part) => part !== undefined).join(" ");
      if (detail?.code === "identity_expired" && last) identify(last);
    });
  }
})();
