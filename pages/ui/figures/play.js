// A play (see play.py) at one moment: which cells are not there yet, which numbers stand for others, what is on its way.
// It knows nothing of attention, and paints nothing.

import { rangesOf } from "./painter.js";

/** A panel's cells in an area, in reading order of the panel: [[row, column], …]; and where the area has its first. */
export function cellsOf(panel, area) {
  const ranges = rangesOf(panel, area) ?? rangesOf(panel, { ...area, head: null });
  if (!ranges) return [];
  const cells = [];
  for (let r = ranges.rows[0]; r < ranges.rows[1]; r++)
    for (let c = ranges.columns[0]; c < ranges.columns[1]; c++) cells.push([r, c]);
  return cells;
}

/** The same in reading order of the tensor, for what travels: a row can become a column. */
function inOrder(panel, area) {
  const cells = cellsOf(panel, area);
  return panel.view.transposed ? cells.sort((a, b) => a[1] - b[1] || a[0] - b[0]) : cells;
}

/** What a scene shows at a moment of a play that has come so far, 0 to 1.
 *
 * {missing, shown}: for each panel, a byte a cell, 1 where nothing is there yet; and a map from cells to the numbers
 * that stand there for now. {frames}: what is lit. {ghosts}: cells on their way, [{from: [panel, row, column], to}].
 */
export function stateAt(scene, play, moment, share) {
  const missing = scene.panels.map(() => null);
  const shown = scene.panels.map(() => null);
  const mark = (area, value, part = 1) =>
    scene.panels.forEach((panel, i) => {
      const cells = cellsOf(panel, area);
      if (!cells.length) return;
      missing[i] ??= new Uint8Array(panel.numbers.length);
      const now = missing[i];
      // One cell after the other, of those that are not there already.
      const open = cells.map(([r, c]) => r * panel.size[1] + c).filter((at) => value || now[at]);
      open.slice(0, Math.ceil(open.length * part)).forEach((at) => (now[at] = value));
    });
  for (const area of play.covers) mark(area, 1);
  for (let at = 0; at <= moment; at++)
    for (const area of play.moments[at].fills) mark(area, 0, at < moment ? 1 : share);
  const now = play.moments[moment];
  for (const { area, numbers } of now.shown)
    scene.panels.forEach((panel, i) => {
      const cells = inOrder(panel, area);
      if (!cells.length) return;
      shown[i] ??= new Map();
      cells.forEach(([r, c], place) => {
        const at = r * panel.size[1] + c;
        const isThere = missing[i] && !missing[i][at]; // it has appeared in the meantime
        if (!isThere) shown[i].set(at, numbers[place]);
        if (missing[i]) missing[i][at] = 0;
      });
    });
  const frames = now.lit.map((area) => ({ ...area, kind: "source" }));
  const ghosts = share < 1 ? now.travels.flatMap((travel) => ghostsOf(scene, travel)) : [];
  return { missing, shown, frames, ghosts };
}

function ghostsOf(scene, { start, end }) {
  const find = (area) => {
    for (const [i, panel] of scene.panels.entries()) {
      const cells = inOrder(panel, area);
      if (cells.length) return cells.map(([r, c]) => [i, r, c]);
    }
    return [];
  };
  const [from, to] = [find(start), find(end)];
  return to.length ? from.map((cell, place) => ({ from: cell, to: to[Math.min(place, to.length - 1)] })) : [];
}

/** How long a moment takes, in milliseconds at normal speed. */
export const durationOf = (moment) => moment.beats * 1000;
