"use strict";
// Small helps only: every page works without this file.
(() => {
  // Fold the points of a form that are not asked now. Conditions come as plain data (portal/web/conditions.py).
  const fill = document.querySelector("form[data-fill]");
  if (fill) {
    const answers = () => {
      const found = new Map();
      for (const [name, value] of new FormData(fill)) found.set(name, [...(found.get(name) || []), value.trim()].filter(Boolean));
      return found;
    };
    const holds = (node, given) => {
      const [kind, one, two] = node;
      if (kind === "and") return holds(one, given) && holds(two, given);
      if (kind === "or") return holds(one, given) || holds(two, given);
      if (kind === "not") return !holds(one, given);
      const values = given.get(one) || [];
      if (kind === "selected") return values.includes(two);
      const same = (values.join(" ") || "") === two;
      return kind === "=" ? same : !same;
    };
    const parts = [...fill.querySelectorAll("[data-when]")].map((part) => [part, JSON.parse(part.dataset.when)]);
    const fold = () => {
      // In the order of the form: what a folded point answered no longer counts for those after it.
      for (const [part, when] of parts) {
        part.hidden = !holds(when, answers());
        for (const control of part.querySelectorAll("input,select,textarea,fieldset")) control.disabled = control.closest("[hidden]") !== null;
      }
    };
    fill.classList.add("folds");
    fill.addEventListener("change", fold);
    fold();
  }
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
  // One press does one thing.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; });
})();
