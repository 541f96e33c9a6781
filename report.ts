/**
 * The page that a run is understood from: one file with its pictures, its numbers and the
 * prediction beside them, that needs no network. analyze.ts calls it:
 *
 *   npx tsx analyze.ts logs/by-hand
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DataFrame } from 'nodejs-polars';
import {
  diagram, jumpCounts, latenessLine, type Line, linesOf, mix, type Run, type Shown,
  summaryColumns, theoryColumns, timeline, waits, withTheory,
} from './analyze.ts';
import {
  clocksPicture, escapeText, eventsPicture, FIELDS_MOST, jumpsPicture, lagPicture,
  type PictureOptions, queuesPicture, spaceTimePicture, theme, toPNG,
} from './plot.ts';
import { type Diagram, extent } from './report.client.ts';

/** Pixels: of a column on a screen, and of a telephone. A page has both and shows one. */
const WIDTHS = { wide: 560, narrow: 350 };
/** Of the space-time diagram before its script has measured the page, and in print. */
const WIDTH_FULL = 1140;
/** A page that holds more events than this opens slowly, and no line has room for them. */
const EVENTS_MOST = 20_000;
/** Of a run with more events × machines its pictures look LOOKS times, evenly: it is enough. */
const STATES_MOST = 150_000;
const LOOKS = 4000;
/** At first the space-time diagram shows as many events as can be told apart. */
const EVENTS_AT_FIRST = 110;
/** A slice of the picture of events holds at least so many ticks of the slowest machine. */
const SLICE_TICKS = 4;
const SLICES_MOST = 40;

// ── What is found ────────────────────────────────────────────────────────────────────────────

type Row = Record<string, number>;

/** Two digits that count, and all of a whole number: 0.87, 2.9, 34, 1034. */
const about = (x: number): string => (!Number.isFinite(x) ? '–' : Math.abs(x) >= 10
  ? String(Math.round(x)) : String(Number(x.toPrecision(2))));
