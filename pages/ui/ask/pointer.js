// What the reader asks for, told to Python: a cell, a neighbour of it, a page, or one of the stage's buttons; and which
// cells are framed on the stages. Buttons that stand for a cell carry data-cell, links to a page data-page.

export const painters = Object.assign(new Set(), { frames: [], covers: [], waits: false, pointed: null }); // the stages on the page

const pointers = new Map(); // one for every mounted component, by its role: how what it asks reaches Python
let count = Date.now(); // the number of the last question: larger than those of a page that was loaded before this one
let unheard = []; // questions that Python has perhaps not heard yet
let chosen = 0; // the number of the question about a cell that the stage frames already
let setting = 0; // until when the controls that set a number are brought into view as they come
let shown = ""; // the page that was drawn last
let left = { path: "", page: "", until: 0 }; // the one that the reader leaves, and until when the one asked for is waited for
let later = []; // what the reader asks of the frame meanwhile
let leaving = 0; // until when an answer may take away the button that has the keyboard

/** A frame around the one cell of an address. */
export function around(address, kind = "cell") {
  const [tensor, row, column, head] = address.split(".");
  const [r, c] = [+row, +column];
  return { kind, tensor, head: head === undefined ? null : +head, rows: [r, r + 1], columns: [c, c + 1] };
}

/** Who answers a question: the frame around every page, or the page's own panel. */
const answers = ({ page, lang, act }) => (page || lang || ["present", "small"].includes(act) ? "frame" : "panel");

/** Ask whoever answers such questions; where the page has no panel, the frame. The question's number, 0 if not asked. */
export function ask(question) {
  if (isLeft() && answers(question) === "frame") {
    if (!later.length) setTimeout(goOn);
    later = [...later.filter(({ page }) => !(page && question.page)), question]; // of two pages the later one
    return 0;
  }
  if (question.page && !document.querySelector(`.top a[data-page="${question.page}"][aria-current]`))
    left = { path: location.pathname, page: shown, until: performance.now() + 3000 };
  const number = tell(pointers.has(answers(question)) ? answers(question) : [...pointers.keys()][0], question);
  if (question.act === "set") {
    setting = performance.now() + 3000;
    showControls();
  }
  return number;
}

// A page that is being left asks nothing more, and what runs by itself on it takes no click: Streamlit would draw that
// part on the page that comes, and break it. What is asked of the frame waits until that page is there.
const isLeft = () => (location.pathname === left.path || shown === left.page) && performance.now() < left.until;

/** The browser's back button leads to that page again. */
function onHistory() {
  left.until = 0;
}

/** Ask what waited: from the page that is left Python would not hear it. */
function goOn() {
  if (isLeft()) setTimeout(goOn, 30);
  else for (const question of later.splice(0)) if (question.page !== shown) ask(question);
}

/** They stand at the end of the panel, which scrolls. */
function showControls() {
  if (performance.now() < setting) document.querySelector(".st-key-inspector_choice")?.scrollIntoView({ block: "nearest" });
}

/** Ask about a cell that was chosen on a stage, which frames it already: what was said before is an older answer. */
export function choose(cell) {
  chosen = ask({ cell });
}

function point(address) {
  const frame = address ? around(address, "pointed") : null;
  if (JSON.stringify(frame) === JSON.stringify(painters.pointed)) return;
  painters.pointed = frame;
  for (const painter of painters) painter.paint();
}

/** A button that stands for a cell, or a link to a page of ours. */
function onClick(event) {
  if (isLeft() && event.target.closest?.(".st-key-panel, .st-key-more")) {
    event.preventDefault();
    event.stopPropagation();
    return;
  }
  if (event.target.closest?.("[data-forget]")) return void keep({});
  const button = event.target.closest?.("[data-cell]");
  if (button) {
    did("ask");
    const { cell, back } = button.dataset;
    ask({ cell, way: back === undefined ? "source" : +back });
    leaving = performance.now() + 3000;
    return;
  }
  const link = event.target.closest?.("a[data-page], a[data-lang], a[data-act], a[href^='/glossary?']");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (!pointers.size) return; // nobody answers yet: the link itself leads there
  event.preventDefault();
  const { lang, act, page = lang || act ? null : "glossary" } = link.dataset;
  if (link.hash) term = link.hash.slice(1); // a term in running text
  ask(page ? { page } : lang ? { lang } : { act });
}

