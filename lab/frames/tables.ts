/** Frames as tables and sentences for people: numbers with their digits, a row a machine. */
import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';
import pl, { type DataFrame } from 'nodejs-polars';
import { coloured } from './colours.ts';
import type { Run } from './load.ts';

/** A number with so many decimals; a dash for what cannot be said. */
const number = (x: number | null | undefined, digits: number): string =>
  (x === Infinity ? '∞' : x === null || x === undefined || !Number.isFinite(x) ? '–'
    : x.toFixed(digits).replace(/^-(0\.?0*)$/, '$1'));

/** A column of a table: group, heading, column of the frame, decimals, factor. */
export type Shown =
  [group: string, heading: string, column: string, digits: number, times?: number];
/** A row of a table that is meant for people, whose first cell says what it is about. */
export interface Line { machine: number; name: string; cells: string[] }

export const summaryColumns: Shown[] = [
  ['rate', 'Hz', 'rate_hz', 1],
  ['ticks', 'made', 'ticks', 0], ['ticks', 'skipped', 'skipped', 0], ['pace', '%', 'pace', 1, 100],
  ['received', '', 'receives', 0], ['sent', '', 'sends', 0], ['internal', '', 'internal', 0],
  ['clock', 'final', 'final_clock', 0],
  ['lag', 'mean', 'mean_lag', 1], ['lag', 'max', 'max_lag', 0],
  ['jump', 'max', 'max_jump', 0],
  ['queue', 'max', 'max_queue', 0], ['queue', 'final', 'final_queue', 0],
];
const beside = (group: string, column: string, digits: number, times = 1): Shown[] =>
  [[group, 'run', column, digits, times], [group, 'theory', `theory_${column}`, digits, times]];
export const theoryColumns: Shown[] = [
  ...beside('heard a tick', 'load', 2), ...beside('receives, %', 'receive_share', 0, 100),
  ...beside('clock, +/s', 'clock_growth_hz', 2), ...beside('queue, +/s', 'queue_growth_hz', 2),
  ...beside('lag, +/s', 'lag_growth_hz', 2), ...beside('mean lag', 'mean_lag', 1),
];

/** The rows of a frame as text. */
export const linesOf = (frame: DataFrame, shown: Shown[]): Line[] =>
  (frame.toRecords() as Record<string, number | null>[]).map((row) => ({
    machine: row.machine!, name: `machine ${row.machine}`,
    cells: shown.map(([, , column, digits, times = 1]) =>
      number(row[column] === null ? null : row[column]! * times, digits)),
  }));

/**
 * The summary as a table for the terminal, one row a machine.
 * @param colour whether machines have their colours; without it the terminal decides
 */
export const summaryTable = (frame: DataFrame, colour?: boolean): string =>
  table(summaryColumns, linesOf(frame, summaryColumns), colour);

/** How late the ticks of all machines came, in words; empty in virtual time, where none is late. */
export function latenessLine(run: Run): string {
  if (run.run.kind === 'virtual' || run.events.getColumn('tick').max() === null) return '';
  const late_ms = pl.col('late_ms');
  const [median, p99, worst] = run.events.select(late_ms.median().alias('median'),
    late_ms.quantile(0.99).alias('p99'), late_ms.max().alias('worst')).row(0) as number[];
  const skipped = run.events.groupBy('machine').agg(pl.col('tick').max().add(1)
    .sub(pl.col('tick').count()).alias('skipped')).getColumn('skipped').sum();
  return `ticks came ${number(median, 1)} ms late in the median, 99 % of them within `
    + `${number(p99, 1)} ms, the worst ${number(worst, 1)} ms; ${skipped} skipped`;
}

/** The prediction beside the measurement, for the terminal. @param frame from withTheory */
export const theoryTable = (frame: DataFrame, colour?: boolean): string =>
  table(theoryColumns, linesOf(frame, theoryColumns), colour);

/** Several runs in one table, machine by machine. @param frames summaries by the runs' names */
export const comparisonTable = (frames: Map<string, DataFrame>, colour?: boolean): string =>
  table(summaryColumns, [...frames].flatMap(([name, frame]) =>
    linesOf(frame, summaryColumns).map((line) => ({ ...line, name: `${line.name} ${name}` })))
    .sort((one, other) => one.machine - other.machine), colour);

/** A box with two lines of headings, of which the upper spans its columns; numbers to the right. */
function table(shown: Shown[], lines: Line[], colour = process.stdout.isTTY === true): string {
  const box = new Table({
    chars: { middle: ' ' }, style: { border: [], 'padding-left': 0 },
    colAligns: ['left', ...shown.map(() => 'right' as const)],
  });
  const groups = shown.map(([group]) => group);
  const upper = groups.flatMap((content, at) => (groups[at - 1] === content ? [] : [{
    content, hAlign: 'right' as const, colSpan: groups.filter((group) => group === content).length,
  }]));
  box.push(['', ...upper], ['', ...shown.map(([, heading]) => heading)],
    ...lines.map(({ machine, name, cells }) =>
      [colour ? coloured(machine, ` ${name}`) : ` ${name}`, ...cells]));
  // The library rules off each row; only the line below the headings helps.
  const rows = box.toString().split('\n').filter((line) => line.startsWith('│'));
  const line = '─'.repeat(stripVTControlCharacters(rows[0]!).length - 2);
  return [`┌${line}┐`, ...rows.slice(0, 2), `├${line}┤`, ...rows.slice(2), `└${line}┘`].join('\n');
}
