/**
 * When machines tick. The order of ticks never hangs on a message, so it is worked out before
 * anything happens: window by window, each sorted by time and, at one instant, by id.
 */
import { due_s } from '../model/run.ts';
import type { Ticks } from './ticks.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
/** A window has about so many ticks: enough to pay for its sums, few enough for the cache. */
export const WINDOW_TICKS = 4096;
/** … and so many for each machine, where an order repeats: sums cost something for each of them. */
const WINDOW_TICKS_EACH = 16;
/** A window is repeated so often at most: its loop counts in ten bits. */
export const REPEATS_MAX = 2 ** 10 - 1;
/** Up to here sorting by insertion beats spreading into buckets. */
const INSERTION_MAX = 96;
/** A period with more ticks than this for each machine is too long to be kept. */
const PERIOD_TICKS_EACH = 16;
/** Periods that are tried, in seconds: powers of two, so that rate × period has no rounding. */
const PERIODS_S = [1, 2, 4, 8, 16];
/** A phase that the seed draws is a multiple of this. */
const PHASE_GRAIN = 2 ** -32;
// ─────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The ticks of a run. After `begin` or `beginWith`, each `next` brings a window, until it returns
 * false.
 *
 * Where ticks are regular and all rates × some period are whole, the order of one period is that of
 * all: it is sorted once and the window says how often it `repeats`. Two due times of machines i
 * and j are equal or 2^-32/(period·r_i·r_j) apart or more, and a due time is rounded by T·2^-53 at
 * most; so the order is exact as long as the first is larger than twice the second. In longer runs
 * it is nearly exact: windows of a few thousand ticks begin with it and are sorted by their own
 * times. Other ticks are sorted from the start.
 */
export class Schedule {
  readonly machines: number;
  /** Of the window: who ticks, … */
  ids = new Int32Array(WINDOW_TICKS);
  /** … when, if `base_s` is the window's begin: a repeated order keeps its first times … */
  times_s = new Float64Array(WINDOW_TICKS);
  base_s = 0;
  /** … and which of its ticks it is, after `beginWith` alone. */
  numbers = new Int32Array(0);
  /** How many ticks the window has, and how often they come. */
  count = 0;
  repeats = 0;
  /** The window is [from_s, until_s), and one repetition of it is so long. */
  from_s = 0;
  until_s = 0;
  length_s = 0;
  /** The next tick of each machine, after the window; after `begin` alone. */
  readonly ticks: Int32Array;

  private rates_hz: ArrayLike<number> = [];
  private phases: ArrayLike<number> = [];
  private sources: readonly Ticks[] | null = null;
  private duration_s = 0;
  /** Ticks a second of all machines. */
  private all_hz = 0;
  /** In which the order repeats, exactly or nearly; 0 where it does not. */
  private period_s = 0;
  private exact = false;
  private periodsLeft = 0;
  /** The order of the first period, where it repeats nearly: who ticks, and how often before. */
  private orderedIds = new Int32Array(0);
  private orderedTicks = new Int32Array(0);
  private ids_unsorted = new Int32Array(WINDOW_TICKS);
  private times_unsorted = new Float64Array(WINDOW_TICKS);
  private numbers_unsorted = new Int32Array(0);
  private buckets = new Int32Array(WINDOW_TICKS + 1);

  constructor(machines: number) {
    this.machines = machines;
    this.ticks = new Int32Array(machines);
  }

  /** Regular ticks. */
  begin(rates_hz: ArrayLike<number>, phases: ArrayLike<number>, duration_s: number): void {
    this.sources = null;
    this.phases = phases;
    this.restart(rates_hz, duration_s);
    for (let id = 0; id < this.machines; id++) this.ticks[id] = 0;
    this.period_s = this.periodOf();
    this.periodsLeft = this.period_s > 0 ? this.wholePeriods() : 0;
    this.exact = this.period_s > 0 && this.isExact();
  }

  /** Any ticks. @param rates_hz about how many there are */
  beginWith(sources: readonly Ticks[], rates_hz: ArrayLike<number>, duration_s: number): void {
    this.sources = sources;
    this.periodsLeft = 0;
    this.restart(rates_hz, duration_s);
    if (this.numbers.length === 0) this.grow(this.ids.length);
  }

  private restart(rates_hz: ArrayLike<number>, duration_s: number): void {
    [this.rates_hz, this.duration_s] = [rates_hz, duration_s];
    this.count = this.repeats = this.until_s = this.length_s = this.all_hz = 0;
    for (let id = 0; id < this.machines; id++) this.all_hz += rates_hz[id]!;
  }

