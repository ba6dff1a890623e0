// Shows what the page holds compressed when a reader asks for it, filters and sorts what was
// judged, and goes from failure to failure. It fetches nothing.
"use strict";
const unpacked = new Map();
const byID = (id) => document.getElementById(id);

// unpack returns the parts of a pack by their ids.
function unpack(pack) {
  if (!unpacked.has(pack)) {
    const packed = Uint8Array.from(atob(byID("pack-" + pack).textContent), (c) => c.charCodeAt(0));
    unpacked.set(pack, new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).json());
  }
  return unpacked.get(pack);
}

// fill shows what is behind a line. The parts are written as the page itself is: what a
// subject has sent is escaped in them, and the page's policy runs no other script.
async function fill(row) {
  const pack = row.dataset.pack;
  if (!pack) return;
  delete row.dataset.pack;
  try {
    const parts = await unpack(pack);
    while (row.lastElementChild.localName !== "summary") row.lastElementChild.remove();
    row.insertAdjacentHTML("beforeend", parts[row.id]);
    addButtons(row);
    for (const use of row.querySelectorAll("use")) await draw(document.querySelector(use.getAttribute("href")));
  } catch (problem) {
    row.append("This browser cannot unpack it, but results.json has it: " + problem);
  }
}

async function draw(picture) {
  const pack = picture.dataset.pack;
  if (!pack) return;
  delete picture.dataset.pack;
  picture.setAttribute("href", "data:image/jpeg;base64," + (await unpack(pack))[picture.id]);
}

// show opens what an id names and all that it is within.
async function show(id) {
  let at = byID(id);
  if (!at && id.startsWith("flow-")) { // an exchange of a flow that is packed
    const flow = byID(id.slice(0, id.lastIndexOf("-")));
    if (flow) { await fill(flow); at = byID(id); }
  }
  if (!at) return;
  for (let box = at; box; box = box.parentElement) if (box.localName === "details") { box.open = true; await fill(box); }
  const row = at.closest("details.requirement");
  if (row && row.hidden) clear();
  at.scrollIntoView({ block: "start" });
}

// Copying, and saving a flow.
function button(text, does) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", does);
  return made;
}

async function copy(text, from) {
  try { await navigator.clipboard.writeText(text); } catch {
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  if (!from) return;
  const was = from.textContent;
  from.textContent = "copied";
  setTimeout(() => { from.textContent = was; }, 1200);
}

function addButtons(within) {
  for (const text of within.querySelectorAll(".copy:not([data-ready])")) {
    text.dataset.ready = "";
    text.after(" ", button("copy", (event) => copy(text.textContent, event.target)));
  }
  for (const har of within.querySelectorAll("button.har[hidden]")) {
    har.hidden = false;
    har.addEventListener("click", async () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([(await unpack(har.dataset.pack))[har.id]], { type: "application/json" }));
      link.download = har.id.slice(4) + ".har";
      link.click();
      URL.revokeObjectURL(link.href);
    });
  }
}

// The filter. Its state is the address's fragment, as in #verdict=failed&q=nonce.
const list = byID("list"), rows = [...list.children], flows = [...document.querySelectorAll("#evidence > .flow")];
const choices = ["verdict", "level", "profile", "side", "agent"], fields = ["q", ...choices, "sort"];
const texts = new Map();
const textOf = (row) => texts.get(row) || (texts.set(row, row.textContent.toLowerCase()), texts.get(row));
const valuesOf = (row, of) => (row.dataset[of] || "").split("|").filter(Boolean);

for (const of of choices) {
  const values = [...new Set(rows.flatMap((row) => valuesOf(row, of)))];
  for (const value of values) byID(of).add(new Option(value, value));
  if (values.length < 2) byID(of).parentElement.hidden = true;
}

function filter() {
  const wanted = byID("q").value.toLowerCase().split(/\s+/).filter(Boolean);
  let n = 0;
  for (const row of rows) {
    row.hidden = choices.some((of) => byID(of).value && !valuesOf(row, of).includes(byID(of).value)) ||
      wanted.some((word) => !textOf(row).includes(word));
    if (!row.hidden) n++;
  }
  for (const flow of flows) flow.hidden = wanted.some((word) => !textOf(flow).includes(word));
  const by = byID("sort").value, rank = { MUST: "0", SHOULD: "1", MAY: "2" };
  const key = (row) => by === "id" ? row.id : by === "level" ? rank[row.dataset.level] || "3" : by ? row.dataset[by] : "";
  rows.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.dataset.at - b.dataset.at));
  if (rows.some((row, i) => row !== list.children[i])) list.append(...rows);
  byID("shown").textContent = n === rows.length ? `${n} requirements` : `${n} of ${rows.length} requirements`;
}

function store() {
  const state = new URLSearchParams();
  for (const field of fields) if (byID(field).value) state.set(field, byID(field).value);
  history.replaceState(null, "", "#" + state);
  filter();
}

function clear() {
  for (const field of fields) byID(field).value = "";
  filter();
}

// follow does what the fragment says: a filter, or the place of something.
function follow() {
  const hash = location.hash.slice(1);
  if (hash.includes("=")) {
    const state = new URLSearchParams(hash);
    for (const field of fields) byID(field).value = state.get(field) || "";
    filter();
  } else if (hash) {
    let id = hash;
    try { id = decodeURIComponent(hash); } catch { /* it is no address of this page */ }
    show(id);
  }
}

// From failure to failure, and all at once.
const seen = (row) => !row.hidden && ["failed", "errored"].includes(row.dataset.verdict);
let current = null;
function step(by) {
  const failures = rows.filter(seen);
  if (!failures.length) return;
  const at = failures.indexOf(current);
  current = failures[(at < 0 ? (by > 0 ? 0 : failures.length - 1) : at + by + failures.length) % failures.length];
  current.open = true;
  current.scrollIntoView({ block: "start" });
  current.querySelector("summary").focus({ preventScroll: true });
}

function expandAll() {
  const boxes = rows.filter((row) => !row.hidden).flatMap((row) => [row, ...row.querySelectorAll(".observation")]);
  const open = boxes.some((box) => !box.open);
  for (const box of boxes) box.open = open;
  byID("all").textContent = open ? "Collapse all" : "Expand all";
}

const keys = {
  "/": () => byID("q").focus(), n: () => step(1), p: () => step(-1), e: expandAll, x: () => { clear(); store(); },
  c: () => {
    const row = document.activeElement.closest("details.requirement") || current || rows.find((row) => row.open && !row.hidden);
    if (row) copy([...row.querySelectorAll(".copy")].at(-1).textContent, row.querySelector("button:last-of-type"));
  },
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || /^(input|select|textarea)$/.test(event.target.localName)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
});
document.addEventListener("toggle", (event) => { if (event.target.open) fill(event.target); }, true);
for (const field of fields) byID(field).addEventListener(field === "q" ? "input" : "change", store);
for (const count of document.querySelectorAll("a[data-verdict]")) {
  count.addEventListener("click", (event) => {
    event.preventDefault();
    clear();
    byID("verdict").value = count.dataset.verdict;
    store();
    byID("requirements").scrollIntoView();
  });
}
byID("next").addEventListener("click", () => step(1));
byID("all").addEventListener("click", expandAll);
byID("filter").hidden = byID("keys").hidden = false;
addButtons(document);
filter();
addEventListener("hashchange", follow);
follow();
