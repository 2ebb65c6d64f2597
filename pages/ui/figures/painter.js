// Heatmaps on a canvas: a packed scene in (see scene.py), pixels out. It knows nothing of attention, and keeps nothing.
//
//   unpack(bytes)                       a scene: header, and every panel with its numbers
//   arrange(scene, width, height, …)    where everything lies, in CSS pixels
//   paint(context, scene, places, …)    draws it
//   hit(scene, places, x, y)            what lies at a place: a cell, or a panel's title
//   frameOf, rangesOf                   from a rule about cells to rows and columns of a panel

const FONT = '"Source Sans", "Source Sans Pro", "Noto Sans", "Noto Sans CJK SC", sans-serif';
const LEAST = 9; // pixels: smaller numbers are not written
const GAP = 7; // pixels: smaller cells touch each other
const TURN = 0.94; // of a panel's width: where an arrow to the panel above or below it runs
const DIM = 0.55; // how much of the paper there is in cells beside those that are lit
const GOOD = 11; // pixels that numbers have where they can
const LINE = 13; // pixels of a title
const SLANT = Math.PI / 4.2; // of column labels that would not fit side by side
const SPREAD = 90; // pixels of a histogram below a panel
const BINS = 41; // of a histogram; odd, so that one stands around 0
const TALLEST = 44; // pixels of a row, and
const WIDEST = 80; // of a column, that has all the room it could wish

// Reading.

/** bytes: a Uint8Array, at any offset of its buffer. */
export function unpack(bytes) {
  const own = bytes.slice(); // what follows needs to begin at a multiple of 4
  const length = new DataView(own.buffer).getUint32(0, true);
  const scene = JSON.parse(new TextDecoder().decode(own.subarray(4, 4 + length)));
  const start = 4 + length;
  const marks = (at, count) => (at < 0 ? null : new Uint8Array(own.buffer, start + at, count));
  for (const panel of scene.panels) {
    const count = panel.size[0] * panel.size[1];
    panel.numbers = new Float32Array(own.buffer, start + panel.values, count);
    panel.closed = marks(panel.closed, count);
    panel.changed = marks(panel.changed, count);
  }
  if (scene.lines) {
    const [heads, rows, columns] = scene.lines.size;
    scene.lines.numbers = new Float32Array(own.buffer, start + scene.lines.values, heads * rows * columns);
  }
  return scene;
}

// Words.

