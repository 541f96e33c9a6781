/**
 * The seed's chance, from the page *Chance, to the bit* of DESIGN.md and not from the machines'
 * code: rates, phases, rolls, irregular ticks, latency, loss and the nemesis' schedule.
 */
import { parseTicks, THIRD, type Fault, type Latency, type Run } from './record.ts';

const [ROLLS, CONFIGURATION, LATENCY, LOSS, TICKS, NEMESIS] = [0, 1, 2, 3, 4, 5];
/** 2^32 over the golden ratio: what is added after each part of a stream's name. */
const GOLDEN = 0x9e3779b9;

/** The n-th number of a stream, in [0, 1). */
export type Draw = (n: number) => number;

/** lowbias32: words are unsigned 32-bit, and each bit moves each bit of the result. */
function mixed(word: number): number {
  let w = word | 0;
  w = Math.imul(w ^ (w >>> 16), 0x7feb352d);
  w = Math.imul(w ^ (w >>> 15), 0x846ca68b);
  return (w ^ (w >>> 16)) >>> 0;
}

/** The stream of a seed, a machine (of the nemesis: a slot) and a purpose. */
function streamOf(seed: number, machine: number, purpose: number): Draw {
  let a = 0x243f6a88;
  let b = 0x85a308d3;
  for (const part of [seed % 2 ** 32, Math.floor(seed / 2 ** 32), machine, purpose]) {
    a = mixed((a ^ part) + GOLDEN);
    b = mixed((b ^ part) + GOLDEN);
  }
  return (n) => mixed(mixed(n ^ a) + b) / 2 ** 32;
}

export const rollsOf = ({ seed }: Run, id: number): Draw => streamOf(seed, id, ROLLS);
export const delaysOf = ({ seed }: Run, id: number): Draw => streamOf(seed, id, LATENCY);
export const lossesOf = ({ seed }: Run, id: number): Draw => streamOf(seed, id, LOSS);

/** The rate that the seed draws for a machine, if rates are drawn; and its phase. */
export function drawnRate_hz({ seed }: Run, id: number, [least, most]: readonly [number, number]) {
  return least + Math.floor(streamOf(seed, id, CONFIGURATION)(0) * (most - least + 1));
}
export const drawnPhase = ({ seed }: Run, id: number): number =>
  streamOf(seed, id, CONFIGURATION)(1);

/** In the place of a receiver: the tick is an internal event, or sends to all peers. */
export const NOBODY = -1;
export const EVERYONE = -2;

/** To whom a tick that receives nothing sends, by its roll u. */
export function receiverOf(
  { machines, internal, both, senders }: Run, id: number, u: number,
): number {
  const sends = 1 - internal;
  if (u >= sends) return NOBODY;
  if (senders !== null && !senders.includes(id)) return NOBODY;
  let place: number;
  if (both === THIRD) {
    if (3 * u >= 2 * sends) return EVERYONE;
    place = Math.floor(((1.5 * u) / sends) * (machines - 1));
  } else {
    const one = (1 - both) * sends;
    if (u >= one) return EVERYONE;
    place = Math.floor((u / one) * (machines - 1));
  }
  place = Math.min(place, machines - 2);
  return place < id ? place : place + 1;
}

/** ln x for x in (0, 1], by + − × ÷ alone, which every computer does alike to the last bit. */
export function logarithm(x: number): number {
  let halvings = 0;
  for (; x < 0.5; x *= 2) halvings++;
  const z = (x - 1) / (x + 1);
  let sum = 0;
  for (let odd = 33; odd > 0; odd -= 2) sum = sum * z * z + 1 / odd;
  return 2 * z * sum - halvings * 0.6931471805599453;
}

/** Model ms that a message is under way, by its chance u. */
export function delay_ms({ kind, from_ms, to_ms }: Latency, u: number): number {
  return kind === 'exponential' ? -from_ms * logarithm(1 - u) : from_ms + (to_ms - from_ms) * u;
}

/** When a machine's tick k is due, model seconds; asked for rising k it is quick for all ticks. */
export type Due = (k: number) => number;

/** No run has so many irregular ticks; who claims them is not followed there one by one. */
const POISSON_MAX = 1e8;

/**
 * When ticks are due. Where a rate changes (in a virtual run, by what_if), what is left of the
 * period then takes its time at the new rate: periods since the start are counted, p at time t.
 */
export function dueOf(run: Run, id: number): Due {
  const due = dueAsDrawn(run, id);
  const changes = run.what_if.flatMap((item) =>
    (item.do === 'rate' && item.machine === id ? [item] : [])).sort((a, b) => a.at_s - b.at_s);
  if (changes.length === 0) return due;
  const first_hz = run.rates_hz[id]!;
  const legs = [{ t: 0, p: 0, hz: first_hz }];
  for (const { at_s, rate_hz } of changes) {
    const { t, p, hz } = legs.at(-1)!;
    legs.push({ t: at_s, p: p + (at_s - t) * hz, hz: rate_hz });
  }
  return (k) => {
    const periods = due(k) * first_hz;
    let leg = legs.length - 1;
    while (legs[leg]!.p > periods) leg--;
    const { t, p, hz } = legs[leg]!;
    return t + (periods - p) / hz;
  };
}

function dueAsDrawn(run: Run, id: number): Due {
  const [rate_hz, phase] = [run.rates_hz[id]!, run.phases[id]!];
  const jitter = parseTicks(run.ticks);
  const draw = streamOf(run.seed, id, TICKS);
  if (jitter === Infinity) {
    const most = Math.min(4 * rate_hz * run.duration_s + 1000, POISSON_MAX);
    let [last, before_s, at_s] = [-1, 0, 0];
    return (k) => {
      if (k > most) return Infinity;
      // A tick is asked for together with the next one: to walk again from 0 would cost N² ticks.
      if (k === last - 1) return before_s;
      if (k < last) [last, at_s] = [-1, 0];
      for (; last < k; last++) {
        before_s = at_s;
        at_s -= logarithm(1 - draw(last + 1)) / rate_hz;
      }
      return at_s;
    };
  }
  if (jitter > 0) return (k) => Math.max(0, k + phase + jitter * (2 * draw(k) - 1)) / rate_hz;
  return (k) => (k + phase) / rate_hz;
}

/** The shortest slot of a nemesis, model seconds. */
const SLOT_S = 15;

/** The schedule that the seed draws for a nemesis, one fault a slot. */
export function nemesisOf({ seed, machines, duration_s, nemesis }: Run): Fault[] {
  const kinds = nemesis ?? [];
  const n = Math.max(kinds.length, Math.floor(duration_s / SLOT_S));
  const slot_s = duration_s / n;
  return kinds.length === 0 ? [] : Array.from({ length: n }, (_, f): Fault => {
    const draw = streamOf(seed, f, NEMESIS);
    const machine = Math.floor(draw(0) * machines);
    const at_s = slot_s * (f + 0.1 + 0.4 * draw(1));
    const for_s = slot_s * (0.1 + 0.3 * draw(2));
    const kind = kinds[f % kinds.length]!;
    if (kind === 'cut') {
      const place = Math.floor(draw(3) * (machines - 1));
      const peer = place < machine ? place : place + 1;
      return { do: 'cut', link: [Math.min(machine, peer), Math.max(machine, peer)], at_s, for_s };
    }
    if (kind === 'pause') return { do: 'pause', machine, at_s, for_s };
    const forGood = kind === 'crash' && f === n - 1;
    return { do: 'crash', machine, at_s, for_s: forGood ? null : for_s };
  });
}
