(() => {
  // As in act.js: elements with a name hide properties of the document and of forms.
  const all = selector => Array.from(Document.prototype.querySelectorAll.call(document, selector));
  const attribute = (e, name) => Element.prototype.getAttribute.call(e, name) || "";
  const matches = (e, selector) => Element.prototype.matches.call(e, selector);
  const textOf = Object.getOwnPropertyDescriptor(Node.prototype, "textContent").get;
  const squeeze = s => String(s || "").replace(/\s+/g, " ").trim();
  const button = "input[type=submit i], input[type=button i], input[type=reset i], input[type=image i]";
  const actionable = "a, button, summary, [role=button], [role=link], [role=tab], [role=menuitem], " + button;
  const said = e => matches(e, button) ? squeeze(e.value || attribute(e, "alt") || (matches(e, "[type=submit i]") ? "Submit" : "")) : squeeze(textOf.call(e));
  const only = (selector, e) => { try { const found = all(selector); return found.length === 1 && found[0] === e; } catch { return false; } };

  // steady says whether an id or name was written by somebody, and not made for this page.
  const steady = s => s && s.length < 60 && !/\d{4}|[0-9a-f]{8}|[:{}]|__/i.test(s);
  const bySelector = e => {
    for (const name of ["id", "data-testid", "data-test", "name", "href", "title", "aria-label"]) {
      const value = attribute(e, name);
      if (!value || (name === "id" || name === "name") && !steady(value) || name === "href" && /[?#]|\d{4}/.test(value)) continue;
      const selector = name === "id" ? "#" + CSS.escape(value) : e.localName + "[" + name + "=" + JSON.stringify(value) + "]";
      if (only(selector, e)) return selector;
    }
    const path = [];
    for (let at = e; at instanceof Element; at = at.parentElement) {
      const id = attribute(at, "id");
      if (at !== e && steady(id) && all("#" + CSS.escape(id)).length === 1) {
        path.unshift("#" + CSS.escape(id));
        break;
      }
      const alike = at.parentElement ? Array.from(at.parentElement.children).filter(c => c.localName === at.localName) : [];
      path.unshift(at.localName + (alike.length > 1 ? ":nth-of-type(" + (alike.indexOf(at) + 1) + ")" : ""));
    }
    return path.join(" > ");
  };
  const clicked = e => {
    const words = said(e);
    const alike = words && words.length < 60 ? all(actionable).filter(other => said(other) === words) : [];
    return alike.length === 1 && alike[0] === e ? "text=" + words : bySelector(e);
  };
  const labelOf = e => {
    const bare = s => squeeze(s).replace(/[\s:*]+$/, "");
    const label = e.labels && e.labels[0] ? e.labels[0].cloneNode(true) : null;
    if (label) for (const inner of label.querySelectorAll("input, select, textarea, script, style")) inner.remove();
    return bare(label ? textOf.call(label) : attribute(e, "aria-label") || attribute(e, "placeholder"));
  };
  const fields = "input:not([type=hidden i]), textarea, select";
  const filled = e => {
    const words = labelOf(e);
    const alike = words && words.length < 60 ? all(fields).filter(other => labelOf(other).toLowerCase().includes(words.toLowerCase())) : [];
    return alike.length === 1 && alike[0] === e ? "label=" + words : bySelector(e);
  };

  // A field that has ever hidden its value has a secret, though it may show it later.
  const secrets = new WeakSet();
  const secret = e => {
    if (matches(e, "[type=password i], [autocomplete*=password i], [autocomplete=one-time-code i]") ||
      /pass(wor[dt]|wd|phrase|code|key)|pwd|secret|\bpin\b|token|\botp\b/i.test([attribute(e, "name"), attribute(e, "id"), labelOf(e)].join(" "))) secrets.add(e);
    return secrets.has(e);
  };
  const tell = what => invigilatorRecord(JSON.stringify(what));
  const from = event => event.composedPath().find(e => e instanceof Element);

  document.addEventListener("focus", event => { const e = from(event); if (e && matches(e, fields)) secret(e); }, true);
  document.addEventListener("click", event => {
    let e = from(event);
    if (!event.isTrusted || !e) return; // what scripts of the page click
    const near = Element.prototype.closest.call(e, actionable);
    if (!near && (matches(e, fields + ", option, html, body") || Element.prototype.closest.call(e, "label"))) return; // a change tells
    if (near && near.form && near.type === "submit" && document.activeElement instanceof HTMLElement && document.activeElement !== near) told(document.activeElement);
    tell({verb: "click", target: clicked(near || e)});
  }, true);
  const last = new WeakMap();
  const told = e => {
    if (!(e instanceof HTMLInputElement || e instanceof HTMLTextAreaElement || e instanceof HTMLSelectElement)) return;
    const hidden = secret(e);
    if (e instanceof HTMLSelectElement) {
      const option = e.selectedOptions[0];
      tell({verb: "choose", target: filled(e), value: option ? squeeze(option.text) : ""});
    } else if (e.type === "checkbox" || e.type === "radio") {
      tell({verb: "choose", target: filled(e)});
    } else if (e.value !== (last.get(e) || "") && !matches(e, button + ", [type=file i]")) {
      last.set(e, e.value);
      tell(hidden ? {verb: "fill", target: filled(e), secret: labelOf(e) || attribute(e, "name") || "password"} : {verb: "fill", target: filled(e), value: e.value});
    }
  };
  document.addEventListener("change", event => { if (event.isTrusted) told(from(event)); }, true);
})()
