"use strict";
// A form while it is being filled in: points fold, calculated ones count, a new row opens when the last one is used.
// Without this file every point is on the page and the server does the same when the form is saved.
(() => {
  const fill = document.querySelector("form[data-rules]");
  if (!fill) return;
  const say = window.say ?? String;  // portal.js
  const rules = JSON.parse(fill.dataset.rules), today = fill.dataset.today;
  const fields = rules.sections.flatMap((section) => section.fields);
  const repeats = fields.filter((field) => field.type === "repeat");
  const part = (name) => document.getElementById(`f-${name}`);
  const rowsOf = (field) => [...part(field.name).querySelectorAll("details[data-row]")];

  // What stands in the controls, folded ones included: a point that opens again still has its answer.
  const typed = () => {
    const found = new Map();
    for (const control of fill.elements) {
      if (!control.name || (["radio", "checkbox"].includes(control.type) && !control.checked)) continue;
      found.set(control.name, [...(found.get(control.name) ?? []), control.value]);
    }
    return found;
  };
  const readAll = (own, given, prefix = "") => {
    const answers = {};
    for (const field of own) {
      if (["calculated", "note"].includes(field.type)) continue;
      if (field.type === "repeat") answers[field.name] = rowsOf(field).filter((row) => !dropped(row)).map((row) => readRow(field, row, given)).filter(used);
      else answers[field.name] = formRules.read(field, given.get(prefix + field.name) ?? []);
    }
    return answers;
  };
  const readRow = (field, row, given) => readAll(field.fields, given, `${field.name}.${row.dataset.row}.`);
  const used = (answers) => Object.values(answers).some((answer) => !formRules.blank(answer));
  const dropped = (row) => row.querySelector("[data-drop]")?.checked ?? false;

  const show = (element, asked) => { if (element) element.hidden = !asked; };
  const tell = (element, field, wrong) => {
    let line = element?.querySelector(":scope > [data-live]");
    if (!wrong) { line?.remove(); return; }
    if (!line) {
      line = document.createElement("p");
      Object.assign(line, { className: "wrong" }).dataset.live = "";
      line.setAttribute("role", "status");
      element.append(line);
    }
    line.textContent = field.message || say("不符合填写要求，请检查后修改。");
  };
  const count = (element, field, kept) => {
    const output = field.type === "calculated" && element?.querySelector("output");
    if (output) output.textContent = kept[field.name] ?? "";
  };
  const fresh = (last, number) => {
    const row = last.cloneNode(true);
    row.dataset.row = number;
    row.open = false;
    for (const one of row.querySelectorAll("*")) {
      for (const name of ["name", "id", "for", "aria-describedby"]) {
        if (one.hasAttribute(name)) one.setAttribute(name, one.getAttribute(name).replace(/\.[0-9]+\./, `.${number}.`));
      }
      if (["radio", "checkbox"].includes(one.type)) one.checked = one.defaultChecked = false;
      else if ("value" in one && one.tagName !== "OUTPUT" && one.tagName !== "OPTION") one.value = "";
    }
    for (const one of row.querySelectorAll(".wrong")) one.remove();
    return row;
  };
  const grow = (field, given) => {
    const rows = rowsOf(field), last = rows.at(-1);
    rows.forEach((row, n) => { if (used(readRow(field, row, given))) row.querySelector("summary").textContent = say("第 {n} 行").replace("{n}", n + 1); });
    if (!last || !used(readRow(field, last, given)) || rows.length >= Number(part(field.name).dataset.most)) return;
    const row = fresh(last, Math.max(...rows.map((one) => Number(one.dataset.row))) + 1);
    row.querySelector("summary").textContent = say("增加一行");
    last.after(row);
  };

  const settle = () => {
    const given = typed(), answers = readAll(fields, given);
    const { names, kept } = formRules.settle(rules, answers, today), asked = new Set(names);
    rules.sections.forEach((section, n) => {
      show(fill.querySelector(`section[aria-labelledby="s${n + 1}"]`), !section.when || section.fields.some((field) => asked.has(field.name)));
      for (const field of section.fields) {
        show(part(field.name), asked.has(field.name));
        count(part(field.name), field, kept);
        tell(part(field.name), field, asked.has(field.name) && formRules.broken(field, kept[field.name], kept, today));
      }
    });
    for (const field of repeats) {
      for (const row of rowsOf(field)) {
        const inner = formRules.settleRow(field, readRow(field, row, given), kept, today), open = new Set(inner.names);
        for (const child of field.fields) {
          const element = row.querySelector(`[data-child="${child.name}"]`);
          show(element, open.has(child.name));
          count(element, child, inner.kept);
          tell(element, child, open.has(child.name) && formRules.broken(child, inner.kept[child.name], { ...kept, ...inner.kept }, today));
        }
      }
      grow(field, given);
    }
    // What is folded is not sent, nor what another form of the visit has fixed.
    for (const control of fill.querySelectorAll("input,select,textarea,fieldset")) control.disabled = control.closest("[hidden],[data-fixed]") !== null;
  };
  // Whoever submits or uploads sends all there is. A draft on its way first comes home with its number, and none follows: else
  // the page would be told that somebody else had saved.
  let leaving = false;
  fill.addEventListener("submit", (event) => {
    leaving = !fill.classList.contains("htmx-request");
    if (leaving) return;
    event.preventDefault();
    fill.addEventListener("htmx:afterRequest", () => fill.requestSubmit(event.submitter), { once: true });
  });
  fill.addEventListener("htmx:beforeRequest", (event) => { if (leaving) event.preventDefault(); });
  addEventListener("pageshow", () => { leaving = false; });  // come back to
  fill.classList.add("folds");
  fill.addEventListener("change", settle);
  settle();
})();
