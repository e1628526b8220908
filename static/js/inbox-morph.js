/* Brings what stands in the page to what the server sent, node by node: what has not changed stays where it is, with its
   focus, scroll and selection. Elements with an id are recognised by it; [data-keep] keeps its content, a field what was
   typed or ticked, a [data-own] select its choice, a <details> whether it is open. */
"use strict";
window.InboxMorph = (() => {
  const OWN = new Set(["open", "data-shown"]);  // attributes that are the page's, not the server's

  function attributes(from, to) {
    for (const { name, value } of to.attributes) if (!OWN.has(name) && from.getAttribute(name) !== value) from.setAttribute(name, value);
    for (const { name } of [...from.attributes]) if (!OWN.has(name) && !to.hasAttribute(name)) from.removeAttribute(name);
  }
  const isSame = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName && (one.id || "") === (other.id || "");

  function children(from, to) {
    const known = new Map([...from.children].filter((one) => one.id).map((one) => [one.id, one]));
    let at = from.firstChild;
    for (const wanted of [...to.childNodes]) {
      let found = wanted.id ? known.get(wanted.id) : at && !at.id && isSame(at, wanted) ? at : null;
      if (found && !isSame(found, wanted)) found = null;
      if (!found) {
        from.insertBefore(wanted, at);
        continue;
      }
      known.delete(wanted.id);
      if (found === at) at = at.nextSibling;
      else if (from.moveBefore) from.moveBefore(found, at);  // keeps the focus
      else from.insertBefore(found, at);
      node(found, wanted);
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }
  function node(from, to) {
    if (from.nodeType !== Node.ELEMENT_NODE) {
      if (from.data !== to.data) from.data = to.data;
      return;
    }
    if (from.isEqualNode(to)) return;
    if (from.hasAttribute("data-keep")) return;
    const chosen = from.value, wanted = to.value;
    attributes(from, to);
    children(from, to);
    if (from.nodeName === "SELECT" && from !== document.activeElement) from.value = from.hasAttribute("data-own") ? chosen : wanted;
  }
  return { children };
})();
