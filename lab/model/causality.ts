/**
 * Happened-before, read from the events of a run: vector clocks and what they say of two events.
 */

/** A run's ticks in the order of time, one place each in the columns. */
export interface Diagram {
  name: string;
  machines: number;
  /** Model seconds: of the run, and until which each machine was heard of. */
  end_s: number;
  ends_s: number[];
  /** How many the whole run has; the columns may hold only the first of them. */
  events: number;
  machine: number[];
  time_s: number[];
  /** `i`nternal, `s`end or `r`eceive. */
  event: string[];
  /** A send's receivers, separated by a space, or a receive's sender; else empty. */
  peer: string[];
  /** The value that was sent or taken; null of an internal event. */
  message: (number | null)[];
  queue: number[];
  clock: number[];
  /** Of a receive the place of its send, or −1. */
  cause: number[];
}

/** What decides happened-before: whose each event is, and of a receive its send. */
export type Past = Pick<Diagram, 'machines' | 'machine' | 'cause'>;

/**
 * The vector clock of each event (Fidge 1988, Mattern 1989): entry j counts the events of machine
 * j that it can know of, itself included. Row by row, `machines` numbers each.
 */
export function vectorClocks({ machines, machine, cause }: Past): Int32Array {
  const clocks = new Int32Array(machine.length * machines);
  const own: number[][] = Array.from({ length: machines }, () => []);
  for (const [at, id] of machine.entries()) own[id]!.push(at);
  const done = new Int32Array(machines);
  const known = new Uint8Array(machine.length);
  // In rounds, since a receive may stand before its send where the clocks of hosts disagree. A
  // round without progress means that the logs contradict themselves: then a cause is left out.
  for (let left = machine.length, stuck = false; left > 0;) {
    const before = left;
    for (let id = 0; id < machines; id++) {
      for (let at; (at = own[id]![done[id]!]) !== undefined; done[id]!++, left--) {
        const from = cause[at]!;
        if (from >= 0 && !known[from] && !stuck) break;
        stuck = false;
        const previous = own[id]![done[id]! - 1];
        for (let j = 0; j < machines; j++) {
          clocks[at * machines + j] = Math.max(
            previous === undefined ? 0 : clocks[previous * machines + j]!,
            from < 0 ? 0 : clocks[from * machines + j]!);
        }
        clocks[at * machines + id] = done[id]! + 1;
        known[at] = 1;
      }
    }
    stuck = left === before;
  }
  return clocks;
}

export type Relation = 'self' | 'past' | 'future' | 'concurrent';

/** How each event stands to one of them, from the vector clocks. */
export function relations(
  { machines, machine }: Past, clocks: Int32Array, to: number,
): Relation[] {
  const entry = (at: number, id: number) => clocks[at * machines + id]!;
  const own = entry(to, machine[to]!);
  return machine.map((id, at) => (at === to ? 'self'
    : entry(to, id) >= entry(at, id) ? 'past'
    : entry(at, machine[to]!) >= own ? 'future' : 'concurrent'));
}
