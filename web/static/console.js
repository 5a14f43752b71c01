// The console: shows what the service says of itself, and gives the orders of the chat. Words from
// outside go in as text, never as markup.
import { draw } from "./chart.js";
import { corrections } from "./corrections.js";

const EVERY = 2000, IDLE = 10000, QUICK = 150;
const byId = (id) => document.getElementById(id), all = (selector) => document.querySelectorAll(selector);
const { key, words: raw } = document.body.dataset, words = JSON.parse(raw), lang = document.documentElement.lang;
const said = byId("said"), svg = byId("curve");
let timer = 0, newest = "", chosen = "", shown = null, overviewAt = 0, pointed = null;

async function call(method, path, body) {
  const headers = { "Content-Type": "application/json", "X-Console-Key": key };
  const reply = await fetch(`/console/${path}?lang=${lang}`, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
  if (reply.status === 403) location.reload(); // the session is over: the page says how to come back
  return { ok: reply.ok, status: reply.status, said: await reply.json().catch(() => ({})) };
}

function make(tag, text = "", name = "") {
  const node = document.createElement(tag);
  node.textContent = text;
  if (name) node.className = name;
  return node;
}

function button(label, text, name = "pick") {
  const node = make("button", label, name);
  node.dataset.order = text;
  return node;
}

function link(address) { // to a file that was asked for, or to where it was pushed
  const node = make("a", address);
  node.href = address;
  return node;
}

const number = (value) => (value === null || value === undefined ? "–" : value.toFixed(3));

function tell(state) {
  for (const node of all("[data-of]")) node.textContent = state[node.dataset.of] ?? "–";
  for (const node of all("[data-load]")) {
    const count = state.load[node.dataset.load];
    node.textContent = count.toLocaleString("en");
    node.parentElement.classList.toggle("zero", !count);
  }
  byId("served").textContent = state.served;
  byId("troubles").replaceChildren(...state.troubles.map((text) => make("li", text)));
  byId("troubles").hidden = !state.troubles.length;
  for (const node of all("[data-troubled]")) node.hidden = (node.dataset.troubled === "yes") !== Boolean(state.troubles.length);
  for (const node of all("[data-able]")) node.hidden = (node.dataset.able === "yes") !== state.able;
  for (const field of byId("ask-all").elements) field.disabled = !state.able;
  for (const form of all("[data-set]")) {
    const field = form.elements.value;
    if (!field.dataset.touched) field.value = state[form.dataset.set];
  }
  tellRuns(state.runs);
  tellReleases(state);
}

function tellRuns(runs) {
  newest = runs[0]?.name || "";
  byId("no-run").hidden = Boolean(newest);
  byId("past").hidden = runs.length < 2;
  if (!runs.some((run) => run.name === chosen)) chosen = newest;
  if (!newest && !byId("begin").dataset.seen) byId("begin").open = true;
  byId("begin").dataset.seen = "yes";
  byId("runs").replaceChildren(...runs.map((run) => {
    const row = document.createElement("li"), pick = make("button", "", "row");
    const fall = run.base && run.held_out ? `${number(run.base)} → ${number(run.held_out)}` : "";
    pick.append(make("strong", run.name), make("span", run.said, `badge ${run.phase}`), make("span", fall, "soft"));
    pick.setAttribute("aria-pressed", run.name === chosen);
    pick.addEventListener("click", () => { chosen = run.name; shown = null; look(true); byId("training").scrollIntoView(); });
    row.append(pick);
    return row;
  }));
}

function tellReleases({ releases, able }) {
  const pick = byId("leaving").querySelector("select"), names = releases.map((one) => one.name);
  byId("leaving").hidden = !names.length;
  if ([...pick.options].map((one) => one.value).join() !== names.join()) pick.replaceChildren(...names.map((name) => make("option", name)));
  byId("no-release").hidden = Boolean(releases.length);
  document.querySelector("[data-order='/rollback']").hidden = !releases.length;
  byId("list").replaceChildren(...releases.map((one) => {
    const row = document.createElement("li"), head = make("div", "", "head"), acts = make("div", "", "acts");
    head.append(make("strong", one.name), make("span", one.said, `badge ${one.live ? "live" : one.state}`));
    if (one.passed !== null) {
      const report = make("a", words.report, "pick");
      report.href = `/console/releases/${one.name}?lang=${lang}`;
      acts.append(report);
    }
    if (!one.live) {
      acts.append(button(words.evaluate, `/evaluate ${one.name}`));
      if (able) acts.append(button(words.load, `/load ${one.name}`));
      if (one.passed) acts.append(button(words.swap, `/swap ${one.name}`, "pick main"));
    }
    row.append(head, make("p", one.figures, "soft"), acts);
    return row;
  }));
}

function tellRun(run) {
  const fresh = JSON.stringify(run) !== JSON.stringify(shown);
  shown = run;
  byId("run").hidden = false;
  const card = run.card, dropped = Object.entries(card.dropped || {}).map(([why, count]) => `${why} ${count}`).join(", ");
  const values = {
    ...run, loss: number(run.loss), held_out: number(run.held_out), base: number(run.base), percent: `${Math.round(100 * run.share)} %`,
    progress: run.steps ? `${run.step} / ${run.steps}` : "–", left: run.left || "–",
    held: card.held_out ?? "–", train: card.train ?? "–", faulty: card.faulty ?? "–", dropped: dropped || "0",
    sources: (card.sources || []).map((one) => `${one.name} (${one.rows})`).join(", "),
    config: Object.entries(run.config).map(([name, value]) => `${name}=${value}`).join(" "),
  };
  for (const node of all("[data-run]")) node.textContent = values[node.dataset.run] ?? "–";
  for (const node of all("[data-when]")) node.hidden = !run[node.dataset.when];
  document.querySelector("[data-when=resumes]").dataset.order = `/resume ${run.name}`;
  const badge = document.querySelector("[data-run=said]");
  badge.className = `badge ${run.active ? "active" : run.phase}`;
  document.querySelector("#run progress").value = run.share;
  document.querySelector("#run .going").hidden = !run.active && run.phase !== "cancelled" && run.phase !== "interrupted";
  byId("card").hidden = card.train === undefined;
  if (fresh) tellCurve(run);
}

function tellCurve({ curve, end }) {
  const some = curve.loss.length > 1 || curve.held_out.length > 1;
  byId("no-curve").hidden = some;
  svg.toggleAttribute("hidden", !some);
  byId("best").hidden = document.querySelector("figcaption").hidden = !some;
  pointed = some ? draw(svg, curve, end) : null;
}

async function look(now = false) {
  clearTimeout(timer);
  let fine = false;
  try {
    fine = true;
    if (now || Date.now() - overviewAt >= IDLE - 50) {
      const { ok, said: state } = await call("GET", "state");
      fine = ok;
      if (ok) { overviewAt = Date.now(); tell(state); }
    }
    if (fine && chosen) {
      const { ok, said: run } = await call("GET", `runs/${chosen}`);
      if (ok) {
        const ended = shown?.active && !run.active;
        tellRun(run);
        if (ended) overviewAt = 0;
      }
    }
  } catch { fine = false; /* no connection: said below, and tried again */ }
  byId("offline").hidden = fine;
  byId("offline").textContent = words.offline;
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(look, !fine || shown?.active || !overviewAt ? EVERY : IDLE);
}

function speak(text, buttons = [], contenders = []) {
  byId("words").replaceChildren(...text.split(/(https?:\/\/\S+)/).map((part, nth) => (nth % 2 ? link(part) : part)));
  byId("answers").replaceChildren(...contenders.map((one) => {
    const answer = document.createElement("article"), head = make("h3", one.role);
    head.append(make("span", ` ${one.release}`, "soft"));
    answer.append(head, make("p", one.text));
    return answer;
  }));
  byId("choices").replaceChildren(...buttons);
  said.classList.toggle("broad", contenders.length > 0);
  said.querySelector("form").hidden = buttons.length > 0; // one of them says no
  if (!said.open) said.showModal();
}

function pick([id, label], nth) {
  const node = make("button", label, nth ? "pick" : "pick main");
  node.dataset.choice = id;
  return node;
}

function sure(text, order) { // asks before an order that the service does not ask about
  const no = make("button", words["label-no"], "pick");
  no.addEventListener("click", () => said.close());
  speak(text, [button(words["label-yes"], order, "pick main"), no]);
}

const showAnswers = corrections(byId("corrections"), { call, make, words, sure });

async function order(text, choice = "") {
  speak(words.wait);
  said.setAttribute("aria-busy", "true");
  try {
    let { ok, said: reply } = await call("POST", "orders", { text, choice });
    const begun = reply.order;
    for (let pause = QUICK; ok && !reply.done; pause = Math.min(pause * 1.5, EVERY)) {
      await new Promise((go) => setTimeout(go, pause));
      ({ ok, said: reply } = await call("GET", `orders/${begun}`));
    }
    if (ok) speak(reply.text, reply.choices.map(pick), reply.contenders);
    else speak(reply.sentence);
  } catch { speak(words.offline); }
  said.removeAttribute("aria-busy");
  shown = null;
  chosen = text.startsWith("/train") ? "" : chosen;
  if (text.startsWith("/correct")) showAnswers();
  look(true);
}

function wrong(form) { // the browser's own bubbles speak the browser's language
  const bad = [...form.elements].find((field) => field.willValidate && !field.validity.valid);
  const none = form.id === "train" && !new FormData(form).getAll("data").length && !form.elements.other.value.trim();
  const note = form.querySelector(".problem");
  note.hidden = !bad && !none;
  note.textContent = bad ? `${bad.closest("label").querySelector("span").textContent}: ${bad.dataset.range}` : words.choose;
  bad?.focus();
  return bad || none;
}

byId("train").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  if (wrong(form)) return;
  const given = new FormData(form), other = given.get("other").trim();
  const data = [...given.getAll("data"), ...(other ? [other] : [])].join(",");
  const numbers = [...form.querySelectorAll("input[type=number]")].map(({ name, value }) => `${name}=${value}`);
  byId("begin").open = false;
  order(["/train", ...numbers, `data=${data}`, `evaluate=${given.has("evaluate") ? "yes" : "no"}`].join(" "));
});
for (const form of all("[data-set]")) {
  form.elements.value.addEventListener("input", ({ target }) => { target.dataset.touched = "yes"; });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (wrong(form)) return;
    await order(`/set ${form.dataset.set} ${form.elements.value.value}`);
    delete form.elements.value.dataset.touched;
  });
}
byId("ask-all").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = event.currentTarget.elements.question.value.trim();
  if (question) order(`/compare ${question}`);
});
byId("leaving").querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const { release, form } = event.currentTarget.elements;
  order(`/export ${release.value} ${form.value}`);
});
document.addEventListener("click", ({ target }) => {
  const { order: text, choice } = target.dataset ?? {};
  if (text) order(text);
  if (choice) order("", choice);
});
svg.addEventListener("pointermove", ({ offsetX }) => {
  if (!pointed) return;
  const { step, loss, held } = pointed(offsetX);
  byId("readout").textContent = `${step}: ${number(loss)}${held ? ` · ${number(held[1])}` : ""}`;
});
byId("leave").addEventListener("click", async () => {
  await call("POST", "leave", {});
  location.replace(`/console?lang=${lang}`);
});
new ResizeObserver(() => { if (shown) tellCurve(shown); }).observe(svg.parentElement);
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(true); });
if (location.hash.includes(".")) history.replaceState(null, "", location.search); // a link, and already in
look(true);
