/* Passkeys: hands the browser what the server asks for, and posts what it answers. Forms carry data-passkey="get|create". */
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const withIds = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  function read(options) {
    const wanted = { ...options.publicKey, challenge: bytes(options.publicKey.challenge) };
    if (wanted.user) wanted.user = { ...wanted.user, id: bytes(wanted.user.id) };
    if (wanted.excludeCredentials) wanted.excludeCredentials = withIds(wanted.excludeCredentials);
    if (wanted.allowCredentials) wanted.allowCredentials = withIds(wanted.allowCredentials);
    return { publicKey: wanted };
  }

  function written(credential) {
    const response = { clientDataJSON: text(credential.response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = text(credential.response[name]);
    }
    return {
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      clientExtensionResults: credential.getClientExtensionResults(),
      response,
    };
  }

  async function optionsOf(form) {
    if (!form.dataset.options) return JSON.parse(document.getElementById("passkey-options").textContent);
    const answer = await fetch(form.dataset.options, { headers: { "X-Requested-With": "XMLHttpRequest" } });
    if (!answer.ok) throw new Error("busy");
    return (await answer.json()).request_options;
  }

  async function ask(form) {
    const said = form.querySelector(".said");
    said.textContent = "";
    try {
      const credential = await navigator.credentials[form.dataset.passkey](read(await optionsOf(form)));
      form.elements.credential.value = JSON.stringify(written(credential));
      form.submit();
    } catch (error) {
      said.textContent =
        error.name === "InvalidStateError" ? "This device already has a passkey here."
        : error.name === "SecurityError" ? "Passkeys need https and a host name, not a number."
        : error.name === "NotAllowedError" ? "Nothing was chosen. Try again."
        : "That did not work. Try again, or take another way.";
    }
  }

  for (const form of document.querySelectorAll("[data-passkey]")) {
    if (!window.PublicKeyCredential) {
      form.querySelector(".said").textContent = "This browser has no passkeys, or the address is not https.";
      continue;
    }
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask(form);
    });
  }
})();
