async (verb, target, value, patience) => {
  // As in read.js: elements with a name hide properties of the document and of
  // forms, the prototypes have the true ones.
  const all = (root, selector) => Array.from((root instanceof Document ? Document : root instanceof DocumentFragment ? DocumentFragment : Element).prototype.querySelectorAll.call(root, selector));
  const attribute = (e, name) => Element.prototype.getAttribute.call(e, name);
  const matches = (e, selector) => Element.prototype.matches.call(e, selector);
  const closest = (e, selector) => Element.prototype.closest.call(e, selector);
  const textOf = Object.getOwnPropertyDescriptor(Node.prototype, "textContent").get;
  const squeeze = s => String(s).replace(/\s+/g, " ").trim();
  const text = e => squeeze(textOf.call(e));
  const started = performance.now();
  const pause = ms => new Promise(done => setTimeout(done, ms));
  const rectOf = e => Array.from(Element.prototype.getClientRects.call(e)).find(r => r.width > 0 && r.height > 0);
  const visible = e => Element.prototype.checkVisibility.call(e, {visibilityProperty: true, contentVisibilityAuto: true}) && rectOf(e) !== undefined;
  const button = "input[type=submit i], input[type=button i], input[type=reset i], input[type=image i]";
  const field = "input:not([type=hidden i]), textarea, select, [contenteditable]:not([contenteditable=false i]), [role=textbox], [role=checkbox], [role=radio], [role=combobox]";

  const roots = root => {
    const found = [root];
    for (let i = 0; i < found.length && found.length < 200; i++) {
      for (const e of all(found[i], "*")) if (e.shadowRoot instanceof ShadowRoot) found.push(e.shadowRoot);
    }
    return found;
  };
  const everywhere = selector => {
    const here = all(document, selector);
    return here.length ? here : roots(document).slice(1).flatMap(root => all(root, selector));
  };

  // rank says how well a text is the words: better ones are smaller.
  const rank = (said, words) => {
    if (said === words) return 0;
    if (said.includes(words)) return 1;
    const [a, b] = [said.toLowerCase(), words.toLowerCase()];
    return a === b ? 2 : a.includes(b) ? 3 : 9;
  };
  const best = found => {
    found.sort((a, b) => a.hidden - b.hidden || a.rank - b.rank || a.kind - b.kind || a.size - b.size || b.order - a.order);
    return found.length ? found[0].element : null;
  };
  const byText = words => {
    const found = [];
    const preferred = "a, button, label, summary, option, [role=button], [role=link], [role=tab], [role=menuitem], " + button;
    for (const root of roots(document)) {
      for (const e of all(root, "*")) {
        if (matches(e, "script, style, noscript, template, head, head *, html, body")) continue;
        const said = matches(e, button) ? squeeze(e.value || attribute(e, "alt") || (matches(e, "[type=submit i]") ? "Submit" : "")) : text(e);
        const r = said ? rank(said, words) : 9;
        if (r < 9) found.push({element: e, rank: r, kind: matches(e, preferred) ? 0 : 1, size: said.length, order: found.length, hidden: visible(e) ? 0 : 1});
      }
    }
    return best(found);
  };
  const byLabel = words => {
    const found = [];
    const bare = s => squeeze(s).replace(/[\s:*]+$/, "");
    const add = (element, said) => {
      if (!element || !said) return;
      const r = Math.min(rank(bare(said), words), rank(squeeze(said), words));
      if (r < 9) found.push({element, rank: r, kind: 0, size: said.length, order: -found.length, hidden: visible(element) ? 0 : 1});
    };
    for (const label of everywhere("label")) add(label.control, text(label));
    for (const e of everywhere(field)) {
      add(e, attribute(e, "aria-label"));
      add(e, attribute(e, "placeholder"));
      for (const id of (attribute(e, "aria-labelledby") || "").split(/\s+/)) {
        const by = id && everywhere("#" + CSS.escape(id))[0];
        if (by) add(e, text(by));
      }
    }
    return best(found);
  };
  const find = () => {
    if (target.startsWith("text=")) return byText(squeeze(target.slice(5)));
    if (target.startsWith("label=")) return byLabel(squeeze(target.slice(6)));
    const found = everywhere(target);
    return found.find(visible) || found[0] || null;
  };

  const named = e => e.localName + (attribute(e, "id") ? "#" + attribute(e, "id") : attribute(e, "class") ? "." + squeeze(attribute(e, "class")).split(" ")[0] : "");
  const control = e => e instanceof HTMLLabelElement && e.control || e;
  const toggle = e => e instanceof HTMLInputElement && /^(radio|checkbox)$/.test(e.type);
  const setter = (proto, name) => Object.getOwnPropertyDescriptor(proto, name).set;
  const changed = e => {
    EventTarget.prototype.dispatchEvent.call(e, new InputEvent("input", {bubbles: true, composed: true, inputType: "insertText", data: value}));
    EventTarget.prototype.dispatchEvent.call(e, new Event("change", {bubbles: true}));
  };
  const inShadowOf = (e, inner) => {
    for (let n = inner; n; n = n.parentNode || n.host) if (n === e) return true;
    return false;
  };
  // hit says what is in the way of a click, if anything.
  const hit = (e, x, y) => {
    const root = Node.prototype.getRootNode.call(e);
    const top = (root instanceof ShadowRoot ? ShadowRoot : Document).prototype.elementFromPoint.call(root, x, y);
    if (!top) return "is outside the window";
    if (inShadowOf(e, top)) return "";
    const around = closest(e, "a, button, label");
    if (around && inShadowOf(around, top)) return "";
    if (e.labels && Array.from(e.labels).some(l => inShadowOf(l, top))) return "";
    return "is covered by " + named(top).slice(0, 100);
  };

  if (verb === "hit") { // of the iframe found before, at a point of its own
    const e = globalThis.frameElementFound;
    const r = Element.prototype.getBoundingClientRect.call(e), style = getComputedStyle(e);
    const x = r.left + e.clientLeft + parseFloat(style.paddingLeft) + value.x, y = r.top + e.clientTop + parseFloat(style.paddingTop) + value.y;
    const why = hit(e, x, y);
    return why ? {why: target + " " + why} : {x, y};
  }

  const ready = async () => {
    if (verb === "wait" && target.startsWith("url=")) {
      return location.href.includes(target.slice(4)) ? {} : {why: "the address is " + location.href.slice(0, 500)};
    }
    let e;
    try {
      e = find();
    } catch (error) {
      return {why: target + " is not a CSS selector", final: true};
    }
    if (!e) return {why: "there is no " + target};
    if (verb === "fill" || verb === "choose") e = control(e);
    if (verb === "choose" && toggle(e)) {
      if (value && e.type === "radio" && e.value !== value) {
        const group = everywhere("input[type=radio i]").filter(o => o.name === e.name && o.form === e.form);
        e = group.find(o => o.value === value) || group.find(o => Array.from(o.labels || []).some(l => text(l) === squeeze(value)));
        if (!e) return {why: target + " has no choice " + value};
      }
      if (!visible(e) && !Array.from(e.labels || []).some(visible)) return {why: target + " is not visible"};
    } else if (verb !== "frame" && !visible(e)) {
      return {why: target + " is not visible"};
    }
    if (verb === "wait") return {};
    if (verb === "frame") {
      if (!/^i?frame$/.test(e.localName)) return {why: target + " is not an iframe: it is " + named(e)};
      globalThis.frameElementFound = e;
      return {element: e};
    }
    if (matches(e, ":disabled") || attribute(e, "aria-disabled") === "true") return {why: target + " is disabled"};
    if (verb === "fill") {
      if (!(e instanceof HTMLTextAreaElement || e.isContentEditable || e instanceof HTMLInputElement && !toggle(e) && !/^(file|submit|button|reset|image|hidden)$/.test(e.type))) {
        return {why: target + " is not a field to fill in: it is " + named(e)};
      }
      if (e.readOnly) return {why: target + " is read-only"};
      return {element: e};
    }
    if (verb === "choose") {
      if (toggle(e)) return {element: e};
      if (!(e instanceof HTMLSelectElement)) return {why: target + " is nothing to choose in: it is " + named(e)};
      const options = all(e, "option");
      const option = options.find(o => o.value === value) || options.find(o => text(o) === squeeze(value) || squeeze(o.label) === squeeze(value));
      if (!option) return {why: target + " has no option " + value};
      if (matches(option, ":disabled")) return {why: "the option " + value + " of " + target + " is disabled"};
      return {element: e, option};
    }
    Element.prototype.scrollIntoViewIfNeeded.call(e, true);
    const before = rectOf(e);
    await pause(20);
    const r = rectOf(e);
    if (!before || !r) return {why: target + " is not visible"};
    if (before.x !== r.x || before.y !== r.y) return {why: target + " is moving"};
    const left = Math.max(r.left, 0), right = Math.min(r.right, innerWidth), top = Math.max(r.top, 0), bottom = Math.min(r.bottom, innerHeight);
    const x = (left + right) / 2, y = (top + bottom) / 2, why = hit(e, x, y);
    return why ? {why: target + " " + why} : {element: e, x, y};
  };

  let seen = await ready();
  while (seen.why && !seen.final) {
    const left = patience - (performance.now() - started);
    if (left <= 0) return {why: seen.why};
    // Styles and values change without a mutation: hence the time besides.
    await new Promise(done => {
      const observer = new MutationObserver(() => { observer.disconnect(); done(); });
      observer.observe(document, {childList: true, subtree: true, characterData: true, attributes: true});
      setTimeout(() => { observer.disconnect(); done(); }, Math.min(left, 100));
    });
    await pause(10); // pages that never stop changing
    seen = await ready();
  }
  if (seen.why) return {why: seen.why, final: true};
  const e = seen.element;
  switch (verb) {
  case "press":
    return {x: seen.x, y: seen.y};
  case "fill":
    HTMLElement.prototype.focus.call(e);
    if (e instanceof HTMLInputElement || e instanceof HTMLTextAreaElement) {
      const proto = e instanceof HTMLInputElement ? HTMLInputElement.prototype : HTMLTextAreaElement.prototype;
      setter(proto, "value").call(e, value);
      if (value !== "" && e.value === "") return {why: target + " does not take what is filled in", final: true};
    } else {
      setter(Node.prototype, "textContent").call(e, value);
    }
    changed(e);
    return {};
  case "choose":
    HTMLElement.prototype.focus.call(e);
    if (seen.option) {
      setter(HTMLOptionElement.prototype, "selected").call(seen.option, true);
      changed(e);
    } else if (!e.checked) {
      HTMLElement.prototype.click.call(e);
    }
    return {};
  case "click": {
    // What opens a window by its markup is made to open one that is there, see
    // clickAt.
    const link = closest(e, "a[href], area[href]"), form = e.form || closest(e, "form");
    const submits = form && closest(e, "button:not([type]), button[type=submit i], input[type=submit i], input[type=image i]");
    const by = link || submits && (submits.hasAttribute("formtarget") ? submits : form);
    if (!by) return {x: seen.x, y: seen.y};
    const name = by === submits ? "formtarget" : "target";
    const to = attribute(by, name) || "";
    if (!to || /^_(self|parent|top)$/i.test(to) || /\b(noopener|noreferrer)\b/i.test(attribute(by, "rel") || "")) return {x: seen.x, y: seen.y};
    globalThis.opensWindow = {by, name, to};
    return {x: seen.x, y: seen.y, window: to};
  }
  }
  return {};
}
