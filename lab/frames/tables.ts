/** Frames as tables and sentences for people: numbers with their digits, a row a machine. */
import type { DataFrame } from 'nodejs-polars';
import { type Column, table } from '../cli/table.ts';
import { coloured, hasColours, paint, wrapped } from '../cli/terminal.ts';
import type { Run } from './load.ts';
import { lateTicks, summary } from './summary.ts';

/** A number with so many decimals; a dash for what cannot be said. */
const number = (x: number | null | undefined, digits: number): string =>
  (x === Infinity ? '∞' : x === null || x === undefined || !Number.isFinite(x) ? '–'
    : x.toFixed(digits).replace(/^-(0\.?0*)$/, '$1'));

/** A column of a table: where its numbers stand in a frame, and how they are written. */
export interface Shown extends Column {
  group: string;
  column: string;
  digits: number;
  times?: number;
}
/** A row of a table that is meant for people, whose first cell says what it is about. */
export interface Line { machine: number; name: string; cells: string[] }

const shown = (
  group: string, heading: string, column: string, digits: number, spare: number, times = 1,
): Shown => ({ group, heading, column, digits, times, ...(spare > 0 && { spare }) });

export const summaryColumns: Shown[] = [
  shown('rate', 'Hz', 'rate_hz', 1, 0),
  shown('ticks', 'made', 'ticks', 0, 0.5), shown('ticks', 'skipped', 'skipped', 0, 3),
  shown('pace', '%', 'pace', 1, 4, 100),
  shown('', 'received', 'receives', 0, 5), shown('', 'sent', 'sends', 0, 6),
  shown('', 'internal', 'internal', 0, 7),
  shown('clock', 'final', 'final_clock', 0, 0),
  shown('lag', 'mean', 'mean_lag', 1, 0), shown('lag', 'max', 'max_lag', 0, 0),
  shown('jump', 'max', 'max_jump', 0, 2),
  shown('queue', 'max', 'max_queue', 0, 1), shown('queue', 'final', 'final_queue', 0, 0),
];
const beside = (
  group: string, column: string, digits: number, spare: number, times = 1,
): Shown[] => [shown(group, 'run', column, digits, spare, times),
  shown(group, 'theory', `theory_${column}`, digits, spare, times)];
export const theoryColumns: Shown[] = [
  ...beside('load', 'load', 2, 0), ...beside('receives, %', 'receive_share', 0, 3, 100),
  ...beside('clock, +/s', 'clock_growth_hz', 2, 1),
  ...beside('queue, +/s', 'queue_growth_hz', 2, 2),
  ...beside('lag, +/s', 'lag_growth_hz', 2, 0), ...beside('mean lag', 'mean_lag', 1, 0),
];

export const faultColumns: Shown[] = [
  shown('', 'lost', 'messages_lost', 0, 0), shown('', 'skipped', 'ticks_skipped', 0, 1),
  shown('lag', 'before', 'lag_before', 0, 2), shown('lag', 'after', 'lag_after', 0, 0),
  shown('caught up', 'after, s', 'caught_up_s', 1, 0),
];

/** The words of the tables, each of which is explained where it stands. */
export const TERMS = {
  summary: 'Pace: ticks made, of those that were due. Lag: how far a clock is behind the highest '
    + 'one at the same time, its mean weighted by time. Jump: by how much a tick moves the clock. '
    + 'Queue: messages that wait.',
  theory: 'Load: messages that come in for each tick; above 1 the queue grows for ever. Theory is '
    + 'from the rates alone.',
  faults: 'Lost: messages to the machine, or its own on their way. Skipped: ticks left out. Caught '
    + 'up: until it was no more behind than before.',
};

/** Terms in lines that fit the terminal, in a quiet colour. */
export const legend = (words: string): string => paint('dim', wrapped(words));

/** The rows of a frame as text. */
export const linesOf = (frame: DataFrame, columns: Shown[]): Line[] =>
  (frame.toRecords() as Record<string, number | null>[]).map((row) => ({
    machine: row.machine!, name: `machine ${row.machine}`,
    cells: columns.map(({ column, digits, times = 1 }) =>
      number(row[column] === null ? null : row[column]! * times, digits)),
  }));

export interface TableOptions {
  /** Whether machines have their colours; without it the terminal decides. */
  colour?: boolean;
  /** Columns of the terminal; without it, as many as it has. */
  width?: number;
}

/** The summary as a table for the terminal, one row a machine. */
export const summaryTable = (frame: DataFrame, options: TableOptions = {}): string =>
  drawn(summaryColumns, linesOf(frame, summaryColumns), options);

/** The prediction beside the measurement, for the terminal. @param frame from withTheory */
export const theoryTable = (frame: DataFrame, options: TableOptions = {}): string =>
  drawn(theoryColumns, linesOf(frame, theoryColumns), options);

/** A schedule that was drawn has fifteen digits, of which a person reads two or three. */
const short = (fault: string): string => fault.replace(/\d+\.\d+/g, (s) =>
  String(Number(Number(s) < 1 ? Number(s).toPrecision(2) : Number(s).toFixed(1))));

/** What each fault cost, as rows of a table. @param costs from faults */
export const faultLines = (costs: DataFrame): Line[] => {
  const words = (costs.getColumn('fault').toArray() as string[]).map(short);
  return linesOf(costs, faultColumns).map((line, nth) =>
    ({ ...line, name: `${words[nth]}${words[nth]!.startsWith('cut') ? `, ${line.name}` : ''}` }));
};
export const faultTable = (costs: DataFrame, options: TableOptions = {}): string =>
  drawn(faultColumns, faultLines(costs), options);

/** Several runs in one table, machine by machine. @param frames summaries by the runs' names */
export const comparisonTable = (
  frames: Map<string, DataFrame>, options: TableOptions = {},
): string => drawn(summaryColumns, [...frames].flatMap(([name, frame]) =>
  linesOf(frame, summaryColumns).map((line) => ({ ...line, name: `${line.name} ${name}` })))
  .sort((one, other) => one.machine - other.machine), options);

function drawn(
  columns: Shown[], lines: Line[], { colour = hasColours(), width }: TableOptions,
): string {
  const rows = lines.map(({ machine, name, cells }) =>
    [colour ? coloured(machine, name) : name, ...cells]);
  return table([{ heading: '', align: 'left' }, ...columns], rows,
    width === undefined ? {} : { width });
}

/** How late the ticks of all machines came, in words; empty in virtual time, where none is late. */
export function latenessLine(run: Run): string {
  if (run.run.kind !== 'sockets') return '';
  const late_ms = lateTicks(run);
  if (late_ms.length === 0) return '';
  const at = (share: number) => late_ms[Math.round(share * (late_ms.length - 1))]!;
  const skipped = Number(summary(run).getColumn('skipped').sum());
  return `ticks came ${number(at(0.5), 1)} ms late in the median, 99 % of them within `
    + `${number(at(0.99), 1)} ms, the worst ${number(at(1), 1)} ms; ${skipped} skipped`;
}
