/** Where a run of somebody's own stands among virtual runs of its rates. */
import type { Run } from '../frames/load.ts';
import { standing } from '../frames/summary.ts';
import { sweep } from '../virtual/sweep.ts';
import { about } from './findings.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const RUNS = 10_000; // Percentiles are then right to one of a hundred.
const TICKS_MOST = 2e8; // A few seconds; of longer runs there are fewer.
const RUNS_LEAST = 100; // With fewer a percentile says nothing.
const INTERNAL = 0.7; // The exercise's, where nobody says another.
// ─────────────────────────────────────────────────────────────────────────────────────────────

const kept = new WeakMap<Run, Promise<string | null>>();

/**
 * How far apart the clocks of an imported run end, in a sentence, beside runs of the lab's rule at
 * the same rates and for as long; null where its rates are unknown or it is too long. The runs of
 * the lab are the same whenever it is asked.
 */
export function standingWords(run: Run): Promise<string | null> {
  if (!kept.has(run)) kept.set(run, find(run));
  return kept.get(run)!;
}

async function find({ run, logs, end_s }: Run): Promise<string | null> {
  const rates_hz = (run.rates_hz as (number | null)[])
    .filter((rate_hz): rate_hz is number => rate_hz !== null);
  const last = logs.map(({ clock, rows }) => clock[rows - 1]);
  if (rates_hz.length < run.rates_hz.length || rates_hz.length < 2 || !(end_s > 0)
    || last.some((clock) => clock === undefined)) return null;
  const ticks = rates_hz.reduce((sum, rate_hz) => sum + rate_hz * end_s, 0);
  const runs = Math.min(RUNS, Math.floor(TICKS_MOST / ticks));
  if (runs < RUNS_LEAST) return null;
  const frame = await sweep({
    rates_hz, duration_s: end_s, internal: run.internal ?? INTERNAL, runs,
  });
  const clocks = frame.getColumn('final_clock').toArray() as number[];
  const apart = (values: number[]) => Math.max(...values) - Math.min(...values);
  const others = Array.from({ length: runs }, (_, n) =>
    apart(clocks.slice(n * rates_hz.length, (n + 1) * rates_hz.length)));
  const { value, low, high, percentile } = standing(apart(last as number[]), others);
  const place = percentile < 0.5 ? 'below nearly all' : percentile > 99.5 ? 'above nearly all'
    : `the ${ordinal(Math.round(percentile))} percentile`;
  return `Its clocks end ${value} apart: ${place} of ${runs.toLocaleString('en')} runs of these `
    + `rates by the lab’s rule, of which 95 in 100 end ${about(low)} to ${about(high)} apart.`;
}

/** 1st, 2nd, 3rd, 4th, 11th, 93rd. */
function ordinal(n: number): string {
  const ending = Math.floor(n / 10) % 10 === 1 ? 'th' : ['th', 'st', 'nd', 'rd'][n % 10] ?? 'th';
  return `${n}${ending}`;
}
