// The sentence in words, with a line from each token to those it attends to: thickness is weight, colour is the head.

import { element } from "./dom.js";
import { painters } from "./pointer.js";

const SVG = "http://www.w3.org/2000/svg";
const LEAST = 0.04; // weights below are not drawn
const MOST = 4; // heads that the headline tells of

export class Sentence {
  constructor(stage) {
    this.stage = stage;
    this.box = element("div", "sentence");
    this.note = element("p", "sentence-note");
    this.note.setAttribute("aria-live", "polite");
    this.arcs = document.createElementNS(SVG, "svg");
    this.arcs.setAttribute("class", "sentence-arcs");
    this.arcs.setAttribute("aria-hidden", "true");
    this.words = element("div", "sentence-words");
    this.words.setAttribute("role", "group");
    this.box.append(this.note, this.arcs, this.words);
    this.pointed = null;
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.box);
  }

  show(lines) {
    const isNew = this.lines?.tokens.join("\n") !== lines.tokens.join("\n");
    this.lines = lines;
    if (isNew) {
      this.pointed = null;
      this.words.replaceChildren(
        ...lines.tokens.map((token, i) => {
          const word = element("button", "sentence-word", { type: "button" });
          word.append(element("span", "", { textContent: token }), element("small", "", { textContent: String(i) }));
          word.addEventListener("pointerenter", () => this.point(i));
          word.addEventListener("pointerleave", () => this.point(null));
          word.addEventListener("focus", () => this.point(i));
          word.addEventListener("blur", () => this.point(null));
          word.addEventListener("click", () => this.stage.followRow(i));
          return word;
        }),
      );
    }
    this.draw();
  }

  point(token) {
    this.pointed = token;
    this.draw();
  }

  get followed() {
    return this.pointed ?? this.lines.query;
  }

  weight(head, row, column) {
    const size = this.lines.size[2];
    return this.lines.numbers[(head * size + row) * size + column];
  }

  draw() {
    if (!this.lines || !this.box.clientWidth) return;
    const { tokens, size, says } = this.lines;
    const { theme, texts } = this.stage;
    const words = [...this.words.children];
    const wraps = words.some((word) => word.offsetTop !== words[0].offsetTop); // a long sentence
    this.box.classList.toggle("wraps", wraps);
    const home = this.arcs.getBoundingClientRect();
    const boxes = words.map((word) => word.getBoundingClientRect());
    const middles = boxes.map((box) => box.left + box.width / 2 - home.left);
    const tops = boxes.map((box) => box.top - home.top);
    const bottoms = boxes.map((box) => box.bottom - home.top);
    const from = this.followed;
    const found = [];
    for (let row = 0; row < tokens.length; row++)
      for (let head = 0; head < size[0]; head++)
        for (let column = 0; column < tokens.length; column++) {
          const weight = this.weight(head, row, column);
          if (weight < LEAST || (wraps && row !== from) || this.isCovered(row)) continue;
          found.push({ row, head, column, weight });
        }
    const places = { middles, tops, bottoms, high: home.height, widest: Math.max(1, Math.max(...middles) - Math.min(...middles)) };
    const paths = found
      .sort((a, b) => (a.row === from) - (b.row === from))
      .map(({ row, head, column, weight }) => {
        const path = document.createElementNS(SVG, "path");
        path.setAttribute("d", this.curve(row, column, head, places));
        path.setAttribute("stroke", theme.lines[head % theme.lines.length]);
        path.setAttribute("stroke-width", String(0.5 + 5 * weight));
        path.setAttribute("opacity", row === from ? "0.95" : "0.13");
        path.setAttribute("data-arc", `${head}.${row}.${column}`);
        path.setAttribute("fill", "none");
        return path;
      });
    this.arcs.replaceChildren(...paths);
    const best = this.best(from);
    const covered = this.isCovered(from);
    const looks = !covered && best.some(({ weight }) => weight > 0);
    const heads = looks ? this.heads(best).slice(0, MOST) : [];
    const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (_, name) => facts[name]);
    words.forEach((word, i) => {
      word.classList.toggle("followed", i === from);
      word.classList.toggle("guessed", Boolean(this.lines.guessed[i]));
      word.title = this.lines.guessed[i] ? fill(texts.guessed, { kind: this.lines.guessed[i] }) : "";
      word.classList.toggle("target", i !== from && heads.some(({ column, isSpread }) => column === i && !isSpread));
      word.setAttribute("aria-pressed", String(i === this.lines.query));
    });
    const percent = (weight) => `${(100 * weight).toFixed(weight > 0.995 && weight < 1 ? 1 : 0)} %`;
    const shares = heads.map(({ head, column, weight, isSpread }) =>
      fill(isSpread ? texts.spread_head : texts.one_head, { head, key: tokens[column], share: percent(weight) }),
    );
    const more = best.length > heads.length ? " …" : "";
    const told = covered
      ? texts.covered
      : fill(looks ? texts.looks : texts.looks_nowhere, { token: tokens[from], shares: shares.join(texts.between) + more });
    const says_it = says.length && !covered ? ` ${fill(texts.says, { word: says[from] })}` : "";
    const legend = element("span", "sentence-legend");
    legend.append(
      ...best.map((_, head) => {
        const name = element("i", "", { textContent: fill(texts.head, { head }) });
        name.style.setProperty("--head", theme.lines[head % theme.lines.length]);
        return name;
      }),
    );
    this.note.replaceChildren(
      element("b", "", { textContent: told }),
      element("span", "", { textContent: says_it }),
      legend,
    );
  }

  /** The line of a head from a token to one that it looks at; those of other heads lie beside it. */
  curve(row, column, head, { middles, tops, bottoms, high, widest }) {
    const count = this.lines.size[0];
    const shift = (head - (count - 1) / 2) * 5;
    const near = shift * Math.min(1, 3 / count); // where there is little room
    const [a, b, start] = [middles[row], middles[column], tops[row]];
    if (row === column) {
      const peak = start - 26 - 2 * near;
      return `M ${a - 5} ${start} C ${a - 12} ${peak}, ${a + 12} ${peak}, ${a + 5} ${start}`;
    }
    const lean = (b - a) * 0.1;
    const bent = (from, low, peak, to, end) => `M ${from} ${low} C ${from + lean} ${peak}, ${to - lean} ${peak}, ${to} ${end}`;
    if (tops[column] === start) {
      const lift = Math.min(high - 8, 22 + (Math.abs(b - a) / widest) * (high - 30) + shift);
      return bent(a, start, start - lift * 1.3, b, start);
    }
    // To another line of text, from the side of the one that faces the other.
    const [leaves, ends] = tops[column] < start ? [start, bottoms[column]] : [bottoms[row], tops[column]];
    return bent(a + near, leaves, (leaves + ends) / 2 + 2 * near, b + near, ends);
  }

  /** Whether a question covers where a token looks. */
  isCovered(row) {
    return painters.covers.some(({ tensor, rows }) => tensor === "attn_weights" && row >= rows[0] && row < rows[1]);
  }

  /** The heads with half of their weight or more on one word first; the others, beside these, are spread out. */
  heads(best) {
    const all = best.map((each, head) => ({ head, ...each }));
    const sure = all.filter(({ weight }) => weight >= 0.5);
    const others = all.filter(({ weight }) => weight < 0.5).map((each) => ({ ...each, isSpread: sure.length > 0 }));
    return [...sure, ...others];
  }

  /** Where each head's largest weight of a row is. */
  best(row) {
    return Array.from({ length: this.lines.size[0] }, (_, head) => {
      let best = { column: 0, weight: -1 };
      for (let column = 0; column < this.lines.tokens.length; column++) {
        const weight = this.weight(head, row, column);
        if (weight > best.weight) best = { column, weight };
      }
      return best;
    });
  }

  end() {
    this.sizes.disconnect();
  }
}
