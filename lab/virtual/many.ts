/**
 * Any number of machines on a perfect network. Each machine's state is one line of the processor's
 * cache, since among many machines a tick costs what it takes to fetch it. Of the rule, taking a
 * message is written out; who a send goes to is asked of `step`.
 */
import { PURPOSE, stream, uniform } from '../model/chance.ts';
import { EVERYONE, NO_MESSAGE, step } from '../model/rule.ts';
import type { Configuration } from '../model/run.ts';
import { wordsBefore } from './dice.ts';
import type { Schedule } from './schedule.ts';
import type { Standing } from './statistics.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
/** A queue's room at first, in messages; it doubles when it is full. */
const ROOM = 16;
// ─────────────────────────────────────────────────────────────────────────────────────────────

/** Words of a machine's state: 64 bytes. */
const WORDS = 16;
const [CLOCK, TICK, HEAD, TAIL, MAX_LAG, MAX_JUMP, MAX_QUEUE, FIRST, SECOND] =
  [0, 1, 2, 3, 4, 5, 6, 7, 8] as const;
/** In words of eight bytes: it sends at rolls below the first; two sums over time. */
const [SENDS, CLOCK_SUM, QUEUE_SUM] = [5, 6, 7] as const;

export class Many {
  readonly machines: number;
  private readonly words: Int32Array;
  private readonly numbers: Float64Array;
  /** Queues are rings of a power of two; heads and tails run on freely. */
  private readonly rings: Int32Array[];
  private internal = 0;
  private tabled: number | null = null;

  constructor(machines: number) {
    this.machines = machines;
    const memory = new ArrayBuffer(machines * WORDS * 4);
    [this.words, this.numbers] = [new Int32Array(memory), new Float64Array(memory)];
    this.rings = Array.from({ length: machines }, () => new Int32Array(ROOM));
  }

  /** Takes over where a run stands; `waiting` is what its queues hold, or null at the start. */
  begin(
    { seed, internal }: Configuration, { clocks, ticks, receives, maxLags, maxJumps, maxQueues }:
    Standing, waiting: readonly Int32Array[] | null,
  ): void {
    const { machines, words } = this;
    this.internal = internal;
    for (let id = 0; id < machines; id++) {
      const me = id * WORDS;
      const { first, second } = stream(seed, id, PURPOSE.rolls);
      [words[me + FIRST], words[me + SECOND]] = [first, second];
      [words[me + CLOCK], words[me + TICK]] = [clocks[id]!, ticks[id]!];
      [words[me + HEAD], words[me + TAIL]] = [receives[id]!, receives[id]!];
      words[me + MAX_LAG] = maxLags[id]!;
      words[me + MAX_JUMP] = maxJumps[id]!;
      words[me + MAX_QUEUE] = maxQueues[id]!;
      for (const clock of waiting?.[id] ?? []) this.enqueue(id, clock, 0);
    }
    if (this.tabled === internal) return;
    this.tabled = internal;
    for (let id = 0; id < machines; id++) {
      this.numbers[id * 8 + SENDS] = wordsBefore(id, machines, internal, machines) / 2 ** 32;
    }
  }

  /** The ticks of the schedule's window. */
  window(schedule: Schedule, standing: Standing): void {
    const { words, numbers } = this;
    const length_s = schedule.until_s - schedule.from_s;
    const before = standing.highest;
    for (let me = 0; me < words.length; me += WORDS) {
      numbers[(me >> 1) + CLOCK_SUM] = (words[me + CLOCK]! - before) * length_s;
      numbers[(me >> 1) + QUEUE_SUM] = (words[me + TAIL]! - words[me + HEAD]!) * length_s;
    }
    const highestSum_s = this.walk(schedule, standing);
    for (let id = 0; id < this.machines; id++) {
      standing.lagSums[id]! += highestSum_s - numbers[id * 8 + CLOCK_SUM]!;
      standing.queueSums[id]! += numbers[id * 8 + QUEUE_SUM]!;
    }
  }