/** Pointing at a button, by mouse or by keyboard, shows where its cell stands. */
function onPoint(event) {
  point(event.target.closest?.("[data-cell]")?.dataset.cell);
}

const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function onKey(event) {
  const step = ARROWS[event.key];
  const target = event.target;
  if (step && target.closest?.(".st-key-inspector_steps")) {
    event.preventDefault();
    ask({ step });
    return;
  }
  const writes = target.closest?.("input, textarea, [contenteditable=true], [role=combobox], [role=listbox]");
  if (writes && !(event.key === "Enter" && target.tagName === "TEXTAREA")) return;
  if (target.tagName === "TEXTAREA") {
    if (event.ctrlKey || event.metaKey || event.isComposing) return;
    event.preventDefault(); // a sentence has one line: Enter means "take it"
    commit(target);
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "p" || event.key === "P") ask({ act: "present" });
  else if (event.key === "Escape" && presents()) ask({ act: "present" });
  else if (presents() && (event.key === "ArrowRight" || event.key === "PageDown")) walk(1, event);
  else if (presents() && (event.key === "ArrowLeft" || event.key === "PageUp")) walk(-1, event);
  else if (presents() && event.key === " " && target === document.body) {
    event.preventDefault();
    for (const painter of painters) painter.play?.click();
  }
}

const presents = () => document.documentElement.classList.contains("present");

/** The page before or after this one, as the stepper has them. */
function walk(step, event) {
  const links = [...document.querySelectorAll(".stepper a[data-page]")];
  const next = links[links.findIndex((link) => link.ariaCurrent === "page") + step];
  if (!next) return;
  event.preventDefault();
  ask({ page: next.dataset.page });
}

// The sentence is taken as it is typed: Streamlit's text area waits for Ctrl and Enter, and gets them after a pause.

let typing = 0;

function onInput(event) {
  if (!event.target.closest?.(".st-key-sentence") || event.target.tagName !== "TEXTAREA") return;
  clearTimeout(typing);
  typing = setTimeout(() => event.target.isConnected && commit(event.target), 350);
}

function commit(area) {
  clearTimeout(typing);
  area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true, cancelable: true }));
}

// What the reader did on each step stays in the browser: it ticks "you can now", and marks the steps.

const AGAIN = 600; // milliseconds between two looks at a layer that learns
const DEEDS = "attention.deeds";

let known = read(); // page by page

function read() {
  try {
    return JSON.parse(localStorage.getItem(DEEDS)) ?? {};
  } catch {
    return {}; // no storage, or somebody else's
  }
}

/** The reader has done something on the page that is open. */
export function did(deed) {
  const page = document.querySelector(".can")?.dataset.of;
  if (!page || known[page]?.includes?.(deed)) return;
  keep({ ...known, [page]: [...(known[page] ?? []), deed] });
}

function keep(deeds) {
  known = deeds;
  try {
    localStorage.setItem(DEEDS, JSON.stringify(known));
  } catch {
    // without storage they are kept until the page is left
  }
  tick();
}

function tick() {
  for (const item of document.querySelectorAll(".can [data-did]")) {
    const page = item.closest(".can").dataset.of;
    item.classList.toggle("done", Boolean(known[page]?.includes?.(item.dataset.did)));
  }
  for (const link of document.querySelectorAll(".stepper a[data-page]")) {
    const count = String(Math.min(3, known[link.dataset.page]?.length ?? 0));
    if (link.dataset.deeds !== count) link.dataset.deeds = count;
  }
}

// The term that the reader asked the glossary for; at first that of the address, whose end Streamlit has dropped by now.
let term = new URL(performance.getEntriesByType("navigation")[0]?.name ?? location.href).hash.slice(1);

/** Show its row, once it is there. */
function showTerm() {
  const row = term && document.querySelector(`.glossary tr[id="${CSS.escape(term)}"]`);
  if (!row) return;
  term = "";
  for (const other of document.querySelectorAll(".glossary .asked")) other.classList.remove("asked");
  row.classList.add("asked");
  row.scrollIntoView({ block: "center" });
}

let observer = null;

