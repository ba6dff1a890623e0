// Shows exchanges as they come. Everything that is inserted was escaped by the server.
const list = document.getElementById("exchanges");
const state = document.getElementById("live");
let waiting;
// Shows anew how far the messages that were sent have come.
async function renew() {
  const page = new DOMParser().parseFromString(await (await fetch("/")).text(), "text/html");
  document.getElementById("sent")?.replaceWith(page.getElementById("sent"));
}
if (list) {
  const events = new EventSource("/events?after=" + list.dataset.last);
  events.onopen = () => { state.textContent = "live"; };
  events.onerror = () => { state.textContent = "not connected"; };
  events.onmessage = (event) => {
    document.getElementById("none")?.remove();
    list.insertAdjacentHTML("afterbegin", JSON.parse(event.data));
    clearTimeout(waiting);
    waiting = setTimeout(renew, 300);
    if (list.firstElementChild.dataset.login) { document.getElementById("stale").hidden = false; }
  };
}
const message = document.getElementById("message"), stimulus = document.getElementById("stimulus"), does = document.getElementById("does");
function fit() {
  for (const option of stimulus.options) {
    const fits = option.value === "" || option.dataset.message === message.value;
    option.hidden = option.disabled = !fits;
    if (!fits && option.selected) { stimulus.value = ""; }
  }
  does.textContent = stimulus.selectedOptions[0]?.dataset.does || "Nothing differs from a valid message.";
}
if (message) {
  message.addEventListener("change", fit);
  stimulus.addEventListener("change", fit);
  fit();
}
