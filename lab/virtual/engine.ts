/**
 * The machines in virtual time: an event queue drives the one rule.
 *
 * What happens at one instant happens in this order: messages arrive, in the order in which they
 * were sent; then machines tick, in the order of their ids. Without latency a message waits at its
 * receiver as soon as it is sent, for whoever ticks next. The run ends at its duration: a tick that
 * is due then does not happen any more, a message that arrives then still counts as waiting.
 */
import TinyQueue from 'tinyqueue';
import {
  due_s, EVERYONE, NO_MESSAGE, NOBODY, PURPOSE, receivers, step, stream, uniform,
  type Configuration, type row, type Stream,
} from '../../machine.ts';
import {
  delay_ms, earlier, parseLatency, PERFECT, type Flight, type Latency, type Network,
} from './network.ts';
import { expectedTicks, TICKS_MAX, type Statistics } from './statistics.ts';

/** Sums over time are closed after about so many ticks: shorter costs time, longer digits. */
const LEG_TICKS = 2 ** 16;
/** A queue's room at first; it doubles when it is full. */
const QUEUE_ROOM = 16;

/** Takes the cells of a row of the log, as machine.ts's `row` does. */
export type Observe = (...cells: Parameters<typeof row>) => void;

/**
 * Runs configurations of one number of machines, one after the other, in the same memory.
 *
 * The next tick is found in a tournament of the machines' due times (Knuth 5.4.1, a tree of
 * losers): log2(machines) comparisons a tick. Sums over time cost one multiplication an event:
 * what grows by d at time t adds d·(end − t) to its integral up to `end`. So that such sums lose
 * no digits in long runs, they are closed at the end of each of many legs.
 */
export class Engine {
  readonly machines: number;
  /** The leaves of the tournament: machines, filled up with ones that never tick. */
  private readonly size: number;
  private readonly winners: Int32Array;
  private readonly losers: Int32Array;
  private winner = 0;
  private readonly due: Float64Array;
  private readonly phases: Float64Array;
  private readonly rates_hz: Float64Array;
  private rolls: Stream[] = [];
  private delays: Stream[] = [];
  private losses: Stream[] = [];

  private readonly clocks: Int32Array;
  private readonly ticks: Int32Array;
  private readonly receives: Int32Array;
  /** Queues are rings: `lengths` values from `heads` on, and their senders if somebody looks. */
  private readonly values: Int32Array[];
  private readonly senders: Int32Array[];
  private readonly heads: Int32Array;
  private readonly lengths: Int32Array;
  private readonly maxLags: Int32Array;
  private readonly maxJumps: Int32Array;
  private readonly maxQueues: Int32Array;

  /** The highest clock, and sums over the time of a leg: of the highest clock … */
  private highest = 0;
  private highestSum = 0;
  /** … and of each machine's clock, both from the highest at the leg's begin, and of its queue. */
  private readonly clockSums: Float64Array;
  private readonly queueSums: Float64Array;
  private readonly lagTotals: Float64Array;
  private readonly queueTotals: Float64Array;
  private readonly statistics: Statistics;
  /** What begins at 0 in each run. */
  private readonly zeros: (Int32Array | Float64Array)[];

  private internal = 0;
  private loss = 0;
  /** No latency and no loss: there is nothing to decide. */
  private perfect = true;
  private lost = 0;
  private sent = 0;
  private order = 0;
  private latencyText = PERFECT.latency;
  private latency: Latency = parseLatency(PERFECT.latency);
  /** For each receiver what is on its way to it; null where messages arrive at once. */
  private flights: TinyQueue<Flight>[] | null = null;
  /** For each sender and receiver when their last message arrives: 800 MB at 10,000 machines. */
  private lastArrivals = new Float64Array(0);
  /** The length of a row of lastArrivals; 0 where they are not needed. */
  private channels = 0;
  private end_s = 0;
  private observe: Observe | undefined;

