/** The lag below the boundary: a sawtooth, a queue, and messages that are not of the newest. */
import type { Front } from './front.ts';

/** Steps of an integral over one exponential's length, and lengths: an error below 0.1 %. */
const STEPS = 20;
const LENGTHS = 15;
/** How often lags that hang on each other's are worked out again: the third time adds nothing. */
const PASSES = 2;

/** What comes to a machine, by its own periods (slots), while it is busy. */
interface Inbox {
  /** κ, free ticks of the others in a slot: each sends here by chance q. */
  tries: number;
  /** b, ticks that the others lose by a free tick of this machine, over q. */
  lost: number;
  /** Variance of the messages in a slot in the long run, over that of κ dice: κ·q·(1 − q). */
  spread: number;
}

/**
 * The other live machines, m of them, also receive from each other. While this one is busy and so
 * silent, their free ticks are s_i = r_i − q·(Σ s − s_i), which adds up to Σ s = Σ r/h with
 * h = 1 + (m − 1)·q: that is κ·r. A free tick here costs them q·m ticks, of which they give a part
 * back to each other: b = m/h. And a message between two of them costs this machine q/h messages
 * later, which makes its stream more even than dice: what a tick adds in the long run varies as
 * (sends here) − (q/h)·(sends to the other live peers).
 */
export function inboxOf({ rates_hz, send, live }: Front, id: number): Inbox {
  const others = live.filter((other) => other !== id);
  const [m, N] = [others.length, rates_hz.length];
  const h = 1 + (m - 1) * send;
  const back = send / h;
  const dice = send * (1 - send);
  // Two given peers both get a message by a send to all: a third of the sends.
  const both = send / (2 / (N - 1) + 1) - send ** 2;
  const variance = dice * (1 + back ** 2 * (m - 1)) + both * (m - 1) * back * (back * (m - 2) - 2);
  const sum_hz = others.reduce((sum, other) => sum + rates_hz[other]!, 0);
  return { tries: sum_hz / h / rates_hz[id]!, lost: m / h, spread: m < 2 ? 1 : variance / dice };
}

/**
 * How far the fastest clock is ahead of a machine that hears the fastest clock in every message.
 *
 * A queue in slots, solved by generating functions. With x = 1 − q + q·w a slot brings messages by
 * A(w) = x^κ, the slot after a free tick by B(w) = x^κ·(1 − q + q/x)^b. Let π = 1 − ρ be the share
 * of free ticks. What a receive leaves waiting has D(w), where ρ·D(w) = π·(1 − B(w))/(A(w) − w):
 * D(1) = 1 gives π = (1 − A')/(1 − A' + B') at w = 1, the same as the fluid balance.
 * First come, first served: what a message leaves waiting was sent in the τ tries since it was
 * sent itself, so D(w) is the mean of x^τ. Hence ρ·E[τ] = ρ·D'(1)/q and, of those that leave
 * nothing, ρ·E[τ; nothing left] = ρ·D'(0)·(1 − q)/q.
 *
 * The lag is a sawtooth (the age of information: Kaul, Yates, Gruteser, INFOCOM 2012). Y slots from
 * one receive to the next; Y = 1 if something waits, else 1 + the slots until something comes. With
 * n = π/(1 − B(0)), the mean number of own free ticks since the last receive, ρ·E[Y²] = 1 + 2n, and
 *     mean age in slots = 1/2 + n + (ρ·E[Y·τ] + 1/2)/κ.
 * In these slots the top clock climbs by c/r each (less 1/2, since it stands still between ticks),
 * and the machine's own climbed 1 at the receive and n since. So for two machines with K = R/r
 *     gap = K/2 − 1 + (K − 1)·n + ρ·E[Y·τ].
 * K/2 − 1: half a period of the slow one, less the + 1 of the receive. (K − 1)·n: what is lost
 * while nothing comes. ρ·E[Y·τ]: the wait in the queue, which near the boundary is all.
 *
 * Exact for two machines with an integer ratio from 2 on; at others x^κ smooths over slots of ⌊K⌋
 * and ⌈K⌉ ticks: 0.6 % too low at most (below 2 `pair` is used). Left out of more machines: senders
 * whose free ticks do not fall evenly, and the bursts that this adds or takes.
 */
function gapBehind({ tries, lost, spread }: Inbox, send: number, climb: number): number {
  const quiet = 1 - send;
  const A0 = quiet ** tries;
  const B0 = A0 * (quiet + send / quiet) ** lost;
  const slopeA0 = (A0 * tries * send) / quiet;
  const slopeB0 = B0 * ((tries * send) / quiet - (lost * send ** 2) / (quiet ** 3 + quiet * send));
  const A1 = tries * send;
  const B1 = A1 - lost * send ** 2;
  const dice = tries * (tries - 1) * send ** 2;
  const A2 = dice - (1 - spread) * tries * send * quiet;
  const B2 = dice - 2 * A1 * lost * send ** 2 + lost * (lost - 1) * send ** 4
    + 2 * lost * send ** 3;
  const free = (1 - A1) / (1 - A1 + B1);
  const wait = (free * (B2 + (B1 * A2) / (1 - A1))) / (2 * (1 - A1)) / send;
  const slope = (free * ((1 - B0) * (1 - slopeA0) - slopeB0 * A0)) / A0 ** 2;
  const waitLong = wait + ((A0 / (1 - B0)) * slope * quiet) / send;
  const since = free / (1 - B0);
  return climb * (0.5 + since + (waitLong + 0.5) / tries) - 0.5 - 1 - since;
}