  next(): boolean {
    const first = this.repeats === 0;
    this.from_s = this.until_s;
    if (this.periodsLeft > 0) {
      if (first) this.sortPeriod();
      if (this.exact) return this.repeat();
      if (this.refine()) return true;
      this.periodsLeft = 0;
    }
    const left_s = this.duration_s - this.from_s;
    if (left_s <= 0) return false;
    // What is left is cut evenly, so that no window is a sliver.
    const windows = Math.ceil((left_s * this.all_hz) / Math.max(WINDOW_TICKS, this.machines));
    this.until_s = windows === 1 ? this.duration_s : this.from_s + left_s / windows;
    this.length_s = this.until_s - this.from_s;
    this.base_s = this.from_s;
    this.repeats = 1;
    this.fill();
    return true;
  }

  /** The first period, which is the pattern of all. */
  private sortPeriod(): void {
    this.base_s = 0;
    this.length_s = this.until_s = this.period_s;
    this.fill();
    const seen = this.ticks.fill(0);
    if (this.exact) return;
    this.orderedIds = this.ids.slice(0, this.count);
    this.orderedTicks = this.orderedIds.map((id) => seen[id]!++);
    seen.fill(0);
  }

  /** The next periods, in the order of the first. */
  private repeat(): boolean {
    const ticks = Math.max(WINDOW_TICKS, WINDOW_TICKS_EACH * this.machines);
    this.repeats = Math.min(Math.max(1, Math.floor(ticks / this.count)), REPEATS_MAX,
      this.periodsLeft);
    this.advance(this.repeats);
    return true;
  }

  /** Over so many periods: the window's end, and the next ticks. */
  private advance(periods: number): void {
    this.periodsLeft -= periods;
    this.until_s = this.from_s + periods * this.period_s;
    for (let id = 0; id < this.machines; id++) {
      this.ticks[id]! += this.rates_hz[id]! * this.period_s * periods;
    }
  }

  /** The next periods, sorted by their own times; false if a tick is rounded out of its period. */
  private refine(): boolean {
    const { rates_hz, phases, ticks, period_s, orderedIds, orderedTicks } = this;
    const inPeriod = orderedIds.length;
    const periods = Math.min(Math.max(1, Math.floor(WINDOW_TICKS / inPeriod)), this.periodsLeft);
    this.count = periods * inPeriod;
    if (this.count > this.ids.length) this.grow(this.count);
    const { ids_unsorted: ids, times_unsorted: times_s } = this;
    for (let period = 0, n = 0; period < periods; period++) {
      for (let place = 0; place < inPeriod; place++, n++) {
        const id = orderedIds[place]!;
        const rate_hz = rates_hz[id]!;
        const k = ticks[id]! + period * period_s * rate_hz + orderedTicks[place]!;
        ids[n] = id;
        times_s[n] = due_s(k, phases[id]!, rate_hz);
      }
    }
    this.insert(ids, times_s, this.numbers);
    if (this.times_s[this.count - 1]! >= this.from_s + periods * period_s) return false;
    this.base_s = this.from_s;
    this.repeats = 1;
    this.advance(periods);
    this.length_s = this.until_s - this.from_s;
    return true;
  }

  /** The shortest period in which all rates are whole, or 0: none, or it is too long to pay. */
  private periodOf(): number {
    for (const period_s of PERIODS_S) {
      const ticks = this.all_hz * period_s;
      if (2 * period_s > this.duration_s) return 0;
      if (ticks > Math.max(WINDOW_TICKS, PERIOD_TICKS_EACH * this.machines)) return 0;
      let whole = true;
      for (let id = 0; whole && id < this.machines; id++) {
        whole = (this.rates_hz[id]! * period_s) % 1 === 0;
      }
      if (whole) return period_s;
    }
    return 0;
  }

  /** Whether rounding can never change the order of a period. */
  private isExact(): boolean {
    const { rates_hz, phases, duration_s } = this;
    let [highest_hz, second_hz] = [0, 0];
    for (let id = 0; id < this.machines; id++) {
      if (phases[id]! % PHASE_GRAIN !== 0) return false;
      second_hz = Math.max(second_hz, Math.min(rates_hz[id]!, highest_hz));
      highest_hz = Math.max(highest_hz, rates_hz[id]!);
    }
    // k + phase must be exact: 21 bits of k and 32 of the phase.
    if (highest_hz * duration_s >= 2 ** 21) return false;
    const gap_s = PHASE_GRAIN / (this.period_s * highest_hz * second_hz);
    return gap_s >= duration_s * 2 ** -51;
  }

