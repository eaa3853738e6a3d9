"use strict";

const ROWS_SHOWN = 50;
const FACTS_SHOWN = 5;
let token = "";
let model = null;

const at = (id) => document.getElementById(id);

/** An element with its attributes and children; texts are texts, never markup. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Ask the server; what it answers as JSON, or an error with its sentence and details. */
async function ask(path, body, type = "application/json") {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const request = body === undefined ? { headers } : { method: "POST", body, headers: { ...headers, "Content-Type": type } };
  let answer;
  try {
    answer = await fetch(path, request);
  } catch {
    throw Object.assign(new Error("The server does not answer."), { details: [] });
  }
  const content = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(content.error), { status: answer.status, details: content.details });
  return content;
}

const titleOf = (field) => (field.title || field.name) + (field.unit ? ` (${field.unit})` : "");
const percent = (probability) => `${(100 * probability).toFixed(1)} %`;
const shown = (value) => (value === null || value === "" ? "empty" : value === true ? "yes" : value === false ? "no" : String(value));

/** A field's label, hint and input. */
function fieldRow(field, index) {
  const id = `field-${index}`;
  const hint = `${field.allowed}${field.made ? `; = ${field.made}` : ""}`;
  let input;
  if (field.type === "boolean") {
    input = element("select", {}, ...(field.nullable ? [["", "empty"]] : []).concat([["true", "yes"], ["false", "no"]])
      .map(([value, text]) => element("option", { value }, text)));
    input.value = field.usual === null ? "" : String(field.usual);
  } else if (field.type === "string") {
    input = element("input", { type: "text", autocomplete: "off" });
    if (field.known.length) input.setAttribute("list", `${id}-known`);
    input.value = field.usual ?? "";
  } else {
    input = element("input", { type: "number", step: field.type === "double" ? "any" : "1", inputmode: "decimal" });
    if (field.minimum != null) input.min = field.minimum;
    if (field.maximum != null) input.max = field.maximum;
    input.value = field.usual ?? "";
  }
  input.id = id;
  input.setAttribute("aria-describedby", `${id}-hint`);
  const known = element("datalist", { id: `${id}-known` }, ...field.known.map((value) => element("option", { value })));
  return element("div", {}, element("label", { for: id }, titleOf(field)),
    element("span", { class: "hint", id: `${id}-hint` }, hint), input, ...(field.known.length ? [known] : []));
}

/** What the form holds, as a record. */
function record() {
  return Object.fromEntries(model.fields.map((field, index) => {
    const text = at(`field-${index}`).value;
    if (text === "" && field.type !== "string") return [field.name, null];
    if (field.type === "boolean") return [field.name, text === "true"];
    return [field.name, field.type === "string" ? text : Number(text)];
  }));
}

/** Which fields moved the answer: with each at its usual value, what would it be? */
function moved(row, base, others) {
  return model.fields
    .map((field, index) => ({ field, value: row[field.name], probability: others[index] }))
    .filter(({ field, value }) => value !== field.usual)
    .map((fact) => ({ ...fact, difference: base - fact.probability }))
    .sort((a, b) => Math.abs(b.difference) - Math.abs(a.difference))
    .slice(0, FACTS_SHOWN);
}

function table(caption, names, rows, numbers = []) {
  const cell = (name, text, column) => element(name, numbers.includes(column) ? { class: "number" } : {}, text);
  const head = element("tr", {}, ...names.map((text, column) => {
    const header = cell("th", text, column);
    header.scope = "col";
    return header;
  }));
  const body = rows.map((row) => element("tr", {}, ...row.map((text, column) => cell("td", text, column))));
  return element("table", {}, element("caption", {}, caption), element("thead", {}, head), element("tbody", {}, ...body));
}

/** A part that may be wider than the screen: the keyboard can scroll it. */
function scrolled(label, part) {
  return element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": label }, part);
}

