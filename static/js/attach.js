/* Images for the next message: chosen, pasted or dropped, uploaded at once, and taken along when it is sent. Previews are
   drawn on canvas, so that the page's policy need not allow blob: addresses. */
"use strict";
window.Attach = (() => {
  const $ = (id) => document.getElementById(id);
  const chat = $("chat"), list = $("attached"), input = $("files");
  const TYPES = ["image/png", "image/jpeg", "image/webp"];
  const MOST = Number(input.dataset.most), MAX_BYTES = Number(input.dataset.bytes), SIDE = 128;
  let items = [];  // {file, name, id, done: Promise<bool>, failed, row}
  let begin = () => Promise.resolve(true);

  const complain = (words) => { $("alert").textContent = words; };

  /* ---- choosing ---- */

  function add(files) {
    complain("");
    const refused = [];
    for (const file of files) {
      if (!TYPES.includes(file.type)) refused.push(Words.get("image_kind", { name: file.name }));
      else if (file.size > MAX_BYTES) refused.push(Words.get("image_size", { name: file.name, size: (file.size / 1048576).toFixed(1), most: MAX_BYTES / 1048576 }));
      else if (items.length >= MOST) {
        refused.push(Words.get("image_many", { most: MOST }));
        break;
      } else take({ file, name: file.name || Words.get("image"), id: "", failed: false });
    }
    if (refused.length) complain(refused.join(" "));
  }
  function take(item) {
    items.push(item);
    draw(item);
    upload(item);
    changed();
  }
  $("attach").hidden = false;
  $("attach").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    add(input.files);
    input.value = "";  // the same file may be chosen again
    $("text").focus();
  });
  $("text").addEventListener("paste", (event) => {
    const files = [...event.clipboardData?.files || []].filter((file) => file.type.startsWith("image/"));
    if (!files.length) return;
    if (!event.clipboardData.getData("text/plain")) event.preventDefault();
    add(files);
  });
  const carriesFiles = (event) => [...event.dataTransfer?.types || []].includes("Files");
  let inside = 0;
  for (const [name, step] of [["dragenter", 1], ["dragleave", -1]]) {
    addEventListener(name, (event) => {
      if (!carriesFiles(event)) return;
      inside += step;
      chat.classList.toggle("dropping", inside > 0);
    });
  }
  addEventListener("dragover", (event) => { if (carriesFiles(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    inside = 0;
    chat.classList.remove("dropping");
    if (!carriesFiles(event)) return;
    event.preventDefault();
    add(event.dataTransfer.files);
    $("text").focus();
  });

  /* ---- uploading ---- */

  function upload(item) {
    item.failed = false;
    state(item);
    item.done = begin().then((begun) => begun && sent(item)).then((answer) => {
      item.id = answer?.id || "";
      item.failed = !item.id;
      item.why = answer?.detail || Words.get("image_failed", { name: item.name });
      state(item);
      changed();
      return !item.failed;
    });
  }
  /* The server's answer, or null when there was none. XMLHttpRequest, because fetch tells no progress. */
  function sent(item) {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest(), form = new FormData();
      form.append("file", item.file, item.file.name || "image");
      request.open("POST", `/api/v1/conversations/${chat.dataset.conversation}/attachments`);
      for (const [name, value] of Object.entries(Door.authorize())) request.setRequestHeader(name, value);
      request.upload.addEventListener("progress", (event) => progress(item, event.loaded / event.total));
      request.addEventListener("loadend", () => {
        try { resolve(JSON.parse(request.responseText)); } catch { resolve(null); }
      });
      item.request = request;
      request.send(form);
    });
  }

  /* ---- what is shown of it ---- */

  function draw(item) {
    const row = document.createElement("li"), name = document.createElement("span"), bar = document.createElement("progress");
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    canvas.setAttribute("aria-hidden", "true");
    name.className = "name";
    name.textContent = item.name;
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", Words.get("image_uploading", { name: item.name }));
    const note = document.createElement("span");
    note.className = "error small";
    const again = button(Words.get("image_again"), `${Words.get("image_again")}: ${item.name}`, () => upload(item));
    const remove = button("×", Words.get("image_remove", { name: item.name }), () => drop(item));
    remove.classList.add("remove");
    row.append(canvas, name, bar, note, again, remove);
    Object.assign(item, { row, canvas, bar, note, again });
    list.append(row);
    if (item.file) createImageBitmap(item.file).then((picture) => paint(canvas, picture)).catch(() => {});
  }
  function button(label, spoken, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "button quiet small";
    made.textContent = label;
    made.setAttribute("aria-label", spoken);
    made.addEventListener("click", act);
    return made;
  }
  function paint(canvas, picture) {
    const share = Math.max(SIDE / picture.width, SIDE / picture.height);
    const [width, height] = [picture.width * share, picture.height * share];
    canvas.getContext("2d").drawImage(picture, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
    picture.close();
  }
  function progress(item, part) {
    item.bar.value = part;
  }
  function state(item) {
    item.bar.hidden = Boolean(item.id) || item.failed;
    item.again.hidden = !item.failed;
    item.note.textContent = item.failed ? item.why : "";
    item.row.dataset.state = item.failed ? "failed" : item.id ? "ready" : "uploading";
  }
  function drop(item) {
    item.request?.abort();
    items = items.filter((one) => one !== item);
    item.row.remove();
    changed();
    $("text").focus();
  }
  function changed() {
    list.hidden = !items.length;
    list.dispatchEvent(new Event("changed"));
  }

  return {
    /** `start` begins a conversation when there is none: a promise of whether there is one. */
    onBegin(start) { begin = start; },
    get count() { return items.length; },
    /** Everything chosen, for a message; the list is empty then. */
    take() {
      const taken = items;
      items = [];
      list.replaceChildren();
      changed();
      return taken;
    },
    /** Back into the list, when a message is edited. */
    put(taken) {
      for (const item of taken.slice(0, MOST - items.length)) {
        items.push(item);
        item.canvas.setAttribute("aria-hidden", "true");
        item.row.prepend(item.canvas);  // from the message it was shown in
        list.append(item.row);
      }
      changed();
    },
    /** Uploaded before and not sent: from an earlier view of this page, which has no previews of them any more. */
    kept: (files) => files.map(({ id, name }) => {
      const item = { id, name, failed: false, done: Promise.resolve(true) };
      draw(item);
      state(item);
      return item;
    }),
    upload,
  };
})();
