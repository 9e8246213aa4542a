"use strict";
// 长者模式 and the search by exact name or code. Every page can be read without this file.
// It is loaded in the head so that the larger type is there before the first paint.
(() => {
  const KEY = "senior";
  const page = document.documentElement;
  const remembered = () => { try { return localStorage.getItem(KEY) === "1"; } catch { return false; } };
  const remember = (on) => { try { on ? localStorage.setItem(KEY, "1") : localStorage.removeItem(KEY); } catch { /* kept for this page only */ } };
  const senior = (on) => { on ? page.setAttribute("data-senior", "") : page.removeAttribute("data-senior"); };
  senior(remembered());

  // The same as search_key and bucket in public_site/data.py.
  const searchKey = (text) => text.normalize("NFKC").replace(/\s+/gu, "").toUpperCase();
  const bucket = (key) => {
    let crc = ~0;
    for (const byte of new TextEncoder().encode(key)) {
      crc ^= byte;
      for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
    }
    return ((~crc) & 0xff).toString(16).padStart(2, "0");
  };

  const element = (name, text, more = {}) => Object.assign(document.createElement(name), { textContent: text }, more);

  async function find(form, typed) {
    const found = document.getElementById("found");
    const root = form.dataset.root;
    const key = searchKey(typed);
    if (!key) { found.replaceChildren(element("p", "请输入企业名称全称或统一社会信用代码。")); return; }
    let places;
    try {
      const answer = await fetch(`${root}data/search/${bucket(key)}.json`);
      if (!answer.ok) throw new Error(String(answer.status));
      places = Object.hasOwn(await answer.clone().json(), key) ? (await answer.json())[key] : [];
    } catch {
      found.replaceChildren(element("p", "暂时查不了：没有取到查询索引。请检查网络后再试，或到“结果”栏目按轮次查找。", { className: "note warn" }));
      return;
    }
    if (!places.length) {
      const note = element("div", "", { className: "note" });
      note.append(element("p", `没有查到“${typed.trim()}”的已公示结果。`), element("p", "名称须与营业执照完全一致；没有被抽查过、或者结果还没有公示的，这里查不到。"));
      found.replaceChildren(note);
      return;
    }
    if (places.length === 1) { location.href = root + places[0][2]; return; }
    const list = element("ul", "", { className: "list" });
    for (const [code, name, path] of places) {
      const line = element("li", "");
      line.append(element("a", name, { href: root + path }), element("span", code, { className: "end code" }));
      list.append(line);
    }
    found.replaceChildren(element("p", `同名的有 ${places.length} 家：`), list);
  }

  document.addEventListener("DOMContentLoaded", () => {
    const toggle = document.querySelector("[data-senior-toggle]");
    const name = () => { toggle.textContent = page.hasAttribute("data-senior") ? "退出长者模式" : "长者模式"; };
    if (toggle) {
      toggle.setAttribute("role", "button");
      const turn = (event) => { event.preventDefault(); const on = !page.hasAttribute("data-senior"); senior(on); remember(on); name(); };
      toggle.addEventListener("click", turn);
      toggle.addEventListener("keydown", (event) => { if (event.key === " ") turn(event); });
      name();
    }
    const form = document.getElementById("find");
    if (form) {
      form.addEventListener("submit", (event) => { event.preventDefault(); find(form, form.elements.q.value); });
      const asked = new URLSearchParams(location.search).get("q");
      if (asked) { form.elements.q.value = asked; find(form, asked); }
    }
    for (const chooser of document.querySelectorAll("select[name=round]")) {
      const wanted = new URLSearchParams(location.search).get("round");
      if (wanted && [...chooser.options].some((option) => option.value === wanted && !option.disabled)) chooser.value = wanted;
    }
  });
})();
