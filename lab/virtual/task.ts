/** A piece of a sweep's work, as it goes from the sweep to its threads. */
import type { Columns, ROWS, SUMMARY } from './columns.ts';
import type { Part } from './grid.ts';

/** What a worker is asked to do: run a part, its rows from `row` on … */
export interface Task extends Part {
  rows: Columns<typeof ROWS>;
  row: number;
  /** … or add one machine of a part that was run to the summary. */
  summary?: { columns: Columns<typeof SUMMARY>; machine: number };
}

/** What all workers are given: each takes the task of the number that it finds, and raises it. */
export interface Share {
  tasks: Task[];
  next: Int32Array;
}
