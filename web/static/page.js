// The chat page: sends what is written and shows what is answered. Words from outside go in as
// text, never as markup. Without this file the form works by itself (POST /ask).
const QUICK = 300, GROWING = 600, SLOW = 2000, PATIENCE = 20000, STATE_EVERY = 30000, FILE = "lafiya.json";
const byId = (id) => document.getElementById(id);
const log = byId("log"), form = byId("ask"), box = byId("text"), dots = byId("typing"), menu = byId("menu");
const lang = document.documentElement.lang;
const shown = new Map(); // id in the store -> its bubble
let begun = null; // the bubble of an answer that is still being written
let unsent = []; // messages of this page that the store has not shown back yet
let atEnd = true; // the newest message is in view, and stays so when a keyboard opens
let last = 0, waiting = false, polling = false, again = false, delay = QUICK, timer = 0, asksErase = false, startedOver = false, looked = Date.now();

const kept = { // storage may be switched off: then the page forgets when it is closed
  get(key) { try { return localStorage.getItem(key); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, value); } catch { /* kept in memory only */ } },
};

const known = kept.get("lafiya.session");
const returning = /^[\w-]{22,}$/.test(known || "") && !("asked" in log.dataset);
const session = returning ? known : form.elements.session.value;
if ("asked" in log.dataset) kept.set("lafiya.session", session);

async function call(method, path, body) {
  const control = new AbortController(), bell = setTimeout(() => control.abort(), PATIENCE);
  const headers = { "X-Session": session, "Content-Type": "application/json" };
  const url = `${path}${path.includes("?") ? "&" : "?"}lang=${lang}`;
  try {
    const reply = await fetch(url, { method, headers, body: body && JSON.stringify(body), cache: "no-store", signal: control.signal });
    return { status: reply.status, ok: reply.ok, said: await reply.json().catch(() => ({})) };
  } finally { clearTimeout(bell); }
}

function write(node, text) { // a link to a file of one's own data is a link, always to this server
  for (const part of text.split(/(https?:\/\/\S+\/data\/[\w.~-]+)/)) {
    const [, path] = part.match(/^https?:\/\/\S+(\/data\/[\w.~-]+)$/) || [];
    if (!path) { node.append(part); continue; }
    const link = document.createElement("a");
    link.href = path;
    link.textContent = FILE;
    node.append(link);
  }
}

function bubble(kind, text) {
  const node = byId(kind).content.firstElementChild.cloneNode(true);
  write(node.querySelector(".text"), text);
  dots.before(node);
  return node;
}

function offer(choices) {
  log.querySelectorAll(".choices").forEach((old) => old.remove());
  if (!choices.length) return;
  const row = document.createElement("div");
  row.className = "choices";
  for (const [id, label] of choices) {
    const button = document.createElement("button");
    button.className = "pick";
    button.name = "choice";
    button.value = `${id}|${label}`;
    button.textContent = label;
    button.setAttribute("form", "ask");
    row.append(button);
  }
  dots.before(row);
}

function show(message, live) {
  last = Math.max(last, message.id);
  if (shown.has(message.id)) return null;
  if (message.direction === "in") {
    const mine = unsent.find((item) => item.body.text === message.text);
    mine?.note?.remove(); // it had arrived after all
    if (mine) unsent = unsent.filter((item) => item !== mine);
    const node = mine ? mine.node : bubble("in", message.text);
    if (node.nextElementSibling !== dots) dots.before(node); // the store's order is the order
    shown.set(message.id, node);
    return node;
  }
  const node = finished(message) || bubble(message.urgent ? "urgent" : "out", message.text);
  if (message.urgent && live) node.setAttribute("role", "alert");
  shown.set(message.id, node);
  offer(message.choices);
  if (message.source !== "service" || message.choices.length) byId("samples").hidden = true;
  asksErase = message.choices.some(([id]) => id.startsWith("erase:"));
  return node;
}

function unfold(text) { // only what is new is added, so that it alone is read out
  if (!text) { begun?.remove(); begun = null; return; }
  if (!begun) {
    begun = bubble("out", "");
    begun.classList.add("growing");
  }
  extend(begun, text);
  dots.hidden = true;
  follow(begun);
}

function extend(node, text) {
  const body = node.querySelector(".text"), old = body.textContent;
  const goesOn = text.startsWith(old);
  if (!goesOn) body.textContent = "";
  write(body, goesOn ? text.slice(old.length) : text);
}

function finished(message) { // the reply takes the place of its beginning: nothing jumps
  const node = begun;
  begun = null;
  if (!node || message.urgent) { node?.remove(); return null; }
  node.classList.remove("growing");
  extend(node, message.text);
  if (node.nextElementSibling !== dots) dots.before(node);
  return node;
}

function follow(node) { // on to the newest line, until the first one is at the top; never back
  const end = log.scrollHeight - log.clientHeight;
  if (atEnd) log.scrollTop = Math.max(log.scrollTop, Math.min(end, node.offsetTop - log.offsetTop - 8));
}

