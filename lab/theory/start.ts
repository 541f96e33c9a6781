/** A run from its start: clocks and queues begin with nothing. */
import type { Setting } from './balance.ts';
import { normalBelow } from './cephes.ts';
import { frontOf } from './front.ts';
import { inboxOf, meanLags, staleness } from './lag.ts';

/** Terms of a sum for the queue's limit, at most: enough for loads up to 0.995. */
const TERMS_MAX = 2e6;
/** So many deviations from 0 a normal variable's sign leaves no trace in 53 bits. */
const CERTAIN = 9;

/**
 * Mean lag over a run of some length that starts from nothing, for any load.
 *
 * The queue left after k slots, from an empty one, is the highest of a random walk's first k
 * places, whose steps are (messages of a slot − 1), so by Spitzer's identity (1956)
 *     E[Q_k] = Σ_{i ≤ k} E[S_i⁺]/i,
 * S_i being normal with mean i·(q·κ − 1) and variance i·κ·q·(1 − q)·spread (see inboxOf). A message
 * that leaves Q behind is Q/λ s old and so costs Q·c/λ. Below the boundary the mean lag is short of
 * its long run by c/λ times what the queue is short of its own. Above, and next to it below, where
 * this is more, the lag is c/λ·Q and half a slot's climb less the + 1 of the receive. **At the
 * boundary** E[Q] = √(2·variance·k/π): the lag grows as the square root of time, for two machines
 * lag(t) ≈ √(2·(1 − q)·r·t/π)/q.
 *
 * Left out: that steps are whole numbers, that the other machines begin with empty queues too, and
 * that a sawtooth begins at 0, which matters in runs of a few seconds.
 * Over a minute, against sweeps: 1-2, 1-3, 1-4 and 3-10 2 %, −2 %, 3 % and 1 %; 1-4-6 and
 * 5-60-5 0.5 % and less, 2-4-1 −2 %; 2-3 at internal 0.34 and 0.4 6 % and 7 %.
 * @throws RangeError as predict
 */
export function meanLagOverRun(setting: Setting, duration_s: number): number[] {
  const front = frontOf(setting);
  const { rates_hz, send, fastest, growth_hz, fastest_lag } = front;
  const lags = meanLags(front);
  const top_hz = rates_hz[fastest]!;
  if (send === 0) {
    return rates_hz.map((rate) => ((top_hz - rate) * duration_s) / 2 + lags[fastest]!);
  }
  return rates_hz.map((rate, id) => {
    if (rate === top_hz) return lags[id]!;
    const inbox = inboxOf(front, id);
    const step = inbox.tries * send - 1;
    const variance = inbox.tries * send * (1 - send) * inbox.spread;
    const climb = growth_hz / rate;
    const cost = climb / (step + 1);
    const { mean, limit } = queueFromNothing(step, variance, Math.max(1, rate * duration_s));
    const stale = staleness(front, id);
    const tooth = climb * (0.5 + 0.5 / inbox.tries) - 1.5;
    const fromNothing = Math.max(0, cost * mean + tooth + stale + fastest_lag);
    // Next to the boundary the long run is too far away for its lag to be of help.
    return limit === Infinity ? fromNothing
      : Math.max(fromNothing, lags[id]! - cost * (limit - mean));
  });
}

/** Mean of E[Q_k] over the first slots, and its limit if there is one that can be reached. */
function queueFromNothing(step: number, variance: number, slots: number) {
  // E[S_i⁺]/i adds to every later queue; below the boundary it dies out with i·step²/variance.
  const enough = step < 0 ? (60 * variance) / step ** 2 : Infinity;
  const last = enough < TERMS_MAX ? Math.max(slots, enough) : slots;
  let [queue, sum, i] = [0, 0, 1];
  for (; i < last; i++) {
    const deviation = Math.sqrt(variance * i);
    const z = (step * i) / deviation;
    if (Math.abs(z) > CERTAIN || deviation === 0) break;
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    queue += step * normalBelow(z) + (deviation / i) * density;
    if (i < slots) sum += queue;
  }
  // From there on each slot adds all of a step, or nothing.
  const more = Math.max(0, Math.ceil(slots) - i);
  sum += more * queue + (Math.max(0, step) * more * (more + 1)) / 2;
  return { mean: sum / slots, limit: enough < TERMS_MAX ? queue : Infinity };
}
