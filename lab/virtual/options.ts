/** How a sweep's options are written: lists, ranges, draws and shards. */
import { InvalidArgumentError } from 'commander';
import { rateList } from '../cli/options.ts';
import { POINTS_MAX, type Shard } from './grid.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
/** Values of one option; more is a slip of a step. */
const VALUES_MAX = 100_000;
// ─────────────────────────────────────────────────────────────────────────────────────────────

/** A count in words that fit a line. */
const counted = (n: number) => (n < 1e15 ? n.toLocaleString('en') : n.toExponential(0));
const tooMany = (many: number, what: string, most: number) => new InvalidArgumentError(
  `That is ${counted(many)} ${what}; ${counted(most)} are the most.`);

/** Reads '1,4,6', or 'all:1-6:3' as each draw of 3 machines from 1 … 6 Hz. */
export function ratesGrid(text: string, before: number[][] = []): number[][] {
  const draw = /^all:(\d+)-(\d+):(\d+)$/.exec(text);
  if (!draw) {
    const rates_hz = rateList(text);
    if (rates_hz.length < 2) throw new InvalidArgumentError('It names fewer than two machines.');
    return [...before, rates_hz];
  }
  const [low, high, machines] = draw.slice(1).map(Number) as [number, number, number];
  if (low < 1 || high < low || machines < 2) {
    throw new InvalidArgumentError('all:1-6:3 is each draw of three machines from 1 to 6 Hz.');
  }
  const many = (high - low + 1) ** machines;
  if (many > POINTS_MAX) throw tooMany(many, 'draws', POINTS_MAX);
  const faces = Array.from({ length: high - low + 1 }, (_, place) => low + place);
  let draws: number[][] = [[]];
  for (let id = 0; id < machines; id++) {
    draws = draws.flatMap((rates_hz) => faces.map((rate_hz) => [...rates_hz, rate_hz]));
  }
  return [...before, ...draws];
}

/** Reads '0.7', '0.5,0.7' or '0.1:0.9:0.1', which is from, to and step. */
export const numberGrid = (parse: (text: string) => number) => (text: string): number[] => {
  if (!text.includes(':')) return text.split(',').map(parse);
  const [from, to, step, ...more] = text.split(':').map(parse);
  if (step === undefined || more.length > 0 || step <= 0 || to! < from!) {
    throw new InvalidArgumentError('A range is written from:to:step.');
  }
  const steps = Math.floor((to! - from!) / step + 1e-9);
  if (steps >= VALUES_MAX) throw tooMany(steps + 1, 'values', VALUES_MAX);
  // 0.1 + 2 · 0.1 is not 0.3 until it is rounded.
  return Array.from({ length: steps + 1 }, (_, n) => Number((from! + n * step).toPrecision(12)));
};

/** Reads '2/4', the second of four parts. */
export function shardText(text: string): Shard {
  const [, part, of] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
  if (part === undefined || of === undefined || part < 1 || part > of) {
    throw new InvalidArgumentError('The parts of 4 are 1/4, 2/4, 3/4 and 4/4.');
  }
  return { part, of };
}

/** The name of a file. */
export function fileName(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('It is empty.');
}
