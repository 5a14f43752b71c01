// Answers that may be put right: shown when somebody asks for them, kept by the order of the chat.
// Words from outside go in as text, never as markup.

export function corrections(room, { call, make, words, sure }) {
  const list = room.querySelector("ul"), none = room.querySelector("#no-answers"), { longest } = room.dataset;

  async function show() {
    none.hidden = false;
    none.textContent = words.wait;
    try {
      const { ok, said } = await call("POST", "answers", {});
      if (ok) tell(said.answers);
      else none.textContent = said.sentence;
    } catch { none.textContent = words.offline; }
  }

  function tell(answers) { // a form in which somebody writes stays as it is
    const rows = new Map([...list.children].map((row) => [row.dataset.number, row]));
    list.replaceChildren(...answers.map((one) => rows.get(String(one.number)) ?? drawn(one)));
    none.hidden = answers.length > 0;
    none.textContent = words["admin-answers-none"];
  }

  function drawn({ number, question, answer, by, draft }) {
    const row = make("li"), facts = make("dl", "", "facts"), right = make("details");
    row.dataset.number = number;
    for (const [title, text] of [[words["answer-asked"], question], [words["answer-given"], answer]]) {
      const fact = make("div");
      fact.append(make("dt", title), make("dd", text));
      facts.append(fact);
    }
    right.append(make("summary", words.correct), form(number, draft));
    row.append(make("p", `#${number} · ${by}`, "soft"), facts, right);
    return row;
  }

  function form(number, draft) {
    const made = make("form"), label = make("label"), field = make("textarea", draft), wrong = make("p", "", "problem");
    Object.assign(field, { name: "answer", rows: 6, maxLength: longest, required: true, lang: "ha" });
    label.append(make("span", words["correct-text"]), field);
    wrong.setAttribute("role", "alert");
    made.noValidate = wrong.hidden = true;
    made.append(label, wrong, make("button", words["correct-keep"], "pick main"));
    made.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = field.value.trim();
      wrong.hidden = Boolean(text) && text !== draft.trim();
      wrong.textContent = words["correct-write"];
      if (wrong.hidden) sure(`${words["correct-ask"]}\n\n${text}`, `/correct ${number} ${text}`);
      else field.focus();
    });
    return made;
  }

  room.querySelector("#show-answers").addEventListener("click", show);
  return show;
}
