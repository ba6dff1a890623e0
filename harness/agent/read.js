async (markers, also, readings, wait) => {
  // Elements with a name hide the document's own properties of that name, even
  // from this world: the prototype has the true ones.
  const own = name => Object.getOwnPropertyDescriptor(Document.prototype, name).get.call(document);
  const query = selector => Document.prototype.querySelector.call(document, selector);
  const text = () => { const body = own("body"); return body ? body.innerText : ""; };
  const has = m => {
    try {
      return (!m.Selector || query(m.Selector) !== null) &&
        (!m.Text || text().includes(m.Text)) &&
        (!m.URL || location.href.includes(m.URL));
    } catch (e) {
      return false;
    }
  };
  const look = () => Object.fromEntries(markers.map(m => [m.Name, has(m)]));
  let found = look();
  if (wait > 0 && markers.length > 0 && !Object.values(found).some(Boolean)) {
    await new Promise(done => {
      const observer = new MutationObserver(() => {
        if (Object.values(look()).some(Boolean)) { observer.disconnect(); done(); }
      });
      observer.observe(document, {childList: true, subtree: true, characterData: true, attributes: true});
      setTimeout(() => { observer.disconnect(); done(); }, wait);
    });
    found = look();
  }
  const names = [];
  for (const e of Document.prototype.getElementsByTagName.call(document, "*")) {
    if (names.push(e.localName.slice(0, 100)) >= 400) break;
  }
  const read = {};
  for (const [name, r] of Object.entries(readings)) {
    try {
      const found = query(r.Selector);
      if (found === null) continue;
      const textOf = Object.getOwnPropertyDescriptor(Node.prototype, "textContent").get;
      const value = r.Attribute ? Element.prototype.getAttribute.call(found, r.Attribute) : textOf.call(found).trim();
      if (value === null) continue;
      const base = Object.getOwnPropertyDescriptor(Node.prototype, "baseURI").get.call(document);
      read[name] = (r.Attribute === "href" || r.Attribute === "action" ? new URL(value, base).href : value).slice(0, 4096);
    } catch (e) {
      // What cannot be read is not there.
    }
  }
  return {
    url: location.href.slice(0, 32768),
    title: own("title").slice(0, 500),
    text: text().slice(0, 20480),
    html: own("documentElement") === null ? "" :
      Object.getOwnPropertyDescriptor(Element.prototype, "outerHTML").get.call(own("documentElement")).slice(0, 262144),
    skeleton: names.join(" "),
    markers: Object.assign(found, Object.fromEntries(also.map(m => [m.Name, has(m)]))),
    read: read,
  };
}
