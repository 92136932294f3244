"use strict";
const screen_ = document.getElementById("screen");
const dark = document.getElementById("dark");
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

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
  link.textContent = state.network ? "Red conectada" : "Red cortada";
  link.classList.toggle("off", !state.network);
  const waiting = state.link.waiting ?? "¿?";
  document.getElementById("queue").textContent = `Por entregar a la ciudad: ${waiting}`;
  const charge = state.charges.at(-1);
  document.getElementById("charge").textContent = charge
    ? `Último cobro: $ ${(charge.amount_centavos / 100).toFixed(2)} · ${charge.state}` : "Sin cobros.";
  const box = document.getElementById("receipts");
  const key = state.receipts.join();
  if (key && box.dataset.key !== key) {
    box.dataset.key = key;
    box.replaceChildren(...state.receipts.map((stem) => {
      const a = document.createElement("a");
      a.href = `/receipts/${stem}.png`; a.target = "_blank"; a.rel = "noopener";
      const img = document.createElement("img");
      img.src = `/receipts/${stem}.png`; img.alt = `Recibo ${stem}`;
      a.append(img);
      return a;
    }));
  }
}

async function watchState() {
  for (;;) {
    try { show(await (await fetch("/state", { cache: "no-store" })).json()); } catch { /* the demonstration ended */ }
    await pause(1000);
  }
}

for (const button of document.querySelectorAll("button[data-do]")) {
  button.addEventListener("click", async () => show(await (await post(`/do/${button.dataset.do}`)).json()));
}
watchScreen();
watchState();
