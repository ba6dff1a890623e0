// Unpacks what the page holds compressed, when a reader asks for it: a line
// that is opened, or a flow that an address leads to. It fetches nothing.
"use strict";
const unpacked = new Map();

// unpack returns the parts of a pack by their ids.
function unpack(pack) {
  if (!unpacked.has(pack)) {
    const packed = Uint8Array.from(atob(document.getElementById("pack-" + pack).textContent), (c) => c.charCodeAt(0));
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

function reveal() {
  const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (row && row.matches("details.flow")) row.open = true;
}

document.addEventListener("toggle", (event) => { if (event.target.open) fill(event.target); }, true);
addEventListener("hashchange", reveal);
reveal();
