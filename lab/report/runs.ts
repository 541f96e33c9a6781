/** Pictures of one run: its clocks, lags, queues, jumps and what its machines do with their ticks. */
import type { DataFrame } from 'nodejs-polars';
import { dashOf, labelColour, machineColour } from './signs.ts';
import {
  type Band, draw, type Mark, type PictureOptions, type Row, size, type Spec,
  stage, type Stage, timeAxis,
} from './stage.ts';

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

/** More lines than this have names that stand close, each with a thread to its line. */
const NAMES_FEW = 8;
const NAME_PX = { few: 14, many: 12 };
/** How far from the ends of their lines names stand, for the thread. */
const THREAD_PX = 22;

/**
 * The names of the machines at the right ends of their lines, moved apart where they overlap.
 * @param value_px how much one is, and how long a second is, in px
 */
function endLabels(
  { Plot }: Stage, ends: Row[], column: string, value_px: number, second_px: number,
): Mark[] {
  const isMany = ends.length > NAMES_FEW;
  const apart = (isMany ? NAME_PX.many : NAME_PX.few) / value_px;
  const placed = [...ends].sort((a, b) => a[column]! - b[column]!)
    .map((row) => ({ ...row, at: row[column]! }) as Row & { at: number });
  for (const [nth, row] of placed.entries()) {
    if (nth > 0) row.at = Math.max(row.at, placed[nth - 1]!.at + apart);
  }
  const end_s = Math.max(...ends.map((row) => row.time_s!));
  if (isMany) {
    // What was pushed over the top moves the others down.
    for (let nth = placed.length - 1, most = Math.max(...ends.map((row) => row[column]!));
      nth >= 0 && placed[nth]!.at > most; nth--, most -= apart) placed[nth]!.at = most;
  }
  const x = end_s + THREAD_PX / second_px;
  return [
    ...(isMany ? [Plot.link(placed, { x1: 'time_s', y1: column, x2: () => x, y2: 'at',
      stroke: ({ machine }: Row) => machineColour(machine!), strokeWidth: 0.7, clip: false })] : []),
    Plot.text(placed, {
      x: isMany ? () => x : 'time_s', y: 'at', textAnchor: 'start', dx: isMany ? 2 : 7,
      text: ({ machine }: Row) => `machine ${machine}`,
      fill: ({ machine }: Row) => labelColour(machine!), fontWeight: 600,
      ...(isMany && { fontSize: 11 }),
    }),
  ];
}

/** A machine's stroke: its colour, and beyond six machines its dashes. */
const strokeOf = (id: number) => ({ stroke: machineColour(id),
  ...(dashOf(id) !== '' && { strokeDasharray: dashOf(id) }) });

/** Bands where something was done to machines or links, with a word for each. */
function faultMarks({ Plot }: Stage, faults: Band[], fields?: number[]): Mark[] {
  if (faults.length === 0) return [];
  const bands = faults.flatMap(({ do: what, machines, from_s, to_s }) => {
    const who = what === 'cut' ? machines.join('–') : String(machines[0]);
    const band = { from_s, to_s, text: `${what} ${who}` };
    return fields === undefined ? [band]
      : machines.filter((id) => fields.includes(id)).map((machine) => ({ ...band, machine }));
  });
  const field = fields === undefined ? {} : { fy: 'machine' };
  return [
    Plot.rect(bands, { x1: 'from_s', x2: 'to_s', ...field, fill: 'var(--fault)',
      fillOpacity: 0.35 }),
    Plot.text(bands, { x: 'from_s', text: 'text', frameAnchor: 'top', textAnchor: 'start', dx: 2,
      dy: fields === undefined ? -14 : 1, fontSize: 11, fill: 'var(--muted)', ...field }),
  ];
}

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
  const full = isMany ? Math.max(height, ends.length * NAME_PX.many + 80) : height;
  const right = isMany ? 76 + THREAD_PX : 76;
  return draw(on, {
    ...size(width, full), marginRight: right,
    x: timeAxis(end_s, width),
    y: { label, domain: [0, max], ticks: Math.min(5, max), tickSize: 0, grid: true, nice: true },
    marks: [
      ...faultMarks(on, faults),
      ...[...series].map(([id, rows]) => on.Plot.lineY(rows, {
        x: 'time_s', y: column, ...strokeOf(id), strokeWidth: 1.6, curve: 'step-after',
      })),
      ...endLabels(on, ends, column, (full - 68) / max, (width - 40 - right) / end_s),
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
  const { width = 560, faults = [] } = options;
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
    marks: faultMarks(on, faults, [...series.keys()]).concat([...series].flatMap(
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
  const { width = 560, end_s = most(rows, 'to_s'), faults = [] } = options;
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
      ...faultMarks(on, faults, of),
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
