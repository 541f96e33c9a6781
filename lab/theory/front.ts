/** The highest clock: how fast it grows, and how far behind it the fastest machine is. */
import { freeTicks, sendShare, type Setting } from './balance.ts';
import { FEW, MANY } from './coefficients.ts';
import { equal, EQUAL_MAX, manyEqual } from './equal.ts';
import { fitted, type Traits } from './measured.ts';
import { type Pair, pairForEver } from './pair.ts';

/** How a number comes about, so how far it can be trusted. */
export type Basis =
  /** A chain or a queue that is solved; of two machines at a ratio like 2.5 right to 0.6 %. */
  | 'exact'
  /** Formulas with a factor that was measured on settings like this one. */
  | 'fitted'
  /** The same formulas where nothing was measured: a guess. */
  | 'outside';

/** What the fits hold for. Below, waves of messages run to and fro and the formulas fail. */
export const RANGE = { machines_max: 30, internal: [0.5, 0.92], load_max: 0.96 } as const;

/** The balance of a setting, and what pairs of its machines do. */
export interface Scene {
  rates_hz: number[];
  internal: number;
  send: number;
  free_hz: number[];
  sum_hz: number;
  /** Of the machine of the highest rate (of several, the first). */
  fastest: number;
  top_hz: number;
  /** Machines with free ticks; the others only take. */
  live: number[];
  /** c/R − 1, and the lag of the fastest machine, if each pair were alone. */
  pair_gain: number;
  pair_lag: number;
  /** Mean lag of the slower one where two machines are live and the ratio is below 2, else NaN. */
  slower_lag: number;
}

export interface Front extends Scene {
  /** c. */
  growth_hz: number;
  /** Mean lag of the fastest machine. */
  fastest_lag: number;
  basis: Basis;
}

/**
 * Balance and pairs.
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
 * at internal 0.7: N = 3 +0.2 %, 6 0 %, 10 −1 %, 30 −8 %; N = 3 at 0.5 +1.5 %. That is what the
 * fitted factor mends (`frontOf`).
 */
export function sceneOf({ rates_hz, internal }: Setting): Scene {
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
    rates_hz, internal, send, free_hz, sum_hz, fastest, top_hz, live,
    pair_gain: 1 - never, pair_lag: 1 - level, slower_lag,
  };
}

/** Steps of an integral over a period, and periods that are looked at. */
const [STEPS, PERIODS] = [10, 30];

const tiedOf = ({ rates_hz, top_hz }: Scene): number =>
  rates_hz.filter((rate) => rate === top_hz).length;

/**
 * What the growth of the front and the lag of the fastest machine hang on.
 *
 * How many are near the front: `leaders` counts machines by (r/R)⁸, `close` those above R/2 by how
 * far. How busy everybody is. `ahead`: how many peers have taken at once what the fastest sent on
 * its last tick, as Σ q·s_A/R·(r/R)·(s/r)/2 over the peers with an empty queue; `aheadAgain`: those
 * that tick again within its period. `pairs`: −ln of the chance that no pair has a peer ahead.
 */
export function frontTraits(scene: Scene): Traits {
  const { rates_hz, internal, send, free_hz, fastest, top_hz, live, pair_gain, pair_lag } = scene;
  const free = (id: number) => free_hz[id]! / rates_hz[id]!;
  const speed = (id: number) => rates_hz[id]! / top_hz;
  const sum = (ids: number[], value: (id: number) => number) =>
    ids.reduce((total, id) => total + value(id), 0);
  const peers = live.filter((id) => id !== fastest);
  const reached = send * free(fastest);
  const pairs = -Math.log1p(-Math.min(pair_lag, 1 - 1e-12));
  const ahead = (reached * sum(peers, (id) => speed(id) * free(id))) / 2;
  const crowd = crowdAhead(scene);
  const aheadAgain = reached * sum(peers, (id) => Math.max(0, 2 * speed(id) - 1) * free(id));
  return {
    machines: Math.log(rates_hz.length), live: Math.log(live.length), internal,
    topLoad: 1 - free(fastest), meanLoad: sum(live, (id) => 1 - free(id)) / live.length,
    meanSpeed: sum(live, speed) / live.length, nextSpeed: Math.max(0, ...peers.map(speed)),
    leaders: Math.log(sum(live, (id) => speed(id) ** 8)),
    nearest: Math.log(sum(live, (id) => speed(id) ** 32)),
    close: Math.log1p(sum(live, (id) => Math.max(0, 2 * speed(id) - 1))),
    tied: tiedOf(scene) / live.length, gain: Math.log1p(pair_gain),
    pairs: Math.log(pairs), pairsHeld: pairs / (1 + pairs),
    ahead: Math.log(ahead), aheadHeld: ahead / (1 + ahead),
    aheadAgain: aheadAgain / (0.3 + aheadAgain),
    crowd: Math.log(crowd), crowdHeld: crowd / (0.3 + crowd),
  };
}

