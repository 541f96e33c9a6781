/**
 * Pictures of frames, for reports and notebooks alike: each function takes a frame that analyze.ts
 * makes and gives an SVG as text. Nothing here knows a run's folder.
 *
 *   import { lagPicture } from './plot.ts';
 *   show(await lagPicture(timeline(load('logs/by-hand'))), 'how far each machine lags behind');
 */
import type { DataFrame } from 'nodejs-polars';
import {
  type Diagram, drawing, geometry, inView, relations, vectorClocks,
} from './report.client.ts';

// ── Colours ──────────────────────────────────────────────────────────────────────────────────

/**
 * The Okabe–Ito palette, which most colour-blind people can tell apart, in the order of the ids.
 * A machine has the same colour in the terminal, the report and the notebooks.
 */
export const machine_colours =
  ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9'] as const;

/** The colour of a machine, as #rrggbb; the seventh machine has that of the first again. */
export const colourOf = (id: number): string => machine_colours[id % machine_colours.length]!;

/** The text in the machine's colour, for a terminal. */
export function coloured(id: number, text: string): string {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colourOf(id).slice(at, at + 2), 16));
  return `\x1b[38;2;${r};${g};${b}m${text}\x1b[39m`;
}

/** What the CSS variables of a picture stand for, on white paper and on a dark screen. */
export const theme = {
  light: {
    ink: '#1d1f21', muted: '#63666a', rule: '#e4e4e1', paper: '#ffffff', past: '#d9d4c7',
    future: '#cfe0ea', ...named('machine', machine_colours),
    // Text needs more contrast than lines: the same hues, darker.
    ...named('label', ['#005f96', '#a84900', '#00724f', '#a24a7c', '#8a5f00', '#1f75a8']),
  },
  dark: {
    ink: '#e8e6e1', muted: '#a3a19c', rule: '#33363a', paper: '#17191c', past: '#46423a',
    future: '#2b4352', ...named('machine', machine_colours),
    ...named('label', ['#5db3e6', '#ff9a4d', '#3fd0a4', '#e6a3c8', '#f0b93d', '#8fd0f5']),
  },
} as const;

function named(name: string, colours: readonly string[]): Record<string, string> {
  return Object.fromEntries(colours.map((colour, place) => [`${name}-${place}`, colour]));
}

const machineColour = (id: number) => `var(--machine-${id % machine_colours.length})`;
const labelColour = (id: number) => `var(--label-${id % machine_colours.length})`;

/** Where no page says otherwise, a variable has its light value. */
const withFallbacks = (svg: string): string => svg.replace(/var\(--([\w-]+)\)/g,
  (_, name: string) => `var(--${name},${(theme.light as Record<string, string>)[name]})`);

// ── The stage ────────────────────────────────────────────────────────────────────────────────

/**
 * Loaded when a picture is drawn, since a launcher that wants a colour must not wait for it;
 * linkedom as one file, which takes a tenth of the time that its hundreds take.
 */
const stage = async () => {
  const [Plot, { parseHTML }] =
    await Promise.all([import('@observablehq/plot'), import('linkedom/worker')]);
  return { Plot, document: parseHTML('<html><body></body></html>').document };
};
type Stage = Awaited<ReturnType<typeof stage>>;
type Spec = import('@observablehq/plot').PlotOptions;
type Mark = import('@observablehq/plot').Markish;
type Row = Record<string, number>;

export interface PictureOptions {
  /** Pixels; below 450 the picture is made for a phone. */
  width?: number;
  /** Where the axis of time ends, in model seconds; without it, where the frame does. */
  end_s?: number;
  /** Where the other axis ends, so that two runs can share it. */
  max?: number;
  /** How many machines have a field, also those that did nothing; without it, who is there. */
  machines?: number;
  /** What is written above the picture; without it, nothing. */
  title?: string;
}

const size = (width: number, height: number): Spec => ({
  width, height, marginLeft: 40, marginRight: 76, marginTop: 30, marginBottom: 38,
  style: { fontSize: '12px', fontFamily: 'system-ui, sans-serif', color: 'var(--ink)',
    background: 'none', overflow: 'visible' },
});
/** Axes without ticks: the grid says where a number stands. */
const timeAxis = (end_s: number, width: number): NonNullable<Spec['x']> =>
  ({ label: 'time, s →', domain: [0, end_s], ticks: width < 450 ? 4 : 7, tickSize: 0,
    labelOffset: 34 });

