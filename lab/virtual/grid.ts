/** What a sweep runs: the points of a grid, and the parts in which they are done. */
import { measures } from './columns.ts';
import { PERFECT, type Network } from '../model/network.ts';

/** What is swept: every combination of what has several values, each with `runs` seeds. */
export interface Grid {
  /** One list of rates, or several. */
  rates_hz: number[] | number[][];
  /** Default 0.7. */
  internal?: number | number[];
  /** As simulate.ts takes it; default 'constant:0'. */
  latency?: string | string[];
  /** Default 0. */
  loss?: number | number[];
  /** Default 60. */
  duration_s?: number | number[];
  /** Default false. */
  reorder?: boolean;
  /** Seeds in a row, from `seed` on; default 1000, from 1. */
  runs?: number;
  seed?: number;
}

/** One point of the grid. */
export interface Setting extends Network {
  rates_hz: number[];
  internal: number;
  duration_s: number;
}

/** The points of a grid; what stands last in a configuration's columns changes fastest. */
export function settingsOf(grid: Grid): Setting[] {
  const { internal = 0.7, latency = PERFECT.latency, loss = 0, duration_s = 60 } = grid;
  const { reorder = false } = grid;
  const lists = (Array.isArray(grid.rates_hz[0]) ? grid.rates_hz : [grid.rates_hz]) as number[][];
  let points: Partial<Setting>[] = [{}];
  const swept = { rates_hz: lists, internal, latency, loss, duration_s };
  for (const [name, values] of Object.entries(swept)) {
    const each: unknown[] = name === 'rates_hz' ? lists : [values].flat();
    points = points.flatMap((point) => each.map((value) => ({ ...point, [name]: value })));
  }
  return points.map((point) => ({ ...point, reorder } as Setting));
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
