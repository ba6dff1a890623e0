async (markers, wait) => {
  const has = m => {
    try {
      return (!m.Selector || document.querySelector(m.Selector) !== null) &&
        (!m.Text || (document.body ? document.body.innerText : "").includes(m.Text)) &&
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
  for (const e of document.getElementsByTagName("*")) {
    if (names.push(e.localName) >= 400) break;
  }
  return {
    url: location.href.slice(0, 32768),
    title: document.title.slice(0, 500),
    text: (document.body ? document.body.innerText : "").slice(0, 20480),
    skeleton: names.join(" "),
    markers: found,
  };
}