/** A number for a person: so many decimals, a real minus sign, never "−0". */
export function written(value, digits) {
  if (Number.isNaN(value)) return ""; // a number that is not there yet
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** A share for a person: never rounded up to a whole that it is not. short: without the zero before the point. */
export function shareWritten(value, digits, short) {
  const most = 1 - 10 ** -digits;
  const text = value < 1 && value > most ? most.toFixed(digits) : written(value, digits);
  return short ? text.replace(/^(−?)0\./, "$1.").replace(/^1\.0+$/, "1") : text;
}

/** How a panel's number stands in its cell, in that way of writing. */
export const inCell = (value, { digits, share, short }) =>
  share ? shareWritten(value, digits, short) : written(value, digits);

/** One number with as many digits as say something. */
export function told(value, whole) {
  if (whole || !Number.isFinite(value)) return written(value, 0);
  if (value === 0) return "0";
  const size = Math.abs(value);
  return written(value, size >= 0.01 ? 4 : Math.min(20, 2 - Math.floor(Math.log10(size)) + 1));
}

/** A title without markup: W<sub>Q</sub> is W_Q, Q<sub>0</sub> is Q₀. */
export const plain = (title) =>
  title.replace(/<sub>(.*?)<\/sub>/g, (_, low) => (/^\d+$/.test(low) ? low.replace(/\d/g, (d) => "₀₁₂₃₄₅₆₇₈₉"[d]) : `_${low}`));
export const labelOf = (axis, place) => axis.labels[place] ?? String(axis.first + place);

/** How numbers are written in cells of that size: {digits, size, …}; null where there is no room to read them. */
export function writing(panel, scale, width, height, smallest = LEAST) {
  const count = panel.numbers.length;
  if (count > 4096) return null;
  const share = scale.kind === "share" && !panel.whole;
  const decimals = panel.whole ? [0] : scale.limit >= 10 && !share ? [2, 1, 0] : [2, 1];
  const ways = share
    ? [[2, false, GOOD], [2, false, LEAST], [2, true, LEAST], [1, true, LEAST]]
    : [GOOD, LEAST].flatMap((least) => decimals.map((digits) => [digits, false, least]));
  const most = Math.max(13, smallest);
  for (const [digits, short, wanted] of ways) {
    const least = Math.max(wanted, smallest);
    const way = { digits, share, short };
    let longest = 1;
    for (let i = 0; i < count; i++)
      if (!panel.closed?.[i]) longest = Math.max(longest, inCell(panel.numbers[i], way).length);
    const size = Math.min(most, Math.floor((width - 3) / (longest * 0.53)), Math.floor((height - 1) / 1.1));
    if (size >= least) return { ...way, size };
  }
  return null;
}

// Colours.

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

const luminance = ([r, g, b]) => {
  const [x, y, z] = [r, g, b].map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};

/** Black or white, whichever can be read better on a colour: always at least 4.5 to 1. */
export const inkOn = (color) => (luminance(color) > 0.179 ? "#000000" : "#ffffff");

const mix = (from, to, share) => from.map((part, i) => Math.round(part + (to[i] - part) * share));

const tables = new WeakMap(); // a colour scale as 256 colours, by its stops

function tableOf(stops) {
  if (!tables.has(stops))
    tables.set(
      stops,
      Array.from({ length: 256 }, (_, i) => {
        const at = i / 255;
        const next = Math.max(1, stops.findIndex(([place]) => place >= at));
        const [[low, from], [high, to]] = [stops[next - 1], stops[next]];
        return mix(rgb(from), rgb(to), high === low ? 0 : (at - low) / (high - low));
      }),
    );
  return tables.get(stops);
}

/** The colour of a number on a scale. */
export function colorOf(value, scale, theme) {
  if (scale.kind === "plain" || Number.isNaN(value)) return rgb(theme.plain);
  const share = scale.kind === "share" ? value : (value / scale.limit + 1) / 2;
  const table = tableOf(scale.kind === "share" ? theme.weight : theme.signed);
  return table[Math.round(255 * Math.min(1, Math.max(0, share)))];
}

// Rules about cells.

/** The address of the cell that a panel shows at a row and column. */
export function cellAt(panel, row, column) {
  const { tensor, head, transposed, first, head_dim: width } = panel.view;
  if (transposed) [row, column] = [column, row];
  column += first;
  return width
    ? { tensor, row, column: column % width, head: Math.floor(column / width) }
    : { tensor, row, column, head };
}

/** The panel's half-open ranges of rows and columns that a frame covers; null where it has none.
 *
 * frame: {tensor, head, rows, columns}, the last two half-open ranges, or null for all of them.
 */
export function rangesOf(panel, frame) {
  const { tensor, head, transposed, first, head_dim: width } = panel.view;
  if (tensor !== frame.tensor || (!width && head !== frame.head)) return null;
  const [rows, columns] = transposed ? [panel.size[1], panel.size[0]] : panel.size;
  const own = width ? [frame.head * width, (frame.head + 1) * width] : [0, columns];
  const down = frame.rows ?? [0, rows];
  const across = frame.columns ? frame.columns.map((column) => column + own[0] - first) : own;
  const clipped = [Math.max(0, across[0]), Math.min(columns, across[1])];
  if (clipped[0] >= clipped[1] || down[0] >= rows) return null;
  return transposed ? { rows: clipped, columns: down } : { rows: down, columns: clipped };
}

/** Frames around what a cell is made from, by the rules of the panel that shows it. heads: columns that a head has. */
export function sourcesOf(panel, cell, { head_dim: width, query }) {
  const one = (place) => [place, place + 1];
  return panel.from.map(({ tensor, row, column }) => {
    const places = {
      row: cell.row,
      column: cell.column,
      query,
      within: cell.column % width,
      across: (cell.head ?? 0) * width + cell.column,
    };
    const range = (along) => (along === "all" ? null : one(places[along]));
    const head = column === "within" ? Math.floor(cell.column / width) : cell.head;
    return { kind: "source", tensor, head, rows: range(row), columns: range(column) };
  });
}

export const frameOf = (cell, kind = "cell") => ({
  kind,
  tensor: cell.tensor,
  head: cell.head,
  rows: [cell.row, cell.row + 1],
  columns: [cell.column, cell.column + 1],
});

/** A source may be a tensor without heads, whose panel knows of none. */
const matching = (panel, frame) => rangesOf(panel, frame) ?? rangesOf(panel, { ...frame, head: null });

// Arranging.

const measure = (() => {
  let context = null;
  return (text, size, bold = false) => {
    context ??= document.createElement("canvas").getContext("2d");
    context.font = `${bold ? "600 " : ""}${size}px ${FONT}`;
    return context.measureText(text).width;
  };
})();

const longest = (axis, size) => axis.labels.reduce((most, label) => Math.max(most, measure(label, size)), 0);

/** Where everything lies. big: larger text, for a projector. only: the one panel that is shown, on a small screen. */
export function arrange(scene, width, height, { big = false, only = null } = {}) {
  const size = big ? { label: 20, tick: 20, title: 20, number: 20 } : { label: 12, tick: 10, title: LINE, number: LEAST };
  const places = { width, height, size, panels: scene.panels.map(() => null), bars: [], boards: [], spreads: [] };
  if (only !== null) {
    const board = { ...scene.boards[0], widths: [1], heights: [100], signs: [], arrows: [], small: false };
    const panel = { ...scene.panels[only], place: [0, 0, 0] };
    panel.rows = { ...panel.rows, shown: true };
    panel.columns = { ...panel.columns, shown: true };
    arrangeBoard(board, [[only, panel]], { x: 0, y: 0, width, height }, scene, places);
    return places;
  }
  let left = 0;
  scene.boards.forEach((board, number) => {
    const share = scene.shares[number] * width;
    const own = scene.panels.map((panel, i) => [i, panel]).filter(([, panel]) => panel.place[0] === number);
    const gap = number ? 26 : 0;
    arrangeBoard(board, own, { x: left + gap, y: 0, width: share - gap, height }, scene, places);
    left += share;
  });
  return places;
}

function arrangeBoard(board, panels, area, scene, places) {
  const { size } = places;
  const at = (r, c) => panels.find(([, panel]) => panel.place[1] === r && panel.place[2] === c);
  const signs = (c) => board.signs.some(([, column]) => column === c);
  const rows = board.heights.length;
  const columns = board.widths.length;
  const enters = (r, c) => board.arrows.some(([r0, c0, r1, c1]) => c0 === c && c1 === c && Math.max(r0, r1) === r);
  // Whether an arrow from above a small panel, or to there, would run through the panel's title.
  const isCrossed = (panel, width) => {
    if (!board.small || !enters(panel.place[1], panel.place[2])) return false;
    const { start, long } = titleOver(panel, width, size);
    return start + long > width * TURN - 7;
  };
  const slanted = (panel, width) =>
    panel.columns.labels.length && longest(panel.columns, size.label) > width / panel.size[1] - 4;

  // Left of a column: the labels of its rows. Above a row: titles, bands, and the labels of its columns.
  const lefts = board.widths.map((_, c) => {
    const named = panels.filter(([, p]) => p.place[2] === c && p.rows.shown && !board.small);
    const most = Math.max(
      0,
      ...named.map(([, p]) => (p.rows.labels.length ? Math.min(110, longest(p.rows, size.label)) + 8 : 20)),
    );
    return most + (c ? (board.small ? 34 : signs(c) ? 22 : 12) : 0);
  });
  const leaning = panels
    .filter(([, p]) => p.columns.shown && p.columns.labels.length > 1 && p.place[2] === board.widths.length - 1 && !board.small)
    .map(([, p]) => Math.min(110, measure(p.columns.labels.at(-1), size.label)) * Math.cos(SLANT) * 0.8);
  const free = area.width - lefts.reduce((a, b) => a + b, 0) - Math.max(4, ...leaning);
  const whole = board.widths.reduce((a, b) => a + b, 0);
  const widths = board.widths.map((share, c) => {
    const most = Math.max(0, ...panels.filter(([, p]) => p.place[2] === c).map(([, p]) => p.size[1])) * WIDEST;
    return Math.max(8, Math.min((free * share) / whole, board.small ? Infinity : most || Infinity));
  });
  const ownBars = panels.some(([, p]) => p.spread); // a histogram has the colours at its foot
  const scales = ownBars ? [] : [...new Set(panels.map(([, p]) => p.scale))].filter((i) => scene.scales[i].kind !== "plain");
  const tops = board.heights.map((_, r) => {
    const line = panels.filter(([, p]) => p.place[1] === r);
    let most = 0;
    for (const [, p] of line) {
      const narrow = board.heights[r] <= 24 && !p.columns.shown;
      let here = narrow ? 4 : size.title + 7 + (p.bands.length ? 9 : 0);
      if (p.columns.shown && !board.small)
        here += p.columns.labels.length
          ? slanted(p, widths[p.place[2]])
            ? Math.min(110, longest(p.columns, size.label)) * Math.sin(SLANT) + size.label * 0.8
            : size.label + 4
          : size.tick + 3;
      most = Math.max(most, here);
    }
    const crossed = line.some(([, p]) => isCrossed(p, widths[p.place[2]]));
    return most + (r ? 5 : 0) + (crossed ? 8 : 0); // room for a short arrow above a title
  });
  // Colour bars: in an empty corner, if there is room for all of them, else in a strip below.
  const first = board.heights.findIndex((_, r) => at(r, 0)); // where the corner ends
  const corner = !board.small && first > 0 && at(0, columns - 1) && lefts[0] + widths[0] > 110;
  const [each, above] = [size.tick * 2 + 26, size.tick + 6]; // of a bar: its height with what is written, and its name
  const abreast = Math.max(1, Math.min(scales.length, Math.floor((area.width - lefts[0]) / 175)));
  const stripped = size.tick * 2 + 18;
  const fixed = board.heights.map((h) => (h <= 24 ? 15 : 0));
  const spread = panels.some(([, p]) => p.spread) ? Math.min(SPREAD, area.height * 0.24) + size.tick * 2 + 14 : 0;
  const natural = board.heights.reduce((sum, h, r) => sum + (fixed[r] ? 0 : h), 0);
  const heightsAbove = (strip) => {
    const down = area.height - tops.reduce((a, b) => a + b, 0) - fixed.reduce((a, b) => a + b, 0) - strip - spread - 4;
    return board.heights.map((h, r) => {
      if (fixed[r]) return fixed[r];
      const most = Math.max(0, ...panels.filter(([, p]) => p.place[1] === r).map(([, p]) => p.size[0])) * TALLEST;
      return Math.max(8, Math.min((down * h) / natural, board.small ? Infinity : most));
    });
  };
  const room = (heights) => heights.slice(0, first).reduce((sum, height, r) => sum + tops[r] + height, 0);
  const inCorner = corner && room(heightsAbove(0)) >= above + (scales.length - 1) * each + size.tick * 1.3 + 10;
  const heights = heightsAbove(board.small || inCorner ? 0 : Math.ceil(scales.length / abreast) * stripped);
  const x = (c) => area.x + lefts.slice(0, c + 1).reduce((a, b) => a + b, 0) + widths.slice(0, c).reduce((a, b) => a + b, 0);
  const y = (r) => area.y + tops.slice(0, r + 1).reduce((a, b) => a + b, 0) + heights.slice(0, r).reduce((a, b) => a + b, 0);
  for (const [i, p] of panels) {
    const [, r, c] = p.place;
    const next = board.widths.findIndex((_, other) => other > c && at(r, other));
    const box = { x: x(c), y: y(r), width: widths[c], height: heights[r] };
    places.panels[i] = {
      ...box,
      cell: [box.width / p.size[1], box.height / p.size[0]],
      slanted: slanted(p, box.width),
      small: board.small,
      over: board.small ? titleOver(p, box.width, size) : null,
      end: enters(r, c) ? TURN : 1,
      titled: !(board.heights[r] <= 24 && !p.columns.shown),
      until: next < 0 ? area.x + area.width : x(next),
      labels: { rows: p.rows.shown && !board.small, columns: p.columns.shown && !board.small },
      writing: board.small
        ? null
        : writing(p, scene.scales[p.scale], box.width / p.size[1], box.height / p.size[0], size.number),
    };
  }
  const ground = y(rows - 1) + heights[rows - 1];
  const bottom = ground + spread;
  for (const [i, p] of panels)
    if (p.spread) places.spreads.push({ panel: i, x: x(p.place[2]), width: widths[p.place[2]], y: ground + size.tick + 12, height: spread - size.tick * 2 - 14 });
  scales.forEach((scale, i) => {
    if (board.small) return;
    const bar = inCorner
      ? { x: area.x + 6, y: area.y + above + i * each, width: Math.min(150, lefts[0] + widths[0] - 30) }
      : {
          x: area.x + lefts[0] + (i % abreast) * 190,
          y: bottom + size.tick + 10 + Math.floor(i / abreast) * stripped,
          width: 150,
        };
    places.bars.push({ ...bar, scale });
  });
  // Where an arrow that comes from above a panel, or goes there, keeps off it: at its title where that is in the way.
  const roof = (r, c) => y(r) - (isCrossed(at(r, c)[1], widths[c]) ? size.title + 7 : 0);
  places.boards.push({ board, x, y, widths, heights, roof });
}

/** A title such as W<sub>Q</sub>: [text, whether it stands low] of each part. */
const titleParts = ({ title }) =>
  title.split(/(<sub>.*?<\/sub>)/).map((part) => [part.replace(/<[^>]+>/g, ""), part.startsWith("<sub>")]);

const titleSize = (size, low) => (low ? size.title - 3 : size.title);

const titleWidth = (panel, size) =>
  titleParts(panel).reduce((sum, [text, low]) => sum + measure(text, titleSize(size, low), true), 0);

/** Over a small panel: where its title begins, from the panel's left edge, how wide it is, how much smaller than others. */
function titleOver(panel, width, size) {
  const whole = titleWidth(panel, size);
  const share = Math.min(1, (width + 30) / whole); // half the way to the next panel on either side
  return { start: Math.min(0, (width - whole * share) / 2), long: whole * share, share };
}

/** What lies at a place: {panel, row, column}, {panel, title: true}, or null. */
export function hit(scene, places, x, y) {
  for (const [i, place] of places.panels.entries()) {
    if (!place) continue;
    const [across, down] = [x - place.x, y - place.y];
    if (across < 0 || across >= place.width) continue;
    const [rows, columns] = scene.panels[i].size;
    if (down >= 0 && down < place.height)
      return {
        panel: i,
        row: Math.min(rows - 1, Math.floor(down / place.cell[1])),
        column: Math.min(columns - 1, Math.floor(across / place.cell[0])),
      };
    if (down < 0 && down > -places.size.title - 8) return { panel: i, title: true };
  }
  return null;
}

// Painting.

/** Draw everything.
 *
 * look: {frames, hover, missing, shown, hidden, ghosts, flown, before, share}: frames around cells (see rangesOf) with
 * the kind "line", "source", "cell" or "pointed"; the place under the mouse; for each panel the cells that are not there
 * yet (bytes), the numbers that stand for others (a map), and the cells whose number is a secret (bytes); cells that fly,
 * and how far they are; and how far numbers are on their way from `before`, a scene of the same shape, 0 to 1.
 */
export function paint(context, scene, places, theme, look = {}) {
  context.clearRect(0, 0, places.width, places.height);
  context.textBaseline = "middle";
  context.lineJoin = "miter";
  for (const between of places.boards) paintBetween(context, between, theme);
  scene.panels.forEach((panel, i) => {
    if (places.panels[i]) paintPanel(context, scene, panel, i, places, theme, look);
  });
  for (const bar of places.bars) paintBar(context, scene.scales[bar.scale], bar, places.size, theme);
  for (const spread of places.spreads) paintSpread(context, scene, spread, places, theme, look);
  if (look.flown < 1) for (const ghost of look.ghosts ?? []) paintGhost(context, scene, places, ghost, look.flown, theme);
}

const valueOf = (look, panel, i, at) =>
  look.shown?.[i]?.get(at) ?? numberOf(look, panel, i, at);

const numberOf = (look, panel, i, at) =>
  look.before && look.share < 1
    ? look.before.panels[i].numbers[at] * (1 - look.share) + panel.numbers[at] * look.share
    : panel.numbers[at];

function paintPanel(context, scene, panel, i, places, theme, look) {
  const place = places.panels[i];
  const scale = scene.scales[panel.scale];
  const [rows, columns] = panel.size;
  const [wide, high] = place.cell;
  const frames = (look.frames ?? [])
    .map((frame) => ({ kind: frame.kind, ranges: matching(panel, frame) }))
    .filter(({ ranges }) => ranges);
  const sources = frames.filter(({ kind }) => kind === "source").map(({ ranges }) => ranges);
  const paper = rgb(theme.paper);
  const isLit = (r, c) =>
    !sources.length ||
    sources.some(({ rows: [a, b], columns: [d, e] }) => r >= a && r < b && c >= d && c < e);
  const [missing, hidden] = [look.missing?.[i], look.hidden?.[i]];
  const [least, covered] = [Math.min(wide, high), panel.closed || missing || hidden];
  if (least < 3 || (least < GAP && !place.writing && !covered)) {
    const part = (dim, { rows: [a, b], columns: [d, e] }) =>
      context.drawImage(
        pixelsOf(panel, i, scale, theme, look, dim),
        ...[d, a, e - d, b - a],
        ...[place.x + d * wide, place.y + a * high, (e - d) * wide, (b - a) * high],
      );
    context.imageSmoothingEnabled = false;
    part(sources.length > 0, { rows: [0, rows], columns: [0, columns] });
    for (const ranges of sources) part(false, ranges);
  } else {
    const gap = least >= GAP ? 1 : 0;
    const text = place.writing;
    if (text) context.font = `${text.size}px ${FONT}`;
    context.textAlign = "center";
    for (let r = 0, at = 0; r < rows; r++)
      for (let c = 0; c < columns; c++, at++) {
        const [x, y] = [place.x + c * wide, place.y + r * high];
        if (hidden?.[at] || missing?.[at]) {
          context.fillStyle = hidden?.[at] ? theme.plain : theme.paper;
          context.fillRect(x, y, wide - gap, high - gap);
          if (!hidden?.[at] && gap) {
            context.strokeStyle = theme.line;
            context.lineWidth = 0.5;
            context.strokeRect(x + 1.5, y + 1.5, wide - 4, high - 4);
          }
          if (hidden?.[at] && Math.min(wide, high) >= LEAST) {
            context.fillStyle = theme.ink;
            context.font = `600 ${Math.min(14, Math.floor(high - 2))}px ${FONT}`;
            context.fillText("?", x + wide / 2, y + high / 2 + 0.5);
            if (text) context.font = `${text.size}px ${FONT}`;
          }
          continue;
        }
        if (panel.closed?.[at]) {
          hatch(context, x, y, wide - gap, high - gap, theme);
          continue;
        }
        const found = shadeOf(panel, i, at, scale, theme, look, isLit(r, c) ? null : paper);
        context.fillStyle = `rgb(${found})`;
        context.fillRect(x, y, wide - gap, high - gap);
        if (text) {
          context.fillStyle = inkOn(found);
          context.fillText(inCell(valueOf(look, panel, i, at), text), x + wide / 2, y + high / 2 + 0.5);
        }
      }
  }
  const main = { q: theme.q, k: theme.k, v: theme.v }[panel.role] ?? theme.ink;
  outline(context, place, { rows: [0, rows], columns: [0, columns] }, theme.line, 1);
  for (const { role, rows: r, columns: c } of panel.outlines)
    outline(
      context,
      place,
      { rows: r ?? [0, rows], columns: c ?? [0, columns] },
      { q: theme.q, k: theme.k, v: theme.v }[role] ?? theme.ink,
      2,
    );
  if (panel.changed) paintChanges(context, panel, place, theme);
  for (const { kind, ranges } of frames) {
    if (kind === "line") outline(context, place, ranges, theme.pointer, 1, [], 0.5);
    else if (kind === "source") outline(context, place, ranges, theme.pointer, 2, [5, 3]);
    else {
      outline(context, place, ranges, theme.halo, 6);
      outline(context, place, ranges, kind === "pointed" ? "#d6248f" : theme.pointer, 3);
    }
  }
  for (const [start, stop, hue] of panel.bands) {
    context.fillStyle = theme.heads[hue % theme.heads.length];
    context.fillRect(place.x + start * wide + 0.5, place.y - 7, (stop - start) * wide - 1, 5);
  }
  paintLabels(context, panel, i, place, places.size, theme, main, frames, look);
}

/** The colour of a cell. dim: the paper's, for a cell beside what is lit; else null. */
function shadeOf(panel, i, at, scale, theme, look, dim) {
  const color = colorOf(valueOf(look, panel, i, at), scale, theme);
  return dim ? mix(color, dim, DIM) : color;
}

/** A panel of many cells, a pixel each; kept while nothing but what is pointed at changes. dim: as beside what is lit. */
function pixelsOf(panel, i, scale, theme, look, dim) {
  const [missing, hidden] = [look.missing?.[i], look.hidden?.[i]];
  const still = !missing && !hidden && !look.shown?.[i]?.size && !(look.before && look.share < 1);
  const kept = panel.pixels?.theme === theme ? panel.pixels : (panel.pixels = { theme });
  if (still && kept[dim]) return kept[dim];
  const [rows, columns] = panel.size;
  const image = new OffscreenCanvas(columns, rows);
  const pixels = new ImageData(columns, rows);
  const [masked, paper, plain] = [theme.masked, theme.paper, theme.plain].map(rgb);
  for (let at = 0; at < rows * columns; at++) {
    const other = hidden?.[at] ? plain : missing?.[at] ? paper : panel.closed?.[at] ? masked : null;
    pixels.data.set([...(other ?? shadeOf(panel, i, at, scale, theme, look, dim ? paper : null)), 255], at * 4);
  }
  image.getContext("2d").putImageData(pixels, 0, 0);
  if (still) kept[dim] = image;
  return image;
}

function outline(context, place, { rows, columns }, color, width, dash = [], alpha = 1) {
  const [wide, high] = place.cell;
  context.save();
  context.globalAlpha = alpha;
  context.strokeStyle = color;
  context.lineWidth = width;
  context.setLineDash(dash);
  context.strokeRect(
    place.x + columns[0] * wide - 0.5,
    place.y + rows[0] * high - 0.5,
    (columns[1] - columns[0]) * wide,
    (rows[1] - rows[0]) * high,
  );
  context.restore();
}

function hatch(context, x, y, width, height, theme) {
  context.save();
  context.fillStyle = theme.masked;
  context.fillRect(x, y, width, height);
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.strokeStyle = theme.quiet;
  context.globalAlpha = 0.6;
  context.lineWidth = 1;
  context.beginPath();
  for (let at = -height; at < width; at += 6) {
    context.moveTo(x + at, y + height);
    context.lineTo(x + at + height, y);
  }
  context.stroke();
  context.restore();
}

/** Dotted lines between cells whose number is another than before and cells whose number is the same. */
function paintChanges(context, panel, place, theme) {
  const [rows, columns] = panel.size;
  const [wide, high] = place.cell;
  const is = (r, c) => r >= 0 && c >= 0 && r < rows && c < columns && panel.changed[r * columns + c] === 1;
  context.save();
  context.strokeStyle = theme.changed;
  context.lineWidth = 2;
  context.setLineDash([2, 2]);
  context.beginPath();
  for (let r = 0; r <= rows; r++)
    for (let c = 0; c <= columns; c++) {
      const [x, y] = [place.x + c * wide, place.y + r * high];
      if (c < columns && is(r, c) !== is(r - 1, c)) context.moveTo(x, y), context.lineTo(x + wide, y);
      if (r < rows && is(r, c) !== is(r, c - 1)) context.moveTo(x, y), context.lineTo(x, y + high);
    }
  context.stroke();
  context.restore();
}

function paintLabels(context, panel, i, place, size, theme, main, frames, look) {
  const [wide, high] = place.cell;
  const [rows, columns] = panel.size;
  const hovered = look.hover?.panel === i ? look.hover : null;
  const chosen = frames.filter(({ kind }) => kind === "cell" || kind === "source").map(({ ranges }) => ranges);
  const strong = (axis, place) =>
    hovered?.[axis === "rows" ? "row" : "column"] === place ||
    panel.outlines.some((each) => each[axis] && each[axis][0] <= place && place < each[axis][1]) ||
    chosen.some((each) => each[axis][1] - each[axis][0] === 1 && each[axis][0] === place);
  /** Which labels of so many are written: every n-th, and the strong ones, which push their neighbours away. */
  const named = (axis, count, every) => {
    const all = Array.from({ length: count }, (_, place) => place);
    const first = all.filter((place) => strong(axis, place));
    return all.filter((place) => first.includes(place) || (place % every === 0 && !first.some((each) => Math.abs(each - place) < every)));
  };
  const write = (text, x, y, bold, align, angle = 0, room = 200) => {
    context.save();
    context.font = `${bold ? "600 " : ""}${size.label}px ${FONT}`;
    context.fillStyle = bold ? main : theme.quiet;
    context.textAlign = align;
    context.translate(x, y);
    context.rotate(angle);
    context.fillText(text, 0, 0, room);
    context.restore();
  };
  if (place.labels.rows && panel.rows.labels.length) {
    const every = Math.max(1, Math.ceil((size.label * 0.95) / high));
    for (const r of named("rows", rows, every))
      write(panel.rows.labels[r], place.x - 6, place.y + (r + 0.5) * high, strong("rows", r), "right", 0, 110);
  }
  const above = place.y - (panel.bands.length ? 9 : 0);
  let title = above - size.title / 2 - 5;
  if (place.labels.columns && panel.columns.labels.length) {
    const every = Math.max(1, Math.ceil((size.label * (place.slanted ? 1.45 : 3)) / wide));
    for (const c of named("columns", columns, place.slanted ? every : 1))
      write(
        panel.columns.labels[c],
        place.x + (c + 0.5) * wide - (place.slanted ? 2 : 0),
        above - size.label / 2 - 1,
        strong("columns", c),
        place.slanted ? "left" : "center",
        place.slanted ? -SLANT : 0,
        110,
      );
    title -= place.slanted
      ? Math.min(110, longest(panel.columns, size.label)) * Math.sin(SLANT) + size.label * 0.8
      : size.label + 4;
  }
  context.font = `${size.tick}px ${FONT}`;
  context.fillStyle = theme.quiet;
  if (place.labels.columns && !panel.columns.labels.length && columns > 1) {
    const every = Math.max(1, Math.floor(columns / 4));
    context.textAlign = "center";
    for (let c = 0; c < columns; c += every)
      context.fillText(String(panel.columns.first + c), place.x + (c + 0.5) * wide, above - size.tick / 2 - 1);
    title -= size.tick + 3;
  }
  if (place.labels.rows && !panel.rows.labels.length && rows > 1) {
    const every = Math.max(1, Math.floor(rows / 4));
    context.textAlign = "right";
    for (let r = 0; r < rows; r += every)
      context.fillText(String(panel.rows.first + r), place.x - 4, place.y + (r + 0.5) * high);
  }
  paintTitle(context, panel, place, size, title, main, theme);
}

/** A title such as W<sub>Q</sub>, and its shape after it where there is room; over a small panel as wide as it may be.
 *
 * Left of a strip that has no room above it, without its shape.
 */
function paintTitle(context, panel, place, size, y, color, theme) {
  const parts = titleParts(panel);
  const set = (low, share) => (context.font = `600 ${titleSize(size, low) * share}px ${FONT}`);
  const long = titleWidth(panel, size);
  let [x, share] = [place.x, 1];
  if (!place.titled) [x, y] = [place.x - long - 5, place.y + place.height / 2];
  else if (!place.small) share = Math.min(1, (place.until - place.x - 6) / long); // the next title is left alone
  if (place.small) {
    share = place.over.share;
    x = Math.max(1, Math.min(place.x + place.over.start, context.canvas.clientWidth - 1 - place.over.long));
  }
  context.textAlign = "left";
  context.fillStyle = color;
  const begin = x;
  const write = (act) => {
    x = begin;
    for (const [text, low] of parts) {
      set(low, share);
      act(text, x, y + (low ? 3 : 0));
      x += context.measureText(text).width;
    }
  };
  if (place.small) write((...at) => outlined(context, ...at, theme)); // an arrow may run behind it
  write((...at) => context.fillText(...at));
  if (!place.titled) return;
  context.font = `${size.tick + 1}px ${FONT}`;
  // A shape leaves the next title alone, or an arrow.
  const room = place.small ? place.x + place.width * place.end - x - (place.end < 1 ? 13 : 6) : place.until - x - 14;
  if (panel.shape && context.measureText(panel.shape).width <= room) {
    context.fillStyle = theme.quiet;
    context.fillText(panel.shape, x + 7, y);
  }
}

/** The edge around a text, in the colour of the paper. */
function outlined(context, text, x, y, theme) {
  context.save();
  [context.strokeStyle, context.lineWidth, context.lineJoin] = [theme.paper, 4, "round"];
  context.strokeText(text, x, y);
  context.restore();
}

const eased = (share) => (share < 0.5 ? 2 * share * share : 1 - (2 - 2 * share) ** 2 / 2);

/** A cell on its way from one place to another, with its number; it fades as it arrives. */
function paintGhost(context, scene, places, { from, to }, flown, theme) {
  const box = ([i, r, c]) => {
    const place = places.panels[i];
    return place && [place.x + c * place.cell[0], place.y + r * place.cell[1], place.cell[0], place.cell[1]];
  };
  const [start, end] = [box(from), box(to)];
  if (!start || !end) return; // on a small screen only one panel is shown
  const way = eased(Math.min(1, flown / 0.75));
  const [x, y, width, height] = start.map((value, i) => value + (end[i] - value) * way);
  const [i, row, column] = from;
  const panel = scene.panels[i];
  const at = row * panel.size[1] + column;
  if (panel.closed?.[at]) return;
  const scale = scene.scales[panel.scale];
  const color = colorOf(panel.numbers[at], scale, theme);
  context.save();
  context.globalAlpha = flown < 0.75 ? 1 : Math.max(0, (1 - flown) * 4);
  context.fillStyle = `rgb(${color})`;
  context.fillRect(x, y, width, height);
  context.strokeStyle = theme.pointer;
  context.lineWidth = 1;
  context.strokeRect(x, y, width, height);
  const text = inCell(panel.numbers[at], { digits: 1, share: scale.kind === "share" && !panel.whole });
  const size = Math.min(12, Math.floor((width - 2) / (text.length * 0.53)), Math.floor(height - 1));
  if (size >= LEAST) {
    context.font = `${size}px ${FONT}`;
    context.textAlign = "center";
    context.fillStyle = inkOn(color);
    context.fillText(text, x + width / 2, y + height / 2 + 0.5);
  }
  context.restore();
}

/** How many of a panel's numbers lie in each part of its scale; of those that are there. */
export function spreadOf(panel, scale, missing, bins = BINS) {
  const counts = new Array(bins).fill(0);
  panel.numbers.forEach((value, at) => {
    if (panel.closed?.[at] || missing?.[at] || !Number.isFinite(value)) return;
    const share = (value / scale.limit + 1) / 2;
    counts[Math.min(bins - 1, Math.max(0, Math.floor(share * bins)))]++;
  });
  return counts;
}

function paintSpread(context, scene, { panel: i, x, y, width, height }, places, theme, look) {
  const panel = scene.panels[i];
  const scale = scene.scales[panel.scale];
  places.tallest ??= Math.max(1, ...places.spreads.flatMap((each) => spreadOf(scene.panels[each.panel], scale)));
  const each = width / BINS;
  spreadOf(panel, scale, look.hidden?.[i] ?? look.missing?.[i]).forEach((count, bin) => {
    const middle = ((bin + 0.5) / BINS) * 2 - 1;
    const tall = (count / places.tallest) * height;
    context.fillStyle = `rgb(${colorOf(middle * scale.limit, scale, theme)})`;
    context.fillRect(x + bin * each, y + height - tall, each - 0.5, tall);
    context.strokeStyle = theme.quiet;
    context.lineWidth = 0.5;
    if (count) context.strokeRect(x + bin * each, y + height - tall, each - 0.5, tall);
  });
  context.fillStyle = theme.quiet;
  context.fillRect(x, y + height, width, 1);
  context.font = `${places.size.tick}px ${FONT}`;
  const end = written(scale.limit, scale.limit >= 10 ? 0 : 1);
  for (const [text, at, align] of [[`−${end}`, 0, "left"], ["0", 0.5, "center"], [end, 1, "right"]]) {
    context.textAlign = align;
    context.fillText(text, x + at * width, y + height + places.size.tick * 0.9);
  }
  if (look.spread) {
    context.textAlign = "left";
    context.fillText(look.spread, x, y - places.size.tick * 0.4);
  }
}

function paintBar(context, scale, bar, size, theme) {
  const table = tableOf(scale.kind === "share" ? theme.weight : theme.signed);
  context.textAlign = "left";
  context.font = `${size.tick + 1}px ${FONT}`;
  context.fillStyle = theme.quiet;
  context.fillText(plain(scale.name), bar.x, bar.y - size.tick / 2 - 2);
  for (let at = 0; at < bar.width; at++) {
    context.fillStyle = `rgb(${table[Math.round((255 * at) / (bar.width - 1))]})`;
    context.fillRect(bar.x + at, bar.y, 1.2, 7);
  }
  const end = told(Number(scale.limit.toPrecision(3)), false).replace(/\.?0+$/, "") || "0";
  const ticks = scale.kind === "share" ? [["0", 0, "left"], ["1", 1, "right"]] : [[`−${end}`, 0, "left"], ["0", 0.5, "center"], [end, 1, "right"]];
  context.font = `${size.tick}px ${FONT}`;
  context.fillStyle = theme.quiet;
  for (const [text, share, align] of ticks) {
    context.textAlign = align;
    context.fillText(text, bar.x + share * bar.width, bar.y + 8 + size.tick * 0.8);
  }
}

/** Signs such as "=" left of a place, and arrows from place to place. */
function paintBetween(context, { board, x, y, widths, heights, roof }, theme) {
  context.font = `18px ${FONT}`;
  context.fillStyle = theme.quiet;
  context.textAlign = "center";
  for (const [r, c, sign] of board.signs) context.fillText(sign, x(c) - 13, y(r) + heights[r] / 2);
  context.strokeStyle = theme.quiet;
  context.lineWidth = 1.3;
  for (const [r0, c0, r1, c1] of board.arrows) {
    context.beginPath();
    let tip, angle;
    if (c0 === c1) {
      const down = r1 > r0;
      const middle = x(c0) + widths[c0] * TURN;
      const [from, to] = down ? [y(r0) + heights[r0] + 2, roof(r1, c1) - 3] : [roof(r0, c0) - 3, y(r1) + heights[r1] + 3];
      context.moveTo(middle, from);
      context.lineTo(middle, to);
      [tip, angle] = [[middle, to], down ? Math.PI / 2 : -Math.PI / 2];
    } else {
      const [from, to] = [[x(c0) + widths[c0] + 3, y(r0) + heights[r0] / 2], [x(c1) - 5, y(r1) + heights[r1] / 2]];
      const bend = Math.min(40, (to[0] - from[0]) / 2);
      context.moveTo(...from);
      context.bezierCurveTo(from[0] + bend, from[1], to[0] - bend, to[1], ...to);
      [tip, angle] = [to, 0];
    }
    context.stroke();
    context.save();
    context.translate(...tip);
    context.rotate(angle);
    context.beginPath();
    context.moveTo(2, 0);
    context.lineTo(-6, -4);
    context.lineTo(-6, 4);
    context.fill();
    context.restore();
  }
}
