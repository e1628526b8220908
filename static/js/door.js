/* How the page's scripts reach the server, and what they keep where: by the browser's cookie, unless the widget's frame,
   which has none, said otherwise before (frame.js). */
"use strict";
window.Door = {
  store: "chat.",  // what begins the names of things kept in the browser
  /** The headers that prove a request of ours to come from this page: its token, or that it is no other site's. */
  authorize(headers = {}) {
    const { token, csrf } = document.getElementById("chat").dataset;
    return { ...headers, ...(token ? { Authorization: `Bearer ${token}` } : { "X-CSRFToken": csrf }) };
  },
  /** Whether nobody can see the page although its tab is shown. */
  isHidden: () => false,
  /** Begin a conversation: {id}; raises an Error with a sentence, or a TypeError when the network is away. */
  async start() {
    const answer = await fetch("/chat/start/", { method: "POST", headers: Door.authorize() });
    if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).message || Words.get("not_started"));
    return answer.json();
  },
  /** The conversation goes on in another: {id, token}. */
  moved: () => location.assign("/"),
  ...window.Door,
};
