/* What the widget's frame keeps: the conversation of somebody whom the site has identified (`known`), and one begun
   without a name (`anon`); each {id, token, seen}, `known` also {who}. In the frame's own storage, which browsers part by
   the site around it; where storage is forbidden in window.name, which lasts as long as the frame. */
"use strict";
window.Store = (() => {
  const KEY = "widget";

  function read() {
    try { return JSON.parse(localStorage.getItem(KEY)) || {}; } catch { /* storage is off */ }
    try { return JSON.parse(window.name) || {}; } catch { return {}; }
  }
  function write(kept) {
    try {
      localStorage.setItem(KEY, JSON.stringify(kept));
    } catch { window.name = JSON.stringify(kept); }
  }
  return {
    key: KEY,
    /** The conversation in a place ("known" or "anon"), if there is one. */
    get: (place) => (read()[place]?.id ? read()[place] : undefined),
    put: (place, entry) => write({ ...read(), [place]: entry }),
    drop: (place) => write({ ...read(), [place]: undefined }),
    clear: () => write({}),
    /** The `sub` of an identity, unchecked: good for telling people apart in this browser, and for nothing else. */
    who(identity) {
      try {
        const part = identity.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
        const bytes = Uint8Array.from(atob(part), (char) => char.charCodeAt(0));
        return String(JSON.parse(new TextDecoder().decode(bytes)).sub || "");
      } catch { return ""; }
    },
  };
})();

/* The channel to the page around the frame: only of a site that the server names, and of the window above this one. */
window.Host = (() => {
  const { origins } = JSON.parse(document.getElementById("widget").textContent);
  const isFramed = window.parent !== window;
  let port = null, origin = "";

  /** The site's first word, {identity, isOpen, forgets}; at once with nothing of it when this page stands alone. */
  const hello = new Promise((resolve) => {
    if (!isFramed) return resolve({ identity: "", isOpen: true, forgets: false });
    addEventListener("message", (event) => {
      const isOurs = event.source === window.parent && origins.includes(event.origin) && event.data?.support === "hello";
      if (port || !isOurs || !event.ports[0]) return;
      port = event.ports[0];
      origin = event.origin;
      resolve(event.data);
    });
    window.parent.postMessage({ support: "ready" }, "*");  // says nothing but that it is here; the answer is checked
  });
  return {
    isFramed, hello,
    origin: () => origin,
    tell: (message) => port?.postMessage(message),
    listen(listener) { if (port) port.onmessage = ({ data }) => listener(data); },
  };
})();