  constructor(machines: number) {
    this.machines = machines;
    this.size = 2;
    while (this.size < machines) this.size *= 2;
    const integers = () => new Int32Array(machines);
    const numbers = () => new Float64Array(machines);
    this.winners = Int32Array.from({ length: 2 * this.size }, (_, node) => node - this.size);
    this.losers = new Int32Array(this.size);
    this.due = new Float64Array(this.size).fill(Infinity);
    [this.phases, this.rates_hz] = [numbers(), numbers()];
    [this.receives, this.heads, this.lengths] = [integers(), integers(), integers()];
    [this.clocks, this.ticks] = [integers(), integers()];
    [this.maxLags, this.maxJumps, this.maxQueues] = [integers(), integers(), integers()];
    this.values = Array.from({ length: machines }, () => new Int32Array(QUEUE_ROOM));
    this.senders = Array.from({ length: machines }, () => new Int32Array(0));
    [this.clockSums, this.queueSums] = [numbers(), numbers()];
    [this.lagTotals, this.queueTotals] = [numbers(), numbers()];
    this.zeros = [this.clocks, this.ticks, this.receives, this.heads, this.lengths, this.maxLags,
      this.maxJumps, this.maxQueues, this.lagTotals, this.queueTotals];
    this.statistics = {
      ticks: this.ticks, final_clock: this.clocks, clock_growth_hz: numbers(),
      mean_lag: numbers(), max_lag: this.maxLags, mean_jump: numbers(), max_jump: this.maxJumps,
      receive_share: numbers(), mean_queue: numbers(), max_queue: this.maxQueues,
      final_queue: this.lengths, sent: 0, lost: 0, in_flight: 0,
    };
  }

  /**
   * Runs a configuration from its start to its end.
   * @param observe is given each row of the logs, in the order in which the events happen
   * @returns the engine's own arrays, which the next run overwrites
   * @throws RangeError if the run has more than 2^31 ticks
   */
  run(configuration: Configuration, network: Network, observe?: Observe): Statistics {
    const { duration_s, machines } = configuration;
    const ticks = expectedTicks(configuration);
    if (ticks > TICKS_MAX) throw new RangeError(`more than ${TICKS_MAX} ticks in one run`);
    this.prepare(configuration, network, observe);
    for (let id = 0; observe && id < machines; id++) observe(0, id, '', 'start', '', '', 0, 0);
    const legs = Math.ceil(ticks / LEG_TICKS);
    for (let leg = 1; leg <= legs; leg++) {
      const begin_s = this.end_s;
      this.end_s = duration_s * (leg / legs); // In this order the last leg ends at the duration.
      this.open(this.end_s - begin_s);
      this.advance();
      this.close();
    }
    for (let id = 0; observe && id < machines; id++) {
      const end_us = Math.floor(duration_s * 1e6);
      observe(end_us, id, '', 'stop', '', '', this.lengths[id]!, this.clocks[id]!);
    }
    return this.conclude(duration_s);
  }

  private prepare(
    { seed, rates_hz, phases, internal }: Configuration, { latency, loss, reorder }: Network,
    observe: Observe | undefined,
  ): void {
    const { machines, due, size, winners, losers } = this;
    if (this.latencyText !== latency) this.latency = parseLatency((this.latencyText = latency));
    const slow = this.latency.to_ms > 0;
    // Under a constant latency no message overtakes another: there is nothing to remember.
    this.channels = slow && !reorder && this.latency.kind !== 'constant' ? machines : 0;
    if (this.channels > 0) this.lastArrivals = new Float64Array(this.channels ** 2);
    this.flights = slow ? rates_hz.map(() => new TinyQueue<Flight>([], earlier)) : null;
    this.perfect = !slow && loss === 0;
    [this.internal, this.loss, this.observe] = [internal, loss, observe];
    [this.highest, this.sent, this.lost, this.order, this.end_s] = [0, 0, 0, 0, 0];

    for (let id = 0; id < machines; id++) {
      this.rolls[id] = stream(seed, id, PURPOSE.rolls);
      if (slow) this.delays[id] = stream(seed, id, PURPOSE.latency);
      if (loss > 0) this.losses[id] = stream(seed, id, PURPOSE.loss);
      if (observe) this.senders[id] = new Int32Array(this.values[id]!.length);
      for (const zero of this.zeros) zero[id] = 0;
      this.phases[id] = phases[id]!;
      this.rates_hz[id] = rates_hz[id]!;
      due[id] = due_s(0, phases[id]!, rates_hz[id]!);
    }
    for (let node = size - 1; node > 0; node--) {
      const [left, right] = [winners[2 * node]!, winners[2 * node + 1]!];
      const leftWins = due[left]! <= due[right]!;
      winners[node] = leftWins ? left : right;
      losers[node] = leftWins ? right : left;
    }
    this.winner = winners[1]!;
  }