function receive(messages, live) {
  const answers = messages.filter((message) => message.direction === "out");
  const done = answers.length || (!waiting && unsent.some((item) => item.taken));
  if (asksErase && live && done) return startOver(); // perhaps everything is gone: look
  if (startedOver && !messages.length) shown.set(0, bubble("out", log.dataset.erased)); // the last word too
  startedOver = false;
  const old = begun;
  const nodes = messages.map((message) => show(message, live)).filter(Boolean);
  unsent.forEach((item) => { if (!waiting && item.taken) item.node.remove(); });
  if (!waiting) unsent = unsent.filter((item) => !item.taken);
  if (nodes.length) unsent.forEach(({ node, note }) => dots.before(node, ...(note ? [note] : [])));
  dots.hidden = !waiting;
  if (old && nodes.at?.(-1) === old) follow(old);
  else if (nodes.length || (waiting && !begun)) bringUp(nodes.at?.(-1) || dots, !live);
}

function startOver() {
  [...shown.values()].forEach((node) => node.remove());
  shown.clear();
  offer([]);
  unfold(null);
  byId("samples").hidden = false;
  last = 0;
  asksErase = false;
  startedOver = again = true;
}

function bringUp(node, toEnd) { // a long answer is read from its top
  const end = log.scrollHeight - log.clientHeight;
  log.scrollTop = toEnd ? end : Math.min(end, node.offsetTop - log.offsetTop - 8);
}

function look(soon = 0) {
  clearTimeout(timer);
  timer = setTimeout(poll, soon);
}

async function poll(live = true) {
  if (polling) { again = true; return; }
  polling = true;
  again = false;
  let fine = false;
  try {
    const { ok, said } = await call("GET", `/api/messages?after=${last}`);
    fine = ok;
    if (ok) {
      waiting = said.waiting;
      receive(said.messages, live);
      unfold(waiting && said.draft);
      if (begun) delay = GROWING;
    }
  } catch { /* no connection: said below, and tried again */ }
  polling = false;
  byId("offline").hidden = fine;
  log.setAttribute("aria-live", "polite");
  if (again) look();
  else if (waiting || !fine) look(fine ? delay : SLOW);
  delay = Math.min(delay * 1.2, SLOW);
  if (fine && !waiting && Date.now() - looked > STATE_EVERY) state();
}

async function state() {
  looked = Date.now();
  try {
    const { ok, said } = await call("GET", "/api/state");
    if (ok) byId("engine").textContent = said.label;
  } catch { /* the label of before stays */ }
}

function send(body) {
  kept.set("lafiya.session", session);
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const id = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const item = { id, body, node: bubble("in", body.text), taken: false };
  unsent.push(item);
  offer([]);
  if (!body.choice?.startsWith("language:")) byId("samples").hidden = true;
  return deliver(item);
}

async function deliver(item) { // the same id again: the server keeps it once
  item.node.classList.add("going");
  bringUp(item.node);
  let reply = { ok: false, status: 0, said: {} };
  try { reply = await call("POST", "/api/messages", { id: item.id, ...item.body }); } catch { /* shown as not sent */ }
  item.node.classList.remove("going");
  if (!reply.ok) return failed(item, reply);
  item.taken = waiting = true;
  dots.hidden = false;
  bringUp(dots);
  delay = QUICK;
  look(QUICK / 2);
}

function failed(item, { status, said }) {
  const note = byId("failed").content.firstElementChild.cloneNode(true);
  const button = note.querySelector("button");
  if (said.sentence) note.querySelector("span").textContent = said.sentence;
  item.note = note;
  item.retry = () => { note.remove(); item.note = item.retry = null; deliver(item); };
  if (status >= 400 && status < 500 && status !== 429) { button.remove(); item.retry = null; }
  else button.addEventListener("click", () => { item.retry?.(); box.focus(); });
  item.node.after(note);
  bringUp(note);
}

function grow() {
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight + 3}px`;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  menu.open = false;
  const by = event.submitter;
  if (by?.name === "choice") {
    const [choice, ...label] = by.value.split("|");
    send({ choice, text: label.join("|") });
  } else if (by?.name === "say") {
    send({ text: by.value });
  } else if (box.value.trim()) {
    send({ text: box.value.trim() });
    box.value = "";
    grow();
  }
});
box.addEventListener("input", grow);
box.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});
byId("tongue").addEventListener("click", async (event) => { // the page and the answers change together
  event.preventDefault();
  const { href, hreflang, textContent } = event.currentTarget;
  kept.set("lafiya.lang", hreflang);
  menu.open = false;
  await send({ choice: `language:${hreflang}`, text: textContent });
  location.assign(href);
});
log.addEventListener("scroll", () => { atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 48; });
new ResizeObserver(() => { if (atEnd && last) log.scrollTop = log.scrollHeight; }).observe(log);
document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
document.addEventListener("keydown", (event) => { if (event.key === "Escape") menu.open = false; });
addEventListener("online", () => { unsent.forEach((item) => item.retry?.()); if (last || waiting) look(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden && (last || waiting)) look(); });

const wanted = kept.get("lafiya.lang");
if (wanted && wanted !== lang && !new URLSearchParams(location.search).has("lang") && !("asked" in log.dataset)) location.replace(`/?lang=${wanted}`);
if ("asked" in log.dataset) log.querySelectorAll(".msg, .choices, .problem").forEach((old, nth) => { if (nth) old.remove(); });
if (returning || "asked" in log.dataset) {
  log.setAttribute("aria-live", "off");
  poll(false);
}
