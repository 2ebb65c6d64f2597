// Which cell of a heatmap a click means, and frames around the cells that a number was made from.
//
// Plotly reports no click on a heatmap, but every figure says in layout.meta which tensor each of its panels shows, and
// its layout says where they lie: margins in pixels, domains as shares. So a place on screen is arithmetic.

const STILL = 10; // pixels a finger may move and still mean one place
const ENOUGH = 200; // pixels of the answer that must be in sight
const TITLE = 40; // pixels above a panel that belong to its title

const pointers = new Map(); // one for every mounted component: its frames, and how it asks
let pressed = null;
let pointed; // the address of the button under the mouse or the keyboard
let wanted = false; // whether an answer is on its way
let due = 0; // the frames will be painted with the next picture
let leaving = 0; // until when an answer may take away the button that has the keyboard

const panelsOf = (chart) => JSON.parse(chart.layout?.meta ?? "[]");
const charts = () => [...document.querySelectorAll(".js-plotly-plot")].filter((chart) => chart.layout?.meta);

/** Where a panel lies in its chart, in CSS pixels of the chart's own box. */
function box(chart, panel) {
  const { margin, height } = chart.layout;
  const [left, right] = chart.layout["xaxis" + panel.axis].domain;
  const [bottom, top] = chart.layout["yaxis" + panel.axis].domain;
  const across = chart.clientWidth - margin.l - margin.r;
  const down = height - margin.t - margin.b;
  return {
    left: margin.l + across * left,
    top: margin.t + down * (1 - top),
    width: across * (right - left),
    height: down * (top - bottom),
  };
}

/** The address of the tensor's cell under a panel's row and column, as links write it. */
function cellOf(panel, row, column) {
  if (panel.transposed) [row, column] = [column, row];
  column += panel.first;
  if (!panel.head_dim) return [panel.tensor, row, column, ...(panel.head === null ? [] : [panel.head])].join(".");
  return [panel.tensor, row, column % panel.head_dim, Math.floor(column / panel.head_dim)].join(".");
}

/** The panel's half-open ranges of rows and columns that a frame covers; null where it has none. */
function rangesOf(panel, frame) {
  if (panel.tensor !== frame.tensor) return null;
  if (!panel.head_dim && panel.head !== frame.head) return null;
  const [rows, columns] = panel.transposed ? [panel.columns, panel.rows] : [panel.rows, panel.columns];
  const own = panel.head_dim ? [frame.head * panel.head_dim, (frame.head + 1) * panel.head_dim] : [0, columns];
  const shift = own[0] - panel.first;
  const down = frame.rows ?? [0, rows];
  const over = frame.columns ? frame.columns.map((column) => column + shift) : own;
  const clipped = [Math.max(0, over[0]), Math.min(columns, over[1])];
  if (clipped[0] >= clipped[1] || down[0] >= rows) return null;
  return panel.transposed ? { rows: clipped, columns: down } : { rows: down, columns: clipped };
}

/** Paint once before the next picture, however many reasons there are to. */
function paint() {
  due ||= requestAnimationFrame(paintNow);
}

function paintNow() {
  due = 0;
  const frames = [...pointers.values()].flatMap((pointer) => pointer.frames);
  if (pointed) frames.push({ ...around(pointed), kind: "pointed" });
  for (const chart of charts()) {
    const home = chart.parentElement;
    home.querySelector(":scope > .pointer-frames")?.remove();
    const panels = panelsOf(chart);
    chart.dataset.asks = panels.some((panel) => panel.tensor || panel.leads_to);
    const layer = document.createElement("div");
    layer.className = "pointer-frames";
    layer.setAttribute("aria-hidden", "true");
    for (const panel of panels)
      for (const frame of frames) {
        const ranges = rangesOf(panel, frame);
        if (ranges) layer.append(drawn(chart, panel, ranges, frame.kind));
      }
    home.style.position = "relative";
    home.append(layer);
    if (!chart.pointed) {
      chart.pointed = true;
      chart.on("plotly_afterplot", paint);
      new ResizeObserver(paint).observe(chart);
    }
  }
}

function drawn(chart, panel, { rows, columns }, kind) {
  const { left, top, width, height } = box(chart, panel);
  const frame = document.createElement("div");
  frame.className = kind;
  frame.style.left = `${left + (width * columns[0]) / panel.columns}px`;
  frame.style.top = `${top + (height * rows[0]) / panel.rows}px`;
  frame.style.width = `${(width * (columns[1] - columns[0])) / panel.columns}px`;
  frame.style.height = `${(height * (rows[1] - rows[0])) / panel.rows}px`;
  return frame;
}

