/** What lies between machines in virtual time: latency, loss and the order on a channel. */
import { logarithm } from './chance.ts';

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

/** A plain decimal number and nothing else: no blank, no sign, no hexadecimal. */
const NUMBER = String.raw`((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)`;
const LATENCY = new RegExp(`^(?:(constant|exponential):${NUMBER}|(uniform):${NUMBER},${NUMBER})$`);

/** Reads 'constant:5', 'uniform:1,9' or 'exponential:5'. @throws RangeError with one sentence */
export function parseLatency(text: string): Latency {
  const found = LATENCY.exec(text);
  const kind = (found?.[1] ?? found?.[3]) as Latency['kind'];
  const from_ms = Number(found?.[2] ?? found?.[4]);
  const to_ms = Number(found?.[5] ?? from_ms);
  if (found && to_ms >= from_ms && to_ms < Infinity) return { kind, from_ms, to_ms };
  throw new RangeError('It is not constant:5, uniform:1,9 or exponential:5 (ms).');
}

/** The latency in ms that a chance in [0, 1) stands for: the inverse of its distribution. */
export function delay_ms({ kind, from_ms, to_ms }: Latency, chance: number): number {
  if (kind === 'exponential') return -from_ms * logarithm(1 - chance);
  return from_ms + (to_ms - from_ms) * chance;
}