const percent = (share: number) => `${Math.round(100 * share)} %`;
const listed = (words: string[]) =>
  (words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`);
const highest = (rows: Row[], column: string) => rows.reduce((most, row) =>
  (row[column]! > most[column]! || Number.isNaN(most[column]!) ? row : most));
const lowest = (rows: Row[], column: string) => rows.reduce((least, row) =>
  (row[column]! < least[column]! || Number.isNaN(least[column]!) ? row : least));

/** Machines that share a finding, for the start and the middle of a sentence. */
function subject(rows: Row[]): { name: string; many: boolean; each(column: string): string } {
  const shown = rows.slice(0, 3);
  const ids = shown.map(({ machine }) => String(machine));
  if (rows.length > shown.length) ids.push(`${rows.length - shown.length} more`);
  return {
    name: `${rows.length > 1 ? 'Machines' : 'Machine'} ${listed(ids)}`, many: rows.length > 1,
    each: (column) => listed([...new Set(shown.map((row) => about(row[column]!)))]),
  };
}

export interface Findings {
  /** Of the page. */
  headline: string;
  clocks: string;
  lag: string;
  queues: string;
  jumps: string;
  events: string;
  /** Of the space-time diagram. */
  messages: string;
}

/**
 * What each picture shows, in a sentence with its numbers.
 * @param frame from withTheory
 * @param waiting from waits
 */
export function findings(frame: DataFrame, waiting: DataFrame): Findings {
  const rows = (frame.toRecords() as Row[]).filter(({ ticks }) => ticks! > 0);
  if (rows.length === 0) {
    const nothing = 'No machine has ticked';
    return { headline: nothing, clocks: nothing, lag: nothing, queues: nothing, jumps: nothing,
      events: nothing, messages: nothing };
  }
  const end_s = highest(rows, 'last_s').last_s!;
  const dead = rows.filter(({ last_s, rate_hz }) => end_s - last_s! > 2 / rate_hz!);
  // Who hears of more messages than it has ticks works on ever older ones.
  const late = rows.filter(({ load }) => load! > 1);
  return {
    ...(late.length > 0 ? overloaded(rows, late) : keepingUp(rows)),
    ...(dead.length > 0 ? silent(dead) : {}),
    jumps: jumpFinding(rows), messages: messageFinding(waiting.toRecords() as Row[]),
  };
}

function overloaded(rows: Row[], late: Row[]): Omit<Findings, 'jumps' | 'messages'> {
  const { name, many, each } = subject(late);
  const front = highest(rows, 'clock_growth_hz');
  const heard = [...new Set(late.slice(0, 3).map(({ load }) => load!.toFixed(2)))];
  const theory = (column: string) => `theory: ${each(`theory_${column}`)}`;
  return {
    headline: `${name} cannot keep up with ${many ? 'their' : 'its'} messages`,
    clocks: `${name}’s clock${many ? 's gain' : ' gains'} ${each('clock_growth_hz')} a second, the `
      + `highest ${about(front.clock_growth_hz!)} (${theory('clock_growth_hz')})`,
    lag: `${name} fall${many ? '' : 's'} behind by ${each('lag_growth_hz')} a second: `
      + `${many ? 'they hear' : 'it hears'} ${listed(heard)} messages for each tick `
      + `(${theory('lag_growth_hz')} a second)`,
    queues: `${name}’s queue${many ? 's grow' : ' grows'} by ${each('queue_growth_hz')} a second, `
      + `to ${each('final_queue')} messages at the end (${theory('queue_growth_hz')} a second)`,
    events: `${name} ${many ? 'are' : 'is'} saturated: ${percent(lowest(late, 'receive_share')
      .receive_share!)} of ${many ? 'their' : 'its'} ticks are receives`,
  };
}

function silent(dead: Row[]): Pick<Findings, 'headline' | 'clocks' | 'lag'> {
  const { name, many, each } = subject(dead);
  return {
    headline: `${name} ${many ? 'were' : 'was'} last heard of at ${each('last_s')} s`,
    clocks: `${name}’s clock${many ? 's stand' : ' stands'} still at ${each('final_clock')} from `
      + `${each('last_s')} s on`,
    lag: `${name}, silent from ${each('last_s')} s on, end${many ? '' : 's'} `
      + `${each('max_lag')} behind`,
  };
}

function keepingUp(rows: Row[]): Omit<Findings, 'jumps' | 'messages'> {
  const [front, last] = [highest(rows, 'clock_growth_hz'), highest(rows, 'mean_lag')];
  const [most, least] = [highest(rows, 'receive_share'), lowest(rows, 'receive_share')];
  const queue = highest(rows, 'max_queue');
  return {
    headline: 'Every machine keeps up with its messages',
    clocks: `All clocks keep up with the highest, which gains ${about(front.clock_growth_hz!)} a `
      + `second (theory: ${about(front.theory_clock_growth_hz!)})`,
    lag: `Machine ${last.machine} lags most: by ${about(last.mean_lag!)} on average, `
      + `${last.max_lag} at worst (theory: ${about(last.theory_mean_lag!)} on average)`,
    queues: queue.max_queue === 0 ? 'No message ever waits for a second tick'
      : `Queues come back to nothing: never more than ${queue.max_queue} messages wait, `
        + `at machine ${queue.machine}`,
    events: most === least || most.receive_share === least.receive_share
      ? `Each machine spends ${percent(most.receive_share!)} of its ticks on receives`
      : `Machine ${most.machine} spends ${percent(most.receive_share!)} of its ticks on receives, `
        + `machine ${least.machine} ${percent(least.receive_share!)} (theory: `
        + `${percent(most.theory_receive_share!)} and ${percent(least.theory_receive_share!)})`,
  };
}

function jumpFinding(rows: Row[]): string {
  const [most, least] = [highest(rows, 'mean_jump'), lowest(rows, 'mean_jump')];
  if (most.max_jump === 1) return 'No clock ever jumps: each tick adds 1';
  return `Machine ${most.machine} jumps by ${about(most.mean_jump!)} a tick on average, `
    + `${most.max_jump} at most${most === least ? ''
      : `; machine ${least.machine} by ${about(least.mean_jump!)}`}`;
}

function messageFinding(rows: Row[]): string {
  const taken = rows.filter((row) => row.taken! > 0);
  if (taken.length === 0) return rows.length > 0 ? 'No message was taken' : 'No message was sent';
  const slow = highest(taken, 'mean_wait_s');
  const left = slow.not_taken! > 0 ? `; ${slow.not_taken} ${slow.not_taken === 1 ? 'was' : 'were'} `
    + 'not taken' : '';
  return `Machine ${slow.machine} takes a message ${about(slow.mean_wait_s!)} s after it was sent, `
    + `${about(slow.max_wait_s!)} s at worst${left}`;
}

// ── Pictures ─────────────────────────────────────────────────────────────────────────────────

/** What a page says of one run. */
interface Chapter {
  run: Run;
  frame: DataFrame;
  states: DataFrame;
  found: Findings;
  sampled: string;
  check: { title: string; lines: string[] } | null;
  ticks: Diagram;
}

async function chapter(run: Run, trouble: string[]): Promise<Chapter> {
  const frame = await withTheory(run);
  const every_s = run.events.height * run.run.machines > STATES_MOST
    ? run.end_s / LOOKS : undefined;
  return {
    run, frame, found: findings(frame, waits(run)), check: await checked(run, trouble),
    states: timeline(run, every_s), ticks: diagram(run, EVENTS_MOST),
    sampled: every_s === undefined ? ''
      : ` Drawn from a look every ${about(every_s)} s, which misses what is shorter.`,
  };
}

/** What check.ts finds wrong, or null. */
async function checked(run: Run, trouble: string[]): Promise<Chapter['check']> {
  const { checkRun, readRun } = await import('./check.ts');
  try {
    const recording = readRun(run.folder);
    const { consistent, violations, counts } = checkRun(recording.run, recording.logs);
    if (consistent && trouble.length === 0) return null;
    const lines = consistent ? trouble : violations.map(({ file, line, text }) =>
      `${file}${line === null ? '' : `:${line}`}: ${text}`);
    const all = Object.values(counts).reduce((sum, n) => sum + n, 0) || lines.length;
    return { lines, title: 'The rule could not have made these logs: '
      + `${all} violation${all === 1 ? '' : 's'}` };
  } catch (error) {
    return { title: 'The logs cannot be checked', lines: [...trouble, (error as Error).message] };
  }
}

interface Figure { id: string; title: string; note: string; body: string; wide?: boolean }

/** A picture at both widths: the page shows the one that fits. */
async function atWidths(draw: (options: PictureOptions) => Promise<string>): Promise<string> {
  const [wide, narrow] = await Promise.all(Object.values(WIDTHS).map((width) => draw({ width })));
  return `<div class="wide">${wide}</div><div class="narrow">${narrow}</div>`;
}

/** Where the axes end, so that several runs share them. */
interface Axes {
  end_s: number;
  clock: number;
  lag: number;
  queue: number;
  jump: number;
  /** How much of the run the space-time diagram shows at first. */
  window_s: number;
}

function axesOf(chapters: Chapter[]): Axes {
  const most = (of: (chapter: Chapter) => number) => Math.max(...chapters.map(of));
  const top = (frame: DataFrame, name: string) => Number(frame.getColumn(name).max() ?? 0) || 1;
  const column = (name: string) => most(({ states }) => top(states, name));
  const end_s = most(({ run }) => run.end_s) || most(({ run }) => run.run.duration_s);
  return {
    end_s, clock: column('clock'), lag: column('lag'), queue: column('queue'),
    jump: most(({ frame }) => top(frame, 'max_jump')),
    window_s: Math.max(...chapters.map(({ ticks, run }) => Math.min(end_s,
      (EVENTS_AT_FIRST * Math.max(0.01, run.end_s)) / Math.max(1, ticks.events)))),
  };
}

/** Slices in which also the slowest machine has some ticks. */
const sliceOf = ({ run }: Run, end_s: number) =>
  Math.max(end_s / SLICES_MOST, Math.min(end_s / 6, SLICE_TICKS / Math.min(...run.rates_hz)));

async function figures(one: Chapter, axes: Axes): Promise<Figure[]> {
  const { run, states, found, sampled } = one;
  const { end_s } = axes;
  const { machines } = run.run;
  const width_s = sliceOf(run, end_s);
  const [slices, counts] = [mix(run, width_s), jumpCounts(run)];
  const part = machines > FIELDS_MOST
    ? ` These are the first ${FIELDS_MOST} of ${machines} machines.` : '';
  return [
    { id: 'clocks', title: found.clocks, note: `Each machine’s clock by system time.${sampled}`,
      body: await atWidths((size) => clocksPicture(states, { ...size, end_s, max: axes.clock })) },
    { id: 'lag', title: found.lag, note: 'How far each clock is behind the highest one at the same '
      + `system time, all on one scale.${sampled}`,
      body: await atWidths((size) => lagPicture(states, { ...size, end_s, max: axes.lag })) },
    { id: 'queues', title: found.queues, note: `Messages that wait to be taken.${sampled}`,
      body: await atWidths((size) => queuesPicture(states, { ...size, end_s, max: axes.queue })) },
    { id: 'jumps', title: found.jumps, note: 'By how much a tick moves the clock: 1 where nothing '
      + 'came from ahead. Rare jumps are drawn larger than their share, so that they are seen.'
      + part,
      body: await atWidths((size) => jumpsPicture(counts, { ...size, machines, max: axes.jump })) },
    { id: 'events', title: found.events, note: 'What each machine does with its ticks, in slices '
      + `of ${about(width_s)} s.${part}`,
      body: await atWidths((size) => eventsPicture(slices, { ...size, machines, end_s })) },
    { id: 'theory', title: theoryTitle(one), note: 'What was measured, beside what theory.ts '
      + 'predicts from the rates alone. The mean lag is for a run of this length.'
      + (networkOf(run.run) === '' ? '' : ' Theory knows neither latency nor loss.'),
      body: theoryTables(one) },
    { id: 'space-time', title: found.messages, wide: true, note: 'A line for each machine: full '
      + 'dots send, rings receive, small dots are internal events, arrows are messages.',
      body: spaceTime(one, axes) },
  ];
}

/** All numbers of all runs in one table. */
const summaryFigure = (chapters: Chapter[]): Figure => ({
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
  const groups = shown.map(([group]) => group);
  const upper = groups.flatMap((group, at) => (groups[at - 1] === group ? [] : [
    `<th scope="colgroup" colspan="${groups.filter((one) => one === group).length}">`
    + `${escapeText(group)}</th>`]));
  const rows = lines.map(({ machine, name, cells }) =>
    `<tr><th scope="row" style="color:var(--label-${machine % 6})">${escapeText(name)}</th>`
    + `${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`);
  return `<div class="table"><table><thead><tr><th></th>${upper.join('')}</tr><tr><th></th>`
    + `${shown.map(([, heading]) => `<th scope="col">${heading}</th>`).join('')}</tr></thead>`
    + `<tbody>${rows.join('')}</tbody></table></div>`;
}

function spaceTime({ ticks }: Chapter, { window_s }: Axes): string {
  const width = WIDTH_FULL;
  const view = { from_s: 0, to_s: Math.max(0.02, Math.min(window_s, ticks.end_s)) };
  const svg = spaceTimePicture(ticks, view, { width }).replace('<svg ', '<svg tabindex="0" '
    + 'role="application" aria-roledescription="diagram" aria-label="Space-time diagram: '
    + 'arrow keys go from event to event, Enter along a message, plus and minus zoom" ');
  const hint = 'Point at an event, or touch it, or go with the arrow keys: here stands what it is, '
    + 'and what could have been its cause or its effect.';
  return `<div class="live" data-window="${view.to_s}">${svg}
<div class="controls"><button type="button" value="-" aria-label="zoom out">−</button>
<button type="button" value="+" aria-label="zoom in">+</button>
<button type="button" value="0">whole run</button>
<input type="range" min="0" max="0" step="any" value="0" aria-label="from, seconds"></div>
<p class="extent">${escapeText(extent(ticks, { ...view, width, selected: -1 }))}</p>
<output aria-live="polite" data-event="-1" data-hint="${hint}">${hint}</output>
<p class="keys">Drag to pan; Ctrl and the wheel, or two fingers, zoom (the wheel alone once you have
clicked). Keys: <kbd>←</kbd> <kbd>→</kbd> along a machine, <kbd>↑</kbd> <kbd>↓</kbd> to another,
<kbd>Enter</kbd> along a message, <kbd>+</kbd> <kbd>−</kbd> <kbd>0</kbd> zoom, <kbd>PgUp</kbd>
<kbd>PgDn</kbd> pan, <kbd>Esc</kbd> lets go.</p>
<script type="application/json">${JSON.stringify(ticks).replaceAll('<', '\\u003c')}</script></div>`;
}

// ── The page ─────────────────────────────────────────────────────────────────────────────────

const variables = (values: Record<string, string>) =>
  Object.entries(values).map(([name, value]) => `--${name}:${value}`).join(';');

/** The browser's script, and the styles. */
async function script(): Promise<string> {
  const { transform } = await import('esbuild');
  const path = fileURLToPath(new URL('report.client.ts', import.meta.url));
  const { code } = await transform(readFileSync(path, 'utf8'),
    { loader: 'ts', format: 'iife', minify: true, target: 'es2020' });
  return code;
}

const styles = `
:root{color-scheme:light dark;${variables(theme.light)}}
@media screen and (prefers-color-scheme:dark){:root{${variables(theme.dark)}}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:1240px;margin:0 auto;padding:48px 40px 80px}
header{max-width:46rem;margin-bottom:40px}
h1{font-size:28px;line-height:1.25;margin:0 0 8px;letter-spacing:-.01em}
h2{font-size:18px;line-height:1.35;margin:0 0 4px;text-wrap:pretty}
.chapter{font-size:22px;margin:24px 0 0;grid-row:auto}
p{margin:0 0 8px}.lead,.note,.extent,.keys,footer{color:var(--muted)}
.note,.extent,.keys,footer{font-size:14px}
.grid{display:grid;gap:56px 48px;grid-template-columns:repeat(2,minmax(0,1fr));align-items:start}
figure{margin:0;min-width:0;break-inside:avoid;display:grid;grid-row:span 2;
grid-template:subgrid/minmax(0,1fr);row-gap:12px}
.one>.full,.summary{grid-column:1/-1}
figure svg{display:block;max-width:100%;height:auto}
.narrow{display:none}
.table{overflow-x:auto;margin-bottom:16px}
table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums;white-space:nowrap}
th,td{padding:4px 0 4px 18px;text-align:right;font-weight:400}
thead th{color:var(--muted)}thead tr:last-child th{border-bottom:1px solid var(--rule)}
tbody th{padding-left:0;text-align:left;font-weight:600}
.live svg{width:100%;touch-action:pan-y;cursor:grab;border-radius:4px;user-select:none}
.live svg:active{cursor:grabbing}.live svg:focus-visible{outline:2px solid var(--machine-0);
outline-offset:4px}.live svg:focus:not(:focus-visible){outline:none}
.controls{display:flex;gap:8px;align-items:center;margin:12px 0 8px}
.controls input{flex:1;min-width:60px;accent-color:var(--muted)}
button{font:inherit;font-size:14px;min-width:40px;min-height:34px;padding:2px 12px;cursor:pointer;
color:var(--ink);background:none;border:1px solid var(--rule);border-radius:6px}
button:hover{border-color:var(--muted)}
output{display:block;min-height:5.2em;margin:12px 0}output>*{display:block;font-weight:400}
output b{font-weight:600}output span{font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
kbd{font:inherit;border:1px solid var(--rule);border-radius:4px;padding:0 4px}
.wrong{background:#b3261e;color:#fff;border-radius:6px;padding:16px 20px;margin:0 0 32px}
.wrong h2{font-size:18px}.wrong ul{margin:8px 0 0;padding-left:20px;font-size:14px;
overflow-wrap:anywhere}
.right{color:var(--label-2)}footer{margin-top:64px}
@media (max-width:900px){.grid{grid-template-columns:minmax(0,1fr)}}
@media (max-width:560px){main{padding:28px 18px 56px}h1{font-size:24px}.wide{display:none}
.narrow{display:block}.grid{gap:44px}.keys{display:none}
table{font-size:12px}th,td{padding-left:9px}}
@media print{body{font-size:12px}main{padding:0;max-width:none}
.controls,.keys,output[data-event="-1"]{display:none}
.grid{gap:20px 28px;grid-template-columns:repeat(2,minmax(0,1fr))}
.wide{display:none}.narrow{display:block}h1{font-size:22px}h2{font-size:14px}.note,.extent,footer,
table{font-size:10px}th,td{padding-left:10px}.wrong{print-color-adjust:exact}}`;

const figureOf = ({ id, title, note, body, wide }: Figure): string =>
  `<figure class="${id}${wide ? ' full' : ''}"><figcaption><h2>${escapeText(title)}</h2>`
  + `<p class="note">${escapeText(note)}</p></figcaption><div>${body}</div></figure>`;

function describe({ name, run, end_s }: Run): string {
  const speed = run.speed === 1 ? '' : `, ${run.speed} times as fast`;
  const begun = new Date((run.start_us ?? 0) / 1000).toISOString().slice(0, 16).replace('T', ' ');
  const when = run.kind === 'virtual' ? `in virtual time${networkOf(run)}`
    : `over sockets${speed}, recorded ${begun} UTC`;
  const ended = run.ended === 'finished' || run.ended === null ? ''
    : ` Ended: ${run.ended}.`;
  return `${name}: ${run.machines} machines at ${listed(run.rates_hz.map(String))} ticks a second, `
    + `seed ${run.seed}, internal ${run.internal}; ${about(end_s)} s ${when}.${ended}`;
}

/** What the network of a virtual run does, unless it is perfect. */
function networkOf({ latency = 'constant:0', loss = 0, reorder = false }: Run['run']): string {
  return (latency === 'constant:0' ? '' : `, latency ${String(latency)} ms`)
    + (loss === 0 ? '' : `, ${percent(Number(loss))} of messages lost`)
    + (reorder === false ? '' : ', messages overtake each other');
}

function banner({ check, run }: Chapter): string {
  if (!check) return '';
  const some = check.lines.slice(0, 8).map((line) => `<li>${escapeText(line)}</li>`).join('');
  const more = check.lines.length > 8
    ? `<li>and more: npx tsx check.ts ${escapeText(run.folder)}</li>` : '';
  return `<div class="wrong" role="alert"><h2>${escapeText(check.title)}</h2>`
    + `What can be drawn is drawn.<ul>${some}${more}</ul></div>`;
}

function page(chapters: Chapter[], all: Figure[][], code: string): string {
  const several = chapters.length > 1;
  const names = listed(chapters.map(({ run }) => run.name));
  const headings = several
    ? chapters.map(({ run }) => `<h2 class="chapter">${escapeText(run.name)}</h2>`).join('') : '';
  const body = all[0]!.map((_, place) => all.map((own) => figureOf(own[place]!)).join('')).join('')
    + figureOf(summaryFigure(chapters));
  const leads = chapters.map(({ run }) => `<p class="lead">${escapeText(describe(run))}</p>`);
  const right = chapters.every(({ check }) => check === null)
    ? '<p class="right">✓ Checked: the rule could have made these logs.</p>' : '';
  const folders = chapters.map(({ run }) => run.folder).join(' ');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline';
script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,"><title>${escapeText(names)} – Logical Clock Lab</title>
<style>${styles}</style></head><body><main>
${chapters.map(banner).join('')}<header><h1>${escapeText(several ? `${names}, side by side`
    : chapters[0]!.found.headline)}</h1>${leads.join('')}${right}</header>
<div class="grid ${several ? 'several' : 'one'}">${headings}${body}</div>
<footer>Made by <code>npx tsx analyze.ts ${escapeText(folders)}</code>, which can make it again.
</footer>
</main><script>${code}</script></body></html>
`;
}

/**
 * Writes `report.html` into the first run's folder, over an older one: it can be made again.
 * @param runs more than one are set side by side, with the same axes
 * @param trouble lines that could not be read, which the page tells of
 * @returns its path
 */
export async function report(runs: Run[], trouble: string[] = []): Promise<string> {
  const chapters = await Promise.all(runs.map((run) =>
    chapter(run, trouble.filter((line) => line.startsWith(run.folder)))));
  const axes = axesOf(chapters);
  const all = await Promise.all(chapters.map((one) => figures(one, axes)));
  const path = join(runs[0]!.folder, 'report.html');
  writeFileSync(path, page(chapters, all, await script()));
  return path;
}

/** Each picture of a run as a PNG for screens and slides, by name. */
export async function pictures(run: Run): Promise<Map<string, Buffer>> {
  const one = await chapter(run, []);
  const { states, found, ticks } = one;
  const { machines } = run.run;
  const { end_s, window_s } = axesOf([one]);
  const width_s = sliceOf(run, end_s);
  const width = 900;
  const svgs: Record<string, string> = {
    clocks: await clocksPicture(states, { width, title: found.clocks }),
    lag: await lagPicture(states, { width, title: found.lag }),
    queues: await queuesPicture(states, { width, title: found.queues }),
    jumps: await jumpsPicture(jumpCounts(run), { width, machines, title: found.jumps }),
    events: await eventsPicture(mix(run, width_s),
      { width, machines, end_s, title: found.events }),
    'space-time': spaceTimePicture(ticks, { from_s: 0, to_s: window_s },
      { width: WIDTH_FULL, title: found.messages }),
  };
  const pngs = await Promise.all(Object.values(svgs).map((svg) => toPNG(svg)));
  return new Map(Object.keys(svgs).map((name, at) => [name, pngs[at]!]));
}