  /** Begins a leg: what already is, is there for all of it. */
  private open(leg_s: number): void {
    this.highestSum = 0;
    for (let id = 0; id < this.machines; id++) {
      this.clockSums[id] = (this.clocks[id]! - this.highest) * leg_s;
      this.queueSums[id] = this.lengths[id]! * leg_s;
    }
  }

  /** Every tick that is due before the end of the leg. */
  private advance(): void {
    const { machines, internal, size, losers, due, phases, rates_hz, rolls, clocks, ticks, receives,
      values, heads, lengths, clockSums, queueSums, maxLags, maxJumps, maxQueues, end_s,
      observe } = this;
    let { winner: id, highest, highestSum } = this;
    for (let now_s = due[id]!; now_s < end_s; now_s = due[id]!) {
      if (this.flights !== null) this.arrive(id, now_s);
      const left_s = end_s - now_s;
      const lag = highest - clocks[id]!;
      const waiting = lengths[id]!;
      if (lag > maxLags[id]!) maxLags[id] = lag;

      const tick = ticks[id]!;
      const head = heads[id]!;
      let message = NO_MESSAGE;
      let roll = 0; // A tick that receives does not look at its roll.
      if (waiting > 0) {
        if (waiting > maxQueues[id]!) maxQueues[id] = waiting;
        const ring = values[id]!;
        message = ring[head]!;
        heads[id] = (head + 1) & (ring.length - 1);
        lengths[id] = waiting - 1;
        queueSums[id]! -= left_s;
        receives[id]!++;
      } else roll = uniform(rolls[id]!, tick);
      const before = clocks[id]!;
      const { event, clock, to } = step({ id, machines, internal, clock: before }, message, roll);
      const jump = clock - before;
      clocks[id] = clock;
      clockSums[id]! += jump * left_s;
      if (jump > maxJumps[id]!) maxJumps[id] = jump;
      if (clock > highest) {
        highestSum += (clock - highest) * left_s;
        highest = clock;
      }
      if (observe !== undefined) {
        const peers = message === NO_MESSAGE
          ? receivers({ id, machines }, to).join(' ') : this.senders[id]![head]!;
        observe(Math.floor(now_s * 1e6), id, tick, event, peers,
          event === 'send' ? clock : message === NO_MESSAGE ? '' : message, lengths[id]!, clock);
      }
      if (to !== NOBODY) this.send(id, tick, to, clock, now_s);

      ticks[id] = tick + 1;
      let best_s = due_s(tick + 1, phases[id]!, rates_hz[id]!);
      due[id] = best_s;
      for (let node = (id + size) >> 1; node > 0; node >>= 1) {
        const other = losers[node]!;
        const other_s = due[other]!;
        if (other_s < best_s || (other_s === best_s && other < id)) {
          losers[node] = id;
          id = other;
          best_s = other_s;
        }
      }
    }
    [this.winner, this.highest, this.highestSum] = [id, highest, highestSum];
  }

  /** Gives a clock to the network, for one machine or for all others. */
  private send(from: number, tick: number, to: number, clock: number, now_s: number): void {
    const first = to === EVERYONE ? 0 : to;
    const last = to === EVERYONE ? this.machines - 1 : to;
    this.sent += to === EVERYONE ? last : 1;
    for (let id = first; id <= last; id++) {
      if (id === from) continue;
      if (this.perfect) this.enqueue(id, from, clock, now_s);
      else this.transmit(id, from, tick, clock, now_s);
    }
  }

