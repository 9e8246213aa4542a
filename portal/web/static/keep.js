"use strict";
// What was typed into a form and has not reached the server stays in this tab, also while a login that ran out is renewed.
// It is put back for the same account and the same version of the record only, and forgotten at logout (portal.js).
(() => {
  const fill = document.querySelector("form[data-keep]");
  if (!fill) return;
  const say = window.say ?? String;  // portal.js
  const key = `typed ${location.pathname}`, who = fill.dataset.keep;
  const version = () => document.querySelector("input[name=_version]").value;
  const ours = () => [...fill.elements].filter((one) => one.name && !["hidden", "file", "submit"].includes(one.type) && !["BUTTON", "FIELDSET"].includes(one.tagName));
  const ticks = (one) => ["radio", "checkbox"].includes(one.type);
  const typed = () => ours().filter((one) => (ticks(one) ? one.checked : one.value !== "")).map((one) => [one.name, one.value]);
  const keep = () => sessionStorage.setItem(key, JSON.stringify({ who, version: version(), typed: typed() }));
  const change = (one) => one.dispatchEvent(new Event("change", { bubbles: true }));

  const put = (pairs) => {
    for (const one of ours()) {
      if (ticks(one)) one.checked = false;
      else if (one.tagName === "SELECT" || one.value !== "") one.value = "";
    }
    for (const [name, value] of pairs) {  // in the page's order: a row that is used opens the next one
      const named = ours().filter((one) => one.name === name);
      const one = named.find((each) => ticks(each) && each.value === value) ?? named.find((each) => !ticks(each));
      if (!one) continue;
      if (ticks(one)) one.checked = true;
      else one.value = value;
      change(one);
    }
  };
  const kept = JSON.parse(sessionStorage.getItem(key) ?? "null");
  sessionStorage.removeItem(key);
  const restore = () => {
    if (!kept || kept.who !== who || kept.version !== version() || "refused" in fill.dataset) return;
    if (JSON.stringify(kept.typed) === JSON.stringify(typed())) return;
    put(kept.typed);
    const note = document.createElement("div");
    note.className = "note";
    note.setAttribute("role", "status");
    note.innerHTML = "<p></p>";
    note.firstChild.textContent = say("上次没有来得及保存的内容已经放回，请核对。没有上传的照片要重新选择。");
    fill.before(note);
    keep();
  };
  fill.addEventListener("input", keep);
  fill.addEventListener("change", keep);
  fill.addEventListener("submit", keep);
  fill.addEventListener("htmx:afterSettle", keep);  // under the version that was saved
  // Only once htmx listens, so that what is put back is also saved.
  if (document.readyState === "complete") restore();
  else window.addEventListener("load", restore);
})();
