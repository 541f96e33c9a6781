/**
 * The one table of the terminal: it fits the width that there is. A file of its own, since the
 * library behind it takes longer to load than a machine has to start.
 */
import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';
import { MACHINES_SHOWN, plural, terminalWidth } from './terminal.ts';

/** A column: its two lines of heading, of which equal upper ones are joined over their columns. */
export interface Column {
  group?: string;
  heading: string;
  align?: 'left' | 'right';
  /** Where the terminal is too narrow, columns go in the order of this, the highest first. */
  spare?: number;
}

export interface TableOptions {
  /** Columns of the terminal. */
  width?: number;
  /** Rows that are shown; how many are not is said below. */
  most?: number;
  /** What a row is, for the line that says how many are left out. */
  what?: string;
}

/**
 * The one table: a heading of one or two lines, a rule, rows; numbers to the right. Columns that
 * can be spared are left out until it fits the terminal.
 * @param rows cells as text, which may hold colours
 */
export function table(
  columns: readonly Column[], rows: readonly (readonly (string | number)[])[],
  { width = terminalWidth(), most = MACHINES_SHOWN, what = 'machine' }: TableOptions = {},
): string {
  const shown = rows.slice(0, most);
  let kept = columns.map((_, place) => place);
  let text = drawn(columns, shown, kept);
  for (let spare; widest(text) > width && (spare = sparest(columns, kept)) !== null;) {
    kept = kept.filter((place) => place !== spare);
    text = drawn(columns, shown, kept);
  }
  const more = rows.length - shown.length;
  return more > 0 ? `${text}\nand ${plural(more, what)} more` : text;
}

const widest = (text: string): number =>
  Math.max(...stripVTControlCharacters(text).split('\n').map((line) => line.length));

/** The kept column that can best be spared; null where none can. */
function sparest(columns: readonly Column[], kept: number[]): number | null {
  const spares = kept.filter((place) => columns[place]!.spare !== undefined);
  return spares.length === 0 ? null : spares.reduce((best, place) =>
    (columns[place]!.spare! >= columns[best]!.spare! ? place : best));
}

const BARE = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '',
  'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '',
  right: '', 'right-mid': '', middle: '  ',
};

function drawn(
  columns: readonly Column[], rows: readonly (readonly (string | number)[])[], kept: number[],
): string {
  const chosen = kept.map((place) => columns[place]!);
  const box = new Table({
    chars: BARE, style: { border: [], head: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: chosen.map(({ align = 'right' }) => align),
  });
  const groups = chosen.map(({ group = '' }) => group);
  const heads: Parameters<typeof box.push> = [];
  if (groups.some((group) => group !== '')) {
    heads.push(groups.flatMap((content, at) => {
      if (at > 0 && content !== '' && groups[at - 1] === content) return [];
      const next = groups.findIndex((group, place) => place > at && group !== content);
      const colSpan = content === '' ? 1 : (next < 0 ? groups.length : next) - at;
      return [{ content, hAlign: 'right' as const, colSpan }];
    }));
  }
  box.push(...heads, chosen.map(({ heading }) => heading),
    ...rows.map((cells) => kept.map((place) => String(cells[place] ?? ''))));
  const lines = box.toString().split('\n').map((line) => line.trimEnd());
  const rule = '─'.repeat(Math.max(...lines.map((line) => stripVTControlCharacters(line).length)));
  return [...lines.slice(0, heads.length + 1), rule, ...lines.slice(heads.length + 1)].join('\n');
}
