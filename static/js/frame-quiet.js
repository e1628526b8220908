/* The widget's frame while nobody looks: it counts what came since, and tells the page around it. No socket, one cheap
   request now and then. */
"use strict";
(async () => {
  const EVERY = 30000;
  const hello = await Host.hello;
  if (hello.forgets) forget();
  let identity = hello.identity;
  Host.listen((message) => {
    if (message.type === "identify") {
      identity = message.identity;
      look();
    }
    if (message.type === "logout") forget();
  });
  document.addEventListener("visibilitychange", look);
  setInterval(look, EVERY);
  look();

  function forget() {
    Store.clear();
    Host.tell({ type: "conversation", exists: false });
  }
  /* Whose conversation this is: somebody identified sees their own, nobody sees that of somebody. */
  function place() {
    const known = Store.get("known");
    return known && identity && known.who === Store.who(identity) ? "known" : "anon";
  }
  async function look() {
    if (document.hidden) return;
    const entry = Store.get(place());
    if (!entry) return Host.tell({ type: "unread", count: 0 });
    const answer = await fetch(`/api/v1/conversations/${entry.id}/events?after=${entry.seen || 0}&limit=100`, {
      headers: { Authorization: `Bearer ${entry.token}` },
      credentials: "omit",
    }).catch(() => null);
    if (!answer) return;
    if (answer.status === 401 || answer.status === 404) {
      Store.drop(place());
      Host.tell({ type: "conversation", exists: Boolean(Store.get("known") || Store.get("anon")) });
    }
    if (!answer.ok) return;
    const { events } = await answer.json();
    const theirs = events.filter(({ type, message }) => type === "message" && ["assistant", "staff"].includes(message.role));
    Host.tell({ type: "unread", count: theirs.length });
  }
})();
