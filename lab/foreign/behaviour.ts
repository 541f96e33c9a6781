/**
 * How the numbers of a slot behave along a file: a clock rises by one at most own events, a queue
 * does not, a row's number is nothing but its place.
 */
import type { Line, Shape } from './shapes.ts';

/** A number as it is written, `16.0` too; NaN for what is none. */
export function numberOf(text: string | undefined): number {
  // Nearly all are this, and this is asked of every cell several times.
  if (text !== undefined && /^\d+$/.test(text)) return Number(text);
  const cut = (text ?? '').trim().replace(/^["'[(](.*)["'\])]$/, '$1');
  return /^-?\d+(?:\.\d+)?(?:e[-+]?\d+)?$/i.test(cut) ? Number(cut) : NaN;
}

/** The numbers of a list or a vector clock, in whatever brackets. */
export function listOf(text: string): number[] {
  if (/^\s*\{/.test(text))
    return [...text.matchAll(/:\s*(-?\d+)/g)].map((match) => Number(match[1]));
  return [...text.matchAll(/-?\d+/g)].map((match) => Number(match[0]));
}

/** A part of a vector clock, with the machine's name in front or without. */
const PART = String.raw`(?:['"]?\w+['"]?\s*:\s*)?\d+`;
const VECTOR = new RegExp(
  String.raw`^\s*["']?[[({]?\s*${PART}(?:[,;\s]+${PART})+\s*[\])}]?["']?\s*$`,
);

/** Whether a text is a list of at least two whole numbers. */
export const isVector = (text: string): boolean => VECTOR.test(text);

/** A clock's value: of a vector the sum, the number of events that it has heard of. */
export function clockOf(text: string | undefined): number {
  const value = numberOf(text);
  if (!Number.isNaN(value)) return Number.isInteger(value) ? value : NaN;
  return text !== undefined && isVector(text)
    ? listOf(text).reduce((sum, part) => sum + part, 0)
    : NaN;
}

export interface Behaviour {
  /** Shares of the lines, of the steps from line to line of this shape, in one file. */
  whole: number;
  rising: number;
  falling: number;
  /** Of lines that follow each other at once: steps of exactly one; NaN if no two do. */
  ones: number;
  /** Every step is the number of lines between. */
  index: boolean;
  distinct: number;
  least: number;
  most: number;
  /** Median step where it rises. */
  step: number;
}

const SAMPLE = 20_000;

/** @param key lines of one machine have the same */
export function behaviour(
  shape: Shape,
  slot: number,
  key: (line: Line) => string | number,
): Behaviour {
  const last = new Map<string | number, { value: number; line: Line }>();
  const seen = new Set<number>();
  const rises: number[] = [];
  let [whole, steps, rising, falling, adjacent, ones, index] = [0, 0, 0, 0, 0, 0, 0];
  let [least, most] = [Infinity, -Infinity];
  const lines = shape.lines.slice(0, SAMPLE);
  for (const line of lines) {
    const value = clockOf(line.values[slot]);
    if (Number.isNaN(value)) continue;
    whole++;
    if (seen.size < 1000) seen.add(value);
    [least, most] = [Math.min(least, value), Math.max(most, value)];
    const before = last.get(key(line));
    last.set(key(line), { value, line });
    if (!before) continue;
    steps++;
    const step = value - before.value;
    const apart = line.record - before.line.record;
    if (step > 0) {
      rising++;
      rises.push(step);
    }
    if (step < 0) falling++;
    if (step === apart) index++;
    if (apart === line.span || apart === line.span + 1) {
      adjacent++;
      if (step === 1) ones++;
    }
  }
  rises.sort((a, b) => a - b);
  return {
    whole: whole / lines.length,
    rising: rising / (steps || 1),
    falling: falling / (steps || 1),
    ones: adjacent > 4 ? ones / adjacent : NaN,
    index: steps > 5 && index === steps,
    distinct: seen.size,
    least,
    most,
    step: rises[Math.floor(rises.length / 2)] ?? 0,
  };
}

/** From 0 to 8, how much a slot behaves as a clock; below 0: it cannot be one. */
export function clockness(how: Behaviour, lines: number): number {
  if (how.whole < 0.98 || how.least < -1) return -9;
  if (lines > 8 && how.distinct < 3) return -9;
  if (how.most > 2e8 || how.step > 60) return -9;
  const ordered = Math.max(-1, 1 - how.falling * 8);
  return (
    3 * ordered +
    2 * how.rising +
    (Number.isNaN(how.ones) ? 0.7 : 2 * how.ones) -
    (how.index ? 2.5 : 0) -
    (lines > 20 && how.rising < 0.3 ? 3 : 0)
  );
}
