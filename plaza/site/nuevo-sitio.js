"use strict";
// The same keys and rules as a node's, as data: nothing here knows a key by its name.
const spec = JSON.parse(document.getElementById("spec").textContent);
const form = document.getElementById("form");
const keys = spec.keys;
const byName = new Map(keys.map((key) => [key.name, key]));

function make(tag, attributes, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...inside);
  return element;
}

function orders(choices) {
  // Every order of every choice, longest first: a list whose order means something.
  const some = (left) => left.flatMap((one) => {
    const rest = some(left.filter((other) => other !== one)).map((tail) => [one, ...tail]);
    return [[one], ...rest];
  });
  return some(choices).sort((a, b) => b.length - a.length);
}

function control(key) {
  const common = { id: key.name, "aria-describedby": `${key.name}-help` };
  if (key.kind === "choice") {
    return make("select", common, ...key.choices.map(([value, words]) => make("option", { value, selected: value === key.default }, words)));
  }
  if (key.kind === "list") {
    const words = new Map(key.choices);
    return make("select", common, ...orders(key.choices.map(([value]) => value)).map((order) => make(
      "option", { value: order.join(","), selected: order.join() === key.default.join() },
      order.map((value, at) => at ? words.get(value).toLowerCase() : words.get(value)).join(", después "))));
  }
  if (key.kind === "block") return make("textarea", { ...common, rows: 4, spellcheck: "false" });
  const shown = key.kind === "number" && key.default === 0 && key.low > 0 ? "" : key.default;
  return make("input", {
    ...common, value: shown, placeholder: key.example, maxlength: key.max_length, spellcheck: "false",
    inputmode: key.kind === "number" ? "numeric" : false, autocapitalize: "off",
  });
}

function field(key) {
  const label = make("label", { for: key.name }, key.label, " ");
  if (key.needed) label.append(make("span", { class: "must" }, "obligatorio"));
  const typed = key.choices.length ? "" : ` ${key.typed[0].toUpperCase()}${key.typed.slice(1)}.`;
  return make("div", { class: "field", "data-key": key.name }, label,
    make("p", { class: "help", id: `${key.name}-help` }, key.help + typed), control(key),
    make("p", { class: "wrong", hidden: true }));
}

function build() {
  for (const { name, title } of spec.sections) {
    const mine = keys.filter((key) => key.section === name);
    const rare = mine.filter((key) => key.rare).map(field);
    const box = make("fieldset", {}, make("legend", {}, title), ...mine.filter((key) => !key.rare).map(field));
    if (rare.length) box.append(make("details", {}, make("summary", {}, "Más opciones"), ...rare));
    form.append(box);
  }
  form.append(make("button", {}, "Hacer plaza.toml"));
}

function read(key) {
  const text = document.getElementById(key.name).value.trim();
  if (key.kind === "number") return /^-?[0-9]{1,9}$/.test(text) ? Number(text) : text === "" ? key.default : NaN;
  if (key.kind === "list") return text ? text.split(",") : [];
  return key.kind === "block" ? text.replace(/\r\n/g, "\n") : text;
}

const isEmpty = (value) => value === "" || value === "none" || value === 0 || (Array.isArray(value) && !value.length);

function applies(key, values) {
  if (!key.when) return true;
  const other = values[key.when.key];
  return key.when.values[0] === spec.any ? !isEmpty(other) : key.when.values.includes(other);
}

function readAll() {
  const values = Object.fromEntries(keys.map((key) => [key.name, read(key)]));
  // What does not apply is not said: its default stands, as in a file that leaves it out.
  for (const key of keys) if (!applies(key, values)) values[key.name] = key.default;
  return values;
}

