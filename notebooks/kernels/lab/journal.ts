/**
 * What a kernel writes down of the cells it executes (with LAB_JOURNAL set), and what can be read
 * off that: did a cell fail, and does the notebook that Jupyter wrote hold all that it put out?
 */
import { appendFileSync } from 'node:fs';

/** A line of the journal; cells are counted from 1, as Jupyter counts executions. */
export type JournalEntry = { cell: number } & (
  | { began: true }
  | { stream: 'stdout' | 'stderr'; text: string }
  | { display: string[] }
  | { uncaught: string }
  | { ended: 'ok' | 'error' });

/** What a cell of a notebook holds of its output, as far as it matters here. */
export interface Held {
  outputs?: { output_type: string; name?: string; text?: string | string[] }[] | undefined;
}

/** Adds a line to the journal, if there is one. */
export function note(entry: JournalEntry): void {
  const journal = process.env.LAB_JOURNAL;
  if (journal) appendFileSync(journal, `${JSON.stringify(entry)}\n`);
}

const streamed = (entries: JournalEntry[], stream: string): string => entries
  .map((entry) => ('stream' in entry && entry.stream === stream ? entry.text : '')).join('');

/** The first cell that did not end well, by the journal, and why; null if all did. */
export function failure(journal: JournalEntry[]): string | null {
  for (let cell = 1; cell <= (journal.at(-1)?.cell ?? 0); cell++) {
    const entries = journal.filter((entry) => entry.cell === cell);
    const uncaught = entries.find((entry) => 'uncaught' in entry);
    const end = entries.find((entry) => 'ended' in entry);
    const why = uncaught ? `: nobody caught ${uncaught.uncaught}`
      : end?.ended === 'error' ? ` fails: ${streamed(entries, 'stderr')}`
      : end === undefined ? ' does not end' : null;
    if (why) return `cell [${cell}]${why}`;
  }
  return null;
}

/** What the cells put out, by the journal, and the notebook does not hold; or null. */
export function lost(cells: Held[], journal: JournalEntry[]): string | null {
  for (const [n, { outputs = [] }] of cells.entries()) {
    const entries = journal.filter(({ cell }) => cell === n + 1);
    const shown = entries.filter((entry) => 'display' in entry).length;
    const displays = outputs.filter(({ output_type }) => output_type === 'display_data').length;
    const name = `cell [${n + 1}]`;
    if (displays < shown) return `${name}: ${shown - displays} of ${shown} displays are lost`;
    for (const stream of ['stdout', 'stderr']) {
      const held = outputs.filter((output) => output.name === stream)
        .flatMap(({ text = '' }) => text).join('');
      const missing = streamed(entries, stream).length - held.length;
      if (missing > 0) return `${name}: ${missing} characters of ${stream} are lost`;
    }
  }
  return null;
}
