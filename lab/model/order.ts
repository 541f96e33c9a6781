/**
 * How much an order of timestamps is worth: which events are concurrent, which of those it puts the
 * other way round than they happened, how old what a machine knows is, and what a clock costs.
 */
import { type Past, vectorClocks } from './causality.ts';

/** Events in the order of time: whose each is, when it was, its Lamport clock, a receive's send. */
export interface Timed extends Past {
  time_s: number[];
  clock: number[];
}

/** The cells of a row of the logs, as far as happened-before needs them. */
type Cells = [time_us: number, machine: number, tick: number | '', event: string,
  peer: number | string, message: number | string, queue: number, clock: number];

/**
 * Gathers the rows of a run in virtual time. Each receive takes one message.
 * @param run is given a function that takes the cells of each row in the order of time
 * @throws RangeError if a message was taken that nobody sent
 * @example eventsOf(3, (observe) => simulate(configuration, observe))
 */
export function eventsOf(
  machines: number, run: (observe: (...cells: Cells) => void) => void,
): Timed {
  const events: Timed = { machines, machine: [], time_s: [], clock: [], cause: [] };
  const sends = new Map<string, number>();
  run((time_us, machine, tick, event, peer, message, _queue, clock) => {
    if (tick === '') return;
    const name = event === 'send' ? `${machine} ${message}` : `${peer} ${message}`;
    const cause = event === 'receive' ? sends.get(name) : -1;
    if (cause === undefined) throw new RangeError(`nobody sent ${message} (${time_us} µs)`);
    if (event === 'send') sends.set(name, events.machine.length);
    events.machine.push(machine);
    events.time_s.push(time_us / 1e6);
    events.clock.push(clock);
    events.cause.push(cause);
  });
  return events;
}

/** What an order makes of the pairs of events of different machines. */
export interface Contradictions {
  pairs: number;
  /** Neither happened before the other. */
  concurrent: number;
  /** Of those, the earlier one stands after the later one. */
  against: number;
  /** Of those, they have the same place. */
  equal: number;
  /** Seconds between the two events of the pairs in `against`: their sum and the longest. */
  against_s: number;
  longest_s: number;
}

/**
 * How often an order contradicts real time. Only concurrent events can be meant, since an order
 * that keeps the clock condition is right about all others. The pairs of an event b with earlier
 * events are concurrent from the first on that b does not know: entry i of its vector clock says
 * how many events of machine i it knows.
 * @param stands below 0 if the first event stands before the second in the order, 0 if level
 * @param of the pairs of these two machines alone; default: of all
 */
export function contradictions(
  events: Timed, stands: (one: number, other: number) => number, of?: [number, number],
): Contradictions {
  const { machines, machine, time_s } = events;
  const vectors = vectorClocks(events);
  const earlier: number[][] = Array.from({ length: machines }, () => []);
  const found = { pairs: 0, concurrent: 0, against: 0, equal: 0, against_s: 0, longest_s: 0 };
  for (const [b, j] of machine.entries()) {
    for (let i = 0; i < machines; i++) {
      if (i === j || (of && !(of.includes(i) && of.includes(j)))) continue;
      const known = vectors[b * machines + i]!;
      found.pairs += earlier[i]!.length;
      found.concurrent += earlier[i]!.length - known;
      for (let n = known; n < earlier[i]!.length; n++) {
        const a = earlier[i]![n]!;
        const place = stands(a, b);
        if (place === 0) found.equal++;
        if (place <= 0) continue;
        const wrong_s = time_s[b]! - time_s[a]!;
        found.against++;
        found.against_s += wrong_s;
        found.longest_s = Math.max(found.longest_s, wrong_s);
      }
    }
    earlier[j]!.push(b);
  }
  return found;
}

/**
 * How old what an event knows of each machine is, in seconds: since the last event of that machine
 * which happened before it, or since the start if none did. Row by row, `machines` numbers each.
 */
export function ages_s(events: Timed): Float64Array {
  const { machines, machine, time_s } = events;
  const vectors = vectorClocks(events);
  const times: number[][] = Array.from({ length: machines }, () => []);
  return Float64Array.from(vectors, (known, place) => {
    const at = Math.floor(place / machines);
    const now_s = time_s[at]!;
    if (place % machines === 0) times[machine[at]!]!.push(now_s);
    return now_s - (known === 0 ? 0 : times[place % machines]![known - 1]!);
  });
}

/** Bytes of a number that carries seven bits in each, as protobuf writes it (LEB128). */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let left = value; left >= 128; left /= 128) bytes++;
  return bytes;
}

/** Mean bytes that a message needs for its Lamport clock, and for its vector clock. */
export function bytesOf(events: Timed): { lamport: number; vector: number } {
  const { machines, cause, clock } = events;
  const vectors = vectorClocks(events);
  const sent = cause.filter((at) => at >= 0);
  const mean = (bytesAt: (at: number) => number) =>
    sent.reduce((sum, at) => sum + bytesAt(at), 0) / sent.length;
  return {
    lamport: mean((at) => varintBytes(clock[at]!)),
    vector: mean((at) => vectors.subarray(at * machines, (at + 1) * machines)
      .reduce((sum, entry) => sum + varintBytes(entry), 0)),
  };
}