/**
 * What is added because messages of slower machines carry older clocks.
 *
 * Look back from the last message that was taken: older ones come at rate λ, each of a sender by
 * its share of the messages. One that is y seconds older and whose sender was behind by L costs
 * g·y + L, g = c − r being what this machine loses while it goes on by itself; the best of all
 * counts. With L exponential of mean L_i for sender i, and independent,
 *     P(cost > z) = P(L > z)·exp(−(λ/g)·∫₀ᶻ P(L ≤ u) du),
 * whose integral over z is the answer. One informed sender and one that knows nothing: g·(1/λ_A −
 * 1/λ), as it must be. Left out: that gaps before a long silence are longer than others, and that
 * the L of one sender's messages in a row are alike; both make the real cost larger (with six
 * machines by a tenth of the lag).
 * @param senders the messages a second of each, and its L
 */
export function staleness(senders: { arrival_hz: number; behind: number }[], loss_hz: number): number {
  const sum_hz = senders.reduce((sum, { arrival_hz }) => sum + arrival_hz, 0);
  const informed_hz = senders.reduce((sum, { arrival_hz, behind }) =>
    sum + (behind === 0 ? arrival_hz : 0), 0);
  if (informed_hz === sum_hz) return 0;
  const step = loss_hz / informed_hz / STEPS;
  let mean = 0;
  for (let z = step / 2; z < (LENGTHS * loss_hz) / informed_hz; z += step) {
    let [above, sum] = [0, 0];
    for (const { arrival_hz, behind } of senders) {
      const tail = behind === Infinity ? 1 : behind === 0 ? 0 : Math.exp(-z / behind);
      above += (arrival_hz / sum_hz) * tail;
      sum += arrival_hz * (behind === Infinity ? 0 : z - behind * (1 - tail));
    }
    mean += above * Math.exp(-sum / loss_hz) * step;
  }
  return mean;
}

/** How far the fastest clock is ahead on average, for each rate of a live machine. */
export function gapsOf(front: Front): { gaps: Map<number, number>; members: Map<number, number[]> } {
  const { rates_hz, send, live, fastest, growth_hz } = front;
  const top_hz = rates_hz[fastest]!;
  const rates = [...new Set(live.map((id) => rates_hz[id]!))].sort((a, b) => b - a);
  const members = new Map(rates.map((rate) => [rate, live.filter((id) => rates_hz[id] === rate)]));
  const gaps = new Map([[top_hz, 0]]);
  for (let pass = 0; pass < PASSES; pass++) {
    for (const rate of rates.slice(1)) {
      const id = members.get(rate)![0]!;
      const own = gapBehind(inboxOf(front, id), send, growth_hz / rate);
      const stale = staleness(sendersTo(front, { gaps, members }, rate), growth_hz - rate);
      gaps.set(rate, own + stale);
    }
  }
  return { gaps, members };
}

/** Who sends to a machine of a rate, and how far behind; Infinity if that is not yet known. */
export function sendersTo(
  { send, free_hz, growth_hz }: Front, { gaps, members }: ReturnType<typeof gapsOf>,
  rate_hz: number,
) {
  return [...members].map(([rate, ids]) => ({
    arrival_hz: send * free_hz[ids[0]!]! * (ids.length - (rate === rate_hz ? 1 : 0)),
    // When it sends it has just ticked: half a period's climb less than on average.
    behind: Math.max(0, (gaps.get(rate) ?? Infinity) + 0.5 - growth_hz / rate / 2),
  }));
}

/** Mean lag of each machine in the long run. */
export function meanLags(front: Front): number[] {
  const { rates_hz, send, free_hz, fastest, fastest_lag, slower_lag } = front;
  const top_hz = rates_hz[fastest]!;
  const tied = rates_hz.filter((rate) => rate === top_hz).length;
  if (send === 0 || (send === 1 && tied > 1)) {
    // Nothing is left to chance but the phases. Equal machines that never hear of each other: one
    // lags by 1 while it has not ticked in a period and another has. Two that always send: the
    // second is ahead from its tick to the first's, the first never.
    const lag = send === 0 ? 0.5 - 1 / (tied + 1) : 1 / 3;
    return rates_hz.map((rate) => (rate === top_hz ? lag : Infinity));
  }
  const { gaps } = gapsOf(front);
  return rates_hz.map((rate, id) => {
    if (free_hz[id] === 0) return Infinity;
    return rate < top_hz && slower_lag > 0 ? slower_lag : fastest_lag + gaps.get(rate)!;
  });
}
