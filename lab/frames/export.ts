/** A run for other tools: frames as CSV and Parquet, and a log that ShiViz reads. */
import { join } from 'node:path';
import type { DataFrame } from 'nodejs-polars';
import { type Diagram, vectorClocks } from '../model/causality.ts';
import { diagram } from './causes.ts';
import { joined, type Run } from './load.ts';
import { messages } from './messages.ts';
import { summary } from './summary.ts';

/** The frames for other tools: `events` with the configuration, `messages` and `summary`. */
export const tablesOf = (run: Run): Record<string, DataFrame> => ({
  events: joined([run]), messages: messages(run), summary: summary(run),
});

/**
 * The run as a log for ShiViz (bestchai.bitbucket.io/shiviz), which reads the expression that takes
 * a line apart from the first line and what stands between executions, here nothing, from the
 * second. One event a line: host, vector clock, model seconds and what happened.
 */
export function shiviz(run: Run): string {
  const ticks = diagram(run);
  const clocks = vectorClocks(ticks);
  const { machines, machine, event, peer, message, clock, queue, time_s } = ticks;
  const ids = peer.map((text) => text.replaceAll(' ', ' and '));
  const lines = causalOrder(ticks, clocks).map((at) => {
    const vector = Array.from(clocks.subarray(at * machines, (at + 1) * machines), (n, id) =>
      (n > 0 ? `"machine-${id}":${n}` : '')).filter((entry) => entry !== '').join(', ');
    const what = { i: 'internal', s: `send ${message[at]} to ${ids[at]}`,
      r: `receive ${message[at]} from ${ids[at]}` }[event[at]!];
    return `machine-${machine[at]} {${vector}} ${time_s[at]} s: ${what}, clock ${clock[at]}, `
      + `queue ${queue[at]}\n`;
  });
  return `(?<host>\\S+) (?<clock>{.*?}) (?<time>\\S+) s: (?<event>.*)\n\n${lines.join('')}`;
}

/** Places such that each event stands after all that it can know of. */
function causalOrder({ machines, machine }: Diagram, clocks: Int32Array): number[] {
  const known = machine.map((_, at) =>
    clocks.subarray(at * machines, (at + 1) * machines).reduce((sum, n) => sum + n, 0));
  return [...machine.keys()].sort((a, b) => known[a]! - known[b]! || a - b);
}

/** Writes a run's frames as files for other tools; says which. */
export function exportTables(
  run: Run, options: { csv?: boolean; parquet?: boolean },
): string[] {
  if (!options.csv && !options.parquet) return [];
  return Object.entries(tablesOf(run)).flatMap(([name, frame]) => {
    const path = join(run.folder, name);
    if (options.csv) frame.writeCSV(`${path}.csv`);
    if (options.parquet) frame.writeParquet(`${path}.parquet`);
    return [...(options.csv ? [`${path}.csv`] : []),
      ...(options.parquet ? [`${path}.parquet`] : [])];
  });
}
