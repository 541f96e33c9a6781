/** Several runs laid side by side: which drifted, which queued, and what theory says of each. */
import { type Column, table } from '../cli/table.ts';
import { listed, rateWords } from '../cli/terminal.ts';
import { driftSummary } from '../frames/events.ts';
import type { Run } from '../frames/load.ts';
import { summary, withTheory } from '../frames/summary.ts';

/** Loads so near to 1 stand on the border: there chance rules, and no run of a minute tells. */
const BORDER = 0.05;

/** One run of a series. */
export interface SeriesLine {
  run: string;
  rates: string;
  /** Highest less lowest clock: its mean over time, and its maximum. */
  mean_drift: number;
  max_drift: number;
  /** Whose lag was longest, and who had the most messages left at the end. */
  lags: number;
  waiting: number;
  queues: number;
  /** The highest load of a machine, as theory has it, and what follows from it. */
  load: number;
  theory: string;
}

export async function seriesLine(run: Run): Promise<SeriesLine> {
  const rows = (await withTheory(run, summary(run))).toRecords() as Record<string, number>[];
  const most = (column: string) =>
    rows.reduce((best, row) => (row[column]! > best[column]! ? row : best));
  const load = most('theory_load').theory_load!;
  const over = rows.filter((row) => row.theory_load! > 1 + BORDER).map((row) => row.machine!);
  return {
    run: run.name, rates: rateWords(run.run.rates_hz), ...driftSummary(run),
    lags: most('max_lag').machine!,
    waiting: most('final_queue').final_queue!, queues: most('final_queue').machine!,
    load, theory: over.length > 0 ? `${listed(over)} cannot keep up`
      : load > 1 - BORDER ? 'on the border' : 'all keep up',
  };
}

const COLUMNS: Column[] = [
  { heading: 'run', align: 'left' }, { heading: 'rates, Hz', align: 'left' },
  { group: 'drift', heading: 'mean' }, { group: 'drift', heading: 'max', spare: 2 },
  { group: 'longest lag', heading: 'of', spare: 4 },
  { group: 'queue at the end', heading: 'longest' },
  { group: 'queue at the end', heading: 'of', spare: 3 },
  { group: 'theory', heading: 'load', spare: 1 },
  { group: 'theory', heading: 'says', align: 'left' },
];

/** Names without what all of them begin with, up to a hyphen: what tells them apart. */
function shortNames(names: readonly string[]): string[] {
  const [first = ''] = names;
  const shared = [...first].findIndex((letter, at) => names.some((name) => name[at] !== letter));
  const begin = first.lastIndexOf('-', shared < 0 ? undefined : shared - 1) + 1;
  return names.map((name) => name.slice(begin));
}

/** The one table of a series. */
export function seriesTable(lines: readonly SeriesLine[], width?: number): string {
  const names = shortNames(lines.map(({ run }) => run));
  return table(COLUMNS, lines.map((line, n) => [names[n]!, line.rates, line.mean_drift.toFixed(1),
    line.max_drift.toFixed(0), line.lags, line.waiting, line.waiting > 0 ? line.queues : '',
    line.load.toFixed(2), line.theory]), { what: 'run', most: 100, ...(width && { width }) });
}
