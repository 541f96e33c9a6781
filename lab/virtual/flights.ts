/** Messages under way: when each arrives, and that none overtakes another where none may. */
import TinyQueue from 'tinyqueue';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
/** With so many channels or fewer, each has its place in an array; else those in use, in a map. */
const CHANNELS_KEPT = 2 ** 16;
// ─────────────────────────────────────────────────────────────────────────────────────────────

/** A message on its way, and later in a queue. */
export interface Flight {
  from: number;
  to: number;
  clock: number;
  /** When it arrives. */
  at_s: number;
  /** Counts the messages of a run in the order in which they were sent. */
  order: number;
}

const earlier = (a: Flight, b: Flight) => a.at_s - b.at_s || a.order - b.order;

/** What is under way to each of some machines. */
export class Flights {
  private readonly machines: number;
  private readonly inFlight: (TinyQueue<Flight> | undefined)[];
  /** When the last message of a channel arrives; 0 or nothing if none is under way. */
  private readonly dense: Float64Array | null;
  private readonly sparse = new Map<number, number>();

  /** @param ordered whether a message waits for its predecessor on the channel */
  constructor(machines: number, ordered: boolean) {
    this.machines = machines;
    this.inFlight = new Array<undefined>(machines).fill(undefined);
    this.dense = ordered && machines ** 2 <= CHANNELS_KEPT ? new Float64Array(machines ** 2) : null;
    this.ordered = ordered;
  }
  private readonly ordered: boolean;

  /** Sends a message off; it arrives when it is due and its predecessor has. */
  add(flight: Flight): void {
    const { from, to } = flight;
    if (this.ordered) {
      const channel = from * this.machines + to;
      const last_s = (this.dense ? this.dense[channel] : this.sparse.get(channel)) ?? 0;
      flight.at_s = Math.max(flight.at_s, last_s);
      if (this.dense) this.dense[channel] = flight.at_s;
      else this.sparse.set(channel, flight.at_s);
    }
    (this.inFlight[to] ??= new TinyQueue<Flight>([], earlier)).push(flight);
  }

  /** The next message to a machine that arrives by a time or, `before`, sooner. */
  arrived(to: number, by_s: number, before = false): Flight | undefined {
    const flights = this.inFlight[to];
    const first = flights?.peek();
    if (first === undefined || first.at_s > by_s || (before && first.at_s === by_s)) return;
    // Who arrives after this one was sent after it: the channel need not be remembered.
    if (this.ordered && this.dense === null) {
      const channel = first.from * this.machines + to;
      if (this.sparse.get(channel) === first.at_s) this.sparse.delete(channel);
    }
    return flights!.pop();
  }

  /** Destroys what is under way to a machine, from one other or from all. */
  destroy(to: number, from: number | null): Flight[] {
    const all = this.inFlight[to]?.data ?? [];
    const destroyed = all.filter((flight) => from === null || flight.from === from);
    const left = all.filter((flight) => from !== null && flight.from !== from);
    this.inFlight[to] = new TinyQueue(left, earlier);
    for (const { from } of destroyed) {
      const channel = from * this.machines + to;
      if (this.dense) this.dense[channel] = 0;
      this.sparse.delete(channel);
    }
    return destroyed.sort(earlier);
  }

  /** How many are under way. */
  count(): number {
    return this.inFlight.reduce((sum, flights) => sum + (flights?.length ?? 0), 0);
  }
}
