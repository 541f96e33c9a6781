/** What is measured of a run in virtual time. DESIGN.md defines the words. */
import type { Configuration } from '../../machine.ts';

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
  /** The sum of the received, the lost, those in flight at the end and those in queues. */
  sent: number;
  lost: number;
  in_flight: number;
};

/** Ticks of a run, or a few more. */
export const expectedTicks = (
  { rates_hz, duration_s }: Pick<Configuration, 'rates_hz' | 'duration_s'>,
): number => rates_hz.reduce((sum, rate_hz) => sum + Math.ceil(rate_hz * duration_s), 0);