function showAnswer(row, content) {
  const [base, ...others] = content.probabilities.map((each) => each.at(-1));
  const name = model.class_names[content.predictions[0]] ?? String(content.predictions[0]);
  const last = model.class_names.at(-1);
  const meter = element("meter", { min: 0, max: 1, value: base, "aria-label": `Probability of ${last}` });
  const parts = [element("p", { class: "big" }, `It says ${name}. The probability of ${last} is ${percent(base)}.`), meter];
  const facts = moved(row, base, others);
  if (facts.length) {
    const rows = facts.map(({ field, value, probability, difference }) => [
      titleOf(field), shown(value), shown(field.usual), percent(probability),
      `${difference >= 0 ? "+" : "−"}${(100 * Math.abs(difference)).toFixed(1)}`,
    ]);
    const names = ["Fact", "Here", "Usual", "With the usual one", "It adds, in points"];
    parts.push(element("div", { class: "facts" }, table("What moved it most", names, rows, [3, 4])));
  } else {
    parts.push(element("p", {}, "Every fact has its usual value."));
  }
  for (const warning of (content.warnings ?? []).filter((each) => each.row === 0)) {
    const near = warning.nearest === null ? "" : ` The nearest known: ${warning.nearest}.`;
    parts.push(element("p", { class: "wrong" }, `${warning.field} = ${shown(warning.value)} was never seen in training.${near}`));
  }
  at("answer").replaceChildren(...parts);
}

/** Say what is wrong, and mark the fields it is about. */
function showError(place, error) {
  const sentences = (error.details ?? []).map((detail) => {
    const index = model ? model.fields.findIndex((field) => field.name === detail.field) : -1;
    if (place === at("answer") && index >= 0) at(`field-${index}`).setAttribute("aria-invalid", "true");
    return element("li", {}, `${detail.field}: got ${detail.got}; allowed: ${detail.allowed}`);
  });
  place.replaceChildren(element("p", { class: "wrong" }, error.message), element("ul", {}, ...sentences));
}

async function askRow(event) {
  event.preventDefault();
  document.querySelectorAll("[aria-invalid]").forEach((input) => input.removeAttribute("aria-invalid"));
  const row = record();
  const rows = [row, ...model.fields.map((field) => ({ ...row, [field.name]: field.usual }))];
  try {
    showAnswer(row, await ask("/score?proba=true", JSON.stringify(rows)));
  } catch (error) {
    // the rows after the first are the same but for one usual value: of each error, one is enough
    const details = (error.details ?? []).filter((detail) => detail.row === null || detail.row === 0);
    const message = error.status === 422 ? "This row does not fit." : error.message;
    showError(at("answer"), { details, message });
  }
}

const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

async function askFile(file) {
  const place = at("file-answer");
  place.replaceChildren(element("p", {}, `${file.name} is being answered.`));
  try {
    const { columns, rows, refused } = await ask("/csv", file, "text/csv");
    const text = [columns, ...rows].map((row) => row.map(quoted).join(",")).join("\r\n") + "\r\n";
    const link = element("a", {
      href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: file.name.replace(/(\.csv)?$/i, "_answered.csv"),
    }, "Download all rows with their answers");
    const shownRows = rows.slice(0, ROWS_SHOWN);
    const caption = rows.length > ROWS_SHOWN ? `The first ${ROWS_SHOWN} rows` : "The rows";
    place.replaceChildren(
      element("p", {}, `${rows.length - refused} rows answered, ${refused} refused with a reason. `, link),
      scrolled("Rows with their answers", table(caption, columns, shownRows)),
    );
  } catch (error) {
    showError(place, error);
  }
}

async function start() {
  try {
    model = await ask("/fields");
  } catch (error) {
    if (error.status === 401) {
      at("sign-in").hidden = false;
      at("token").focus();
    } else {
      showError(at("about"), error);
    }
    return;
  }
  at("sign-in").hidden = true;
  document.title = at("title").textContent = model.name === "model" ? "Ask the model" : `Ask the model ${model.name}`;
  at("about").textContent = `It predicts ${model.label}: ${model.class_names.join(" or ")}. Version ${model.version}.`;
  at("fields").replaceChildren(...model.fields.map(fieldRow));
  at("asking").hidden = false;
}

at("row-form").addEventListener("submit", askRow);
at("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  token = at("token").value;
  start();
});
at("file").addEventListener("change", (event) => event.target.files[0] && askFile(event.target.files[0]));
at("drop").addEventListener("dragover", (event) => { event.preventDefault(); at("drop").classList.add("over"); });
at("drop").addEventListener("dragleave", () => at("drop").classList.remove("over"));
at("drop").addEventListener("drop", (event) => {
  event.preventDefault();
  at("drop").classList.remove("over");
  if (event.dataTransfer.files[0]) askFile(event.dataTransfer.files[0]);
});
start();
