"use strict";
/* The picture of each device, drawn from its state. Text goes in as text, never as markup. */
const money = (centavos) => `$ ${(centavos / 100).toLocaleString("es-MX", { minimumFractionDigits: 2 })}`;
const CHARGE = { at_terminal: "Espera la tarjeta", approved: "Aprobado", declined: "Rechazado", cancelled: "Cancelado", expired: "Vencido", idle: "Libre", requested: "Pedido", unknown: "No se sabe" };
const SKY = { clear: "Despejado", cloudy: "Nublado", storm: "Tormenta" };

const FACES = {
  printer(s, all) {
    const paper = s.paper_mm > 0;
    const newest = all.receipts[0];
    const sheet = newest ? `<clipPath id="slip"><rect x="140" y="8" width="120" height="72"/></clipPath><g clip-path="url(#slip)"><image href="/receipts/${encodeURIComponent(newest)}.png" x="140" y="8" width="120" preserveAspectRatio="xMidYMin slice"/></g><rect x="140" y="8" width="120" height="72" fill="none" stroke="#b8b1a2"/>` : "";
    const lid = s.cover_open ? `<path d="M110 84 L150 40 L290 40 L290 84 Z" fill="#fff" stroke="#10243A" stroke-width="3"/>` : "";
    const roll = `<circle cx="330" cy="118" r="${6 + Math.min(26, s.paper_mm / 1900)}" fill="${paper ? "#fff" : "#FBE6E1"}" stroke="#10243A" stroke-width="3"/>`;
    return svg(`${s.cover_open ? "" : sheet}${lid}<rect x="90" y="80" width="220" height="74" rx="12" fill="#10243A"/><rect x="130" y="78" width="140" height="8" rx="3" fill="#000"/>
      <circle cx="116" cy="128" r="6" fill="${s.causes.length ? "#E1654E" : "#7BD3A5"}"/>${roll}`,
      [[60, 40, s.causes.includes("paper_end") ? "Sin papel" : paper && s.paper_mm < 3000 ? `Quedan ${Math.round(s.paper_mm / 10)} cm` : "", 16], [136, 133, `${s.receipts} ${s.receipts === 1 ? "papel" : "papeles"}`, 16, "#fff"]]);
  },
  terminal(s, all) {
    const c = all.charges.at(-1);
    const waits = c?.state === "at_terminal";
    return svg(`<rect x="130" y="8" width="150" height="152" rx="20" fill="#10243A"/><rect class="lcd" x="144" y="22" width="122" height="62" rx="8"/>
      ${[0, 1, 2].map((r) => [0, 1, 2].map((k) => `<rect x="${150 + k * 38}" y="${94 + r * 16}" width="30" height="11" rx="3" fill="#52667c"/>`).join("")).join("")}
      <rect x="150" y="143" width="30" height="10" rx="3" fill="#E1654E"/><rect x="226" y="143" width="30" height="10" rx="3" fill="#7BD3A5"/>
      ${waits ? `<g><rect x="292" y="36" width="74" height="46" rx="7" fill="#0B4F8A"/><rect x="292" y="46" width="74" height="9" fill="#083c69"/></g>` : ""}`,
      [[154, 46, c ? money(c.amount_centavos) : "Sin cobros", 16], [154, 70, c ? CHARGE[c.state] ?? c.state : "", 14], [18, 84, s.online ? "" : "Sin Internet", 15, "#9A2C1B"]]);
  },
  cash(s) {
    const full = s.stacker_full, notes = total(s.stacker), coins = total(s.coin_box);
    return svg(`<rect x="40" y="14" width="150" height="56" rx="12" fill="#10243A"/><rect x="62" y="38" width="106" height="8" rx="3" fill="${s.notes_jammed ? "#E1654E" : s.powered ? "#7BD3A5" : "#52667c"}"/>
      ${s.note_in_path ? `<rect x="76" y="42" width="78" height="24" fill="#E2F2EA" stroke="#0E6B4A"/>` : ""}
      <rect x="40" y="78" width="150" height="78" rx="8" fill="${s.stacker_in ? "#fff" : "none"}" stroke="${full ? "#9A2C1B" : "#10243A"}" stroke-width="3" ${s.stacker_in ? "" : `stroke-dasharray="6 6"`}/>
      <rect x="230" y="14" width="130" height="56" rx="12" fill="#10243A"/><rect x="291" y="24" width="8" height="36" rx="4" fill="${s.coins_jammed ? "#E1654E" : s.powered ? "#7BD3A5" : "#52667c"}"/>
      <rect x="230" y="78" width="130" height="78" rx="8" fill="#fff" stroke="#10243A" stroke-width="3"/>`,
      [[54, 104, s.stacker_in ? (full ? "Caja llena" : "Billetes") : "Caja fuera", 15, full || !s.stacker_in ? "#9A2C1B" : ""], [54, 130, money(notes), 19], [56, 32, s.powered ? "" : "Sin luz", 15, "#F3E2B3"], [244, 104, "Monedas", 15], [244, 130, money(coins), 19]]);
  },
  card(s) {
    const names = { tecnico: "T-001", segundo: "T-002", ajena: "AJENA", rota: "ROTA" };
    return svg(`${s.inside ? `<rect x="130" y="10" width="140" height="96" rx="10" fill="${names[s.inside].startsWith("T-") ? "#0B4F8A" : "#52667c"}"/><rect x="148" y="58" width="24" height="18" rx="4" fill="#F3E2B3"/>` : ""}
      <rect x="100" y="86" width="200" height="66" rx="14" fill="#10243A"/><rect x="122" y="84" width="156" height="8" rx="3" fill="#000"/><circle cx="122" cy="128" r="6" fill="${s.service ? "#7BD3A5" : "#E1654E"}"/>`,
      [[148, 40, names[s.inside] ?? "", 16, "#fff"], [142, 133, s.service ? (s.inside ? "Tarjeta adentro" : "Vacío") : "Servicio caído", 16, "#fff"]]);
  },
  sun(s) {
    const night = s.hour < 6 || s.hour > 18.5, angle = ((s.hour - 6) / 12.5) * Math.PI;
    const x = 110 - 80 * Math.cos(angle), y = 96 - 70 * Math.sin(angle);
    const cloud = `<g fill="#9fb0c0"><circle cx="95" cy="58" r="20"/><circle cx="122" cy="50" r="26"/><circle cx="150" cy="60" r="18"/><rect x="82" y="58" width="80" height="22" rx="11"/></g>`;
    const level = Math.max(2, s.soc_percent), low = s.soc_percent < 20;
    return svg(`<rect x="0" y="0" width="212" height="168" fill="${night ? "#22384f" : s.weather === "clear" ? "#DCECF8" : "#D3D9DF"}"/>${night ? "" : `<circle cx="${x}" cy="${y}" r="20" fill="#F2B632"/>`}${s.weather === "clear" ? "" : cloud}
      <path d="M40 150 L64 112 H156 L180 150 Z" fill="#0B4F8A" stroke="#fff" stroke-width="2"/><path d="M94 112 L86 150 M126 112 L134 150 M52 131 H168" stroke="#fff" stroke-width="2"/>
      <rect x="236" y="26" width="120" height="54" rx="8" fill="#fff" stroke="#10243A" stroke-width="3"/><rect x="356" y="42" width="9" height="22" rx="3" fill="#10243A"/><rect x="241" y="31" width="${level * 1.1}" height="44" rx="4" fill="${low ? "#E1654E" : "#7BD3A5"}"/>`,
      [[14, 24, `${SKY[s.weather]} · día ${s.day + 1}, ${String(Math.floor(s.hour)).padStart(2, "0")} h`, 14, night ? "#fff" : ""], [272, 60, `${s.soc_percent} %`, 20], [236, 106, `${(s.battery_mv / 1000).toFixed(2)} V · ${s.solar_w} W`, 15], [236, 130, s.load_on ? "Salida encendida" : "Salida cortada", 15, s.load_on ? "" : "#9A2C1B"], [236, 152, s.broken ? "Batería vieja" : `${s.temperature_c} °C`, 15]]);
  },
  keypad(s) {
    const keys = [["up", 116, 26, "M-9 6 L0 -8 L9 6 Z"], ["down", 116, 96, "M-9 -6 L0 8 L9 -6 Z"], ["select", 200, 61, "M-8 0 a8 8 0 1 0 16 0 a8 8 0 1 0 -16 0"], ["repeat", 284, 26, "M8 -3 A9 9 0 1 0 8 5 M8 -10 V-2 H0"], ["volume", 284, 96, "M-9 4 V-4 H-3 L4 -9 V9 L-3 4 Z M8 -5 A8 8 0 0 1 8 5"]];
    const face = keys.map(([key, x, y, path]) => `<rect x="${x - 36}" y="${y - 10}" width="72" height="54" rx="12" fill="${s.last === key ? "#F3E2B3" : "#fff"}" stroke="${s.last === key ? "#8A6A12" : "#52667c"}" stroke-width="${s.last === key ? 5 : 2}"/><path d="${path}" transform="translate(${x} ${y + 17})" fill="${["repeat"].includes(key) ? "none" : "#10243A"}" stroke="#10243A" stroke-width="3"/>`).join("");
    return svg(`<rect x="56" y="4" width="288" height="160" rx="18" fill="${s.plugged ? "#10243A" : "#9aa6b2"}"/>${face}`,
      [[66, 158, `${s.pressed} ${s.pressed === 1 ? "tecla" : "teclas"}`, 14, "#fff"]]);
  },
  numpad(s) {
    const names = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "erase", "0", "enter"];
    const shown = { erase: "⌫", enter: "↵" };
    const face = names.map((key, at) => `<rect x="${118 + (at % 3) * 56}" y="${10 + Math.floor(at / 3) * 38}" width="50" height="32" rx="7" fill="${s.last === key ? "#F3E2B3" : "#fff"}"/>`).join("");
    return svg(`<rect x="108" y="2" width="184" height="164" rx="14" fill="${s.plugged ? "#10243A" : "#9aa6b2"}"/>${face}`,
      [...names.map((key, at) => [137 + (at % 3) * 56, 32 + Math.floor(at / 3) * 38, shown[key] ?? key, 17]), [302, 32, `${s.pressed} ${s.pressed === 1 ? "tecla" : "teclas"}`, 14]]);
  },
  audio(s) {
    const inside = s.headphones, x = inside ? 292 : 236;
    const phones = `<path d="M${x - 150} 72 v-16 a44 44 0 0 1 88 0 v16" fill="none" stroke="#10243A" stroke-width="7"/><rect x="${x - 160}" y="62" width="22" height="34" rx="9" fill="#10243A"/><rect x="${x - 74}" y="62" width="22" height="34" rx="9" fill="#10243A"/><path d="M${x - 64} 96 C ${x - 64} 122, ${x - 40} 60, ${x} 60" fill="none" stroke="#52667c" stroke-width="4"/><rect x="${x}" y="54" width="30" height="12" rx="3" fill="#8A6A12"/>`;
    return svg(`<rect x="310" y="36" width="70" height="48" rx="8" fill="${s.plugged ? "#10243A" : "#d9d4c8"}"/><circle cx="322" cy="60" r="7" fill="${inside ? "#7BD3A5" : "#000"}"/>${phones}<rect x="8" y="112" width="384" height="50" rx="10" fill="#fff" stroke="#b8b1a2"/>`,
      [[14, 22, inside ? "Audífonos puestos" : "Sin audífonos", 15], [314, 104, s.volume ? `Volumen ${s.volume}` : "", 14], ...wrap(s.latest ? `«${s.latest}»` : "Todavía no dice nada.", 50, 2).map((line, at) => [18, 134 + at * 20, line, 15])]);
  },
  camera(s) {
    const seen = s.taken ? `<image href="/camera.jpg?n=${s.taken}" x="186" y="8" width="203" height="152"/>` : "";
    return svg(`<rect x="24" y="46" width="128" height="84" rx="14" fill="${s.plugged ? "#10243A" : "#9aa6b2"}"/><circle cx="88" cy="88" r="28" fill="#52667c"/><circle cx="88" cy="88" r="16" fill="#10243A"/>${s.mood === "covered" ? `<rect x="58" y="58" width="60" height="60" rx="8" fill="#D9A79D" stroke="#9A2C1B" stroke-width="3"/>` : ""}<rect x="186" y="8" width="203" height="152" fill="${s.taken ? "#000" : "#fff"}" stroke="#b8b1a2"/>${seen}`,
      [[24, 36, s.mood === "covered" ? "Tapada" : "", 15, "#9A2C1B"], [200, 88, s.taken ? "" : "Sin foto todavía", 15], [24, 154, s.refused ? "No hubo foto" : `${s.taken} ${s.taken === 1 ? "foto" : "fotos"}`, 15, s.refused ? "#9A2C1B" : ""]]);
  },
  scanner(s) {
    return svg(`<rect x="110" y="24" width="180" height="90" rx="16" fill="#10243A"/><rect x="130" y="44" width="140" height="50" rx="8" fill="#22384f"/><rect x="140" y="67" width="120" height="4" fill="${s.silent || !s.plugged ? "#52667c" : "#E1654E"}"/><path d="M170 114 h60 v34 h-60 z" fill="#10243A"/>`,
      [[18, 150, `${s.scanned} leídos`, 16]]);
  },
};

