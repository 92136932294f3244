"use strict";
/* The scenario beside the kiosk: what happens now, whose turn it is, and the list of steps. */
const VERDICT = { ok: "Terminó: todo se cumplió.", no: "No se cumplió: " };

function showStory(story) {
  document.getElementById("changing").hidden = !story.changing;
  if (story.key !== document.documentElement.dataset.story && !story.changing) { location.reload(); return; }
  const now = document.getElementById("now");
  if (!now || !story.steps) return;
  const items = document.querySelectorAll("#steps li");
  story.steps.forEach((step, at) => {
    items[at].className = step.phase;
    const words = step.text || step.say;
    if (items[at].textContent !== words) items[at].textContent = words;
  });
  const at = story.steps.findLastIndex((s) => s.phase);
  const told = story.steps.slice(0, at + 1).findLast((s) => s.say)?.say ?? "";
  const step = story.steps[at];
  const turn = step?.phase === "your_turn";
  now.className = `now ${turn ? "turn" : story.verdict}`;
  const said = turn ? `Su turno. ${step.turn}` : story.verdict === "ok" ? VERDICT.ok : story.verdict === "no" ? VERDICT.no + story.trouble : told || (story.playing ? "Empieza…" : "Cuando esté listo, empiece.");
  if (now.textContent !== said) now.textContent = said;
  if ((story.playing || story.verdict) && !document.body.dataset.began) {
    document.body.dataset.began = "yes";
    document.getElementById("learn").open = false;
  }
  document.getElementById("play").hidden = story.playing || Boolean(story.verdict);
  document.getElementById("do-it").hidden = !turn;
  document.getElementById("again").hidden = !story.verdict;
  if (items[at] && document.body.dataset.at !== String(at)) {
    document.body.dataset.at = String(at);
    const list = items[at].parentElement;
    list.scrollTop = items[at].offsetTop - list.offsetTop - 40;
  }
}

let seenFacts = null;

function showJournal(facts) {
  const list = document.getElementById("journal");
  const key = facts.map((f) => f.id + f.acked).join();
  if (!facts.length || list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...facts.map((fact) => {
    const line = document.createElement("li");
    if (seenFacts && !seenFacts.has(fact.id)) line.className = "new";
    const kind = document.createElement("b"), state = document.createElement("span"), more = document.createElement("span");
    kind.textContent = fact.name;
    kind.title = fact.type;
    state.textContent = fact.acked ? "entregado" : "espera";
    state.className = fact.acked ? "held" : "waits";
    more.className = "more";
    const amount = fact.data.amount_centavos;
    more.textContent = [fact.time.slice(11, 19) || "sin hora", `${fact.lane} ${fact.seq}`, amount ? money(amount) : "", fact.data.folio ?? ""].filter(Boolean).join(" · ");
    line.append(kind, state, more);
    return line;
  }));
  seenFacts = new Set(facts.map((f) => f.id));
}
