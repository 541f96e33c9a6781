/** What a sweep's summary holds of a configuration: moments of all its runs, quantiles of some. */
import { combineMeans, combineVariances } from 'simple-statistics';
import { measures, QUANTILES, SUMMARY } from './columns.ts';
import type { Task } from './task.ts';

/**
 * Adds runs to what the summary holds of those before them: means and deviations are joined,
 * quantiles stay those of the first. They are interpolated between the runs of neighbouring ranks.
 */
export function sumUp(
  { rows, row, setting: { rates_hz }, configuration, runs, place: first }: Task,
  { columns, machine }: Required<Task>['summary'],
): void {
  for (const [nth, measure] of measures.entries()) {
    const place = first + machine * measures.length + nth;
    const values = Float64Array.from({ length: runs }, (_, run) =>
      rows[measure][row + run * rates_hz.length + machine]!).filter((x) => !Number.isNaN(x));
    const n = values.length;
    const mean = values.reduce((sum, x) => sum + x, 0) / n;
    const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
    const before = columns.runs[place]!;
    if (before === 0) {
      const cells: Record<string, number> = {
        configuration, machine, rate_hz: rates_hz[machine]!, measure: nth, runs: n, mean,
        standard_deviation: Math.sqrt(squares / (n - 1)), ...quantilesOf(values.sort()),
      };
      for (const name of Object.keys(SUMMARY) as (keyof typeof SUMMARY)[]) {
        columns[name][place] = cells[name]!;
      }
    } else if (n > 0) {
      // The library joins variances of whole populations, and a deviation here is a sample's.
      const [all, earlier] = [before + n, columns.mean[place]!];
      const spread = before > 1 ? columns.standard_deviation[place]! ** 2 * (before - 1) : 0;
      const joined = combineVariances(spread / before, earlier, before, squares / n, mean, n);
      columns.runs[place] = all;
      columns.mean[place] = combineMeans(earlier, before, mean, n);
      columns.standard_deviation[place] = Math.sqrt((joined * all) / (all - 1));
    }
  }
}

function quantilesOf(sorted: Float64Array): Record<string, number> {
  const last = sorted.length - 1;
  return Object.fromEntries(Object.entries(QUANTILES).map(([name, q]) => {
    const rank = Math.floor(last * q);
    const [low, high] = [sorted[rank]!, sorted[Math.min(rank + 1, last)]!];
    return [name, low + (last * q - rank) * (high - low)];
  }));
}
