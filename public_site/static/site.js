"use strict";
// 长者模式, the search by exact name or code, and the one over announcements. Every page can be read without this file.
// It is loaded in the head so that the larger type is there before the first paint.
(() => {
  const KEY = "senior";
  const page = document.documentElement;
  const remembered = () => { try { return localStorage.getItem(KEY) === "1"; } catch { return false; } };
  const remember = (on) => { try { on ? localStorage.setItem(KEY, "1") : localStorage.removeItem(KEY); } catch { /* kept for this page only */ } };
  const senior = (on) => { on ? page.setAttribute("data-senior", "") : page.removeAttribute("data-senior"); };
  senior(remembered());

  // The same as search_key, the buckets and pairs in public_site/search.py.
  const searchKey = (text) => text.normalize("NFKC").replace(/\s+/gu, "").toUpperCase();
  const bucket = (key, count) => {
    let crc = ~0;
    for (const byte of new TextEncoder().encode(key)) {
      crc ^= byte;
      for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
    }
    return ~crc & (count - 1);
  };
  const hex = (number, width) => number.toString(16).padStart(width, "0");
  const pairs = (text) => {
    const found = new Set();
    for (const word of text.normalize("NFKC").toUpperCase().split(/[^\p{L}\p{N}]+/u)) {
      const letters = [...word];
      for (let n = 0; n + 1 < letters.length; n++) found.add(letters[n] + letters[n + 1]);
    }
    return [...found];
  };
  const load = async (path) => {
    const answer = await fetch(path);
    if (!answer.ok) throw new Error(String(answer.status));
    return answer;
  };

  const element = (name, text, more = {}) => Object.assign(document.createElement(name), { textContent: text }, more);

  async function find(form, typed) {
    const found = document.getElementById("found");
    const root = form.dataset.root;
    const key = searchKey(typed);
    if (!key) { found.replaceChildren(element("p", "请输入企业名称全称或统一社会信用代码。")); return; }
    let places;
    try {
      const { buckets } = await (await load(`${root}data/search/index.json`)).json();
      const number = bucket(key, buckets);
      const text = await (await load(`${root}data/search/${hex(number >> 8, 2)}/${hex(number, 4)}.txt`)).text();
      places = text.split("\n").filter((line) => line.startsWith(`${key}\t`)).map((line) => {
        const [, code, shard, name] = line.split("\t");
        return [code || key, name || key, `entities/${shard}/${(code || key).replaceAll("#", "_")}.html`];
      });
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

  // Announcements that hold every two neighbouring characters of what was typed, those with it in the title first.
  async function findText(form, typed) {
    const found = document.getElementById("text-found");
    const root = form.dataset.root;
    const wanted = pairs(typed);
    if (!wanted.length) { found.replaceChildren(element("p", "请输入至少两个字。")); return; }
    try {
      const { buckets, page: size } = await (await load(`${root}data/text/index.json`)).json();
      let numbers = null;
      for (const pair of wanted) {
        const content = await (await load(`${root}data/text/${hex(bucket(pair, buckets), 2)}.json`)).json();
        const here = new Set(Object.hasOwn(content, pair) ? content[pair] : []);
        numbers = numbers === null ? [...here] : numbers.filter((number) => here.has(number));
        if (!numbers.length) break;
      }
      const files = new Map();
      const rows = [];
      for (const number of numbers.slice(0, 100)) {
        const file = Math.floor(number / size);
        if (!files.has(file)) files.set(file, await (await load(`${root}data/text/documents-${file}.json`)).json());
        rows.push(files.get(file)[number % size]);
      }
      const inTitle = (row) => searchKey(row[0]).includes(searchKey(typed));
      rows.sort((a, b) => inTitle(b) - inTitle(a));
      const list = element("ul", "", { className: "list" });
      for (const [title, path, on] of rows) {
        const line = element("li", "");
        line.append(element("a", title, { href: root + path }), element("time", on, { className: "end" }));
        list.append(line);
      }
      const more = numbers.length > 100 ? "，列出 100 条" : "";
      found.replaceChildren(element("p", rows.length ? `含有“${typed.trim()}”的公告 ${numbers.length} 条${more}：` : `没有找到含有“${typed.trim()}”的公告。`), list);
    } catch {
      found.replaceChildren(element("p", "暂时查不了：没有取到查询索引。请检查网络后再试，或在下面的列表里找。", { className: "note warn" }));
    }
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
    const news = document.getElementById("find-text");
    if (news) {
      news.addEventListener("submit", (event) => { event.preventDefault(); findText(news, news.elements.q.value); });
      const asked = new URLSearchParams(location.search).get("q");
      if (asked) { news.elements.q.value = asked; findText(news, asked); }
    }
    for (const chooser of document.querySelectorAll("select[name=round]")) {
      const wanted = new URLSearchParams(location.search).get("round");
      if (wanted && [...chooser.options].some((option) => option.value === wanted && !option.disabled)) chooser.value = wanted;
    }
  });
})();
