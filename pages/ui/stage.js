// The stage of a page in the browser: it paints the scene that Streamlit sends, and while a slider is held the scenes
// that it fetches itself. What is under the mouse, where a number comes from and the moment of the play it shows alone.

import { arrange, cellAt, colorOf, frameOf, hit, inkOn, labelOf, paint, plain, sourcesOf, told, unpack, written } from "./painter.js";
import { calm, element } from "./dom.js";
import { Sentence } from "./lines.js";
import { cellsOf } from "./play.js";
import { Player } from "./player.js";
import { ask, choose, did, painters } from "./pointer.js";

const SOON = 160; // milliseconds in which numbers go to their new values
const FRAME = 30; // milliseconds between two pictures on that way, so that the rest of the page has time
const BEAT = 650; // milliseconds of a step of the training
const NARROW = 480; // pixels; below it one matrix is shown at a time
const STILL = 10; // pixels a finger may move and still mean one place

const stages = new Map();
class Stage {
  constructor(home) {
    this.home = home;
    this.frames = [];
    this.hover = this.before = this.only = this.aim = null;
    this.player = new Player(this);
    this.asked = false; // whether the reader has asked about a number since the play moved
    this.box = element("div", "stage-box");
    this.tabs = element("div", "stage-tabs", { role: "group" });
    this.chips = element("div", "stage-chips", { role: "group", hidden: true });
    this.place = element("div", "stage-place");
    this.canvas = element("canvas", "stage-canvas", { tabIndex: 0 });
    this.canvas.setAttribute("role", "application");
    this.canvas.stage = this; // for tests
    this.tip = element("div", "stage-tip", { hidden: true });
    this.status = element("p", "unseen", { role: "status" });
    this.bar = element("div", "stage-bar");
    this.place.append(this.canvas, this.tip);
    this.box.append(this.chips, this.tabs, this.place, this.status, this.bar);
    home.replaceChildren(this.box);
    this.canvas.addEventListener("pointermove", (event) => event.pointerType !== "touch" && this.onMove(event));
    this.canvas.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && this.point(null));
    this.canvas.addEventListener("pointerdown", (event) => (this.pressed = event.button === 0 ? event : null));
    this.canvas.addEventListener("pointerup", (event) => this.onUp(event));
    this.canvas.addEventListener("keydown", (event) => this.onKey(event));
    this.sizes = new ResizeObserver(() => this.arrange());
    this.sizes.observe(this.place);
    this.follow();
    painters.add(this);
  }

  /** What Streamlit says: always taken, but shown only once the reader has let go of the slider. */
  take(bytes) {
    const scene = unpack(bytes);
    const isNew = this.told?.page !== scene.page;
    this.told = scene;
    if (isNew) this.only = null;
    this.player.take(isNew);
    this.dress();
    if (!this.learning) this.tellStep();
    const older = Object.entries(this.stands ?? {}).some(([name, value]) => scene.address[name] !== String(value));
    if (older) return; // the reader has moved on
    this.stands = null;
    clearTimeout(this.giveUp);
    this.show(scene);
  }

  show(scene) {
    const last = this.scene;
    const isNew = last?.version !== scene.version;
    this.scene = scene;
    if (isNew) {
      this.only = this.only === null ? null : Math.min(this.only, scene.panels.length - 1);
      if (scene.lines) this.sentence?.show(scene.lines);
      this.hover = null;
      this.tip.hidden = true;
    }
    this.player.refresh();
    this.arrange();
    if (!isNew) return;
    const same = last?.panels.length === scene.panels.length && last.panels.every((panel, i) => String(panel.size) === String(scene.panels[i].size));
    if (same && !calm()) this.tween(last);
    this.canvas.dataset.version = scene.version;
    this.canvas.dataset.shown = String(Number(this.canvas.dataset.shown ?? 0) + 1);
  }

  get theme() {
    return this.told.theme;
  }

  get texts() {
    return this.told.texts;
  }

  /** Another row to follow. */
  followRow(row) {
    ask({ row });
  }

  // What surrounds the picture.

  dress() {
    const { texts, words, acts, height, steps } = this.told;
    this.canvas.setAttribute("aria-label", words);
    if (this.told.scene_lines && !this.sentence) {
      this.sentence = new Sentence(this);
      this.box.insertBefore(this.sentence.box, this.place);
    }
    const shape = JSON.stringify([texts, acts, height, steps, this.told.plays.map(({ name }) => name)]);
    if (shape === this.dressed) return;
    this.dressed = shape;
    this.learning = false;
    const button = (name, text, act, more = {}) => {
      const made = element("button", `stage-button ${name}`, { type: "button", textContent: text, ...more });
      made.addEventListener("click", act);
      return made;
    };
    if (height) this.place.style.height = `${height}px`;
    this.bar.hidden = !acts;
    if (!acts) return;
    const parts = this.told.scene_lines ? this.overview(button) : this.player.parts(button);
    if (!this.told.scene_lines) {
      this.words = this.player.words;
      this.play = this.player.start;
      this.box.querySelector(".stage-say")?.remove();
      this.box.insertBefore(this.player.says, this.bar);
    }
    const right = element("span", "stage-acts");
    right.append(button("tables", texts.tables, () => this.tables()));
    for (const act of acts) right.append(button(act, texts[act], () => ask({ act })));
    this.bar.replaceChildren(...parts, right);
  }

  /** Under the overview: the training played from its first step, and the way back from a step that was opened. */
  overview(button) {
    const { texts, steps } = this.told;
    this.words = element("span", "stage-words");
    this.close = button("flow", `← ${texts.flow}`, () => this.open(null), { hidden: true });
    this.words.setAttribute("aria-live", "polite");
    if (!steps.length) return [this.close, this.words];
    this.play = button("play", `▶ ${texts.learn}`, () => this.learn());
    return [this.close, this.play, this.words];
  }

  /** How far the training is, where the layer learns. */
  tellStep(place = this.told.reached) {
    const { texts, steps } = this.told;
    if (!this.told.scene_lines) return;
    const text = place in steps ? texts.step_of : "";
    this.words.textContent = text.replace("{step}", steps[place]).replace("{steps}", steps.at(-1));
  }

  async learn() {
    if (this.learning) return;
    this.learning = true;
    this.play.disabled = true;
    const last = this.told.steps.length - 1;
    for (let place = 0; place <= last && this.learning; place++) {
      await this.fetch({ checkpoint: place }, true);
      this.tellStep(place);
      await new Promise((go) => setTimeout(go, BEAT));
    }
    this.learning = this.play.disabled = false;
    this.release();
    this.tellStep();
  }

  /** Show a step's own picture here, or the whole flow again. */
  async open(page) {
    this.opened = page;
    this.close.hidden = !page;
    if (page) await this.fetch({ page }, true);
    else this.release();
  }

  /** Each panel as a real table, to read and to copy. */
  tables() {
    const dialog = element("dialog", "stage-tables");
    dialog.setAttribute("aria-label", this.told.texts.tables);
    const close = element("button", "stage-button", { type: "button", textContent: this.told.texts.close });
    close.addEventListener("click", () => dialog.close());
    dialog.append(close, ...this.scene.panels.map((panel, i) => this.table(panel, i)));
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  table(panel, i) {
    const table = element("table", "stage-table");
    table.append(element("caption", "", { textContent: `${plain(panel.title)} ${panel.size.join(" × ")}` }));
    const [rows, columns] = panel.size;
    const head = table.createTHead().insertRow();
    head.append(element("th", "", { textContent: `${panel.rows.name} \\ ${panel.columns.name}` }));
    for (let c = 0; c < columns; c++) head.append(element("th", "", { scope: "col", textContent: labelOf(panel.columns, c) }));
    const body = table.createTBody();
    for (let r = 0; r < rows; r++) {
      const line = body.insertRow();
      line.append(element("th", "", { scope: "row", textContent: labelOf(panel.rows, r) }));
      for (let c = 0; c < columns; c++) line.insertCell().textContent = this.said(i, r, c);
    }
    const home = element("div", "stage-table-home", { tabIndex: 0 });
    home.append(table);
    return home;
  }

  // Painting.

  arrange() {
    if (!this.scene) return;
    const { clientWidth: width, clientHeight: height } = this.place;
    if (width < 20 || height < 20) return;
    const narrow = width < NARROW && this.told.acts && !this.told.scene_lines;
    this.tabs.hidden = this.chips.hidden = !narrow;
    if (narrow) {
      this.only ??= this.result();
      const rows = this.scene.panels[this.result()].rows;
      this.chips.replaceChildren(
        ...rows.labels.map((label, row) => {
          const chip = element("button", "stage-chip", { type: "button", textContent: label.replace(/^\d+ /, "") });
          chip.setAttribute("aria-pressed", String(row === this.scene.row));
          chip.addEventListener("click", () => this.followRow(row));
          return chip;
        }),
      );
      this.tabs.replaceChildren(
        ...this.scene.panels.map((panel, i) => {
          const tab = element("button", "stage-tab", { type: "button", textContent: plain(panel.title) });
          tab.setAttribute("aria-pressed", String(i === this.only));
          tab.addEventListener("click", () => ((this.only = i), this.arrange()));
          return tab;
        }),
      );
      const [chosen, home] = [this.tabs.children[this.only], this.tabs];
      home.scrollLeft = chosen.offsetLeft - home.offsetLeft - (home.clientWidth - chosen.offsetWidth) / 2;
    } else this.only = null;
    const ratio = window.devicePixelRatio || 1;
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== across || this.canvas.height !== down) {
      this.canvas.width = across;
      this.canvas.height = down;
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    const big = document.documentElement.classList.contains("present");
    this.places = arrange(this.scene, width, height, { big, only: this.only });
    this.paintNow(ratio);
  }

  paint() {
    this.due ||= requestAnimationFrame(() => {
      this.due = 0;
      this.paintNow(window.devicePixelRatio || 1);
    });
  }

  paintNow(ratio) {
    if (!this.places) return;
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { missing, shown, ghosts } = this.player.state() ?? {};
    paint(context, this.scene, this.places, this.theme, {
      frames: this.lit(),
      hover: this.hover,
      missing,
      shown,
      ghosts,
      hidden: this.secrets(),
      flown: this.player.share,
      before: this.before,
      share: this.share,
      spread: this.texts.spread,
    });
  }

  /** Frames in force: the moment of the play, else what the mouse points at, else the cell that is explained. */
  lit() {
    const moment = this.asked ? null : this.player.state();
    if (moment && !(this.hover && !this.player.frame)) return moment.frames;
    if (this.hover && !this.hover.title) return this.around(this.hover.panel, this.hover.row, this.hover.column, "line");
    const pointed = painters.pointed;
    return pointed ? [...this.frames, pointed] : this.frames;
  }

  around(i, row, column, kind = "cell") {
    const panel = this.scene.panels[i];
    const cell = cellAt(panel, row, column);
    const own = kind === "cell" ? [frameOf(cell)] : [{ ...frameOf(cell), kind: "cell" }];
    return [...sourcesOf(panel, cell, { head_dim: this.scene.head_dim, query: this.scene.row }), ...own];
  }

  /** For each panel the cells that a question covers until it is answered. */
  secrets() {
    if (!painters.covers.length) return null;
    const { covers } = painters;
    if (this.covered?.covers !== covers || this.covered.scene !== this.scene) {
      const marks = this.scene.panels.map((panel) => {
        const cells = covers.flatMap((area) => cellsOf(panel, area));
        if (!cells.length) return null;
        const found = new Uint8Array(panel.numbers.length);
        for (const [r, c] of cells) found[r * panel.size[1] + c] = 1;
        return found;
      });
      this.covered = { covers, scene: this.scene, marks };
    }
    return this.covered.marks;
  }

  isSecret(i, row, column) {
    return Boolean(this.secrets()?.[i]?.[row * this.scene.panels[i].size[1] + column]);
  }

  /** What stands in a cell, for those who point at it: its number, unless a question covers it. */
  said(i, row, column) {
    const panel = this.scene.panels[i];
    const at = row * panel.size[1] + column;
    if (this.isSecret(i, row, column)) return "?";
    return panel.closed?.[at] ? panel.closed_text : told(panel.numbers[at], panel.whole);
  }

  tween(last) {
    const start = performance.now();
    this.before = last;
    let painted = 0;
    const go = (now) => {
      if (this.before !== last) return;
      if (now - painted < FRAME && now - start < SOON) return void requestAnimationFrame(go);
      painted = now;
      this.share = Math.min(1, (now - start) / SOON);
      if (this.share === 1) this.before = null;
      this.paintNow(window.devicePixelRatio || 1);
      if (this.share < 1) requestAnimationFrame(go);
    };
    this.share = 0;
    requestAnimationFrame(go);
  }

  // Pointing and asking.

  spot(event) {
    const box = this.canvas.getBoundingClientRect();
    return this.places && hit(this.scene, this.places, event.clientX - box.left, event.clientY - box.top);
  }

  onMove(event) {
    let spot = this.spot(event);
    if (spot && !spot.title && this.player.isMissing(spot.panel, spot.row, spot.column)) spot = null;
    const key = spot && [spot.panel, spot.row, spot.column].join();
    const last = this.hover && [this.hover.panel, this.hover.row, this.hover.column].join();
    if (key !== last) this.point(spot);
    if (spot && !spot.title) this.moveTip(event);
  }

  point(spot) {
    const panel = spot && this.scene.panels[spot.panel];
    this.hover = spot?.title ? null : spot;
    const leads = panel && (this.told.scene_lines || (spot.title && panel.leads_to));
    this.canvas.style.cursor = spot && (!spot.title || leads) ? "pointer" : "";
    this.tip.hidden = !this.hover;
    if (this.hover) this.fillTip(panel, spot);
    this.paint();
  }

  fillTip(panel, { panel: i, row, column }) {
    const secret = this.isSecret(i, row, column);
    const names = `${panel.rows.name} ${labelOf(panel.rows, row)} · ${panel.columns.name} ${labelOf(panel.columns, column)}`;
    const lines = [element("b", "", { textContent: `${plain(panel.title)} = ${this.said(i, row, column)}` }), element("span", "", { textContent: names })];
    if (secret) lines.push(element("span", "", { textContent: this.texts.covered }));
    this.tip.replaceChildren(...lines);
    if (secret) return;
    if (!this.places.panels[i].writing && panel.size[0] * panel.size[1] > 1) this.tip.append(this.lens(panel, row, column));
  }

  /** The numbers around a cell whose panel has no room for them. */
  lens(panel, row, column) {
    const lens = element("span", "stage-lens");
    const scale = this.scene.scales[panel.scale];
    const [rows, columns] = panel.size;
    const digits = panel.whole ? 0 : scale.kind === "share" || scale.limit < 10 ? 2 : 1;
    lens.style.gridTemplateColumns = `repeat(5, 1fr)`;
    for (let r = row - 1; r <= row + 1; r++)
      for (let c = column - 2; c <= column + 2; c++) {
        const cell = element("i", r === row && c === column ? "own" : "");
        if (r >= 0 && c >= 0 && r < rows && c < columns) {
          const at = r * columns + c;
          const color = colorOf(panel.numbers[at], scale, this.theme);
          const secret = this.isSecret(this.scene.panels.indexOf(panel), r, c);
          cell.textContent = secret ? "?" : panel.closed?.[at] ? "×" : written(panel.numbers[at], digits);
          cell.style.background = secret ? this.theme.plain : `rgb(${color})`;
          cell.style.color = secret ? this.theme.ink : inkOn(color);
        }
        lens.append(cell);
      }
    return lens;
  }

  moveTip(event) {
    const box = this.place.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const [width, height] = [this.tip.offsetWidth, this.tip.offsetHeight];
    this.tip.style.left = `${Math.max(0, Math.min(box.width - width, x + 14))}px`;
    this.tip.style.top = `${y + 18 + height > box.height ? y - height - 10 : y + 18}px`;
  }

  onUp(event) {
    const start = this.pressed;
    this.pressed = null;
    if (!start || Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > STILL) return;
    const spot = this.spot(event);
    if (!spot) return;
    const panel = this.scene.panels[spot.panel];
    if (!spot.title && this.player.isMissing(spot.panel, spot.row, spot.column)) return;
    if (spot.title) {
      if (panel.leads_to) ask({ page: panel.leads_to });
      return;
    }
    if (panel.leads_to && this.told.scene_lines && !this.opened) return void this.open(panel.leads_to);
    this.player.pause();
    this.asked = true;
    this.choose(cellAt(panel, spot.row, spot.column), spot);
    if (event.pointerType === "touch" && !this.places.panels[spot.panel].writing) {
      this.tip.hidden = false; // a finger cannot hover: it sees the numbers around what it touched
      this.fillTip(panel, spot);
      this.moveTip(event);
    }
  }

  choose(cell, spot) {
    const panel = this.scene.panels[spot.panel];
    const address = [cell.tensor, cell.row, cell.column, ...(cell.head === null ? [] : [cell.head])].join(".");
    if (this.isSecret(spot.panel, spot.row, spot.column)) {
      if (painters.waits) return void ask({ cell: address }); // a guess where the answer lies
      this.status.textContent = this.texts.covered;
      return;
    }
    this.frames = this.around(spot.panel, spot.row, spot.column);
    did("ask");
    this.hover = null;
    this.tip.hidden = true;
    this.announce(spot);
    this.paint();
    choose(address);
  }

  /** Say which cell that is to those who cannot see it. */
  announce({ panel: i, row, column }) {
    const panel = this.scene.panels[i];
    const place = `${panel.rows.name} ${labelOf(panel.rows, row)}, ${panel.columns.name} ${labelOf(panel.columns, column)}`;
    this.status.textContent = `${plain(panel.title)}, ${place}: ${this.said(i, row, column)}`;
  }

  onKey(event) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const takes = painters.waits && this.aim && (event.key === "Enter" || event.key === " ");
    if (!step && !takes) return;
    event.preventDefault();
    event.stopPropagation();
    if (takes) return void this.choose(cellAt(this.scene.panels[this.aim.panel], this.aim.row, this.aim.column), this.aim);
    const aimed = painters.waits && this.scene.panels[this.aim?.panel] ? this.aim : null;
    const spot = aimed ?? this.chosen() ?? { panel: this.result(), row: this.scene.row, column: 0 };
    const [rows, columns] = this.scene.panels[spot.panel].size;
    const next = { panel: spot.panel, row: spot.row + step[0], column: spot.column + step[1] };
    if (next.row < 0 || next.column < 0 || next.row >= rows || next.column >= columns) return;
    if (painters.waits) {
      // a question waits for a cell: the arrow keys aim, and Enter answers
      this.aim = next;
      painters.pointed = { ...frameOf(cellAt(this.scene.panels[next.panel], next.row, next.column)), kind: "pointed" };
      this.announce(next);
      return void this.paint();
    }
    this.choose(cellAt(this.scene.panels[next.panel], next.row, next.column), next);
  }

  /** Where the explained cell stands on this stage. */
  chosen() {
    const frame = this.frames.find(({ kind }) => kind === "cell");
    if (!frame) return null;
    for (const [i, panel] of this.scene.panels.entries())
      for (let row = 0; row < panel.size[0]; row++)
        for (let column = 0; column < panel.size[1]; column++) {
          const cell = cellAt(panel, row, column);
          if (cell.tensor !== frame.tensor) { row = panel.size[0]; break; }
          if (cell.row === frame.rows[0] && cell.column === frame.columns[0] && cell.head === frame.head)
            return { panel: i, row, column };
        }
    return null;
  }

  /** The panel that holds what the step makes. */
  result() {
    const found = this.scene.panels.findLastIndex(({ view }) => view.tensor === this.told.result);
    return found < 0 ? this.scene.panels.length - 1 : found;
  }

  // While a slider is held.

  follow() {
    this.observer = new MutationObserver((changes) => {
      for (const { target } of changes) {
        const widget = target.closest("[class*='st-key-']");
        const name = widget?.className.match(/st-key-(\w+)/)?.[1];
        const known = name && this.told?.live[name];
        const isHeld = known && widget.contains(document.activeElement); // else the page itself has moved it
        if (isHeld) this.fetch({ [name]: known[Number(target.value)] });
      }
    });
    this.observer.observe(document.body, { attributes: true, attributeFilter: ["value"], subtree: true });
  }

  /** Fetch the scene of other settings, of the latest only, and show it until Streamlit has its own. */
  async fetch(values, keep = false) {
    if (!keep && Object.entries(values).every(([name, value]) => this.told.address[name] === String(value))) return;
    this.wanted = { ...this.told.address, page: this.opened ?? this.told.page, ...values };
    clearTimeout(this.giveUp);
    if (!keep) {
      this.stands = { ...this.stands, ...values };
      this.giveUp = setTimeout(() => this.release(), 4000);
    }
    if (this.fetching) return;
    this.fetching = true;
    while (this.wanted) {
      const [wanted, { page }] = [this.wanted, this.told];
      this.wanted = null;
      try {
        const answer = await fetch(`${this.told.route}?${new URLSearchParams(wanted)}`);
        const packed = new Uint8Array(await answer.arrayBuffer());
        if (!(keep ? this.told.page === page : this.stands)) continue; // the page has moved on by itself
        if (answer.ok && packed.length) this.show({ ...this.told, ...unpack(packed), plays: null });
        else this.stands = null;
        if (answer.status === 204 && this.words) this.words.textContent = this.told.texts[`no_${answer.headers.get("x-reason")}`] ?? "";
      } catch {
        break; // without a connection the page itself says so
      }
    }
    this.fetching = false;
  }

  /** Where nothing came of what the slider stood on (it was untrained, say), what Streamlit said last is in force. */
  release() {
    this.stands = null;
    if (this.told) this.show(this.told);
  }

  // The pointer tells.

  showFrames(frames) {
    this.frames = frames;
    this.paint();
  }

  end() {
    painters.delete(this);
    this.observer.disconnect();
    this.sizes.disconnect();
    this.player.close();
    clearTimeout(this.giveUp);
    this.sentence?.end();
  }
}

export default function ({ key, data, parentElement }) {
  let stage = stages.get(key);
  if (!stage || stage.home !== parentElement) {
    stage?.end();
    stages.set(key, (stage = new Stage(parentElement)));
    stage.frames = painters.frames ?? [];
  }
  stage.take(data);
  return () => {
    if (stages.get(key) === stage) stages.delete(key);
    stage.end();
  };
}
