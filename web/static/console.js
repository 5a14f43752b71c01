// The console: shows what the service says of itself, and gives the orders of the chat. Words from
// outside go in as text, never as markup.
const SOON = 2000, LATER = 10000;
const byId = (id) => document.getElementById(id);
const { key, words: raw } = document.body.dataset, words = JSON.parse(raw), lang = document.documentElement.lang;
let timer = 0;

async function call(method, path, body) {
  const headers = { "Content-Type": "application/json", "X-Console-Key": key };
  const reply = await fetch(`/console/${path}?lang=${lang}`, { method, headers, body: body && JSON.stringify(body), cache: "no-store" });
  if (reply.status === 403 && method === "GET") location.reload(); // the session is over: the page says so
  return { ok: reply.ok, status: reply.status, said: await reply.json().catch(() => ({})) };
}

function make(tag, text = "", name = "") {
  const node = document.createElement(tag);
  node.textContent = text;
  if (name) node.className = name;
  return node;
}

function tell(state) {
  for (const node of document.querySelectorAll("[data-of]")) node.textContent = state[node.dataset.of] ?? "–";
  for (const node of document.querySelectorAll("[data-load]")) {
    const count = state.load[node.dataset.load];
    node.textContent = count.toLocaleString("en");
    node.parentElement.classList.toggle("zero", !count);
  }
  byId("served").textContent = state.served;
  byId("troubles").replaceChildren(...state.troubles.map((text) => make("p", text, "problem")));
}

async function look() {
  clearTimeout(timer);
  let fine = false;
  try {
    const { ok, said } = await call("GET", "state");
    fine = ok;
    if (ok) tell(said);
  } catch { /* no connection: said below, and tried again */ }
  byId("offline").hidden = fine;
  byId("offline").textContent = words.offline;
  if (!document.hidden) timer = setTimeout(look, fine ? LATER : SOON);
}

byId("leave").addEventListener("click", async () => {
  await call("POST", "leave", {});
  location.replace(`/console?lang=${lang}`);
});
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
look();
