/**
 * What lies between virtual machines: how long a message is under way, whether it arrives, and
 * whether it may overtake another.
 */

/** What lies between the machines. */
export interface Network {
  /** Model ms that a message is under way: 'constant:5', 'uniform:1,9', 'exponential:5' (mean). */
  latency: string;
  /** Chance that a message never arrives. */
  loss: number;
  /** Whether a message may overtake another on the same channel. */
  reorder: boolean;
}

/** Messages arrive at once, and all of them. */
export const PERFECT: Network = { latency: 'constant:0', loss: 0, reorder: false };

export interface Latency {
  kind: 'constant' | 'uniform' | 'exponential';
  /** The constant, the lower end or the mean, in ms. */
  from_ms: number;
  /** Of 'uniform' the upper end, else the same as `from_ms`. */
  to_ms: number;
}

/** Reads 'constant:5', 'uniform:1,9' or 'exponential:5'. @throws RangeError */
export function parseLatency(text: string): Latency {
  const found = /^(?:(constant|exponential):([^,]+)|(uniform):([^,]+),([^,]+))$/.exec(text);
  const kind = (found?.[1] ?? found?.[3]) as Latency['kind'];
  const from_ms = Number(found?.[2] ?? found?.[4]);
  const to_ms = Number(found?.[5] ?? from_ms);
  const valid = found && from_ms >= 0 && to_ms >= from_ms && to_ms < Infinity;
  if (valid) return { kind, from_ms, to_ms };
  throw new RangeError('It is not constant:5, uniform:1,9 or exponential:5 (ms).');
}

/** The latency in ms that a chance in [0, 1) stands for: the inverse of its distribution. */
export function delay_ms({ kind, from_ms, to_ms }: Latency, chance: number): number {
  if (kind === 'exponential') return -from_ms * logarithm(1 - chance);
  return from_ms + (to_ms - from_ms) * chance;
}

/**
 * The natural logarithm of x in (0, 1], to 15 digits. Math.log may differ in its last bit from one
 * computer to the next; this uses nothing but + − × ÷, which IEEE 754 fixes to the bit, in the
 * series ln x = 2·(z + z³/3 + z⁵/5 + …) with z = (x − 1)/(x + 1) (Abramowitz & Stegun 4.1.27).
 */
export function logarithm(x: number): number {
  let halvings = 0;
  for (; x < 0.5; x *= 2) halvings++;
  const z = (x - 1) / (x + 1);
  let sum = 0;
  for (let odd = 33; odd > 0; odd -= 2) sum = sum * z * z + 1 / odd;
  return 2 * z * sum - halvings * 0.6931471805599453;
}

/** A message under way. */
export interface Flight {
  at_s: number;
  /** Counts the messages of a run in the order in which they were sent. */
  order: number;
  from: number;
  clock: number;
}
export const earlier = (a: Flight, b: Flight) => a.at_s - b.at_s || a.order - b.order;
