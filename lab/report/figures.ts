/** The figures of a page: pictures at the widths that it needs, tables, and the living diagram. */
import { htmlEscape } from 'escape-goat';
import {
  latenessLine, type Line, linesOf, type Shown, summaryColumns, theoryColumns,
} from '../frames/tables.ts';
import type { Axes, Chapter } from './chapters.ts';
import { networkOf, percent } from './findings.ts';
import { PICTURES, type Picture, WIDTH_FULL } from './pictures.ts';
import type { Row } from './stage.ts';
import { extent } from './words.ts';

/** Pixels: of a column on a screen, and of a telephone. A page has both and shows one. */
const WIDTHS = { wide: 560, narrow: 350 };

/** What stands on a page under one title. */
export interface Figure { id: string; title: string; note: string; body: string; wide?: boolean }

/** The figures of a run, in the order of the page. */
export async function figures(chapter: Chapter, axes: Axes): Promise<Figure[]> {
  const drawn = await Promise.all(PICTURES.map((picture) => figure(picture, chapter, axes)));
  const wide = drawn.filter((one) => one.wide);
  return [...drawn.filter((one) => !one.wide), theoryFigure(chapter), ...wide];
}

async function figure(picture: Picture, chapter: Chapter, axes: Axes): Promise<Figure> {
  const { id, finding, note, draw, wide = false } = picture;
  const body = wide ? live(chapter, axes, await draw(chapter, axes, { width: WIDTH_FULL }))
    : await atWidths((width) => draw(chapter, axes, { width }));
  return { id, title: chapter.found[finding], note: note(chapter), body, wide };
}

/** A picture at both widths: the page shows the one that fits. */
async function atWidths(draw: (width: number) => Promise<string>): Promise<string> {
  const [wide, narrow] = await Promise.all(Object.values(WIDTHS).map(draw));
  return `<div class="wide">${wide}</div><div class="narrow">${narrow}</div>`;
}

const theoryFigure = (chapter: Chapter): Figure => ({
  id: 'theory', title: theoryTitle(chapter), note: 'What was measured, beside what theory.ts '
    + 'predicts from the rates alone. The mean lag is for a run of this length.'
    + (networkOf(chapter.run.run) === '' ? '' : ' Theory knows neither latency nor loss.'),
  body: theoryTables(chapter),
});

/** All numbers of all runs in one table. */
export const summaryFigure = (chapters: Chapter[]): Figure => ({
  id: 'summary', wide: true,
  title: chapters.length > 1 ? 'The runs in numbers' : 'The run in numbers',
  note: ['Mean lags are weighted by time.', ...chapters.map(({ run }) => latenessLine(run))
    .filter((line) => line !== '').map((line) => `${line[0]!.toUpperCase()}${line.slice(1)}.`)]
    .join(' '),
  body: tableOf(chapters.flatMap(({ run, frame }) =>
    linesOf(frame, summaryColumns).map((line) => (chapters.length === 1 ? line
      : { ...line, name: `${run.name}, ${line.name}` }))), summaryColumns),
});

function theoryTitle({ frame }: Chapter): string {
  const off = (frame.toRecords() as Row[]).map((row) =>
    Math.abs(row.clock_growth_hz! / row.theory_clock_growth_hz! - 1)).filter(Number.isFinite);
  const most = Math.max(...off);
  return off.length === 0 ? 'Nothing to compare with theory'
    : most < 0.2 ? `Clocks grow as fast as theory foretells, to within ${percent(most)}`
    : `Clocks grow up to ${percent(most)} faster or slower than theory foretells`;
}

/** Two small tables, since one would be too wide for a telephone. */
const theoryTables = ({ frame }: Chapter): string =>
  [theoryColumns.slice(0, 6), theoryColumns.slice(6)]
    .map((shown) => tableOf(linesOf(frame, shown), shown)).join('');

function tableOf(lines: Line[], shown: Shown[]): string {
  const groups = shown.map(({ group }) => group);
  const upper = groups.flatMap((group, at) => (groups[at - 1] === group ? [] : [
    `<th scope="colgroup" colspan="${groups.filter((one) => one === group).length}">`
    + `${htmlEscape(group)}</th>`]));
  const rows = lines.map(({ machine, name, cells }) =>
    `<tr><th scope="row" style="color:var(--label-${machine % 6})">${htmlEscape(name)}</th>`
    + `${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`);
  return `<div class="table"><table><thead><tr><th></th>${upper.join('')}</tr><tr><th></th>`
    + `${shown.map(({ heading }) => `<th scope="col">${heading}</th>`).join('')}</tr></thead>`
    + `<tbody>${rows.join('')}</tbody></table></div>`;
}

/** The diagram with what brings it to life: client.ts finds all of this by its names. */
function live({ ticks }: Chapter, { window_s }: Axes, picture: string): string {
  const view = { from_s: 0, to_s: Math.max(0.02, Math.min(window_s, ticks.end_s)) };
  const svg = picture.replace('<svg ', '<svg tabindex="0" '
    + 'role="application" aria-roledescription="diagram" aria-label="Space-time diagram: '
    + 'arrow keys go from event to event, Enter along a message, plus and minus zoom" ');
  const hint = 'Point at an event, or touch it, or go with the arrow keys: here stands what it is, '
    + 'and what could have been its cause or its effect.';
  return `<div class="live" data-window="${view.to_s}">${svg}
<div class="controls"><button type="button" value="-" aria-label="zoom out">−</button>
<button type="button" value="+" aria-label="zoom in">+</button>
<button type="button" value="0">whole run</button>
<input type="range" min="0" max="0" step="any" value="0" aria-label="from, seconds"></div>
<p class="extent">${htmlEscape(extent(ticks, { ...view, width: WIDTH_FULL, selected: -1 }))}</p>
<output aria-live="polite" data-event="-1" data-hint="${hint}">${hint}</output>
<p class="keys">Drag to pan; Ctrl and the wheel, or two fingers, zoom (the wheel alone once you have
clicked). Keys: <kbd>←</kbd> <kbd>→</kbd> along a machine, <kbd>↑</kbd> <kbd>↓</kbd> to another,
<kbd>Enter</kbd> along a message, <kbd>+</kbd> <kbd>−</kbd> <kbd>0</kbd> zoom, <kbd>PgUp</kbd>
<kbd>PgDn</kbd> pan, <kbd>Esc</kbd> lets go.</p>
<script type="application/json">${JSON.stringify(ticks).replaceAll('<', '\\u003c')}</script></div>`;
}
