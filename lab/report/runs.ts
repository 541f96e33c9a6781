/** Pictures of one run: its clocks, lags, queues, jumps, and what its ticks are spent on. */
import pl, { type DataFrame } from 'nodejs-polars';
import {
  endLabels, faultMarks, kindLabels, KINDS, NAME_PX, NAMES_FEW, THREAD_PX,
} from './labels.ts';
import { dashOf, labelColour, machineColour } from './signs.ts';
import {
  draw, type Mark, type PictureOptions, type Row, size, type Spec,
  stage, type Stage, timeAxis,
} from './stage.ts';

// ── Time series ──────────────────────────────────────────────────────────────────────────────

const ids = (rows: Row[]) =>
  [...new Set(rows.map(({ machine }) => machine!))].sort((a, b) => a - b);

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

/** The numbers of a column, without an object for each row, which takes a hundred times as long. */
function numbersOf(frame: DataFrame, name: string): ArrayLike<number> {
  const column = frame.getColumn(name).cast(pl.Float64);
  return (column.nullCount() === 0 ? column.toTypedArray() : column.toArray()) as number[];
}

/**
 * The lines of the machines: of each the rows where its value changes, and the last one. Of many
 * machines the finest steps are left out, lest the file be too large.
 */
function byMachine(frame: DataFrame, column: string, width: number): Map<number, Row[]> {
  const times_s = numbersOf(frame, 'time_s');
  const machines = numbersOf(frame, 'machine');
  const values = numbersOf(frame, column);
  const own = new Map<number, { kept: number[]; last: number }>();
  for (let at = 0; at < machines.length; at++) {
    const one = own.get(machines[at]!);
    if (one === undefined) own.set(machines[at]!, { kept: [at], last: at });
    else {
      if (values[at] !== values[one.last]) one.kept.push(at);
      one.last = at;
    }
  }
  const px = Math.ceil(width * Math.min(1, FIELDS_MOST / own.size));
  const rowAt = (at: number): Row =>
    ({ time_s: times_s[at]!, machine: machines[at]!, [column]: values[at]! });
  return new Map([...own].sort(([a], [b]) => a - b).map(([id, { kept, last }]) =>
    [id, thinned((kept.at(-1) === last ? kept : [...kept, last]).map(rowAt), column, px)]));
}

/** A machine's stroke: its colour, and beyond six machines its dashes. */
const strokeOf = (id: number) => ({ stroke: machineColour(id),
  ...(dashOf(id) !== '' && { strokeDasharray: dashOf(id) }) });

/** The height of a picture of many lines. */
const HEIGHT_MANY = 460;
/** Room for the numbers of an axis that goes so far. */
const leftPx = (max: number) => (max >= 1000 ? 50 : 40);

/** One line a machine over time, all in one field. */
async function lines(
  frame: DataFrame, column: string, label: string, height: number, options: PictureOptions,
): Promise<string> {
  const on = await stage();
  const { width = 560, faults = [] } = options;
  const series = byMachine(frame, column, width);
  const all = [...series.values()].flat();
  const { end_s = most(all, 'time_s'), max = most(all, column) } = options;
  const ends = [...series.values()].map((rows) => rows.at(-1)!);
  const isMany = ends.length > NAMES_FEW;
  const full = isMany ? Math.max(HEIGHT_MANY, ends.length * NAME_PX.many + 80) : height;
  const [left, right] = [leftPx(max), isMany ? 76 + THREAD_PX : 76];
  const second_px = (width - left - right) / end_s;
  return draw(on, {
    ...size(width, full), marginLeft: left, marginRight: right,
    x: timeAxis(end_s, width),
    y: { label, domain: [0, max], ticks: Math.min(5, max), tickSize: 0, grid: true, nice: true },
    marks: [
      ...faultMarks(on, faults, { second_px }),
      ...[...series].map(([id, rows]) => on.Plot.lineY(rows, {
        x: 'time_s', y: column, ...strokeOf(id), strokeWidth: 1.6, curve: 'step-after',
      })),
      ...endLabels(on, ends, column, (full - 68) / max, second_px),
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

/** Room for words beside a field. */
const RIGHT_PX = 62;
/** Where fields are low, how far apart words beside them stand. */
const WORDS_PERCENT = 27;

/** What the fields of all machines share: their height, and a name in the corner of each. */
function fields({ Plot }: Stage, of: number[], width: number, left = leftPx(0)) {
  const spec: Spec = {
    ...size(width, of.length * fieldPx(of.length, width) + 76),
    marginTop: 38, marginRight: RIGHT_PX, marginLeft: left,
    fy: { axis: null, domain: of, paddingInner: 0.34, paddingOuter: 0.1 },
  };
  const names = Plot.text(of.map((machine) => ({ machine })), {
    fy: 'machine', text: ({ machine }: Row) => `machine ${machine}`, frameAnchor: 'top-left',
    dy: -14, dx: 2, fill: ({ machine }: Row) => labelColour(machine!), fontWeight: 600,
  });
  return { spec, names, field_px: width - left - RIGHT_PX };
}

/** One line a machine over time, each in a field of its own but all on one scale. */
async function steps(
  states: DataFrame, column: string, label: string, options: PictureOptions,
): Promise<string> {
  const { width = 560, faults = [] } = options;
  const series = byMachine(states, column, width);
  if (series.size > FIELDS_MOST) return lines(states, column, label, 400, options);
  const on = await stage();
  const all = [...series.values()].flat();
  const { end_s = most(all, 'time_s'), max = most(all, column) } = options;
  const { spec, names, field_px } = fields(on, [...series.keys()], width, leftPx(max));
  const line = { x: 'time_s', y: column, fy: 'machine', curve: 'step-after' } as const;
  return draw(on, {
    ...spec,
    x: timeAxis(end_s, width),
    y: { label, domain: [0, max], ticks: Math.min(series.size > MANY ? 2 : 3, max), tickSize: 0,
      grid: true, nice: true },
    marks: faultMarks(on, faults, { second_px: field_px / end_s, fields: [...series.keys()] })
      .concat([...series].flatMap(
      ([id, rows]): Mark[] => [
        on.Plot.areaY(rows, { ...line, fill: machineColour(id), fillOpacity: 0.18 }),
        on.Plot.lineY(rows, { ...line, stroke: machineColour(id), strokeWidth: 1.3 }),
      ])).concat(names),
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
  const { width = 560, end_s = most(rows, 'to_s'), faults = [] } = options;
  const { spec, names, field_px } = fields(on, of, width);
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
      ...faultMarks(on, faults, { second_px: field_px / end_s, fields: of }),
      on.Plot.text(kindLabels(rows, of, of.length > MANY ? WORDS_PERCENT : 0), { x: end_s, y: 'y',
        fy: 'machine', text: 'event', textAnchor: 'start', dx: 6 }),
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
  return KINDS.map(([event, opacity], place) => {
    const below = KINDS.slice(0, place).map(([kind]) => kind);
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
