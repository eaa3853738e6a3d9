"use strict";

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A part of the description with what it refers to in its place, one level deep. */
function resolved(description, part) {
  if (!part?.$ref) return part;
  return part.$ref.split("/").slice(1).reduce((value, key) => value[key], description);
}

function route(description, path, method, operation) {
  const title = element("h2", {}, `${method.toUpperCase()} ${path}`);
  const answers = Object.entries(operation.responses).map(([code, answer]) =>
    element("li", {}, `${code === "default" ? "else" : code}: ${resolved(description, answer).description}`));
  const parts = [title, element("p", {}, operation.summary), element("ul", {}, ...answers)];
  const body = operation.requestBody?.content["application/json"].schema;
  if (body) parts.push(folded("Body", body));
  return element("section", {}, ...parts);
}

function folded(title, content) {
  const text = element("pre", { class: "wide", tabindex: "0" }, JSON.stringify(content, null, 1));
  return element("details", {}, element("summary", {}, title), text);
}

async function start() {
  const answer = await fetch("/openapi.json");
  const description = await answer.json();
  const about = document.getElementById("about");
  if (!answer.ok) {
    about.textContent = `${description.error}. Fetch /openapi.json with it.`;
    return;
  }
  document.getElementById("title").textContent = description.info.title;
  about.textContent = description.info.description;
  const routes = Object.entries(description.paths).flatMap(([path, item]) =>
    ["get", "post"].filter((method) => item[method]).map((method) => route(description, path, method, item[method])));
  const schemas = Object.entries(description.components.schemas).map(([name, schema]) => folded(name, schema));
  document.getElementById("routes").replaceChildren(...routes,
    element("section", {}, element("h2", {}, "Schemas"), ...schemas));
}

start();
