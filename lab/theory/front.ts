/** The highest clock: how fast it grows, and how far behind it the fastest machine is. */
import { freeTicks, sendShare, type Setting } from './balance.ts';
import { type Pair, pairForEver } from './pair.ts';

/** The balance of a setting, and what is known of its front. */
export interface Front {
  rates_hz: number[];
  send: number;
  free_hz: number[];
  sum_hz: number;
  /** Of the machine of the highest rate (of several, the first). */
  fastest: number;
  /** Machines with free ticks; the others only take. */
  live: number[];
  /** c. */
  growth_hz: number;
  /** Mean lag of the fastest machine. */
  fastest_lag: number;
  /** Mean lag of the slower one where two machines are live and the ratio is below 2, else NaN. */
  slower_lag: number;
}

/**
 * The growth of the highest clock, and how far the fastest machine is behind it.
 *
 * The highest clock goes up by one with each tick of a machine that holds it, so the fastest
 * machine A alone gives c ≥ R. But whoever takes a message at once is *ahead* of its sender until
 * that one ticks again, and if it sends from there, the sender jumps: a message that goes to and
 * fro between two ticks carries the clock faster than any machine's own ticks. Of two machines,
 * `pair` knows the gain. Of more, each live peer gives A such gains, and A has lost a tick in a
 * period only once: c = R + R·(1 − Π(1 − gain_i·r_i/R)), and likewise for the lag of A. Each pair
 * is taken by itself, with q times the share of A's ticks that the others' messages leave free.
 *
 * Exact for up to two live machines, and c = R where no peer is faster than R/2 (a way round over
 * several peers is no shorter). Left out of more: chains that close only over three machines (c
 * too low for many) and a gain that undoes another (too high where much is sent). Equal machines
 * at internal 0.7: N = 3 +0.2 %, 6 0 %, 10 −1 %, 30 −8 %; N = 3 at 0.5 +2 %, at 0.2 +5 %.
 * c < 2R always: who has received must tick again before it sends, two steps in a period.
 */
export function frontOf({ rates_hz, internal }: Setting): Front {
  if (!rates_hz.every((rate) => rate > 0 && rate < Infinity)) {
    throw new RangeError(`rates_hz ${rates_hz}: each is above 0`);
  }
  if (!(internal >= 0 && internal <= 1)) throw new RangeError(`internal ${internal}: not in 0 … 1`);
  const send = sendShare(rates_hz.length, internal);
  const { free_hz, sum_hz } = freeTicks(rates_hz, send);
  const top_hz = Math.max(...rates_hz);
  const fastest = rates_hz.indexOf(top_hz);
  const live = [...rates_hz.keys()].filter((id) => free_hz[id]! > 0);
  const pairs = new Map<number, Pair>(); // By the peer's rate.
  let [level, never] = [1, 1]; // Chances that no peer is ahead now, or makes A jump in a period.
  for (const id of live.filter((id) => id !== fastest && send > 0)) {
    const rate = rates_hz[id]!;
    const others_hz = send * (sum_hz - free_hz[id]! - free_hz[fastest]!);
    const both = pairs.get(rate)
      ?? pairForEver(top_hz / rate, send * Math.max(0, 1 - others_hz / top_hz));
    pairs.set(rate, both);
    never *= 1 - (both.gain * rate) / top_hz;
    level *= 1 - both.fast_lag;
  }
  const slower_lag = live.length === 2 ? [...pairs.values()][0]?.slow_lag ?? NaN : NaN;
  return {
    rates_hz, send, free_hz, sum_hz, fastest, live, growth_hz: top_hz * (2 - never),
    fastest_lag: 1 - level, slower_lag,
  };
}

/** c, the growth of the highest clock. @see frontOf */
export const fastestGrowth_hz = (setting: Setting): number => frontOf(setting).growth_hz;