/** Draws a picture and makes its text small and independent of the page. */
function draw({ Plot, document }: Stage, spec: Spec, title?: string): string {
  const element = Plot.plot({ ...spec, document } as Spec);
  element.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  // Places are rounded to tenths of a pixel; what is written between the tags stays as it is.
  const svg = element.outerHTML.replace(/<style>.*?<\/style>/s, '').replace(/ class="plot-\w+"/, '')
    .replace(/<[^>]*>/g, (tag) => tag.replace(/-?\d+\.\d{2,}/g,
      (x) => String(Math.round(Number(x) * 10) / 10)));
  return withFallbacks(title === undefined ? svg : titled(svg, title));
}

/** Makes room above a picture for its title, and writes it there. */
function titled(svg: string, title: string): string {
  const [, width, height] = /viewBox="0 0 (\S+) (\S+)"/.exec(svg)!.map(Number);
  const lines: string[] = [];
  for (const word of title.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && (line.length + word.length) * 7.6 < width! - 16) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else lines.push(word);
  }
  const top = lines.length * 19 + 10;
  const text = lines.map((line, nth) => `<text x="8" y="${18 + nth * 19}" font-size="15" `
    + `font-weight="600" text-anchor="start" font-family="system-ui, sans-serif" fill="var(--ink)">`
    + `${escapeText(line)}`
    + '</text>').join('');
  return svg.replace(/height="[^"]*"/, `height="${height! + top}"`)
    .replace(/viewBox="[^"]*"/, `viewBox="0 0 ${width} ${height! + top}"`)
    .replace(/^(<svg[^>]*>)/, `$1${text}<g transform="translate(0,${top})">`)
    .replace(/<\/svg>$/, '</g></svg>');
}

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** Text as it may stand in HTML and SVG. */
export const escapeText = (text: string) => text.replace(/[&<>"]/g, (sign) => escapes[sign]!);

// ── Time series ──────────────────────────────────────────────────────────────────────────────

const ids = (rows: Row[]) =>
  [...new Set(rows.map(({ machine }) => machine!))].sort((a, b) => a - b);

/** Keeps of a machine's rows those where the value changes, and the last one. */
const changes = (rows: Row[], column: string): Row[] => rows.filter((row, at) =>
  at === 0 || at === rows.length - 1 || row[column] !== rows[at - 1]![column]);

/** More steps than pixels cannot be seen: of each pixel's time the lowest and the highest stay. */
function thinned(rows: Row[], column: string, px: number): Row[] {
  if (rows.length <= 2 * px) return rows;
  const width_s = rows.at(-1)!.time_s! / px;
  const kept: Row[] = [];
  for (let at = 0; at < rows.length;) {
    const from = at;
    const end_s = (Math.floor(rows[at]!.time_s! / width_s) + 1) * width_s;
    let [low, high] = [at, at];
    for (; at < rows.length && (at === from || rows[at]!.time_s! < end_s); at++) {
      if (rows[at]![column]! < rows[low]![column]!) low = at;
      if (rows[at]![column]! > rows[high]![column]!) high = at;
    }
    kept.push(...[...new Set([low, high])].sort((a, b) => a - b).map((place) => rows[place]!));
  }
  return kept.at(-1) === rows.at(-1) ? kept : [...kept, rows.at(-1)!];
}

/** The lines of the machines; of many the finest steps are left out, lest the file be too large. */
function byMachine(frame: DataFrame, column: string, width: number): Map<number, Row[]> {
  const rows = frame.select('time_s', 'machine', column).toRecords() as Row[];
  const all = ids(rows);
  const px = Math.ceil(width * Math.min(1, FIELDS_MOST / all.length));
  const own = new Map(all.map((id): [number, Row[]] => [id, []]));
  for (const row of rows) own.get(row.machine!)!.push(row);
  return new Map([...own].map(([id, of]) => [id, thinned(changes(of, column), column, px)]));
}

/**
 * The names of the machines at the right ends of their lines, moved apart where they overlap. Of
 * many machines only those are named that have room.
 */
function endLabels({ Plot }: Stage, ends: Row[], column: string, px: number) {
  const apart = 14 / px;
  const sorted = [...ends].sort((a, b) => a[column]! - b[column]!);
  const placed: (Row & { at: number })[] = [];
  for (const row of sorted) {
    const least = placed.length === 0 ? 0 : placed.at(-1)!.at + apart;
    if (row[column]! < least && ends.length > 8) continue;
    placed.push({ ...row, at: Math.max(row[column]!, least) } as Row & { at: number });
  }
  // What was pushed over the top moves the others down.
  return Plot.text(placed, {
    x: 'time_s', y: 'at', text: ({ machine }: Row) => `machine ${machine}`, textAnchor: 'start',
    dx: 7, fill: ({ machine }: Row) => labelColour(machine!), fontWeight: 600,
  });
}

/** One line a machine over time, all in one field. */
async function lines(
  frame: DataFrame, column: string, label: string, height: number, options: PictureOptions,
): Promise<string> {
  const on = await stage();
  const { width = 560 } = options;
  const series = byMachine(frame, column, width);
  const all = [...series.values()].flat();
  const { end_s = most(all, 'time_s'), max = most(all, column) } = options;
  const ends = [...series.values()].map((rows) => rows.at(-1)!);
  return draw(on, {
    ...size(width, height),
    x: timeAxis(end_s, width),
    y: { label, domain: [0, max], ticks: Math.min(5, max), tickSize: 0, grid: true, nice: true },
    marks: [
      ...[...series].map(([id, rows]) => on.Plot.lineY(rows, {
        x: 'time_s', y: column, stroke: machineColour(id), strokeWidth: 1.6, curve: 'step-after',
      })),
      endLabels(on, ends, column, (height - 68) / max),
    ],
  }, options.title);
}

const most = (rows: Row[], column: string) => Math.max(1, ...rows.map((row) => row[column] ?? 0));

/** Clocks over time. @param states a timeline: `time_s`, `machine`, `clock` */
export const clocksPicture = (states: DataFrame, options: PictureOptions = {}): Promise<string> =>
  lines(states, 'clock', '↑ clock', 300, options);

// ── A field for each machine ─────────────────────────────────────────────────────────────────

/** Above this, one field for all has to do. */
export const FIELDS_MOST = 12;
/** More fields than this are lower, and have fewer numbers beside them. */
const MANY = 5;
/** The height of a field, with its name. */
const fieldPx = (machines: number, width: number) =>
  (machines > MANY ? 70 : width < 450 ? 84 : 96);

const fieldsOf = (rows: Row[], { machines }: PictureOptions): number[] =>
  (machines === undefined ? ids(rows) : Array.from({ length: machines }, (_, id) => id))
    .slice(0, FIELDS_MOST);

/** What the fields of all machines share: their height, and a name in the corner of each. */
function fields({ Plot }: Stage, of: number[], width: number): { spec: Spec; names: Mark } {
  const spec: Spec = {
    ...size(width, of.length * fieldPx(of.length, width) + 76), marginTop: 38, marginRight: 62,
    fy: { axis: null, domain: of, paddingInner: 0.34, paddingOuter: 0.1 },
  };
  const names = Plot.text(of.map((machine) => ({ machine })), {
    fy: 'machine', text: ({ machine }: Row) => `machine ${machine}`, frameAnchor: 'top-left',
    dy: -14, dx: 2, fill: ({ machine }: Row) => labelColour(machine!), fontWeight: 600,
  });
  return { spec, names };
}

/** One line a machine over time, each in a field of its own but all on one scale. */
async function steps(
  states: DataFrame, column: string, label: string, options: PictureOptions,
): Promise<string> {
  const { width = 560 } = options;
  const series = byMachine(states, column, width);
  if (series.size > FIELDS_MOST) return lines(states, column, label, 400, options);
  const on = await stage();
  const all = [...series.values()].flat();
  const { end_s = most(all, 'time_s'), max = most(all, column) } = options;
  const { spec, names } = fields(on, [...series.keys()], width);
  const line = { x: 'time_s', y: column, fy: 'machine', curve: 'step-after' } as const;
  return draw(on, {
    ...spec,
    x: timeAxis(end_s, width),
    y: { label, domain: [0, max], ticks: Math.min(series.size > MANY ? 2 : 3, max), tickSize: 0,
      grid: true, nice: true },
    marks: [...series].flatMap(([id, rows]): Mark[] => [
      on.Plot.areaY(rows, { ...line, fill: machineColour(id), fillOpacity: 0.18 }),
      on.Plot.lineY(rows, { ...line, stroke: machineColour(id), strokeWidth: 1.3 }),
    ]).concat(names),
  }, options.title);
}

/**
 * How far each machine is behind the highest clock.
 * @param states a timeline: `time_s`, `machine`, `lag`
 */
export const lagPicture = (states: DataFrame, options: PictureOptions = {}): Promise<string> =>
  steps(states, 'lag', '↑ behind the highest clock', options);

/** Queues over time. @param states a timeline: `time_s`, `machine`, `queue` */
export const queuesPicture = (states: DataFrame, options: PictureOptions = {}): Promise<string> =>
  steps(states, 'queue', '↑ messages that wait', options);

/** As many bars as can be told apart. */
const BARS_MOST = 48;

/**
 * How many ticks moved the clock by how much. The axis of shares is a square root, since nearly
 * all jumps are 1 and the rare long ones are what is looked for.
 * @param frame of jumpCounts: `machine`, `jump`, `share`
 */
export async function jumpsPicture(
  frame: DataFrame, options: PictureOptions = {},
): Promise<string> {
  const on = await stage();
  const counts = frame.toRecords() as Row[];
  const of = fieldsOf(counts, options);
  const { width = 560, max = most(counts, 'jump') } = options;
  const bin = Math.ceil(max / BARS_MOST);
  const bars = of.flatMap((machine) => {
    const percents = new Map<number, number>();
    for (const { jump, share } of counts.filter((row) => row.machine === machine)) {
      const from = Math.floor((jump! - 1) / bin) * bin + 1;
      percents.set(from, (percents.get(from) ?? 0) + 100 * share!);
    }
    return [...percents].map(([from, percent]) => ({ machine, from, to: from + bin, percent }));
  });
  const { spec, names } = fields(on, of, width);
  return draw(on, {
    ...spec,
    x: { label: 'clock − clock before, at a tick →', domain: [0.5, max + bin], tickSize: 0,
      ticks: Math.min(max, width < 450 ? 5 : 10), tickFormat: 'd', labelOffset: 34 },
    y: { label: '↑ % of its ticks (square-root scale)', type: 'sqrt', domain: [0, 100],
      ticks: of.length > MANY ? [10, 100] : [1, 10, 30, 100], tickSize: 0, grid: true },
    marks: [
      on.Plot.rect(bars, { x1: ({ from }: Row) => from! - 0.4, y1: 0, y2: 'percent', fy: 'machine',
        x2: ({ to }: Row) => to! - 0.6, fill: ({ machine }: Row) => machineColour(machine!) }),
      names,
    ],
  }, options.title);
}

const kinds = [['receive', 1], ['send', 0.5], ['internal', 0.15]] as const;

/**
 * What each machine does with its ticks as the run goes on; one that only receives is full.
 * @param slices the frame of mix with a width: `machine`, `from_s`, `to_s`, `event`, `share`
 */
export async function eventsPicture(
  slices: DataFrame, options: PictureOptions = {},
): Promise<string> {
  const on = await stage();
  const rows = slices.toRecords() as (Row & { event: string })[];
  const of = fieldsOf(rows, options);
  const { width = 560, end_s = most(rows, 'to_s') } = options;
  const { spec, names } = fields(on, of, width);
  return draw(on, {
    ...spec,
    x: timeAxis(end_s, width),
    y: { label: '↑ % of its ticks', domain: [0, 100], tickSize: 0,
      ticks: of.length > MANY ? [0, 100] : [0, 50, 100] },
    marks: [
      ...of.flatMap((machine) => stacks(rows.filter((row) => row.machine === machine))
        .map(({ opacity, steps }) => on.Plot.areaY(steps, {
          x: 's', y1: 'y1', y2: 'y2', fy: () => machine, curve: 'step-after',
          fill: machineColour(machine), fillOpacity: opacity,
        }))),
      on.Plot.text(kindLabels(rows, of), { x: end_s, y: 'y', fy: 'machine', text: 'event',
        textAnchor: 'start', dx: 6 }),
      names,
    ],
  }, options.title);
}

/** The kinds of one machine's events upon each other, slice by slice, in per cent. */
function stacks(rows: (Row & { event: string })[]) {
  const slices = new Map<number, { to_s: number; shares: Map<string, number> }>();
  for (const { from_s, to_s, event, share } of rows) {
    if (!slices.has(from_s!)) slices.set(from_s!, { to_s: to_s!, shares: new Map() });
    slices.get(from_s!)!.shares.set(event, 100 * share!);
  }
  const inTime = [...slices].sort(([one], [other]) => one - other);
  return kinds.map(([event, opacity], place) => {
    const below = kinds.slice(0, place).map(([kind]) => kind);
    const steps = inTime.flatMap(([from_s, { to_s, shares }], at) => {
      const y1 = below.reduce((sum, kind) => sum + (shares.get(kind) ?? 0), 0);
      const step = { s: from_s, y1, y2: y1 + (shares.get(event) ?? 0) };
      // Where the next slice is missing the machine did nothing, and the stack ends.
      const gap = inTime[at + 1]?.[0] === undefined || inTime[at + 1]![0] > to_s + 1e-9;
      return gap ? [step, { ...step, s: to_s }, { s: to_s, y1: 0, y2: 0 }] : [step];
    });
    return { opacity, steps };
  });
}

/** The kinds of events beside the field, where they stand over the whole run. */
function kindLabels(rows: (Row & { event: string })[], of: number[]) {
  return of.flatMap((machine) => {
    const own = rows.filter((row) => row.machine === machine);
    const ticks = own.reduce((sum, row) => sum + row.ticks!, 0);
    let below = 0;
    return kinds.flatMap(([event]) => {
      const percent = own.filter((row) => row.event === event)
        .reduce((sum, row) => sum + (100 * row.ticks!) / ticks, 0);
      below += percent;
      return percent < 12 ? [] : [{ machine, event, y: below - percent / 2 }];
    });
  });
}

// ── Space and time ───────────────────────────────────────────────────────────────────────────

/**
 * The space-time diagram of a part of a run, as it stands in print.
 * @param view the part in model seconds; the event, if any, whose past and future are shown; and a
 *   chain of events that is drawn as one thick line, with the clock at each event of the part
 */
export function spaceTimePicture(
  diagram: Diagram,
  view: { from_s: number; to_s: number; selected?: number; chain?: number[] },
  { width = 1080, title }: PictureOptions = {},
): string {
  const { chain, ...all } = { selected: -1, width, ...view };
  const how = all.selected < 0 ? null : relations(diagram, vectorClocks(diagram), all.selected);
  const { height, x, y } = geometry(diagram, all);
  const { machines, machine, time_s, clock } = diagram;
  const line = chain?.map((at) => `${x(time_s[at]!).toFixed(1)},${y(machine[at]!)}`).join(' ');
  const below = line === undefined ? '' : `<polyline points="${line}" fill="none" `
    + 'stroke="var(--past)" stroke-width="16" stroke-linecap="round" stroke-linejoin="round"/>';
  const above = (chain && inView(diagram, all).events)?.map((at) => {
    const dy = 2 * machine[at]! < machines ? -14 : 25; // Away from the arrows.
    return `<text x="${x(time_s[at]!).toFixed(1)}" y="${y(machine[at]!) + dy}" `
      + `text-anchor="middle" font-family="system-ui,sans-serif" font-size="12" `
      + `fill="${labelColour(machine[at]!)}">${clock[at]}</text>`;
  }).join('') ?? '';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" `
    + `viewBox="0 0 ${width} ${height}">${below}${drawing(diagram, all, how)}${above}</svg>`;
  return withFallbacks(title === undefined ? svg : titled(svg, title));
}

// ── Sweeps ───────────────────────────────────────────────────────────────────────────────────
// Here a line is a configuration or a quantity, and only where it is a machine has it a machine's
// colour; all others are shades from violet to yellow-green.

/** What is along an axis of a sweep: a column, its words, and its scale where it is not linear. */
export interface Axis {
  column: string;
  label: string;
  type?: 'linear' | 'log' | 'sqrt';
  domain?: [number, number];
}

/** Something to compare with: an upright (x) or level (y) line, and what it says. */
export interface Guide {
  x?: number;
  y?: number;
  label: string;
}

const shades = ['#440154', '#3b528b', '#21918c', '#5ec962', '#b5a300'];
const shadeOf = (place: number, of: number): string => of < 2 ? shades[1]!
  : shades[Math.round((place * (shades.length - 1)) / (of - 1))]!;

const sweepAxis = ({ label, type, domain }: Axis, width: number): NonNullable<Spec['x']> => ({
  label, type: type ?? 'linear', ...(domain && { domain }), tickSize: 0, labelOffset: 34,
  ticks: width < 450 ? 4 : 7, ...(type === 'log' && { tickFormat: ',~g' }), // Not 20m for 0.02.
});

function guideMarks({ Plot }: Stage, guides: Guide[]): Mark[] {
  const upright = guides.filter(({ x }) => x !== undefined);
  const level = guides.filter(({ y }) => y !== undefined);
  const dashed = { stroke: 'var(--muted)', strokeDasharray: '4 3' };
  const words = { text: 'label', fill: 'var(--muted)' } as const;
  return [
    Plot.ruleX(upright, { x: 'x', ...dashed }), Plot.ruleY(level, { y: 'y', ...dashed }),
    Plot.text(upright, { x: 'x', frameAnchor: 'top', textAnchor: 'start', dx: 5, ...words }),
    Plot.text(level, { y: 'y', frameAnchor: 'left', textAnchor: 'start', dx: 5, dy: -8, ...words }),
  ];
}

/**
 * One quantity over another: a line for each value of `by`, with the band from `low` to `high`
 * (an interval) where these columns are given, and dots (`dots`) in the place of lines for what is
 * measured beside what is predicted. Lines are named at their right ends. What is predicted can
 * also be a column (`predicted`) beside the measured one: a thin line in the colour of its dots.
 */
export async function curvesPicture(
  frame: DataFrame,
  { x, y, by, low, high, predicted, dots = [], guides = [] }: { x: Axis; y: Axis; by?: string;
    low?: string; high?: string; predicted?: string; dots?: (string | number)[];
    guides?: Guide[] },
  { width = 720, title }: PictureOptions = {},
): Promise<string> {
  const on = await stage();
  const rows = frame.toRecords() as Row[];
  const keys = [...new Set(rows.map((row) => (by === undefined ? '' : row[by]!)))];
  const colour = (row: Row) => (by === 'machine' ? machineColour(row.machine!)
    : shadeOf(by === undefined ? 0 : keys.indexOf(row[by]!), keys.length));
  const isDots = (row: Row) => by !== undefined && dots.includes(row[by]!);
  const last = keys.map((key) => rows.filter((row) => by === undefined || row[by] === key).at(-1)!);
  const shared = { x: x.column, ...(by !== undefined && { z: by }) };
  return draw(on, {
    ...size(width, 380), marginLeft: 52, marginRight: by === undefined ? 24 : 130,
    x: sweepAxis(x, width), y: { ...sweepAxis(y, width), grid: true },
    marks: [
      ...(low === undefined || high === undefined ? [] : [
        on.Plot.areaY(rows.filter((row) => !isDots(row)),
          { ...shared, y1: low, y2: high, fill: colour, fillOpacity: 0.18 }),
        on.Plot.ruleX(rows.filter(isDots), { x: x.column, y1: low, y2: high, stroke: colour })]),
      ...guideMarks(on, guides),
      on.Plot.lineY(rows.filter((row) => !isDots(row)),
        { ...shared, y: y.column, stroke: colour, strokeWidth: 1.8 }),
      ...(predicted === undefined ? [] : [
        on.Plot.lineY(rows, { ...shared, y: predicted, stroke: colour, strokeWidth: 1 })]),
      on.Plot.dot(rows.filter(isDots), { x: x.column, y: y.column, fill: colour, r: 3 }),
      ...(by === undefined ? [] : [on.Plot.text(movedApart(last, rows, y), {
        x: x.column, y: 'at', text: (row: Row) => (by === 'machine' ? `machine ${row[by]}`
          : String(row[by])), textAnchor: 'start', dx: 7, fill: colour, fontWeight: 600 })]),
    ],
  }, title);
}

/** Where the names at the ends of lines stand (`at`), so that none covers another. */
function movedApart(ends: Row[], rows: Row[], { column, type, domain }: Axis): Row[] {
  const [up, down] = type === 'log' ? [Math.log, Math.exp]
    : type === 'sqrt' ? [Math.sqrt, (x: number) => x * x] : [(x: number) => x, (x: number) => x];
  const values = (domain ?? rows.map((row) => row[column]!)).filter(Number.isFinite).map(up);
  const apart = (15 / 310) * (Math.max(...values) - Math.min(...values));
  let least = -Infinity;
  return [...ends].sort((a, b) => a[column]! - b[column]!).map((row) => {
    const at = Math.max(up(row[column]!), least);
    least = at + apart;
    return { ...row, at: down(at) };
  });
}

/**
 * A quantity over two others: a coloured cell for each row. `line` is drawn on top, such as a
 * predicted boundary. The legend is the title's part of the picture, in steps.
 * @param cells one row a cell: the columns of `x`, `y` and `value`
 * @param line rows in the columns of `x` and `y`
 */
export async function cellsPicture(
  cells: DataFrame,
  { x, y, value, line, lineLabel }: { x: Axis; y: Axis; value: Axis; line?: DataFrame;
    lineLabel?: string },
  { width = 720, title }: PictureOptions = {},
): Promise<string> {
  const on = await stage();
  const rows = cells.toRecords() as Row[];
  const steps = (column: string) => {
    const sorted = [...new Set(rows.map((row) => row[column]!))].sort((a, b) => a - b);
    const edge = (place: number) => (sorted[place - 1]! + sorted[place]!) / 2;
    return new Map(sorted.map((at, place) => [at, [
      place === 0 ? at - (edge(1) - at) : edge(place),
      place === sorted.length - 1 ? at + (at - edge(place)) : edge(place + 1)] as const]));
  };
  const [columns, levels] = [steps(x.column), steps(y.column)];
  const path = (line?.toRecords() ?? []) as Row[];
  const limits = (edges: Map<number, readonly [number, number]>): [number, number] =>
    [Math.min(...[...edges.values()].flat()), Math.max(...[...edges.values()].flat())];
  const shown = path.filter((row) => row[y.column]! >= limits(levels)[0]
    && row[y.column]! <= limits(levels)[1] && row[x.column]! >= limits(columns)[0]
    && row[x.column]! <= limits(columns)[1]);
  return draw(on, {
    ...size(width, 420), marginLeft: 52, marginRight: 110,
    x: sweepAxis({ domain: limits(columns), ...x }, width),
    y: sweepAxis({ domain: limits(levels), ...y }, width),
    color: { type: value.type ?? 'linear', scheme: 'ylgnbu', ...(value.domain
      && { domain: value.domain }), clamp: true },
    marks: [
      on.Plot.rect(rows, {
        x1: (row: Row) => columns.get(row[x.column]!)![0], fill: value.column,
        x2: (row: Row) => columns.get(row[x.column]!)![1],
        y1: (row: Row) => levels.get(row[y.column]!)![0],
        y2: (row: Row) => levels.get(row[y.column]!)![1] }),
      on.Plot.line(shown, { x: x.column, y: y.column, stroke: '#D55E00', strokeWidth: 2.5 }),
      ...(lineLabel === undefined ? [] : [on.Plot.text(shown.slice(-1), { x: x.column, y: y.column,
        text: () => lineLabel, ...lineLabelPlace(shown, x, limits(columns)),
        fill: 'var(--label-1)', stroke: 'var(--paper)', strokeWidth: 4, fontWeight: 600 })]),
      ...colourKey(on, rows, value, limits(columns), limits(levels)),
    ],
  }, title);
}

/** Beside a line's last point and inside the field, since the key stands to the right of it. */
function lineLabelPlace(shown: Row[], { column }: Axis, [left, right]: [number, number]) {
  return (shown.at(-1)?.[column] ?? left) < (left + right) / 2
    ? { textAnchor: 'start', dx: 9 } as const : { textAnchor: 'end', dx: -6, dy: -12 } as const;
}

/** The key of the colours: a column of them right of the field, with the values they stand for. */
function colourKey(
  { Plot }: Stage, rows: Row[], { column, label, type, domain }: Axis,
  [left, right]: [number, number], [low, high]: [number, number],
): Mark[] {
  const values = rows.map((row) => row[column]!).filter(Number.isFinite);
  const [least, greatest] = domain ?? [Math.min(...values), Math.max(...values)];
  const between = (share: number) => type === 'log' ? least * (greatest / least) ** share
    : type === 'sqrt' ? (Math.sqrt(least) + share * (Math.sqrt(greatest) - Math.sqrt(least))) ** 2
    : least + share * (greatest - least);
  const px = (right - left) / 558;
  const key = [0, 1, 2, 3, 4, 5].map((nth) => ({
    value: between(nth / 5), y1: low + (0.28 + nth * 0.08) * (high - low),
    y2: low + (0.36 + nth * 0.08) * (high - low) }));
  const digits = (at: number) => String(Number(at.toPrecision(2)));
  return [
    Plot.rect(key, { x1: right + 12 * px, x2: right + 26 * px, y1: 'y1', y2: 'y2', fill: 'value' }),
    Plot.text(key, { x: right + 31 * px, y: ({ y1, y2 }: Row) => (y1! + y2!) / 2,
      textAnchor: 'start', text: ({ value }: Row) => digits(value!) }),
    Plot.text([label], { x: right + 12 * px, y: low + 0.8 * (high - low),
      text: (text: string) => text, textAnchor: 'start', lineAnchor: 'bottom', lineWidth: 8 }),
  ];
}

/**
 * How a quantity is distributed over runs: a histogram, or one below the other for each value of
 * `by`. Guides mark single runs or predictions on it; a guide with `of` marks that field only.
 */
export async function distributionPicture(
  frame: DataFrame,
  { x, by, guides = [], bins = 60 }: { x: Axis; by?: string; bins?: number;
    guides?: (Guide & { of?: string | number })[] },
  { width = 720, title }: PictureOptions = {},
): Promise<string> {
  const on = await stage();
  const rows = frame.select(x.column, ...(by === undefined ? [] : [by])).toRecords() as Row[];
  const of = [...new Set(rows.map((row) => (by === undefined ? 'all' : row[by]!)))];
  const values = rows.map((row) => row[x.column]!);
  let [least, greatest] = x.domain ?? values.reduce<[number, number]>(([a, b], value) =>
    [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  let bin = (greatest - least) / bins || 1;
  if (values.every(Number.isInteger)) {
    // A bar holds the same number of whole numbers as the next, or the picture has gaps.
    bin = Math.ceil(bin);
    [least, greatest] = [least - 0.5, least - 0.5 + bin * Math.ceil((greatest - least + 1) / bin)];
  }
  const bars = of.flatMap((field) => {
    const counts = new Map<number, number>();
    const own = by === undefined ? rows : rows.filter((row) => row[by] === field);
    for (const row of own) {
      const nth = Math.floor((Math.min(row[x.column]!, greatest - bin / 2) - least) / bin);
      counts.set(nth, (counts.get(nth) ?? 0) + 1);
    }
    return [...counts].map(([nth, runs]) => ({ field, from: least + nth * bin,
      to: least + (nth + 1) * bin, percent: (100 * runs) / own.length }));
  });
  const marked = guides.map((guide) => ({ ...guide, field: guide.of ?? of[0] }));
  const fill = (row: { field: string | number }) => (by === 'machine'
    ? machineColour(Number(row.field)) : shades[1]!);
  return draw(on, {
    ...size(width, of.length === 1 ? 300 : 72 + of.length * 74), marginRight: 24,
    marginLeft: by === undefined ? 46 : 96,
    fy: { axis: null, domain: of, paddingInner: 0.25 },
    x: sweepAxis({ ...x, domain: [least, greatest] }, width),
    y: { label: '↑ % of runs', tickSize: 0, ticks: of.length === 1 ? 5 : 2, grid: true,
      ...(of.length > 1 && { axis: null }) },
    marks: [
      on.Plot.rect(bars, { x1: 'from', x2: 'to', y1: 0, y2: 'percent', fy: 'field', fill,
        fillOpacity: 0.75, insetRight: 0.5 }),
      on.Plot.ruleX(marked, { x: 'x', fy: 'field', stroke: 'var(--ink)', strokeWidth: 1.6 }),
      on.Plot.text(marked, { x: 'x', fy: 'field', text: 'label', frameAnchor: 'top', dx: 4,
        textAnchor: 'start', fontWeight: 600 }),
      ...(by === undefined ? [] : [on.Plot.text(of.map((field) => ({ field })), { fy: 'field',
        text: ({ field }: { field: string | number }) => (by === 'machine' ? `machine ${field}`
          : String(field)), frameAnchor: 'left', dx: -8, textAnchor: 'end', fontWeight: 600 })]),
    ],
  }, title);
}

/**
 * Pictures side by side, so many a row, as one picture: for comparing like with like.
 * @param pictures of functions in this file
 */
export function beside(pictures: string[], columns = 2): string {
  const sizes = pictures.map((svg) => (['width', 'height'] as const).map((side) =>
    Number(new RegExp(`^<svg[^>]*? ${side}="([\\d.]+)"`).exec(svg)![1])));
  const [width, height] = [0, 1].map((side) => Math.max(...sizes.map((size) => size[side]!)));
  const placed = pictures.map((svg, nth) => svg.replace('<svg',
    `<svg x="${(nth % columns) * width!}" y="${Math.floor(nth / columns) * height!}"`));
  const all = [Math.min(columns, pictures.length) * width!,
    Math.ceil(pictures.length / columns) * height!];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${all[0]}" height="${all[1]}" `
    + `viewBox="0 0 ${all[0]} ${all[1]}">${placed.join('')}</svg>`;
}

/** What one or the other system has; the library does not know a system's own sans-serif. */
const SANS = 'Helvetica Neue, Arial, Segoe UI, Liberation Sans, DejaVu Sans, Noto Sans, sans-serif';

/** A picture as a PNG on white, twice as sharp as its size says. */
export async function toPNG(svg: string): Promise<Buffer> {
  const { Resvg } = await import('@resvg/resvg-js');
  const plain = svg.replace(/var\(--[\w-]+,([^)]*)\)/g, '$1')
    .replaceAll('currentColor', theme.light.ink)
    .replace(/system-ui, ?sans-serif/g, SANS);
  return new Resvg(plain, {
    background: theme.light.paper, fitTo: { mode: 'zoom', value: 2 },
    font: { loadSystemFonts: true },
  }).render().asPng();
}
