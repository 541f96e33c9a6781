/** The columns of a sweep, in memory that all of its threads see. */
import { MEASURES, type Measure } from './statistics.ts';

/** A row of each machine of each run. */
export const ROWS = {
  configuration: Int32Array, seed: Float64Array, machine: Int32Array, rate_hz: Float64Array,
  ...MEASURES,
};
export const measures = Object.keys(MEASURES) as Measure[];

export const QUANTILES = {
  quantile_05: 0.05, quantile_25: 0.25, quantile_50: 0.5, quantile_75: 0.75, quantile_95: 0.95,
};
/** A row of each configuration, machine and measure, over the runs in which it is defined. */
export const SUMMARY = {
  configuration: Int32Array, machine: Int32Array, rate_hz: Float64Array, measure: Int32Array,
  runs: Int32Array, mean: Float64Array, standard_deviation: Float64Array,
  quantile_05: Float64Array, quantile_25: Float64Array, quantile_50: Float64Array,
  quantile_75: Float64Array, quantile_95: Float64Array,
};

export type Columns<Kinds> = Record<keyof Kinds, Int32Array | Float64Array>;

/** Memory that all threads see. */
export function allocate<Kinds extends Record<string, typeof Int32Array | typeof Float64Array>>(
  kinds: Kinds, rows: number,
): Columns<Kinds> {
  return Object.fromEntries(Object.entries(kinds).map(([name, kind]) => {
    const memory = new SharedArrayBuffer(rows * kind.BYTES_PER_ELEMENT);
    return [name, kind === Int32Array ? new Int32Array(memory) : new Float64Array(memory)];
  })) as Columns<Kinds>;
}
