/**
 * Clocks beside Lamport's, for the same events: vector clocks and hybrid logical clocks. Pure, so
 * that they run wherever a log is read.
 *
 * A vector clock (Fidge 1988, Mattern 1989) holds for each machine how many of its events are
 * known; it says exactly which events happened before which, and costs a number a machine. The
 * vector clocks of a whole run are made by `vectorClocks` in causality.ts.
 *
 * A hybrid logical clock (Kulkarni, Demirbas, Madappa, Avva, Leone: Logical Physical Clocks, 2014)
 * is two numbers: the highest wall-clock time that is known of, and a count that orders events in
 * one such time. It keeps Lamport's condition, costs 64 bits whatever the number of machines, and
 * is never further from the machine's own wall clock than any two wall clocks are apart.
 */

/** A hybrid timestamp. */
export interface Hybrid {
  /** The highest wall-clock time that is known of, µs. */
  wall_us: number;
  /** Events at that time which happened before this one. */
  count: number;
}

/** Before the first event. */
export const HYBRID_ZERO: Readonly<Hybrid> = { wall_us: 0, count: 0 };

/** The timestamp of an event of one's own, or of a send, which carries it. */
export function hybridTick(clock: Hybrid, now_us: number): Hybrid {
  return now_us > clock.wall_us ? { wall_us: now_us, count: 0 }
    : { wall_us: clock.wall_us, count: clock.count + 1 };
}

/** The timestamp of a receive. */
export function hybridReceive(clock: Hybrid, message: Hybrid, now_us: number): Hybrid {
  const wall_us = Math.max(clock.wall_us, message.wall_us, now_us);
  if (wall_us > clock.wall_us && wall_us > message.wall_us) return { wall_us, count: 0 };
  const own = wall_us === clock.wall_us ? clock.count : -1;
  const theirs = wall_us === message.wall_us ? message.count : -1;
  return { wall_us, count: Math.max(own, theirs) + 1 };
}

/** Below 0 if the first stands before the second, 0 if they are the same. */
export const compareHybrid = (a: Hybrid, b: Hybrid): number =>
  a.wall_us - b.wall_us || a.count - b.count;

/** How two vector clocks stand to each other. */
export type Order = 'equal' | 'before' | 'after' | 'concurrent';

/**
 * Of two vector clocks: a is before b if no entry of it is above and one is below.
 * @throws RangeError if they are of different numbers of machines
 */
export function compareVectors(a: ArrayLike<number>, b: ArrayLike<number>): Order {
  if (a.length !== b.length) {
    throw new RangeError(`vectors of ${a.length} and ${b.length} machines`);
  }
  let [below, above] = [false, false];
  for (let id = 0; id < a.length; id++) {
    below ||= a[id]! < b[id]!;
    above ||= a[id]! > b[id]!;
  }
  return below ? (above ? 'concurrent' : 'before') : above ? 'after' : 'equal';
}

/** What is needed of a run to give its events hybrid timestamps: see Diagram in causality.ts. */
export interface Events {
  machine: ArrayLike<number>;
  time_s: ArrayLike<number>;
  /** Of a receive the place of its send, or −1. */
  cause: ArrayLike<number>;
}

/**
 * The hybrid timestamps of events that stand in the order of time, sends before their receives.
 * @param offsets_us how far the wall clock of each machine is ahead of the true time
 */
export function hybridClocks({ machine, time_s, cause }: Events, offsets_us: number[]): Hybrid[] {
  const now = offsets_us.map((): Hybrid => HYBRID_ZERO);
  const clocks: Hybrid[] = [];
  for (let at = 0; at < machine.length; at++) {
    const id = machine[at]!;
    const wall_us = Math.round(time_s[at]! * 1e6 + offsets_us[id]!);
    const sent = clocks[cause[at]!];
    now[id] = sent ? hybridReceive(now[id]!, sent, wall_us) : hybridTick(now[id]!, wall_us);
    clocks.push(now[id]!);
  }
  return clocks;
}
