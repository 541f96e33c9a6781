/** What is measured of a run in virtual time. DESIGN.md defines the words. */
import type { Configuration } from '../model/run.ts';

/** Clocks and counts are kept in 32 bits, which halves the memory that a long queue takes. */
export const TICKS_MAX = 2 ** 31 - 1;

/**
 * What is measured of a machine in one run, and how it is kept: counts are integers. DESIGN.md
 * defines the words. `mean_lag` and `mean_queue` are weighted by time. A machine without a tick
 * has no `mean_jump` and no `receive_share`: NaN.
 */
export const MEASURES = {
  ticks: Int32Array,
  final_clock: Int32Array,
  clock_growth_hz: Float64Array,
  mean_lag: Float64Array,
  max_lag: Int32Array,
  mean_jump: Float64Array,
  max_jump: Int32Array,
  receive_share: Float64Array,
  mean_queue: Float64Array,
  max_queue: Int32Array,
  final_queue: Int32Array,
} as const;
export type Measure = keyof typeof MEASURES;

/** One number a machine for each measure; and of the run, counts of messages. */
export type Statistics = Record<Measure, Int32Array | Float64Array> & {
  /** The sum of the received, the lost, the dropped, those in flight at the end and in queues. */
  sent: number;
  /** By the network or by a fault. */
  lost: number;
  /** By a queue that was full, or since they were no news. */
  dropped: number;
  in_flight: number;
};

/** Where a run stands: what every loop keeps of each machine, and what follows from it. */
export class Standing {
  readonly clocks: Int32Array;
  readonly ticks: Int32Array;
  readonly receives: Int32Array;
  readonly queues: Int32Array;
  readonly maxLags: Int32Array;
  readonly maxJumps: Int32Array;
  readonly maxQueues: Int32Array;
  /** Lag and queue summed over time, in seconds. */
  readonly lagSums: Float64Array;
  readonly queueSums: Float64Array;
  highest = 0;
  sent = 0;
  lost = 0;
  dropped = 0;
  in_flight = 0;
  private readonly statistics: Statistics;

  constructor(machines: number) {
    const integers = () => new Int32Array(machines);
    const numbers = () => new Float64Array(machines);
    [this.clocks, this.ticks, this.receives, this.queues] =
      [integers(), integers(), integers(), integers()];
    [this.maxLags, this.maxJumps, this.maxQueues] = [integers(), integers(), integers()];
    [this.lagSums, this.queueSums] = [numbers(), numbers()];
    this.statistics = {
      ticks: this.ticks, final_clock: this.clocks, clock_growth_hz: numbers(),
      mean_lag: numbers(), max_lag: this.maxLags, mean_jump: numbers(), max_jump: this.maxJumps,
      receive_share: numbers(), mean_queue: numbers(), max_queue: this.maxQueues,
      final_queue: this.queues, sent: 0, lost: 0, dropped: 0, in_flight: 0,
    };
  }

  /** Back to the start. */
  clear(): void {
    for (let id = 0; id < this.clocks.length; id++) {
      this.clocks[id] = this.ticks[id] = this.receives[id] = this.queues[id] = 0;
      this.maxLags[id] = this.maxJumps[id] = this.maxQueues[id] = 0;
      this.lagSums[id] = this.queueSums[id] = 0;
    }
    this.highest = this.sent = this.lost = this.dropped = this.in_flight = 0;
  }

  /** The run is over. @returns arrays that the next run overwrites */
  conclude(duration_s: number): Statistics {
    const { statistics, clocks, ticks, receives, queues, maxLags, maxQueues } = this;
    for (let id = 0; id < clocks.length; id++) {
      statistics.clock_growth_hz[id] = clocks[id]! / duration_s;
      statistics.mean_lag[id] = this.lagSums[id]! / duration_s;
      statistics.mean_jump[id] = clocks[id]! / ticks[id]!; // The clock is the sum of its jumps.
      statistics.receive_share[id] = receives[id]! / ticks[id]!;
      statistics.mean_queue[id] = this.queueSums[id]! / duration_s;
      maxLags[id] = Math.max(maxLags[id]!, this.highest - clocks[id]!);
      maxQueues[id] = Math.max(maxQueues[id]!, queues[id]!);
    }
    statistics.sent = this.sent;
    statistics.lost = this.lost;
    statistics.dropped = this.dropped;
    statistics.in_flight = this.in_flight;
    return statistics;
  }
}

/** Ticks of a run, or a few more. */
export const expectedTicks = (
  { rates_hz, duration_s }: Pick<Configuration, 'rates_hz' | 'duration_s'>,
): number => rates_hz.reduce((sum, rate_hz) => sum + Math.ceil(rate_hz * duration_s), 0);
