"use strict";
// The rules of a form in the browser: the same meaning as portal/domain/expressions.py, pattern.py and forms.py.
// Expressions come parsed (portal/web/rules.py): there is one reader, and it is the server's. Both run
// tests/domain/expression_cases.json. Nothing here decides: the server checks again whatever is saved.
const formRules = (() => {
  const LONGEST_TEXT = 1000; // a longer text matches no pattern
  const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/, TIME = /^[0-9]{2}:[0-9]{2}$/;
  const NUMBER = /^[ \t\r\n]*-?[0-9]+(?:\.[0-9]*)?[ \t\r\n]*$/;
  const ATTACHED = ["photo", "file", "signature"];

  // Values: true or false, a number, a text ------------------------------------------------

  const own = (answers, name) => (Object.hasOwn(answers, name) ? answers[name] : undefined); // a field may be called constructor
  const simple = (raw) => {
    if (Array.isArray(raw)) return raw.filter((part) => typeof part === "string").join(" ");
    return ["boolean", "number", "string"].includes(typeof raw) ? raw : "";
  };
  const truth = (value) => (typeof value === "number" ? value !== 0 && !Number.isNaN(value) : Boolean(value));
  const number = (value) => (typeof value === "string" ? (NUMBER.test(value) ? Number(value) : NaN) : Number(value));
  const asText = (value) => {
    if (typeof value === "boolean") return value ? "true" : "false";
    if (typeof value !== "number") return value;
    if (!(Math.abs(value) < 1e15)) return "";
    const written = value.toFixed(6).replace(/\.?0+$/, "");
    return written === "-0" ? "0" : written;
  };

  const compare = (sign, one, two) => {
    if (sign === "=" || sign === "!=") {
      let equal;
      if (typeof one === "boolean" || typeof two === "boolean") equal = truth(one) === truth(two);
      else if (typeof one === "number" || typeof two === "number") equal = number(one) === number(two);
      else equal = one === two;
      return equal === (sign === "=");
    }
    const alike = typeof one === "string" && typeof two === "string" && [DATE, TIME].some((form) => form.test(one) && form.test(two));
    const [a, b] = alike ? [one, two] : [number(one), number(two)];
    return sign === "<" ? a < b : sign === "<=" ? a <= b : sign === ">" ? a > b : a >= b;
  };
  const arithmetic = (sign, one, two) => {
    if (sign === "div") return two === 0 || Number.isNaN(two) ? NaN : one / two;
    return sign === "+" ? one + two : sign === "-" ? one - two : one * two;
  };

  // A pattern is an automaton whose states are followed together; state 0 accepts.
  const matches = ({ states, start }, text) => {
    const points = [...text].map((letter) => letter.codePointAt(0));
    if (points.length > LONGEST_TEXT) return false;
    const reach = (begin) => {
      const seen = new Set(), todo = [...begin];
      while (todo.length) {
        const state = todo.pop();
        if (seen.has(state)) continue;
        seen.add(state);
        if (states[state][0] === null) todo.push(...states[state][1]);
      }
      return seen;
    };
    let now = reach([start]);
    for (const point of points) {
      const next = [];
      for (const state of now) {
        const [letters, after] = states[state];
        if (letters !== null && letters.ranges.some(([first, last]) => first <= point && point <= last) !== letters.others) next.push(...after);
      }
      if (!next.length) return false;
      now = reach(next);
    }
    return now.has(0);
  };

  const evaluate = (node, answers, current, today) => {
    const [kind, one, two, three] = node;
    const of = (part) => evaluate(part, answers, current, today);
    const raw = (part) => (part[0] === "current" ? current : own(answers, part[1]));
    switch (kind) {
      case "value": return one;
      case "name": case "current": return simple(raw(node));
      case "today": return today;
      case "count": { const rows = raw(one); return Array.isArray(rows) ? rows.length : Number(simple(rows) !== ""); }
      case "minus": return -number(of(one));
      case "not": return !truth(of(one));
      case "regex": return matches(two, asText(of(one)));
      case "selected": {
        const parts = asText(of(one)).split(/[ \t\r\n]+/), wanted = asText(of(two));
        return wanted !== "" && parts.includes(wanted);
      }
      case "op": {
        if (one === "or") return truth(of(two)) || truth(of(three));
        if (one === "and") return truth(of(two)) && truth(of(three));
        const left = of(two), right = of(three);
        return ["+", "-", "*", "div"].includes(one) ? arithmetic(one, number(left), number(right)) : compare(one, left, right);
      }
      default: throw new Error(`no such expression: ${kind}`);
    }
  };

  // Answers, read as the server reads them (forms.parse_answers) -----------------------------

  const blank = (answer) => answer === undefined || answer === null || (typeof answer === "string" && !answer.trim()) || (Array.isArray(answer) && !answer.length);
  const narrow = (text) => text.replace(/[０-９．－：]/g, (letter) => "0123456789.-:"["０１２３４５６７８９．－：".indexOf(letter)]);
  const read = (field, values) => {
    const given = values.map((value) => value.replaceAll("\r\n", "\n").trim()).filter(Boolean);
    if (field.type === "select_multiple" || ATTACHED.includes(field.type)) {
      const place = (value) => { const at = (field.values ?? []).indexOf(value); return at < 0 ? Infinity : at; };
      return [...new Set(given)].map((value, n) => [place(value), n, value]).sort((a, b) => (a[0] === b[0] ? a[1] - b[1] : a[0] - b[0])).map((one) => one[2]);
    }
    const text = given[0] ?? "", small = narrow(text);
    if (field.type === "integer" && /^[+-]?[0-9]{1,15}$/.test(small)) return Number(small) + 0;
    if (field.type === "decimal" && /^-?[0-9]{1,15}(?:\.[0-9]{1,6})?$/.test(small)) return small.includes(".") ? small.replace(/\.?0+$/, "") : small;
    const day = field.type === "date" && /^([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?$/.exec(small);
    if (day) return `${day[1]}-${day[2].padStart(2, "0")}-${day[3].padStart(2, "0")}`;
    return field.type === "time" ? small : text;
  };

  // Which points are asked, and what the calculated ones come to (forms._settle) -------------

  const settleFields = (fields, answers, kept, outer, today, names) => {
    for (const field of fields) {
      const scope = { ...outer, ...kept };
      if (field.when && !truth(evaluate(field.when, scope, "", today))) continue;
      names.push(field.name);
      let answer = own(answers, field.name);
      if (field.type === "calculated") answer = asText(evaluate(field.value, scope, "", today));
      else if (field.type === "repeat" && Array.isArray(answer)) {
        answer = answer.map((row) => {
          const inner = {};
          settleFields(field.fields, row, inner, scope, today, []);
          return inner;
        });
      }
      if (!blank(answer)) kept[field.name] = answer;
    }
  };
  /** {names: fields asked now, kept: their answers}, by `rules` = {sections: [{when, fields: [{name, type, when, value, fields, values}]}]}. */
  const settle = (rules, answers, today) => {
    const names = [], kept = {};
    for (const section of rules.sections) {
      if (!section.when || truth(evaluate(section.when, kept, "", today))) settleFields(section.fields, answers, kept, {}, today, names);
    }
    return { names, kept };
  };
  /** Names of the children asked in one row of a repeat. */
  const settleRow = (field, row, scope, today) => {
    const names = [];
    const kept = {};
    settleFields(field.fields, row, kept, scope, today, names);
    return { names, kept };
  };
  const broken = (field, answer, scope, today) => Boolean(field.constraint) && !blank(answer) && !truth(evaluate(field.constraint, scope, answer, today));

  return { asText, blank, broken, evaluate, read, settle, settleRow, truth };
})();
