// The way in: what stands behind the # opens a session once. It is sent in a body, never in an address.
const said = document.querySelector("#entrance p"), lang = document.documentElement.lang;
const token = location.hash.slice(1);

async function enter() {
  said.textContent = said.parentElement.dataset.entering;
  const body = JSON.stringify({ token }), headers = { "Content-Type": "application/json" };
  const reply = await fetch(`/console/enter?lang=${lang}`, { method: "POST", headers, body, cache: "no-store" });
  if (reply.ok) location.replace(`/console?lang=${lang}`);
  else said.textContent = (await reply.json()).sentence;
}

if (token) {
  history.replaceState(null, "", location.pathname + location.search);
  enter().catch(() => { location.hash = token; location.reload(); });
}
