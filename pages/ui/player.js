// Plays a step's performance on a stage: its controls below the picture, and where the play stands.

import { calm, element } from "./dom.js";
import { durationOf, stateAt } from "./play.js";
import { ask, did, painters } from "./pointer.js";

const FINE = 24; // parts of a moment in which cells appear
const REST = 400; // milliseconds without another step until the address follows
const SPEEDS = [0.5, 1, 2];

export class Player {
  constructor(stage) {
    this.stage = stage;
    this.way = 0;
    this.moment = -1; // -1 while the whole picture is shown
    this.share = 1; // of the moment that has passed
    this.speed = 1;
    this.frame = this.waiting = this.telling = 0;
    this.places = ""; // way and moment as Python said them last, or as it was told
    this.told = 0; // the number of the question that told it
  }

  get plays() {
    return this.stage.scene?.plays ?? [];
  }

  /** What is played now: nothing while a question covers numbers, which its words and what flies would tell. */
  get play() {
    return painters.covers.length ? null : (this.plays[this.way] ?? null);
  }

  /** The controls, and the line that says what happens. */
  parts(button) {
    const { texts, plays } = this.stage.told;
    this.words = element("p", "stage-words");
    this.words.setAttribute("aria-live", "polite");
    this.start = button("play", `▶ ${texts.play}`, () => this.toggle());
    const back = button("back", "◀", () => this.stepBy(-1), { ariaLabel: texts.back, title: texts.back });
    const on = button("on", "▶", () => this.stepBy(1), { ariaLabel: texts.on, title: texts.on });
    this.scrub = element("input", "stage-scrub", { type: "range", min: 1, step: 1, ariaLabel: texts.where, title: texts.where });
    this.scrub.addEventListener("input", () => this.stepTo(Number(this.scrub.value) - 1));
    this.pace = this.select("speed", texts.speed, SPEEDS.map((speed) => `${String(speed).replace("0.5", "½")}×`));
    this.pace.value = SPEEDS.indexOf(this.speed);
    this.pace.addEventListener("change", () => (this.speed = SPEEDS[this.pace.value]));
    const parts = [this.start, back, on, this.scrub, this.pace];
    if (plays.length > 1) {
      this.ways = this.select("way", texts.way, plays.map(({ name }) => name));
      this.ways.value = this.way;
      this.ways.addEventListener("change", () => {
        this.pause();
        this.way = Number(this.ways.value);
        this.stepTo(0);
      });
    }
    this.says = element("div", "stage-say");
    this.says.append(this.words, ...(plays.length > 1 ? [this.ways] : []));
    this.controls = parts;
    this.tell();
    return parts;
  }

  select(name, label, options) {
    const made = element("select", `stage-select ${name}`, { ariaLabel: label, title: label });
    made.append(...options.map((text, value) => element("option", "", { value, textContent: text })));
    return made;
  }

  /** Another page, another scene, or another place in the address. */
  take(isNew) {
    const { stands, heard } = this.stage.told;
    const places = String(stands);
    if (isNew || (places !== this.places && heard >= this.told)) {
      this.pause();
      [this.way, this.moment] = [stands[0], stands[1] - 1];
      this.places = places;
    }
  }

  /** The scene on the stage is another one. */
  refresh() {
    this.known = null;
    if (!this.play) this.pause(); // its numbers are not those of the play
    else this.way = Math.min(this.way, this.plays.length - 1);
    this.moment = this.play ? Math.min(this.moment, this.play.moments.length - 1) : this.moment;
    if (this.ways) this.ways.value = this.way;
    this.tell();
  }

  /** What the painter needs to know of the moment; null while the whole picture is shown. */
  state() {
    if (this.moment < 0 || !this.play) return null;
    const share = Math.round(this.share * FINE) / FINE;
    const key = [this.way, this.moment, share].join();
    if (this.known?.key !== key)
      this.known = { key, ...stateAt(this.stage.scene, this.play, this.moment, share), moment: this.moment };
    return this.known;
  }

  /** Whether a cell has not appeared yet. */
  isMissing(panel, row, column) {
    const missing = this.state()?.missing[panel];
    return Boolean(missing?.[row * this.stage.scene.panels[panel].size[1] + column]);
  }

  toggle() {
    if (this.frame || this.waiting) {
      this.pause();
      this.place();
      return;
    }
    if (!this.play) return;
    this.stage.asked = false;
    if (this.share >= 1) this.begin(this.moment >= this.play.moments.length - 1 ? 0 : this.moment + 1);
    else this.begin(this.moment, this.share);
  }

  begin(moment, share = 0) {
    this.moment = moment;
    this.share = calm() ? 1 : share;
    this.tell();
    this.stage.paint();
    const duration = durationOf(this.play.moments[moment]);
    if (calm()) {
      this.waiting = setTimeout(() => this.next(), duration / this.speed);
    } else {
      let last = performance.now();
      const go = (now) => {
        this.share = Math.min(1, this.share + (Math.max(0, now - last) * this.speed) / duration);
        last = now;
        this.stage.paintNow(window.devicePixelRatio || 1);
        this.frame = 0;
        if (this.share < 1) this.frame = requestAnimationFrame(go);
        else this.next();
      };
      this.frame = requestAnimationFrame(go);
    }
    this.dress();
  }

  next() {
    this.frame = this.waiting = 0;
    if (this.play && this.moment < this.play.moments.length - 1) this.begin(this.moment + 1);
    else this.end();
  }

  /** The play is over: the whole picture, and the last sentence. */
  end() {
    this.pause();
    this.moment = -1;
    this.dress();
    this.place();
    did("watch");
    this.stage.paint();
  }

  pause() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.waiting);
    this.frame = this.waiting = 0;
    if (this.start) this.dress();
  }

  stepBy(step) {
    if (!this.play) return;
    const last = this.play.moments.length - 1;
    this.stepTo(this.moment < 0 ? (step > 0 ? 0 : last) : Math.max(0, Math.min(last, this.moment + step)));
  }

  /** A still: a moment as it ends. */
  stepTo(moment) {
    this.pause();
    if (!this.play) return;
    this.stage.asked = false;
    this.moment = Math.min(moment, this.play.moments.length - 1);
    this.share = 1;
    this.tell();
    this.place();
    this.stage.paint();
  }

  /** The address says where the play stands, once the reader has come to rest. */
  place() {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      const places = [this.way, this.moment + 1];
      if (String(places) === this.places) return;
      this.places = String(places);
      this.told = ask({ act: "moment", at: places[0], moment: places[1] });
    }, REST);
  }

  tell() {
    if (!this.words) return;
    const { texts, acts } = this.stage.told;
    const words = this.moment >= 0 && this.play ? this.play.moments[this.moment].words : "";
    if (words) this.words.textContent = words;
    else if (acts && !this.stage.told.scene_lines)
      this.words.textContent = painters.covers.length ? texts.covered : this.stage.told.plays.length ? texts.idle : texts.by_hand;
    this.dress();
  }

  dress() {
    if (!this.start) return;
    const { texts } = this.stage.told;
    for (const control of this.controls) control.disabled = !this.stage.told.plays.length || painters.covers.length > 0;
    this.start.textContent = this.frame || this.waiting ? `❚❚ ${texts.pause}` : `▶ ${texts.play}`;
    const count = this.play?.moments.length ?? 1;
    this.scrub.max = count;
    this.scrub.value = this.moment < 0 ? count : this.moment + 1;
    this.scrub.setAttribute("aria-valuetext", this.moment < 0 ? texts.idle : `${this.moment + 1} / ${count}`);
  }

  close() {
    this.pause();
    clearTimeout(this.telling);
  }
}