function alone(key, value) {
  if (key.kind === "number") {
    if (Number.isNaN(value)) return "debe ser un número entero";
    return value < key.low || value > key.high ? (isEmpty(value) && key.needed ? "" : `debe estar entre ${key.low} y ${key.high}`) : "";
  }
  if (key.kind !== "text" && key.kind !== "block") return "";
  if (key.kind === "text" && /[\p{C}\p{Zl}\p{Zp}]|[^\S ]/u.test(value)) return "tiene un signo que no se ve";
  const bytes = new TextEncoder().encode(value).length;
  if ([...value].length > key.max_length || (key.max_bytes && bytes > key.max_bytes)) return "es demasiado largo";
  return value && key.pattern && !new RegExp(`^(?:${key.pattern})$`).test(value) ? `no tiene la forma esperada: ${key.typed}` : "";
}

function beside(key, values) {
  const value = values[key.name];
  if (key.needed && isEmpty(value)) return "es obligatorio";
  const other = key.differs_from && byName.get(key.differs_from);
  if (other && !isEmpty(value) && applies(other, values) && values[other.name] === value) return `debe ser distinto de «${other.label}»`;
  if (key.choices_by) {
    const usable = key.choices_by.table[values[key.choices_by.key]] || [];
    if (!usable.includes(value)) return `con esa opción debe ser uno de ${usable.join(", ")}`;
  }
  return "";
}

function judge(values) {
  return keys.filter((key) => applies(key, values)).map((key) => [key, alone(key, values[key.name]) || beside(key, values)]).filter(([, wrong]) => wrong);
}

const quoted = (text) => JSON.stringify(text).replace(/\u007f/g, "\\u007f");

function toml(key, value) {
  if (Array.isArray(value)) return `[${value.map(quoted).join(", ")}]`;
  if (typeof value === "number") return String(value);
  return key.kind === "block" && value && !value.includes("'''") ? `'''\n${value.trim()}\n'''` : quoted(value);
}

function write(values) {
  const lines = [...spec.header];
  for (const { name, title } of spec.sections) {
    const mine = keys.filter((key) => key.section === name && applies(key, values));
    if (mine.length) lines.push("", `# --- ${title}`, `[${name}]`);
    for (const key of mine) lines.push(...key.comment.map((line) => `# ${line}`), `${key.word} = ${toml(key, values[key.name])}`);
  }
  return `${lines.join("\n")}\n`;
}

function show() {
  const values = readAll();
  for (const key of keys) document.querySelector(`[data-key="${key.name}"]`).hidden = !applies(key, values);
}

function tell(wrong) {
  for (const key of keys) {
    const place = document.querySelector(`[data-key="${key.name}"]`);
    const found = wrong.find(([other]) => other === key);
    place.querySelector(".wrong").hidden = !found;
    place.querySelector(".wrong").textContent = found ? `Este dato ${found[1]}.` : "";
    document.getElementById(key.name).setAttribute("aria-invalid", Boolean(found));
    if (found && place.closest("details")) place.closest("details").open = true;
  }
  const box = document.getElementById("faults");
  box.hidden = !wrong.length;
  box.replaceChildren(make("b", {}, `Hay ${wrong.length} ${wrong.length === 1 ? "dato" : "datos"} por corregir:`),
    make("ul", {}, ...wrong.map(([key, words]) => make("li", {}, make("a", { href: `#${key.name}` }, key.label), ` ${words}.`))));
  if (wrong.length) box.focus();
}

function save(text) {
  const blob = new Blob(["\ufeff" + text.replace(/\n/g, "\r\n")], { type: "application/toml" });
  const link = make("a", { href: URL.createObjectURL(blob), download: "plaza.toml" });
  document.body.append(link);
  link.click();
  link.remove();
}

build();
show();
form.addEventListener("input", show);
form.addEventListener("change", show);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const values = readAll();
  const wrong = judge(values);
  tell(wrong);
  const done = document.getElementById("done");
  done.hidden = wrong.length > 0;
  if (wrong.length) return;
  const text = write(values);
  document.getElementById("text").value = text;
  save(text);
  done.focus();
});
