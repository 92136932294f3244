"use strict";
const screen_ = document.getElementById("screen");
const dark = document.getElementById("dark");
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const CABLE = { whole: "Red conectada", cut: "Red cortada", login_page: "Página de acceso" };

async function post(path, body) {
  return fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });
}

async function watchScreen() {
  for (;;) {
    try {
      const reply = await fetch("/kiosk.png", { cache: "no-store" });
      if (!reply.ok) throw new Error("dark");
      const url = URL.createObjectURL(await reply.blob());
      const old = screen_.src;
      screen_.src = url;
      await screen_.decode();
      if (old) URL.revokeObjectURL(old);
      dark.hidden = true;
      await pause(120);
    } catch {
      dark.hidden = false;
      await pause(500);
    }
  }
}

screen_.addEventListener("click", (event) => {
  const box = screen_.getBoundingClientRect();
  const x = Math.round(((event.clientX - box.left) / box.width) * screen_.naturalWidth);
  const y = Math.round(((event.clientY - box.top) / box.height) * screen_.naturalHeight);
  post("/kiosk/touch", { x, y });
});

function show(state) {
  const link = document.getElementById("link");
  link.textContent = CABLE[state.cable];
  link.classList.toggle("off", !state.network);
  const power = state.programs.kiosk || state.programs.portal ? "on" : "off";
  for (const button of document.querySelectorAll("[data-when]")) {
    const on = [state.cable, power].includes(button.dataset.when);
    button.classList.toggle("on", on);
    button.classList.toggle("bad", on && !["whole", "on"].includes(button.dataset.when));
    button.setAttribute("aria-pressed", on);
  }
  const waiting = state.journal.filter((f) => !f.acked).length;
  document.getElementById("queue").textContent = waiting ? `${waiting === 40 ? "40 o más" : waiting} por entregar` : "todo entregado";
  showPapers(state.receipts);
  showDevices(state);
  showJournal(state.journal);
  showStory(state.story);
}

function showPapers(stems) {
  const box = document.getElementById("receipts");
  const key = stems.join();
  if (!key || box.dataset.key === key) return;
  box.dataset.key = key;
  box.replaceChildren(...stems.map((stem) => {
    const a = document.createElement("a");
    a.href = `/receipts/${stem}.png`; a.target = "_blank"; a.rel = "noopener";
    const name = document.createElement("span"), img = document.createElement("img");
    name.textContent = stem.endsWith("-parcial") ? "Pedazo cortado" : `Papel ${Number(stem)}`;
    img.src = `/receipts/${stem}.png`; img.alt = name.textContent;
    a.append(name, img);
    return a;
  }));
}

async function watchState() {
  for (;;) {
    try { show(await (await fetch("/state", { cache: "no-store" })).json()); } catch { /* another scenario is being set up, or the bench ended */ }
    await pause(700);
  }
}

async function act(button, path, body) {
  button.disabled = true;
  try {
    const reply = await post(path, body);
    if (reply.ok && path !== "/story/play") show(await reply.json());
  } catch { /* the next look at the state tells */ } finally { button.disabled = false; }
}

for (const button of document.querySelectorAll("button[data-do]")) {
  button.addEventListener("click", () => act(button, `/do/${button.dataset.do}`));
}
for (const box of document.querySelectorAll("[data-device]")) {
  for (const button of box.querySelectorAll("button[data-verb]")) {
    button.addEventListener("click", () => act(button, `/device/${box.dataset.device}/${button.dataset.verb}`, { args: JSON.parse(button.dataset.args) }));
  }
  box.querySelector(".scan")?.addEventListener("submit", (event) => {
    event.preventDefault();
    act(event.submitter, `/device/${box.dataset.device}/${event.target.dataset.word}`, { args: [new FormData(event.target).get("text")] });
  });
}
async function openStory(name) {
  document.getElementById("changing").hidden = false;
  const reply = await post(`/story/open/${encodeURIComponent(name)}`);
  if (reply.ok) location.reload();
  else { document.getElementById("changing").hidden = true; alert((await reply.json()).trouble); }
}
const choose = document.getElementById("choose");
choose?.addEventListener("change", () => choose.value && openStory(choose.value));
document.getElementById("again")?.addEventListener("click", () => openStory(choose.value));
document.getElementById("play")?.addEventListener("click", () => post("/story/play"));
document.getElementById("do-it")?.addEventListener("click", () => post("/story/do-it"));
document.getElementById("reload-phone").addEventListener("click", () => { const f = document.querySelector("iframe"); f.src = f.src; });
watchScreen();
watchState();
