/** The figures of a page: pictures at the widths that it needs, tables, and the living diagram. */
import { htmlEscape } from 'escape-goat';
import { faults } from '../frames/faults.ts';
import { secondsOf } from '../frames/load.ts';
import { placesOf } from '../frames/summary.ts';
import {
  faultColumns, faultLines, latenessLine, type Line, linesOf, type Shown, summaryColumns, TERMS,
  theoryColumns,
} from '../frames/tables.ts';
import type { Axes, Chapter } from './chapters.ts';
import { theoryDoubts } from './describe.ts';
import { PICTURES, type Picture, WIDTH_FULL } from './pictures.ts';
import { FIELDS_MOST } from './runs.ts';
import { labelColour } from './signs.ts';
import { extent } from './words.ts';

/** Pixels: of a column on a screen, and of a telephone. A page has both and shows one. */
const WIDTHS = { wide: 560, narrow: 350 };
/** Vector clocks of more machines have no room at an event. */
const VECTOR_MOST = 8;

/** What stands on a page under one title. */
export interface Figure {
  id: string;
  title: string;
  note: string;
  body: string;
  wide?: boolean;
  /** Whose it is; null if it is of all runs. */
  run: string | null;
}

/** A number that has a place: an event of a machine, in the diagram of a run of the page. */
interface Place { run: number; machine: number; time_s: number }

/** The figures of a run, in the order of the page. @param nth the run's place on the page */
export async function figures(chapter: Chapter, axes: Axes, nth: number): Promise<Figure[]> {
  const drawn = await Promise.all(PICTURES.map((picture) => figure(picture, chapter, axes, nth)));
  const wide = drawn.filter((one) => one.wide);
  return [...drawn.filter((one) => !one.wide), theoryFigure(chapter), ...wide];
}

async function figure(
  picture: Picture, chapter: Chapter, axes: Axes, nth: number,
): Promise<Figure> {
  const { id, finding, note, draw, wide = false } = picture;
  const body = wide ? live(chapter, axes, nth, await draw(chapter, axes, { width: WIDTH_FULL }))
    : await atWidths((width) => draw(chapter, axes, { width }));
  return { id, title: chapter.found[finding], note: note(chapter), wide, run: chapter.run.name,
    body: body + (wide ? '' : worst(chapter, nth, id)) };
}

/** A picture at both widths: the page shows the one that fits. */
async function atWidths(draw: (width: number) => Promise<string>): Promise<string> {
  const [wide, narrow] = await Promise.all(Object.values(WIDTHS).map(draw));
  return `<div class="wide">${wide}</div><div class="narrow">${narrow}</div>`;
}

// ── Places ───────────────────────────────────────────────────────────────────────────────────

/** Which picture shows which column of the summary, whose greatest value has a place. */
const WORST = { lag: ['lag', 'max_lag', 'longest lag'], queues: ['queue', 'max_queue', 'most wait'],
  jumps: ['jump', 'max_jump', 'longest jump'] } as const;

/** Where a machine's most of something was; null if it has none, or the page does not hold it. */
function placeOf(
  { run, ticks }: Chapter, nth: number, what: 'lag' | 'queue' | 'jump', machine: number,
): Place | null {
  const log = run.logs[machine]!;
  let r = placesOf(run)[machine]![what];
  while (r >= 0 && log.tick[r]! < 0) r--; // The end of the run: the last event before it.
  if (r < 0) return null;
  const time_s = secondsOf(run)(log.time_us[r]!);
  return time_s > (ticks.time_s.at(-1) ?? 0) + 1e-3 ? null : { run: nth, machine, time_s };
}

const linked = (text: string, place: Place | null): string => (place === null ? htmlEscape(text)
  : `<a class="place" href="#diagram-${place.run}" data-run="${place.run}" `
    + `data-machine="${place.machine}" data-time="${place.time_s.toFixed(4)}">${
      htmlEscape(text)}</a>`);

