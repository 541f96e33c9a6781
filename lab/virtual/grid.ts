/** What a sweep runs: the points of a grid, and the parts in which they are done. */
import { measures } from './columns.ts';
import { checkFaults, type Fault, type Kind } from '../model/faults.ts';
import { PERFECT, type Network } from '../model/network.ts';
import type { Knobs } from '../model/run.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
/** More points than this are a slip: of a step, or of a range of rates. */
export const POINTS_MAX = 1e6;
// ─────────────────────────────────────────────────────────────────────────────────────────────

/** One value, or several that are swept. */
type Some<T> = T | T[];

/** What is swept: every combination of what has several values, each with `runs` seeds. */
export interface Grid {
  /** One list of rates, or several. */
  rates_hz: number[] | number[][];
  /** Default 0.7. */
  internal?: Some<number>;
  /** As simulate.ts takes it; default 'constant:0'. */
  latency?: Some<string>;
  /** Default 0. */
  loss?: Some<number>;
  /** Default 60. */
  duration_s?: Some<number>;
  /** Default false. */
  reorder?: boolean;
  /** Knobs beyond the exercise; each that is named is a column, `ticks` as `tick_times`. */
  take?: Some<Knobs['take']>;
  queue_max?: Some<number | null>;
  drop?: Knobs['drop'];
  news?: Some<boolean>;
  ticks?: Some<string>;
  senders?: number[] | null;
  both?: Some<number>;
  /** Faults that are the same in all runs, and kinds of faults that each seed draws. */
  faults?: Fault[];
  nemesis?: Kind[];
  /** Seeds in a row, from `seed` on; default 1000, from 1. */
  runs?: number;
  seed?: number;
}

/** One point of the grid. */
export interface Setting extends Network, Partial<Knobs> {
  rates_hz: number[];
  internal: number;
  duration_s: number;
  faults?: Fault[];
  nemesis?: Kind[];
}

/** What may be named beyond the exercise, in the order of its columns. */
const SWEPT_KNOBS = ['take', 'queue_max', 'news', 'ticks', 'both'] as const;
const FIXED_KNOBS = ['drop', 'senders', 'faults', 'nemesis'] as const;
export const KNOB_COLUMNS = [...SWEPT_KNOBS, ...FIXED_KNOBS];

/**
 * The points of a grid; what stands last in a configuration's columns changes fastest.
 * @throws RangeError if there are too many or a point cannot be run; its cause names the field
 */
export function settingsOf(grid: Grid): Setting[] {
  const { internal = 0.7, latency = PERFECT.latency, loss = 0, duration_s = 60 } = grid;
  const { reorder = false } = grid;
  const lists = (Array.isArray(grid.rates_hz[0]) ? grid.rates_hz : [grid.rates_hz]) as number[][];
  const swept: [string, unknown[]][] = [['rates_hz', lists],
    ...Object.entries({ internal, latency, loss, duration_s }).map(([name, values]) =>
      [name, [values].flat()] as [string, unknown[]]),
    ...SWEPT_KNOBS.flatMap((name) => (grid[name] === undefined ? []
      : [[name, [grid[name]].flat()] as [string, unknown[]]]))];
  const many = swept.reduce((product, [, values]) => product * values.length, 1);
  if (many > POINTS_MAX) {
    throw new RangeError(`${many.toLocaleString('en')} configurations, and ${POINTS_MAX
      .toLocaleString('en')} are the most`, { cause: 'rates_hz' });
  }
  let points: Partial<Setting>[] = [{ reorder, ...Object.fromEntries(FIXED_KNOBS.flatMap((name) =>
    (grid[name] === undefined ? [] : [[name, grid[name]]]))) }];
  for (const [name, values] of swept) {
    points = points.flatMap((point) => values.map((value) => ({ ...point, [name]: value })));
  }
  for (const { faults = [], rates_hz, duration_s } of points as Setting[]) {
    try {
      checkFaults(faults, { machines: rates_hz.length, duration_s });
    } catch (error) {
      throw new RangeError((error as Error).message, { cause: 'faults' });
    }
  }
  return points as Setting[];
}

/** Some runs of one point of the grid: seeds in a row. */
export interface Part {
  setting: Setting;
  /** The setting's place in the grid. */
  configuration: number;
  seed: number;
  runs: number;
  /** Where its summary begins. */
  place: number;
}

/**
 * The i-th of n parts of all runs, which stand in the order of their rows. Cut between runs or,
 * for a summary, between configurations, since nobody can join two halves of a quantile.
 */
export function partsOf(
  settings: Setting[], seed: number, runs: number, { part, of }: Shard, summary: boolean,
): Part[] {
  const unit = summary ? runs : 1;
  const all = (settings.length * runs) / unit;
  const [first, last] = [part - 1, part].map((n) => Math.floor((all * n) / of) * unit);
  let next = 0;
  return settings.flatMap((setting, configuration) => {
    const [from, to] = [first!, last!].map((run) =>
      Math.min(Math.max(run - configuration * runs, 0), runs));
    if (from! >= to!) return [];
    const place = next;
    next += setting.rates_hz.length * measures.length;
    return [{ setting, configuration, seed: seed + from!, runs: to! - from!, place }];
  });
}

export interface Shard {
  /** 1 … of. */
  part: number;
  of: number;
}

/** A part in pieces of at most so many runs. */
export function cut(part: Part, most: number): Part[] {
  return Array.from({ length: Math.ceil(part.runs / most) }, (_, nth) => ({
    ...part, seed: part.seed + nth * most, runs: Math.min(most, part.runs - nth * most),
  }));
}
