/** A sweep's columns as frames of polars. */
import pl, { type DataFrame } from 'nodejs-polars';
import { faultText } from '../model/faults.ts';
import { intervalReach } from '../theory/cephes.ts';
import { measures, ROWS, SUMMARY, type Columns } from './columns.ts';
import { KNOB_COLUMNS, type Setting } from './grid.ts';

/**
 * The settings as columns, in the order of the grid. Knobs that are named have one each; that
 * of `ticks` is called `tick_times`, since a measure has that name.
 */
export function settingsFrame(settings: Setting[]): DataFrame {
  const column = <T>(value: (setting: Setting) => T) => settings.map(value);
  const knobs = KNOB_COLUMNS.filter((name) => settings[0]![name] !== undefined);
  return pl.DataFrame({
    rates: column(({ rates_hz }) => rates_hz.join('-')),
    internal: column(({ internal }) => internal),
    latency: column(({ latency }) => latency),
    loss: column(({ loss }) => loss),
    reorder: column(({ reorder }) => reorder),
    duration_s: column(({ duration_s }) => duration_s),
    ...Object.fromEntries(knobs.map((name) => (name === 'queue_max'
      ? [name, pl.Series(name, column((setting) => setting[name] ?? null), pl.Int32)]
      : [name === 'ticks' ? 'tick_times' : name, column((setting) => cellOf(setting[name]))]))),
  });
}

/** A knob as a cell: lists as text. */
function cellOf(value: Setting[typeof KNOB_COLUMNS[number]]): string | number | boolean {
  if (!Array.isArray(value)) return value!;
  return value.map((each) => (typeof each === 'object' ? faultText(each) : each)).join('; ');
}

/** With their place in the grid. */
const numbered = (settings: DataFrame): DataFrame => settings.withColumn(
  pl.Series('configuration', Int32Array.from({ length: settings.height }, (_, nth) => nth)));

/** Copies of the first values of columns. */
const series = (columns: Record<string, Int32Array | Float64Array>, rows?: number) =>
  Object.entries(columns).map(([name, values]) => pl.Series(name, values.subarray(0, rows)));
/** What is not defined, in polars' way. */
const nanToNull = (...names: string[]) => names.map((name) => pl.col(name).fillNan(pl.lit(null)));

/**
 * The rows of a block. Where a machine had no tick, a mean over its ticks is null.
 *
 * An expression of polars takes a third of a millisecond to make, and a notebook has thousands of
 * small sweeps: so there is none that can be spared.
 * @param only the configuration of all of them, if it is one: its columns then need no matching
 */
export function rowsFrame(
  rows: Columns<typeof ROWS>, many: number, settings: DataFrame, only: number | null = null,
): DataFrame {
  const { configuration, seed, ...columns } = rows;
  const own = [pl.Series('seed', seed.subarray(0, many)).cast(pl.Int64), ...series(columns, many)];
  const undefinedIn = (['mean_jump', 'receive_share'] as const).filter((name) =>
    rows[name].subarray(0, many).some(Number.isNaN));
  const withNulls = (frame: DataFrame) => (undefinedIn.length === 0 ? frame
    : frame.withColumns(...nanToNull(...undefinedIn)));
  if (only !== null) {
    return settings.slice(only, 1).join(withNulls(pl.DataFrame(own)), { how: 'cross' });
  }
  return withNulls(pl.DataFrame([...series({ configuration }, many), ...own]))
    .join(numbered(settings), { on: 'configuration', how: 'left' })
    .select(...settings.columns, 'seed', ...Object.keys(columns));
}

/** The summary. One run has no deviation and no interval: null. */
export function summaryFrame(summary: Columns<typeof SUMMARY>, settings: DataFrame): DataFrame {
  const { measure, ...numbers } = summary;
  const { configuration, ...shown } = SUMMARY;
  const names = Array.from(measure, (nth) => measures[nth]!);
  return withInterval(pl.DataFrame([...series(numbers), pl.Series('measure', names, pl.Utf8)])
    .withColumns(...nanToNull('mean', 'standard_deviation')))
    .join(numbered(settings), { on: 'configuration', how: 'left' })
    .select(...settings.columns, ...Object.keys(shown), 'mean_low', 'mean_high');
}

/** The 95 % interval of each mean: mean ± t·s/√n, t of Student with n − 1 degrees of freedom. */
function withInterval(frame: DataFrame): DataFrame {
  const reach = Array.from(frame.getColumn('runs'), intervalReach);
  const half = pl.col('reach').mul(pl.col('standard_deviation'));
  return frame.withColumn(pl.Series('reach', reach, pl.Float64))
    .withColumns(pl.col('mean').sub(half).alias('mean_low'),
      pl.col('mean').add(half).alias('mean_high'))
    .select(...frame.columns, 'mean_low', 'mean_high'); // A column 'drop' would hide .drop().
}

/**
 * Mean of any column in each group of rows, with its interval, as a summary has it: `runs`, `mean`,
 * `standard_deviation`, `mean_low`, `mean_high`. Groups stand in the order of their first rows.
 * @param by columns; none: one row for all
 * @example means(await sweep({ rates_hz: [1, 3], runs: 100 }), ['machine'], 'mean_lag')
 */
export function means(frame: DataFrame, by: string[], column: string): DataFrame {
  const value = pl.col(column).cast(pl.Float64);
  const what = [value.count().alias('runs'), value.mean().alias('mean'),
    value.std().alias('standard_deviation')];
  const lazy = frame.lazy();
  const groups = by.length === 0 ? lazy.select(...what) : lazy.groupBy(by, true).agg(...what);
  return withInterval(groups.collectSync());
}