/** What a place on screen means: a cell, or the page that a panel's title leads to. */
function meaningOf(event) {
  const chart = event.target.closest?.(".js-plotly-plot");
  if (!chart) return null;
  const at = chart.getBoundingClientRect();
  const [x, y] = [event.clientX - at.left, event.clientY - at.top];
  for (const panel of panelsOf(chart)) {
    const { left, top, width, height } = box(chart, panel);
    if (x < left || x >= left + width) continue;
    if (y >= top && y < top + height && panel.tensor)
      return {
        cell: cellOf(
          panel,
          Math.floor(((y - top) / height) * panel.rows),
          Math.floor(((x - left) / width) * panel.columns),
        ),
      };
    if (y >= top - TITLE && y < top && panel.leads_to) return { page: panel.leads_to };
  }
  return null;
}

function ask(question) {
  for (const pointer of pointers.values()) {
    if (question.cell && pointer.frames.length) pointer.frames = [around(question.cell)]; // until the answer is here
    pointer.ask(question);
  }
  if (question.cell) {
    paint();
    wanted = true;
  }
}

/** A frame around the one cell of an address. */
function around(address) {
  const [tensor, row, column, head] = address.split(".");
  const [r, c] = [+row, +column];
  return { kind: "cell", tensor, head: head === undefined ? null : +head, rows: [r, r + 1], columns: [c, c + 1] };
}

/** Scroll just far enough to see the answer, if it is out of sight. */
function show() {
  const answer = document.querySelector(".st-key-inspector");
  if (!wanted || !answer) return;
  wanted = false;
  const { top } = answer.getBoundingClientRect();
  if (top >= 0 && top <= window.innerHeight - ENOUGH) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  answer.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
}

// Plotly lays a cover over the page while a button is down, so what was meant is decided at once.
function onDown(event) {
  pressed = event.button === 0 ? { meaning: meaningOf(event), x: event.clientX, y: event.clientY } : null;
}

function onUp(event) {
  if (pressed?.meaning && Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) <= STILL) ask(pressed.meaning);
  pressed = null;
}

/** A button that stands for a cell: the inspector's terms, sources and trail. */
function onClick(event) {
  const button = event.target.closest?.("[data-cell]");
  if (!button) return;
  const { cell, back } = button.dataset;
  ask({ cell, way: back === undefined ? "source" : +back });
  leaving = performance.now() + 3000;
}

/** Pointing at a button, by mouse or by keyboard, shows where its cell stands. */
function onPoint(event) {
  const address = event.target.closest?.("[data-cell]")?.dataset.cell;
  if (address === pointed) return;
  pointed = address;
  paint();
}

const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function onKey(event) {
  const step = ARROWS[event.key];
  const buttons = event.target.closest?.(".st-key-inspector_steps");
  if (!step || !buttons) return;
  event.preventDefault();
  ask({ step });
}

let observer = null;

function listen() {
  if (observer) return;
  document.addEventListener("pointerdown", onDown, true);
  document.addEventListener("pointerup", onUp, true);
  document.addEventListener("click", onClick, true);
  document.addEventListener("keydown", onKey, true);
  for (const name of ["pointerover", "focusin"]) document.addEventListener(name, onPoint, true);
  let charted = "";
  observer = new MutationObserver(() => {
    const now = charts().map((chart) => chart.layout.datarevision + "").join();
    if (now !== charted) {
      charted = now;
      paint();
    }
    if (performance.now() < leaving && document.activeElement === document.body)
      document.querySelector(".trail b")?.focus({ preventScroll: true });
  });
  observer.observe(document.body, { childList: true, subtree: true });
}

function unlisten() {
  document.removeEventListener("pointerdown", onDown, true);
  document.removeEventListener("pointerup", onUp, true);
  document.removeEventListener("click", onClick, true);
  document.removeEventListener("keydown", onKey, true);
  for (const name of ["pointerover", "focusin"]) document.removeEventListener(name, onPoint, true);
  observer?.disconnect();
  observer = null;
}

export default function ({ key, data, setTriggerValue }) {
  const mine = { frames: data.frames, ask: (question) => setTriggerValue("ask", question) };
  pointers.set(key, mine);
  listen();
  paint();
  if (mine.frames.length) setTimeout(show, 60);
  return () => {
    if (pointers.get(key) === mine) pointers.delete(key);
    if (!pointers.size) unlisten();
    paint();
  };
}
