"use strict";
// Small helps only: every page works without this file.
(() => {
  // Sentences of scripts as the page says things; a page in Chinese has no table.
  const table = JSON.parse(document.querySelector("meta[name=texts]")?.content ?? "{}");
  window.say = (sentence) => table[sentence] ?? sentence;
  // On a narrow screen the rail scrolls sideways: show where one is.
  const here = document.querySelector(".rail [aria-current]");
  if (here && matchMedia("(max-width:56rem)").matches) here.scrollIntoView({ inline: "center", block: "nearest" });
  // Go to what is wrong.
  const problems = document.getElementById("problems");
  if (problems) problems.focus();
  document.addEventListener("htmx:afterSettle", (event) => {
    const fresh = event.target.querySelector("#problems");  // of what was swapped in, not of the page around it
    if (fresh) setTimeout(() => fresh.focus());  // after htmx has scrolled to where the act was
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });
  // What keep.js holds for a form belongs to whoever was signed in.
  document.addEventListener("submit", (event) => {
    if (new URL(event.target.action).pathname === "/logout") sessionStorage.clear();
  });
  // One press does one thing.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; });
})();
