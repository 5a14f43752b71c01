// The way in: what stands behind the # opens a session once. It is sent in a body, never in an address.
const AGAIN = 1500;
const box = document.getElementById("entrance"), said = box.querySelector("p"), lang = document.documentElement.lang;
const token = location.hash.slice(1);

async function enter() {
  said.textContent = box.dataset.entering;
  try {
    const body = JSON.stringify({ token }), headers = { "Content-Type": "application/json" };
    const reply = await fetch(`/console/enter?lang=${lang}`, { method: "POST", headers, body, cache: "no-store" });
    const { sentence } = await reply.json();
    if (reply.ok) location.replace(`/console?lang=${lang}`);
    else said.textContent = sentence;
  } catch { // no connection, or a proxy's own words
    said.textContent = box.dataset.offline;
    setTimeout(enter, AGAIN);
  }
}

if (token) {
  history.replaceState(null, "", location.pathname + location.search);
  enter();
}
