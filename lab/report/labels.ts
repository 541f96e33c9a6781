/** What is written into pictures of runs: names at the ends of lines, kinds of events, faults. */
import { labelColour, machineColour } from './signs.ts';
import type { Band, Mark, Row, Stage } from './stage.ts';

/** More lines than this have names that stand close, each with a thread to its line. */
export const NAMES_FEW = 8;
export const NAME_PX = { few: 14, many: 12 };
/** How far from the ends of their lines names stand, for the thread. */
export const THREAD_PX = 22;
/** About how wide a letter of the small text is. */
const LETTER_PX = 6.2;

/** Moves places up until each is so far from the one before, and down again from the end. */
function apart(places: number[], gap: number, end: number): number[] {
  const moved: number[] = [];
  for (const place of places) moved.push(Math.max(place, (moved.at(-1) ?? -Infinity) + gap));
  for (let nth = moved.length - 1, most = end; nth >= 0 && moved[nth]! > most; nth--, most -= gap) {
    moved[nth] = most;
  }
  return moved;
}

/**
 * The names of the machines at the right ends of their lines, moved apart where they overlap.
 * @param value_px how much one is, and how long a second is, in px
 */
export function endLabels(
  { Plot }: Stage, ends: Row[], column: string, value_px: number, second_px: number,
): Mark[] {
  const isMany = ends.length > NAMES_FEW;
  const gap = (isMany ? NAME_PX.many : NAME_PX.few) / value_px;
  const inOrder = [...ends].sort((a, b) => a[column]! - b[column]!);
  const places = apart(inOrder.map((row) => row[column]!), gap,
    isMany ? Math.max(...ends.map((row) => row[column]!)) : Infinity);
  const placed = inOrder.map((row, nth) => ({ ...row, at: places[nth]! }) as Row & { at: number });
  const x = Math.max(...ends.map((row) => row.time_s!)) + THREAD_PX / second_px;
  return [
    ...(!isMany ? [] : [Plot.link(placed, { x1: 'time_s', y1: column, x2: () => x, y2: 'at',
      stroke: ({ machine }: Row) => machineColour(machine!), strokeWidth: 0.7, clip: false })]),
    Plot.text(placed, {
      x: isMany ? () => x : 'time_s', y: 'at', textAnchor: 'start', dx: isMany ? 2 : 7,
      text: ({ machine }: Row) => `machine ${machine}`,
      fill: ({ machine }: Row) => labelColour(machine!), fontWeight: 600,
      ...(isMany && { fontSize: 11 }),
    }),
  ];
}

/** Kinds of events, as they lie upon each other in a field, and how strong their colours are. */
export const KINDS = [['receive', 1], ['send', 0.5], ['internal', 0.15]] as const;
/** A kind that takes less than this is not named. */
const KIND_LEAST_PERCENT = 12;

/**
 * The kinds of events beside the field, where they stand over the whole run.
 * @param gap_percent how far apart they stand at least
 */
export function kindLabels(
  rows: (Row & { event: string })[], machines: number[], gap_percent: number,
) {
  return machines.flatMap((machine) => {
    const own = rows.filter((row) => row.machine === machine);
    const ticks = own.reduce((sum, row) => sum + row.ticks!, 0);
    let below = 0;
    const named = KINDS.flatMap(([event]) => {
      const percent = own.filter((row) => row.event === event)
        .reduce((sum, row) => sum + (100 * row.ticks!) / ticks, 0);
      below += percent;
      return percent < KIND_LEAST_PERCENT ? [] : [{ machine, event, y: below - percent / 2 }];
    });
    if (gap_percent === 0) return named;
    const places = apart(named.map(({ y }) => y), gap_percent, 100 - gap_percent / 2);
    return named.map((one, nth) => ({ ...one, y: places[nth]! }));
  });
}

/** Where the words for faults stand: above the whole picture, or above each machine's field. */
export interface FaultPlace {
  second_px: number;
  /** The machines that have fields. */
  fields?: number[];
}

/** Bands where something was done to machines or links, and words for those that have room. */
export function faultMarks(
  { Plot }: Stage, faults: Band[], { second_px, fields }: FaultPlace,
): Mark[] {
  if (faults.length === 0) return [];
  const bands = faults.flatMap(({ do: what, machines, from_s, to_s }) => {
    const who = what === 'cut' ? machines.join('–') : String(machines[0]);
    const band = { from_s, to_s, text: `${what} ${who}` };
    return fields === undefined ? [{ ...band, machine: -1 }]
      : machines.filter((id) => fields.includes(id)).map((machine) => ({ ...band, machine }));
  });
  /** How far each line of words is full, in seconds; a field's begins with its machine's name. */
  const full = new Map<number, number>();
  const words = [...bands].sort((one, other) => one.from_s - other.from_s).flatMap((band) => {
    const { machine, from_s, text } = band;
    const name_px = machine < 0 ? 0 : `machine ${machine}`.length * (LETTER_PX + 1.2) + 6;
    const x = Math.max(from_s, full.get(machine) ?? name_px / second_px);
    if (x > from_s && full.has(machine)) return [];
    full.set(machine, x + (text.length * LETTER_PX + 8) / second_px);
    return [{ ...band, x }];
  });
  const field = fields === undefined ? {} : { fy: 'machine' };
  return [
    Plot.rect(bands, { x1: 'from_s', x2: 'to_s', ...field, fill: 'var(--fault)',
      fillOpacity: 0.35 }),
    Plot.text(words, { x: 'x', text: 'text', frameAnchor: 'top', textAnchor: 'start', dx: 2,
      dy: -14, fontSize: 11, fill: 'var(--muted)', ...field }),
  ];
}