/** Below a picture, the way to the most that it shows. */
function worst(chapter: Chapter, nth: number, id: string): string {
  if (!(id in WORST)) return '';
  const [what, column, words] = WORST[id as keyof typeof WORST];
  const values = chapter.frame.getColumn(column).toArray() as (number | null)[];
  const most = Math.max(...values.map((value) => value ?? 0));
  const machine = values.indexOf(most);
  const place = most > 0 && machine >= 0 ? placeOf(chapter, nth, what, machine) : null;
  return place === null ? '' : `<p class="note">${linked(
    `The ${words}, ${most}, at machine ${machine} at ${place.time_s.toFixed(1)} s`, place)}</p>`;
}

// ── Tables ───────────────────────────────────────────────────────────────────────────────────

const theoryFigure = (chapter: Chapter): Figure => ({
  id: 'theory', run: chapter.run.name, wide: chapter.run.run.machines > FIELDS_MOST,
  title: chapter.found.theory, body: theoryTables(chapter),
  note: `What was measured, beside what theory.ts predicts. ${TERMS.theory} The mean lag is for a `
    + `run of this length.${theoryDoubts(chapter.run)}`,
});

/** Two small tables, since one would be too wide for a telephone. */
const theoryTables = ({ frame }: Chapter): string =>
  [theoryColumns.slice(0, 6), theoryColumns.slice(6)]
    .map((shown) => tableOf(linesOf(frame, shown), shown)).join('');

/** All numbers of all runs: of one run a row a machine, of several a column a run. */
export function summaryFigure(chapters: Chapter[]): Figure {
  const lateness = chapters.map(({ run }) => ({ name: run.name, line: latenessLine(run) }))
    .filter(({ line }) => line !== '').map(({ name, line }) => (chapters.length > 1
      ? ` ${name}: ${line}.` : ` ${line[0]!.toUpperCase()}${line.slice(1)}.`));
  return {
    id: 'summary', wide: true, run: null, note: TERMS.summary + lateness.join(''),
    title: chapters.length > 1 ? 'The runs in numbers' : 'The run in numbers',
    body: chapters.length > 1 ? besideEachOther(chapters) : tableOf(
      linesOf(chapters[0]!.frame, summaryColumns), summaryColumns,
      (line, { column }) => cellPlace(chapters[0]!, 0, line.machine, column)),
  };
}

/** Where the number of a cell is to be seen. */
function cellPlace(chapter: Chapter, nth: number, machine: number, column: string): Place | null {
  const found = Object.values(WORST).find(([, name]) => name === column);
  return found ? placeOf(chapter, nth, found[0], machine) : null;
}

/** What a fault cost, if there was any. */
export function faultFigure(chapters: Chapter[]): Figure[] {
  const hit = chapters.filter(({ costs }) => costs.length > 0);
  if (hit.length === 0) return [];
  const lines = hit.flatMap(({ run }) => faultLines(faults(run)).map((line) => (chapters.length > 1
    ? { ...line, name: `${run.name}: ${line.name}` } : line)));
  return [{ id: 'faults', run: null, wide: true, title: 'What the faults cost',
    note: TERMS.faults, body: tableOf(lines, faultColumns) }];
}

/** The numbers of several runs, machine by machine, those of one quantity under each other. */
function besideEachOther(chapters: Chapter[]): string {
  const lines = chapters.map(({ frame }) => linesOf(frame, summaryColumns));
  const machines = Math.max(...lines.map((own) => own.length));
  const bodies = Array.from({ length: machines }, (_, id) => {
    const rows = chapters.flatMap((chapter, nth) => (lines[nth]![id] === undefined ? []
      : [rowOf(chapter.run.name, lines[nth]![id]!.cells, (place) =>
        cellPlace(chapter, nth, id, summaryColumns[place]!.column))]));
    return `<tbody><tr class="group"><th scope="rowgroup" colspan="${summaryColumns.length + 1}" `
      + `style="color:${labelColour(id)}">machine ${id}</th></tr>${rows.join('')}</tbody>`;
  });
  return `<div class="table"><table>${headsOf(summaryColumns)}${bodies.join('')}</table></div>`;
}

