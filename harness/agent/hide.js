(secrets, hide) => {
  // Shows what was hidden before, and hides each element that shows a secret.
  for (const [e, style] of globalThis.hiddenElements || []) {
    if (style === null) Element.prototype.removeAttribute.call(e, "style");
    else Element.prototype.setAttribute.call(e, "style", style);
  }
  const hidden = globalThis.hiddenElements = new Map();
  if (!hide) return true;
  const textOf = Object.getOwnPropertyDescriptor(Node.prototype, "textContent").get;
  const squeeze = s => String(s).replace(/\s+/g, " ");
  const wanted = secrets.map(s => s.replace(/\s+/g, " ").toLowerCase());
  const has = s => { const said = squeeze(s).toLowerCase(); return wanted.some(w => said.includes(w)); };
  const cover = e => {
    if (hidden.has(e)) return;
    hidden.set(e, Element.prototype.getAttribute.call(e, "style"));
    e.style.setProperty("visibility", "hidden", "important");
    e.style.setProperty("opacity", "0", "important"); // children may be visible by themselves
    e.style.setProperty("transition", "none", "important");
  };
  const own = e => {
    let s = "";
    for (const n of e.childNodes) if (n.nodeType === Node.TEXT_NODE) s += n.data;
    return s;
  };
  const attributes = ["placeholder", "alt", "label", "aria-label", "title", "srcdoc"];
  const roots = [document];
  for (let i = 0; i < roots.length && i < 200; i++) {
    for (const e of (roots[i] instanceof Document ? Document : DocumentFragment).prototype.querySelectorAll.call(roots[i], "*")) {
      if (e.shadowRoot instanceof ShadowRoot) roots.push(e.shadowRoot);
      if (!(e.style instanceof CSSStyleDeclaration) || /^(script|style|head|title|html|body)$/.test(e.localName)) continue;
      if (e instanceof HTMLInputElement || e instanceof HTMLTextAreaElement) {
        if (has(e.value)) cover(e);
      }
      if (e instanceof HTMLSelectElement && Array.from(e.options).some(o => has(o.text))) cover(e);
      if (attributes.some(name => has(Element.prototype.getAttribute.call(e, name) || ""))) cover(e);
      if (has(own(e)) || has(textOf.call(e)) && !Array.from(e.children).some(c => has(textOf.call(c)))) cover(e);
      for (const which of ["::before", "::after"]) {
        const content = getComputedStyle(e, which).content;
        if (content !== "none" && content !== "normal" && has(content)) cover(e);
      }
    }
  }
  const body = Object.getOwnPropertyDescriptor(Document.prototype, "body").get.call(document);
  if (body && (has(own(body)) || has(textOf.call(body)) && !Array.from(body.children).some(c => has(textOf.call(c))))) cover(body);
  return true;
}
