/** The lag below the boundary: a sawtooth, a queue, and messages that are not of the newest. */
import { FEW, MANY } from './coefficients.ts';
import { type Front, frontTraits, type Scene } from './front.ts';
import { fitted, type Traits } from './measured.ts';

/** Classes of machines that ancestors are counted in, at most: a fourth changes nothing. */
const CLASSES = 3;
/** The least that a machine is behind when it sends: what is ahead of the front ends the search. */
const BEHIND_MIN = 0.02;
/** The formulas' lag counts as no less than this where its logarithm is taken. */
const FORMULA_MIN = 0.1;

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
export function inboxOf({ rates_hz, send, live }: Scene, id: number): Inbox {
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
export function gapBehind({ tries, lost, spread }: Inbox, send: number, climb: number): number {
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

/** Own gap of a live machine: how far behind it is if each message is of the newest. */
function ownGap(front: Front, id: number): number {
  const rate = front.rates_hz[id]!;
  if (rate === front.top_hz) return 0;
  return gapBehind(inboxOf(front, id), front.send, front.growth_hz / rate);
}

/** Machines taken as one another's like: how many, their free ticks, how fast they tell. */
interface Class {
  many: number;
  free_hz: number;
  /** Seconds of such a machine's past that are looked through for each unit of lag. */
  look: number;
}

/** The live machines but for one and the fastest, in classes of neighbouring rates. */
function classesBeside(front: Front, id: number): Class[] {
  const { rates_hz, send, free_hz, sum_hz, growth_hz, live, top_hz } = front;
  const others = live.filter((other) => other !== id && rates_hz[other]! < top_hz)
    .sort((a, b) => rates_hz[b]! - rates_hz[a]!);
  const rates = [...new Set(others.map((other) => rates_hz[other]!))];
  const groups = rates.length <= CLASSES
    ? rates.map((rate) => others.filter((other) => rates_hz[other] === rate))
    : Array.from({ length: CLASSES }, (_, nth) => others.slice(
      Math.floor((nth * others.length) / CLASSES),
      Math.floor(((nth + 1) * others.length) / CLASSES)));
  const look = (other: number) => {
    // When it sends it has just ticked: half a period's climb less than on average.
    const behind = ownGap(front, other) + 0.5 - growth_hz / (2 * rates_hz[other]!);
    return 1 / (send * (sum_hz - free_hz[other]!) * Math.max(BEHIND_MIN, behind));
  };
  const mean = (group: number[], value: (other: number) => number) =>
    group.reduce((sum, other) => sum + value(other), 0) / group.length;
  return groups.map((group) => ({
    many: group.length, free_hz: mean(group, (other) => free_hz[other]!), look: mean(group, look),
  }));
}

/**
 * What is added because messages of slower machines carry older clocks.
 *
 * Look back from a message that machine j took. Its sender's clock came from somewhere: from its
 * own ticks, from messages that it took, and so on. The set U of machines whose past still counts
 * grows by the senders of those messages, and the search ends when it has heard the fastest, A,
 * which knows the front. Let z be how much the front has climbed above the path so far. A machine
 * that loses c − r_j a second is looked through for 1/(c − r_j) seconds a unit of z: that is j
 * itself. Another one, whose messages come in at λ and which is behind by h when it sends, finds
 * its next message in h on average: 1/(λ·h) seconds. A free tick of l reaches a given one of U by
 * chance u = 2(1 − internal)/(3(N − 1)), all of them by b = (1 − internal)/3 in one message, so
 * messages of l are found at s_l·φ(U) a unit, φ(U) = u·Σ look_m + b·max look_m, and
 *     E(U) = (1 + Σ_l s_l·φ(U)·E(U ∪ l)) / (s_A·φ(U) + Σ_l s_l·φ(U)),   l outside U,
 * whose mean over the senders of j is the answer. U is counted by classes of rates.
 *
 * Left out: what is waiting in the queues on the way, that h is no exponential, and that a front
 * of many has no single A. By itself, before any factor, it brings the lag of three machines at
 * internal 0.7 to 0.9 to 1.5 % on average, and that of many at 0.5 to no better than 12 %.
 */
export function staleness(front: Front, id: number): number {
  const { rates_hz, internal, free_hz, sum_hz, growth_hz, live, top_hz } = front;
  const classes = classesBeside(front, id);
  const one = (2 * (1 - internal)) / (3 * (rates_hz.length - 1));
  const all = (1 - internal) / 3;
  const own = 1 / (growth_hz - rates_hz[id]!);
  const fastest_hz = live.filter((other) => other !== id && rates_hz[other] === top_hz)
    .reduce((sum, other) => sum + free_hz[other]!, 0);
  const found = new Map<string, number>();
  const search = (counts: number[]): number => {
    const name = counts.join();
    const before = found.get(name);
    if (before !== undefined) return before;
    const looks = classes.flatMap(({ look }, nth) => (counts[nth]! > 0 ? [look] : []));
    const sum = classes.reduce((sum, { look }, nth) => sum + counts[nth]! * look, own);
    const finds = one * sum + all * Math.max(own, ...looks);
    let [above, below] = [1, fastest_hz * finds];
    for (const [nth, { many, free_hz }] of classes.entries()) {
      if (counts[nth] === many) continue;
      const rate = (many - counts[nth]!) * free_hz * finds;
      above += rate * search(counts.map((count, place) => count + (place === nth ? 1 : 0)));
      below += rate;
    }
    found.set(name, above / below);
    return above / below;
  };
  return classes.reduce((sum, { many, free_hz }, nth) => sum + many * free_hz
    * search(classes.map((_, place) => (place === nth ? 1 : 0))), 0) / (sum_hz - free_hz[id]!);
}

/** What a machine loses from one message to the next, (c − r)/λ: the scale of its lag. */
export const lossBetween = ({ rates_hz, send, sum_hz, free_hz, growth_hz }: Front, id: number) =>
  (growth_hz - rates_hz[id]!) / (send * (sum_hz - free_hz[id]!));

/**
 * What the lag of a machine that is not the fastest hangs on: the front and who is near it, its own
 * speed and load, the scale of its lag, and what the formulas say of it: `formula` own gap,
 * staleness and the fastest machine's lag, `stale` the middle one's share.
 * @param shared frontTraits of the front
 */
export function lagTraits(front: Front, id: number, shared: Traits): Traits {
  const { rates_hz, send, free_hz, sum_hz, growth_hz, top_hz, fastest, fastest_lag } = front;
  const rate = rates_hz[id]!;
  const load = (send * (sum_hz - free_hz[id]!)) / rate;
  const loss = lossBetween(front, id);
  const stale = staleness(front, id);
  const formula = ownGap(front, id) + stale + fastest_lag;
  const tied_hz = rates_hz.filter((other) => other === top_hz).length * free_hz[fastest]!;
  const { machines, live, internal, topLoad, meanLoad, meanSpeed, leaders, nearest, crowdHeld } =
    shared;
  return {
    machines: machines!, live: live!, internal: internal!, topLoad: topLoad!, meanLoad: meanLoad!,
    meanSpeed: meanSpeed!, leaders: leaders!, nearest: nearest!, crowdHeld: crowdHeld!,
    gain: Math.log(growth_hz / top_hz),
    topLag: fastest_lag, topShare: Math.log(tied_hz / sum_hz),
    speed: rate / top_hz, slower: Math.log(1.02 - rate / top_hz), climb: Math.log(growth_hz / rate),
    faster: Math.log(front.live.reduce((sum, other) =>
      sum + Math.max(0, Math.min(1, 20 * (rates_hz[other]! / rate - 1))), 0.1)),
    load, spare: Math.log(1 - load), spread: inboxOf(front, id).spread,
    loss: Math.log(loss), lossHeld: loss / (1 + loss),
    stale: stale / (Math.max(-1, formula) + 1.5),
    formula: Math.log(Math.max(FORMULA_MIN, formula) / loss),
  };
}

/**
 * Mean lag of each machine in the long run; Infinity for one that is never caught up.
 *
 * Two live machines: exact, `gapBehind` or `pair`. More: the loss between two messages, (c − r)/λ,
 * times a measured factor that hangs on what the formulas say, so never negative.
 */
export function meanLags(front: Front): number[] {
  const { rates_hz, send, free_hz, live, top_hz, fastest_lag, slower_lag } = front;
  const fits = rates_hz.length === 3 ? FEW : MANY;
  const lags = new Map<number, number>();
  let shared: Traits | undefined;
  return rates_hz.map((rate, id) => {
    if (rate === top_hz) return fastest_lag;
    if (free_hz[id] === 0 || send === 0) return Infinity;
    if (live.length === 2) return slower_lag > 0 ? slower_lag : fastest_lag + ownGap(front, id);
    const lag = lags.get(rate)
      ?? lossBetween(front, id) * Math.exp(fitted(fits.lag,
        lagTraits(front, id, (shared ??= frontTraits(front)))));
    lags.set(rate, lag);
    return lag;
  });
}