  /**
   * One message on a network that may lose and delay it: by number tick · N + receiver (mod 2^32)
   * of its sender's streams, so that no other message has a part in it.
   */
  private transmit(id: number, from: number, tick: number, clock: number, now_s: number): void {
    const { machines, loss, flights, lastArrivals, channels } = this;
    const n = tick * machines + id;
    if (loss > 0 && uniform(this.losses[from]!, n) < loss) this.lost++;
    else if (flights === null) this.enqueue(id, from, clock, now_s);
    else {
      let at_s = now_s + delay_ms(this.latency, uniform(this.delays[from]!, n)) / 1000;
      if (channels > 0) {
        const channel = from * channels + id;
        at_s = Math.max(at_s, lastArrivals[channel]!);
        lastArrivals[channel] = at_s;
      }
      flights[id]!.push({ at_s, order: this.order++, from, clock });
    }
  }

  /** Puts into a machine's queue what has arrived by now. */
  private arrive(id: number, now_s: number): void {
    const flights = this.flights![id]!;
    while (flights.length > 0 && flights.peek()!.at_s <= now_s) {
      const { at_s, from, clock } = flights.pop()!;
      this.enqueue(id, from, clock, at_s);
    }
  }

  private enqueue(id: number, from: number, clock: number, now_s: number): void {
    const length = this.lengths[id]!;
    let ring = this.values[id]!;
    if (length === ring.length) ring = this.grow(id);
    const place = (this.heads[id]! + length) & (ring.length - 1);
    ring[place] = clock;
    if (this.observe !== undefined) this.senders[id]![place] = from;
    this.lengths[id] = length + 1;
    this.queueSums[id]! += this.end_s - now_s;
  }

  /** Doubles a full ring and returns it, oldest first. */
  private grow(id: number): Int32Array {
    const head = this.heads[id]!;
    for (const rings of this.observe ? [this.values, this.senders] : [this.values]) {
      const full = rings[id]!;
      const roomy = new Int32Array(2 * full.length);
      roomy.set(full.subarray(head));
      roomy.set(full.subarray(0, head), full.length - head);
      rings[id] = roomy;
    }
    this.heads[id] = 0;
    return this.values[id]!;
  }

  /** Ends a leg: its sums are added to the run's. */
  private close(): void {
    for (let id = 0; id < this.machines; id++) {
      if (this.flights !== null) this.arrive(id, this.end_s);
      this.lagTotals[id]! += this.highestSum - this.clockSums[id]!;
      this.queueTotals[id]! += this.queueSums[id]!;
    }
  }

  private conclude(duration_s: number): Statistics {
    const { statistics, clocks, ticks, receives, lengths, maxLags, maxQueues } = this;
    for (let id = 0; id < this.machines; id++) {
      statistics.clock_growth_hz[id] = clocks[id]! / duration_s;
      statistics.mean_lag[id] = this.lagTotals[id]! / duration_s;
      statistics.mean_jump[id] = clocks[id]! / ticks[id]!; // The clock is the sum of its jumps.
      statistics.receive_share[id] = receives[id]! / ticks[id]!;
      statistics.mean_queue[id] = this.queueTotals[id]! / duration_s;
      maxLags[id] = Math.max(maxLags[id]!, this.highest - clocks[id]!);
      maxQueues[id] = Math.max(maxQueues[id]!, lengths[id]!);
    }
    statistics.sent = this.sent;
    statistics.lost = this.lost;
    statistics.in_flight = 0;
    for (const { length } of this.flights ?? []) statistics.in_flight += length;
    return statistics;
  }
}

/** One run of a configuration. @see Engine.run */
export const simulate = (configuration: Configuration & Network, observe?: Observe): Statistics =>
  new Engine(configuration.machines).run(configuration, configuration, observe);