function listen() {
  showTerm();
  tick();
  if (observer) return;
  document.addEventListener("click", onClick, true);
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("input", onInput, true);
  for (const name of ["pointerover", "focusin"]) document.addEventListener(name, onPoint, true);
  addEventListener("popstate", onHistory);
  observer = new MutationObserver(() => {
    if (performance.now() < leaving && document.activeElement === document.body)
      document.querySelector(".trail b")?.focus({ preventScroll: true });
    tick();
    showTerm();
    showControls();
  });
  observer.observe(document.body, { childList: true, subtree: true });
}

function unlisten() {
  document.removeEventListener("click", onClick, true);
  document.removeEventListener("keydown", onKey, true);
  document.removeEventListener("input", onInput, true);
  for (const name of ["pointerover", "focusin"]) document.removeEventListener(name, onPoint, true);
  removeEventListener("popstate", onHistory);
  observer?.disconnect();
  observer = null;
}

/** Ask once, when the reader has come near to a place. */
function watch(place, tell) {
  const eye = new IntersectionObserver(
    ([seen]) => {
      if (!seen.isIntersecting) return;
      eye.disconnect();
      tell();
    },
    { rootMargin: "0px 0px -24px 0px" },
  );
  eye.observe(place);
  return () => eye.disconnect();
}

// While a layer learns: have the page drawn again and again, each time that it has been drawn and stood a while.
function again(ask) {
  const app = document.querySelector("[data-testid=stApp]");
  const timer = setInterval(() => {
    if (app.dataset.testScriptState === "notRunning") ask();
  }, AGAIN);
  return () => clearInterval(timer);
}

const INSIST = 1000; // milliseconds after which a question that was perhaps not heard is asked again
const MOST = 3; // times that it is asked

/** Tell Python a question; its number, 0 where it is not told. */
function tell(role, question) {
  const path = location.pathname;
  if (!pointers.has(role) || (answers(question) === "panel" && isLeft())) return 0;
  // Of two questions that come at once Streamlit hands on the later one, so each brings along those before it.
  const here = unheard.filter((other) => other.path === path);
  unheard = [...here, { role, path, number: ++count, question, asked: performance.now(), times: 1 }];
  send(role, unheard.filter((other) => other.role === role));
  setTimeout(insist, INSIST, role);
  return count;
}

function send(role, questions) {
  pointers.get(role)?.(questions.map(({ number, question }) => [number, question]));
}

/** Streamlit drops a question where something else, a slider say, comes before it has run: ask it again. */
function insist(role) {
  const now = performance.now();
  const isDue = ({ path, asked, times }) => path === location.pathname && asked + INSIST <= now && times < MOST;
  const due = unheard.filter((other) => other.role === role && isDue(other));
  if (!due.length) return;
  const isResting = document.querySelector("[data-testid=stApp]")?.dataset.testScriptState === "notRunning";
  if (isResting && (role === "frame" || !isLeft())) {
    for (const each of due) {
      each.asked = now;
      each.times++;
    }
    send(role, due);
  }
  setTimeout(insist, INSIST, role);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const { role } = data;
  const bring = (value) => setTriggerValue("ask", value);
  if (role === "learning") return again(() => isLeft() || bring({ act: "look" }));
  if (role === "place") return watch(parentElement.host ?? parentElement, () => isLeft() || bring({ act: "near" }));
  unheard = unheard.filter((other) => other.role !== role || other.number > data.heard);
  pointers.set(role, bring);
  if (role === "panel") {
    if (JSON.stringify(data.covers) !== JSON.stringify(painters.covers)) {
      painters.covers = data.covers;
      for (const painter of painters) {
        painter.player.refresh();
        painter.paint();
        painter.sentence?.draw();
      }
    }
    painters.waits = data.waits;
    if (data.done) did("answer");
    if (data.heard >= chosen) {
      painters.frames = data.frames;
      painters.pointed = null;
      for (const painter of painters) painter.showFrames(data.frames);
    }
  } else {
    shown = data.page;
    document.documentElement.classList.toggle("present", data.present);
    document.documentElement.lang = data.lang;
    for (const painter of painters) painter.arrange();
  }
  listen();
  return () => {
    if (pointers.get(role) === bring) pointers.delete(role);
    if (!pointers.size) unlisten();
  };
}