/**
 * How long somebody is ahead of the fastest machine A through one tick of it, in its periods.
 *
 * A peer i with an empty queue, f_i of the time, takes at once what A sends: a third of the sends
 * reach all, the others one. It ticks x periods later, evenly, by chance r_i/R within the first;
 * from then on it is ahead by one until A ticks. With its next tick it is so again if that comes
 * before A's, and so on: it loses δ_i = R/r_i − 1 each time. So in the K-th period after the send
 * peer i is ahead at place x of it with chance (x − K·δ_i)⁺·f_i·r_i/R, somebody with one minus the
 * product. A's own news of it ends that, by chance q a period. Left out: who is ahead through
 * others.
 */
function crowdAhead({ rates_hz, internal, send, free_hz, fastest, top_hz, live }: Scene): number {
  const peers = live.filter((id) => id !== fastest)
    .map((id) => ({ takes: free_hz[id]! / top_hz, loss: top_hz / rates_hz[id]! - 1 }));
  const all = (1 - internal) / 3;
  const one = (2 * all) / (rates_hz.length - 1);
  let ahead = 0;
  for (let period = 0, still = 1; period < PERIODS; period++, still *= 1 - send) {
    for (let x = 0.5 / STEPS; x < 1; x += 1 / STEPS) {
      let [nobody, sum] = [1, 0];
      for (const { takes, loss } of peers) {
        const chance = takes * Math.max(0, x - period * loss);
        nobody *= 1 - chance;
        sum += chance;
      }
      ahead += (still / STEPS) * (all * (1 - nobody) + one * sum);
    }
  }
  return (ahead * free_hz[fastest]!) / top_hz;
}

/** The lag of the fastest machine by pairs, with more room above than 1 − Π has for many. */
export const pairLagHeld = ({ pairsHeld }: Traits): number => pairsHeld!;

/** Whether the fits were made on settings like this one. */
function basisOf({ rates_hz, internal, free_hz, live }: Scene): Basis {
  const [low, high] = RANGE.internal;
  const load = Math.max(...live.map((id) => 1 - free_hz[id]! / rates_hz[id]!));
  const within = rates_hz.length <= RANGE.machines_max && internal >= low && internal <= high
    && load <= RANGE.load_max;
  return within ? 'fitted' : 'outside';
}

const known = new Map<string, ReturnType<typeof equal>>();

/** Equal machines of a chain that is small enough, worked out once. */
function equalOnce(live: number, machines: number, internal: number) {
  const name = `${live} ${machines} ${internal}`;
  if (!known.has(name)) known.set(name, equal(live, machines, internal));
  return known.get(name)!;
}

/**
 * The highest clock's growth, and the fastest machine's lag.
 *
 * Exact for up to two live machines (`pair`), for up to four of one rate (`equal`), and where no
 * peer has half of the highest rate (c = R). More of one rate: `manyEqual`, partly fitted. Else the
 * gain of the pairs and their lag, each times a fitted factor. c < 2R always: who has received must
 * tick again before it sends, two steps in a period.
 * @throws RangeError if a rate is not above 0, or `internal` not in 0 … 1
 */
export function frontOf(setting: Setting): Front {
  const scene = sceneOf(setting);
  const { rates_hz, internal, send, top_hz, live, pair_gain, pair_lag } = scene;
  const tied = tiedOf(scene);
  if (send === 0 || (send === 1 && tied > 1)) {
    // Nothing is left to chance but the phases. Equal machines that never hear of each other: one
    // lags by 1 while it has not ticked in a period and another has. Two that always send: the
    // second is ahead from its tick to the first's, the first never.
    const fastest_lag = send === 0 ? 0.5 - 1 / (tied + 1) : 1 / 3;
    return { ...scene, growth_hz: top_hz * (1 + pair_gain), fastest_lag, basis: 'exact' };
  }
  if (live.length <= 2) {
    return { ...scene, growth_hz: top_hz * (1 + pair_gain), fastest_lag: pair_lag, basis: 'exact' };
  }
  if (tied === live.length && tied <= EQUAL_MAX) {
    const { growth, mean_lag } = equalOnce(tied, rates_hz.length, internal);
    return { ...scene, growth_hz: top_hz * growth, fastest_lag: mean_lag, basis: 'exact' };
  }
  if (tied === rates_hz.length) {
    const { growth, mean_lag } = manyEqual(tied, internal);
    const [low, high] = RANGE.internal;
    return { ...scene, growth_hz: top_hz * growth, fastest_lag: mean_lag,
      basis: internal >= low && internal <= high ? 'fitted' : 'outside' };
  }
  const fits = rates_hz.length === 3 ? FEW : MANY;
  const traits = frontTraits(scene);
  const gain = Math.min(pair_gain * Math.exp(fitted(fits.gain, traits)), 0.99);
  const lag = pairLagHeld(traits)
    * Math.exp(fitted(fits.fastest, { ...traits, gain: Math.log1p(gain) }));
  return { ...scene, growth_hz: top_hz * (1 + gain), fastest_lag: lag, basis: basisOf(scene) };
}

/** c, the growth of the highest clock. @see frontOf */
export const fastestGrowth_hz = (setting: Setting): number => frontOf(setting).growth_hz;