  private walk(schedule: Schedule, standing: Standing): number {
    const { words, numbers, rings } = this;
    const { ids, times_s, base_s, count, repeats } = schedule;
    // What grows by d at a time adds d for what is left of the window.
    let end_s = schedule.until_s - schedule.from_s + base_s;
    let { highest } = standing;
    let highestSum_s = 0;
    let place = 0;
    for (let left = count * repeats; left > 0; left--) {
      const id = ids[place]!;
      const left_s = end_s - times_s[place]!;
      const me = id * WORDS;
      const clock = words[me + CLOCK]!;
      const head = words[me + HEAD]!;
      const waiting = (words[me + TAIL]! - head) | 0;
      // A lag that grows does so again and again, at ticks that nobody guesses: so by a mask.
      const more = (highest - clock - words[me + MAX_LAG]!) | 0;
      words[me + MAX_LAG] = words[me + MAX_LAG]! + (more & ~(more >> 31));
      const tick = words[me + TICK]!;
      words[me + TICK] = tick + 1;
      let jump = 1;
      let sending = -1;
      if (waiting > 0) {
        if (waiting > words[me + MAX_QUEUE]!) words[me + MAX_QUEUE] = waiting;
        const ring = rings[id]!;
        const message = ring[head & (ring.length - 1)]!;
        words[me + HEAD] = head + 1;
        numbers[id * 8 + QUEUE_SUM]! -= left_s;
        if (message > clock) jump = message - clock + 1;
      } else {
        const roll = uniform({ first: words[me + FIRST]!, second: words[me + SECOND]! }, tick);
        if (roll < numbers[id * 8 + SENDS]!) sending = roll;
      }
      if (jump > words[me + MAX_JUMP]!) words[me + MAX_JUMP] = jump;
      const after = clock + jump;
      words[me + CLOCK] = after;
      numbers[id * 8 + CLOCK_SUM]! += jump * left_s;
      if (after > highest) {
        highestSum_s += (after - highest) * left_s;
        highest = after;
      }
      if (sending >= 0) this.send(id, sending, after, left_s);
      if (++place === count) {
        place = 0;
        end_s -= schedule.length_s;
      }
    }
    standing.highest = highest;
    return highestSum_s;
  }

  private send(from: number, roll: number, clock: number, left_s: number): void {
    const { machines, internal } = this;
    const { to } = step({ id: from, machines, internal, clock: 0 }, NO_MESSAGE, roll);
    if (to !== EVERYONE) this.enqueue(to, clock, left_s);
    else {
      for (let id = 0; id < from; id++) this.enqueue(id, clock, left_s);
      for (let id = from + 1; id < machines; id++) this.enqueue(id, clock, left_s);
    }
  }

  private enqueue(id: number, clock: number, left_s: number): void {
    const { words } = this;
    const me = id * WORDS;
    const tail = words[me + TAIL]!;
    let ring = this.rings[id]!;
    if (ring.length === tail - words[me + HEAD]!) ring = this.grow(id);
    ring[tail & (ring.length - 1)] = clock;
    words[me + TAIL] = tail + 1;
    this.numbers[id * 8 + QUEUE_SUM]! += left_s;
  }

  /** Doubles a full ring; each message keeps its number, which says its place. */
  private grow(id: number): Int32Array {
    const [full, head] = [this.rings[id]!, this.words[id * WORDS + HEAD]!];
    const roomy = new Int32Array(2 * full.length);
    for (let n = head; n < head + full.length; n++) {
      roomy[n & (roomy.length - 1)] = full[n & (full.length - 1)]!;
    }
    return (this.rings[id] = roomy);
  }

  /** The run is over: where it stands. */
  leave(standing: Standing): void {
    const { words } = this;
    standing.sent = 0;
    for (let id = 0; id < this.machines; id++) {
      const me = id * WORDS;
      standing.clocks[id] = words[me + CLOCK]!;
      standing.ticks[id] = words[me + TICK]!;
      standing.receives[id] = words[me + HEAD]!;
      standing.queues[id] = words[me + TAIL]! - words[me + HEAD]!;
      standing.maxLags[id] = words[me + MAX_LAG]!;
      standing.maxJumps[id] = words[me + MAX_JUMP]!;
      standing.maxQueues[id] = words[me + MAX_QUEUE]!;
      standing.sent += words[me + TAIL]!;
    }
  }
}