function tableOf(
  lines: Line[], shown: Shown[], place: (line: Line, column: Shown) => Place | null = () => null,
): string {
  const rows = lines.map((line) => rowOf(line.name, line.cells,
    (nth) => place(line, shown[nth]!), ` style="color:${labelColour(line.machine)}"`));
  return `<div class="table"><table>${headsOf(shown)}<tbody>${rows.join('')}</tbody></table></div>`;
}

/** The two lines above a table's columns, of which equal upper ones are joined. */
function headsOf(shown: Shown[]): string {
  const groups = shown.map(({ group }) => group);
  const upper = groups.flatMap((group, at) => {
    if (groups[at - 1] === group && group !== '') return [];
    const count = group === '' ? 1 : groups.filter((one) => one === group).length;
    return [count === 1 ? `<th>${htmlEscape(group)}</th>` : '<th scope="colgroup" class="over" '
      + `colspan="${count}"><span>${htmlEscape(group)}</span></th>`];
  });
  return `<thead><tr><th></th>${upper.join('')}</tr><tr><th></th>`
    + `${shown.map(({ heading }) => `<th scope="col">${heading}</th>`).join('')}</tr></thead>`;
}

const rowOf = (
  name: string, cells: string[], place: (nth: number) => Place | null, style = '',
): string => `<tr><th scope="row"${style}>${htmlEscape(name)}</th>${
  cells.map((cell, nth) => `<td>${linked(cell, place(nth))}</td>`).join('')}</tr>`;

// ── The living diagram ───────────────────────────────────────────────────────────────────────

const HINT = 'Point at an event, or touch it, or go with the arrow keys: here stands what it is, '
  + 'which rule it obeys, and what could have been its cause or its effect.';

/** The diagram with what brings it to life: client.ts finds all of this by its names. */
function live({ ticks }: Chapter, { window_s }: Axes, nth: number, picture: string): string {
  const view = { from_s: 0, to_s: Math.max(0.02, Math.min(window_s, ticks.end_s)) };
  const svg = picture.replace('<svg ', '<svg tabindex="0" '
    + 'role="application" aria-roledescription="diagram" aria-label="Space-time diagram: '
    + 'arrow keys go from event to event, Enter along a message, plus and minus zoom" ');
  const vectors = ticks.machines > VECTOR_MOST ? ''
    : '<button type="button" value="v" aria-pressed="false">vector clocks</button>';
  return `<div class="live" id="diagram-${nth}" data-run="${nth}" data-window="${view.to_s}">${svg}
<div class="controls"><button type="button" value="-" aria-label="zoom out">−</button>
<button type="button" value="+" aria-label="zoom in">+</button>
<button type="button" value="0">whole run</button>${vectors}
<input type="range" min="0" max="0" step="any" value="0" aria-label="from, seconds"></div>
<p class="extent">${htmlEscape(extent(ticks, { ...view, width: WIDTH_FULL, selected: -1 }))}</p>
<output aria-live="polite" data-event="-1" data-hint="${HINT}">${HINT}</output>
<p class="keys">Drag to pan; Ctrl and the wheel, or two fingers, zoom (the wheel alone once you have
clicked). Keys: <kbd>←</kbd> <kbd>→</kbd> along a machine, <kbd>↑</kbd> <kbd>↓</kbd> to another,
<kbd>Enter</kbd> along a message, <kbd>+</kbd> <kbd>−</kbd> <kbd>0</kbd> zoom, <kbd>PgUp</kbd>
<kbd>PgDn</kbd> pan, <kbd>v</kbd> vector clocks, <kbd>Esc</kbd> lets go.</p>
<script type="application/json">${JSON.stringify(ticks).replaceAll('<', '\\u003c')}</script></div>`;
}