/* Words in lines of at most `wide` characters; what does not fit ends in an ellipsis. */
function wrap(text, wide, most) {
  const lines = [""];
  for (const word of text.split(" ")) {
    if ((lines.at(-1) + word).length > wide) lines.push("");
    lines[lines.length - 1] += `${word} `;
  }
  return lines.length > most ? [...lines.slice(0, most - 1), `${lines[most - 1].trim()}…`] : lines;
}

const total = (box) => Object.entries(box).reduce((sum, [piece, count]) => sum + Number(piece) * count, 0);

function svg(shapes, texts) {
  return { shapes, texts: texts.filter(([, , text]) => text) };
}

function drawFace(holder, face) {
  const key = JSON.stringify(face);
  if (holder.dataset.key === key) return;
  holder.dataset.key = key;
  holder.innerHTML = `<svg viewBox="0 0 400 168" aria-hidden="true">${face.shapes}</svg>`;
  for (const [x, y, words, size, color] of face.texts) {
    const text = document.createElementNS("http://www.w3.org/2000/svg", "text");
    for (const [name, value] of Object.entries({ x, y, "font-size": size, "font-weight": 700 })) text.setAttribute(name, value);
    if (color) text.style.fill = color;
    text.textContent = words;
    holder.firstChild.append(text);
  }
}

function lampOf(s) {
  const node = s.node?.state;
  if (node) return node === "ready" && !["card"].includes(s.name) && s.node.cause && s.node.cause !== "ready" && s.node.cause !== "no_card" ? "care" : { ready: "ok", busy: "ok", attention: "care", fault: "bad", unknown: "bad", absent: "bad" }[node] ?? "";
  if (s.causes?.length) return s.causes.every((c) => c === "paper_near_end") ? "care" : "bad";
  return s.plugged === false || s.silent ? "bad" : "ok";
}

function showDevices(all) {
  for (const [name, s] of Object.entries(all.devices)) {
    const box = document.getElementById(`device-${name}`);
    if (!box) continue;
    box.querySelector("[data-words]").textContent = s.words;
    box.querySelector(".lamp").className = `lamp ${lampOf({ ...s, name })}`;
    drawFace(box.querySelector("[data-face]"), FACES[name](s, all));
  }
}
