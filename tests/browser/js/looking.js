/* What a person would see or reach, asked of a page in a browser. Used by tests/browser/looking.py; never shipped. */
window.looking = (() => {
  const WORKED = 'a[href], area[href], button, input:not([type="hidden"]), select, textarea, summary, [role="button"], [role="option"], [tabindex="0"]';
  const SPACE = 24;
  const drawn = (one) => {
    const style = getComputedStyle(one);
    return one.checkVisibility({ checkVisibilityCSS: true }) && style.clipPath !== "inset(50%)" && !one.closest(".visually-hidden, [inert]");
  };
  const name = (one) => {
    const words = (one.getAttribute("aria-label") || one.innerText || one.textContent || one.value || one.name || "").trim().replace(/\s+/g, " ").slice(0, 40);
    return `${one.localName}${one.id ? `#${one.id}` : one.classList[0] ? `.${one.classList[0]}` : ""} "${words}"`;
  };
  /* A field's label is worked as the field is: together they are one target. */
  const box = (one) => {
    const boxes = [one, ...(one.labels || [])].filter(drawn).map((part) => part.getBoundingClientRect()).filter((part) => part.width && part.height);
    if (!boxes.length) return null;
    const largest = boxes.sort((a, b) => b.width * b.height - a.width * a.height)[0];
    return { x: largest.x, y: largest.y, width: largest.width, height: largest.height };
  };
  /* A link within a sentence: its line is as high as the words round it. */
  const inSentence = (one) => {
    if (!(one instanceof HTMLElement) || getComputedStyle(one).display !== "inline") return false;
    const around = one.parentElement.innerText.trim();
    return around.length > one.innerText.trim().length;
  };
  const middle = (at) => [at.x + at.width / 2, at.y + at.height / 2];
  const touches = ([x, y], radius, at) => {
    const dx = Math.max(at.x - x, 0, x - at.x - at.width), dy = Math.max(at.y - y, 0, y - at.y - at.height);
    return dx * dx + dy * dy < radius * radius;
  };

  /* WCAG 2.5.8: 24 by 24, but for links within sentences, and for what has 24 to itself. A chart's columns are told again,
     and larger, in the table below it. */
  function small(least = SPACE) {
    const all = [...document.querySelectorAll(WORKED)].filter((one) => one instanceof HTMLElement && drawn(one) && !one.disabled).map((one) => ({ one, at: box(one) })).filter(({ at }) => at);
    const under = ({ at }) => at.width < least - 0.5 || at.height < least - 0.5;
    return all.filter(under).filter(({ one }) => !inSentence(one)).filter(({ one, at }) => least > SPACE || all.some((other) => {
      if (other.one === one || other.one.contains(one) || one.contains(other.one)) return false;
      if (under(other)) {
        const [ax, ay] = middle(at), [bx, by] = middle(other.at);
        return Math.hypot(ax - bx, ay - by) < SPACE;
      }
      return touches(middle(at), SPACE / 2, other.at);
    })).map(({ one, at }) => `${name(one)} ${Math.round(at.width)}x${Math.round(at.height)}`);
  }

  /* What makes the page wider than the window; tables and code may scroll by themselves. */
  function wide() {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const scrolls = (one) => {
      for (let up = one.parentElement; up && up !== document.body; up = up.parentElement) if (getComputedStyle(up).overflowX !== "visible") return true;
      return false;
    };
    return [...document.body.querySelectorAll("*")].filter((one) => drawn(one) && one.getBoundingClientRect().right > width + 1 && !scrolls(one))
      .slice(-3).map((one) => `${name(one)} to ${Math.round(one.getBoundingClientRect().right)}`).concat(`page ${document.documentElement.scrollWidth}`);
  }

  /* Words that are cut: in a box that neither scrolls nor says by an ellipsis that there is more. */
  function cut() {
    return [...document.body.querySelectorAll("*")].filter((one) => {
      if (!drawn(one) || !one.innerText?.trim() || ["svg", "SELECT", "OPTION"].includes(one.nodeName)) return false;
      const style = getComputedStyle(one);
      const [x, y] = [style.overflowX, style.overflowY].map((how) => ["hidden", "clip"].includes(how));
      if (style.textOverflow === "ellipsis" || one.scrollHeight < 4) return false;
      return (x && one.scrollWidth > one.clientWidth + 2) || (y && one.scrollHeight > one.clientHeight + 3);
    }).map((one) => `${name(one)} ${one.scrollWidth}x${one.scrollHeight} in ${one.clientWidth}x${one.clientHeight}`);
  }

  /* ---- colours ---- */

  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const contrast = (one, other) => {
    const [high, low] = [light(rgba(one)), light(rgba(other))].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const ground = (one) => {
    for (let up = one; up; up = up.parentElement) {
      const colour = getComputedStyle(up).backgroundColor;
      if (rgba(colour)[3] > 250) return colour;
    }
    return getComputedStyle(document.documentElement).colorScheme.includes("dark") && matchMedia("(prefers-color-scheme: dark)").matches ? "black" : "white";
  };

  /* ---- where the focus is ---- */

  const ringOf = (one) => {
    const style = getComputedStyle(one);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1 ? { colour: style.outlineColor, width: parseFloat(style.outlineWidth), offset: parseFloat(style.outlineOffset) } : null;
  };
  /* The element in focus: its name, whether a ring shows it, and what lies over it. */
  function focus() {
    const one = document.activeElement;
    if (!one || one === document.body || one === document.documentElement) return null;
    const at = one.getBoundingClientRect();
    const shown = [one, one.nextElementSibling, one.closest("label"), one.parentElement].filter(Boolean).find(ringOf);
    const ring = shown && ringOf(shown);
    const outside = ring && (ring.offset >= 0 ? shown.parentElement || shown : shown);
    const points = [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.15], [0.5, 0.85]]
      .map(([x, y]) => [at.left + at.width * x, at.top + at.height * y]).filter(([x, y]) => x >= 0 && y >= 0 && x < innerWidth && y < innerHeight);
    const mine = (top) => top && (one.contains(top) || top.contains(one) || [...(one.labels || [])].some((label) => label.contains(top)));
    const all = [...document.querySelectorAll("*")];
    return {
      name: name(one), id: one.id, index: all.indexOf(one), x: Math.round(at.left), y: Math.round(at.top + scrollY), scrolls: Boolean(one.closest("#scroll, .thread-scroll, #rows-scroll")),
      ring: ring ? { width: ring.width, contrast: Math.round(contrast(ring.colour, ground(outside)) * 100) / 100 } : null,
      inSight: points.some(([x, y]) => mine(document.elementFromPoint(x, y))),
      over: points.length ? [...new Set(points.map(([x, y]) => document.elementFromPoint(x, y)).filter((top) => top && !mine(top)).map(name))] : ["outside the window"],
    };
  }

  /* Names of what still moves: every animation and transition that takes longer than 10 ms. */
  function moving() {
    const ms = (times) => Math.max(...times.split(",").map((time) => parseFloat(time) * (time.trim().endsWith("ms") ? 1 : 1000)));
    return [...document.querySelectorAll("*")].filter((one) => ["", "::before", "::after"].some((part) => {
      const style = getComputedStyle(one, part || null);
      return (style.animationName !== "none" && ms(style.animationDuration) > 10) || (style.transitionProperty !== "none" && ms(style.transitionDuration) > 10) || style.scrollBehavior === "smooth";
    })).map(name);
  }

  /* Controls without an edge, words or picture of their own: in forced colours grounds are gone. What a chart draws stays. */
  function unseen() {
    return [...document.querySelectorAll(WORKED)].filter((one) => one instanceof HTMLElement && drawn(one)).filter((one) => {
      const parts = [one, ...one.querySelectorAll("*"), one.nextElementSibling].filter(Boolean);
      const hasEdge = parts.some((part) => {
        const style = getComputedStyle(part);
        return ["Top", "Bottom", "Left", "Right"].some((side) => style[`border${side}Style`] !== "none" && parseFloat(style[`border${side}Width`]) > 0 && contrast(style[`border${side}Color`], ground(part)) >= 3);
      });
      const hasPicture = parts.some((part) => part.localName === "svg" || part.localName === "img");
      return !hasEdge && !hasPicture && !one.innerText?.trim() && !one.value && !["checkbox", "radio"].includes(one.type);
    }).map(name);
  }
  return { small, wide, cut, focus, moving, unseen, contrast };
})();
