/** Two machines, exactly: a chain that is carried from slot to slot. */

/** Slots in which two machines forget how they began, at most: for loads from 0.0004 to 0.98. */
const SLOTS_MAX = 20_000;
/** States that are less likely than this are left out of the pair's chain. */
const UNLIKELY = 1e-12;
/** Ratios of rates are fractions with a denominator up to this, or averaged over so many slots. */
const DENOMINATOR_MAX = 1000;

/** Of two machines that are free to send to each other. */
export interface Pair {
  /** Jumps of the fast machine in one of the slow one's periods: what the top clock gains. */
  gain: number;
  /** Mean lag of the slow and of the fast machine. */
  slow_lag: number;
  fast_lag: number;
  receive_share: number;
}

/**
 * A fast machine A (rate R) and a slow one B (rate r), exactly, over a number of B's periods.
 *
 * Seen from B's ticks, little must be known. A slot (from one tick of B to the next) holds k ticks
 * of A: of a ratio K = R/r between 1 and 2 one or two, in the fixed order in which two rhythms
 * meet. Let D = C_A − C_B. B takes messages in the order in which they were sent, and each is at
 * least as high as its clock, so after a receive D = τ − 1 with τ the ticks of A since that
 * message was sent; and each of these τ ticks has sent by its own die, unseen so far. The next
 * message that B takes is the first of τ + k tries of chance q: a geometric number of ticks
 * further. So (D; received, free, or free and sent) after a tick of B is a Markov chain, and its
 * distribution is carried from slot to slot without a simulation. After B has sent, A's next tick
 * receives: it does not send, and if B was ahead (D = −1) A jumps, D rising by 2.
 *
 * K = 1 in closed form: with u = 1/((2 − q)(1 + q)) the gain is q(1 − q)u, so c = r·(1 + gain), and
 * both lags are (1 − u)/2. K ≥ 2 has gain 0: a slow machine is ahead only when it takes a message
 * at once, and A ticks twice before it could send of it, so c = R exactly.
 *
 * Phases are averaged: for K = m/n by starting at the middle of a cell of length 1/n, else the
 * slots do it themselves. Left out is no more than a part of the first slot.
 * @param ratio K
 * @param from,to the periods of B that are averaged: 0 and r·T are a run of T s from its start
 * @throws RangeError if the ratio is below 1
 * @example pair(10 / 3, sendShare(2, 0.7), 0, 3 * 60).slow_lag // 18.9, a minute of 3-10
 */
export function pair(ratio: number, send: number, from: number, to: number): Pair {
  if (!(ratio >= 1)) throw new RangeError(`ratio ${ratio}: the first machine is the faster one`);
  const quiet = 1 - send;
  let until = 0.5 / denominator(ratio); // From B's tick to A's next, in periods of A.
  // After a tick of B: chances of each τ if it received; if it was free, the chance of that, the
  // sum of chance·D, and the part of the chance with D = −1.
  let received = Float64Array.of(0);
  let [free, height, ahead] = [1, 0, 0];
  let [gain, slow_lag, fast_lag, receives] = [0, 0, 0, 0];
  for (let slot = 0; slot < to; slot++) {
    const ticks = Math.ceil(ratio - until);
    const after = ratio - until; // The slot from A's first tick on, in which A climbs so much:
    const climb = ((ticks - 1) * ticks) / 2 + ticks * (after - ticks + 1);
    const lead = (ahead + received[0]!) * until; // Then B is ahead, and it is A that lags by 1.
    let lag = height * ratio + free * climb + lead + ahead * send * after;

    // All ticks since the last message may have sent what B takes next, or those of this slot, or
    // these but the first. The earliest that did decides; if none did, B is free.
    const tries = new Float64Array(received.length + ticks);
    tries.set(received, ticks);
    tries[ticks]! += free * quiet;
    tries[ticks - 1]! += free * send;
    const [none, noneButFirst] = [quiet * quiet ** ticks, send * quiet ** (ticks - 1)];
    const still = none + noneButFirst;
    let height_next = (height + free * (ticks - 1)) * still + ahead * noneButFirst;
    let free_next = free * still;
    for (let age = 0, silence = quiet ** ticks; age < received.length; age++, silence *= quiet) {
      const chance = received[age]!;
      lag += chance * (climb + (age - 1) * ratio);
      free_next += chance * silence;
      height_next += chance * silence * (age + ticks - 2);
    }
    if (slot >= from) {
      slow_lag += lag / ratio;
      fast_lag += lead / ratio;
      gain += ahead * send;
    }
    ahead = ticks === 1 ? ahead * none + received[0]! * quiet : 0;
    [free, height] = [free_next, height_next];
    received = new Float64Array(tries.length - 1);
    for (let age = received.length - 1, chance = 0; age >= 0; age--) {
      chance = chance * quiet + tries[age + 1]!;
      received[age] = chance * send;
    }
    let length = received.length;
    while (length > 1 && received[length - 1]! < UNLIKELY) length--;
    received = received.subarray(0, length);
    if (slot >= from) receives += 1 - free;
    until += ticks - ratio;
  }
  const slots = to - from;
  return {
    gain: gain / slots, slow_lag: slow_lag / slots, fast_lag: fast_lag / slots,
    receive_share: receives / slots,
  };
}

/** The least n for which ratio·n is whole: a rhythm that comes back. None: DENOMINATOR_MAX. */
function denominator(ratio: number): number {
  let n = 1;
  while (n < DENOMINATOR_MAX && Math.abs(ratio * n - Math.round(ratio * n)) > 1e-9) n++;
  return n;
}

/** What two machines gain and how often the slow one is ahead, in the long run. */
export function pairForEver(ratio: number, send: number): Pair {
  const load = ratio === 1 ? send / (1 + send)
    : Math.min(1, (send * (ratio - send)) / (1 - send ** 2));
  if (ratio >= 2) {
    // It is ahead when it takes at once what A sent on its last tick, until A ticks again.
    const fast_lag = ((1 - load) * send) / (1 - send) / (2 * ratio);
    return { gain: 0, slow_lag: NaN, fast_lag, receive_share: load };
  }
  // The start is forgotten at the next message, and near load 1 as slowly as a queue forgets.
  const from = Math.ceil(Math.min(SLOTS_MAX, 8 / load + 8 / (1 - load) ** 2));
  return pair(ratio, send, from, from + denominator(ratio));
}