  /** How many periods are over before the run is, each with all of its ticks. */
  private wholePeriods(): number {
    const { period_s, duration_s, rates_hz, phases } = this;
    const periods = Math.floor(duration_s / period_s);
    for (let id = 0; id < this.machines; id++) {
      const rate_hz = rates_hz[id]!;
      // A phase next to 1 may be rounded up, to the end.
      if (due_s(rate_hz * period_s * periods - 1, phases[id]!, rate_hz) >= duration_s) {
        return periods - 1;
      }
    }
    return periods;
  }

  /** Puts all ticks from the next ones to `until_s` into the window, in order. */
  private fill(): void {
    const room = this.all_hz * this.length_s + 2 * this.machines;
    if (room > this.ids.length) this.grow(room);
    if (this.sources !== null) this.fillFrom(this.sources);
    else this.fillRegular();
    if (this.count <= INSERTION_MAX) {
      this.insert(this.ids_unsorted, this.times_unsorted, this.numbers_unsorted);
    } else {
      this.spread();
      this.insert(this.ids, this.times_s, this.numbers);
    }
  }

  private fillRegular(): void {
    const { rates_hz, phases, ticks, until_s, ids_unsorted: ids, times_unsorted: times_s } = this;
    let count = 0;
    for (let id = 0; id < this.machines; id++) {
      const [rate_hz, phase] = [rates_hz[id]!, phases[id]!];
      let k = ticks[id]!;
      for (let at_s; (at_s = due_s(k, phase, rate_hz)) < until_s; k++) {
        ids[count] = id;
        times_s[count++] = at_s;
      }
      ticks[id] = k;
    }
    this.count = count;
  }

  private fillFrom(sources: readonly Ticks[]): void {
    this.count = 0;
    for (let id = 0; id < this.machines; id++) {
      for (const source = sources[id]!; source.at_s < this.until_s; source.next()) {
        if (this.count === this.ids.length) this.grow(2 * this.count);
        this.ids_unsorted[this.count] = id;
        this.times_unsorted[this.count] = source.at_s;
        this.numbers_unsorted[this.count++] = source.number;
      }
    }
  }

  /** More room, with what is there. */
  private grow(room: number): void {
    const size = 2 ** Math.ceil(Math.log2(room));
    const numbers = this.sources === null ? 0 : size;
    const kept = <T extends Int32Array | Float64Array>(roomy: T, old: T): T =>
      (roomy.set(old.subarray(0, roomy.length)), roomy);
    [this.ids, this.times_s] = [new Int32Array(size), new Float64Array(size)];
    this.ids_unsorted = kept(new Int32Array(size), this.ids_unsorted);
    this.times_unsorted = kept(new Float64Array(size), this.times_unsorted);
    this.numbers = new Int32Array(numbers);
    this.numbers_unsorted = kept(new Int32Array(numbers), this.numbers_unsorted);
    this.buckets = new Int32Array(size + 1);
  }

  /** Into as many buckets of time as there are ticks; equal times stay in the order of ids. */
  private spread(): void {
    const { count, ids, times_s, numbers, from_s, ids_unsorted, times_unsorted } = this;
    const buckets = this.buckets.fill(0, 0, count + 1);
    const share = (count - 1) / this.length_s;
    const all = this.sources !== null;
    for (let n = 0; n < count; n++) buckets[(((times_unsorted[n]! - from_s) * share) | 0) + 1]!++;
    for (let bucket = 1; bucket <= count; bucket++) buckets[bucket]! += buckets[bucket - 1]!;
    for (let n = 0; n < count; n++) {
      const place = buckets[((times_unsorted[n]! - from_s) * share) | 0]!++;
      ids[place] = ids_unsorted[n]!;
      times_s[place] = times_unsorted[n]!;
      if (all) numbers[place] = this.numbers_unsorted[n]!;
    }
  }

  /** Sorts by insertion, by time and then id. The source may be the window. */
  private insert(ids_from: Int32Array, times_from: Float64Array, numbers_from: Int32Array): void {
    const { count, ids, times_s, numbers } = this;
    const all = this.sources !== null;
    for (let n = 0; n < count; n++) {
      const [id, at_s, number] = [ids_from[n]!, times_from[n]!, all ? numbers_from[n]! : 0];
      let place = n;
      for (; place > 0 && (times_s[place - 1]! > at_s
        || (at_s === times_s[place - 1]! && ids[place - 1]! > id)); place--) {
        ids[place] = ids[place - 1]!;
        times_s[place] = times_s[place - 1]!;
        if (all) numbers[place] = numbers[place - 1]!;
      }
      ids[place] = id;
      times_s[place] = at_s;
      if (all) numbers[place] = number;
    }
  }
}
