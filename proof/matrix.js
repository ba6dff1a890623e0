// Shows the rows that a search finds, and the columns in which these differ from what passed. Where
// a proof is of a few faults, it has the columns alone that some of them turn.
"use strict";
const search = document.getElementById("q"), shown = document.getElementById("shown");
const table = document.querySelector("table"), rows = [...table.tBodies[0].rows], heads = [...table.tHead.rows[0].cells];
const fixed = 6, turned = (cell) => /failed|warned|errored|wrong/.test(cell.className);
const texts = rows.map((row) => [...row.cells].map((cell, i) =>
  i < fixed ? cell.textContent : turned(cell) ? heads[i].textContent + " " + cell.title : "").join(" ").toLowerCase());
const style = document.head.appendChild(document.createElement("style"));

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const columns = new Set(), narrow = words.length || rows.length < 50;
  let n = 0;
  rows.forEach((row, i) => {
    row.hidden = words.some((word) => !texts[i].includes(word));
    if (row.hidden) return;
    n++;
    if (narrow) [...row.cells].forEach((cell, k) => { if (turned(cell)) columns.add(k); });
  });
  const left = narrow ? heads.map((_, k) => k).filter((k) => k >= fixed && !columns.has(k)) : [];
  style.textContent = left.map((k) => `tr > :nth-child(${k + 1})`).join(",") + (left.length ? "{display:none}" : "");
  shown.textContent = `${n} of ${rows.length} subjects`;
  history.replaceState(null, "", "#" + (search.value ? new URLSearchParams({ q: search.value }) : ""));
}

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== search) { event.preventDefault(); search.focus(); }
});
search.addEventListener("input", filter);
search.value = new URLSearchParams(location.hash.slice(1)).get("q") || "";
search.parentElement.hidden = false;
filter();
