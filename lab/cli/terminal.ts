/** What a person sees in a terminal: the colours, the one bar, the one sentence for an event. */
import { styleText } from 'node:util';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const WIDTH_USUAL = 80; // Columns, where neither the terminal nor COLUMNS says how many.
const WIDTH_LEAST = 40; // Columns; narrower than this nothing can be aligned.
export const MACHINES_SHOWN = 12; // A list of more machines says nothing to a person.
const BAR_CELLS = 30;
const REPAINT_MS = 200; // Five times a second is smooth, and costs under a percent of a core.
// ─────────────────────────────────────────────────────────────────────────────────────────────

/** Columns of the terminal, or of $COLUMNS, or 80. */
export function terminalWidth(stream: { columns?: number } = process.stdout): number {
  const width = stream.columns ?? Number(process.env.COLUMNS);
  return Math.max(WIDTH_LEAST, width > 0 ? width : WIDTH_USUAL);
}

/**
 * Words in lines that fit the terminal.
 * @param indent columns of blanks before each line but the first
 */
export function wrapped(words: string, indent = 0, width = terminalWidth()): string {
  const lines: string[] = [];
  let line: string | null = null;
  for (const word of words.split(' ')) {
    if (line !== null && line.length + word.length >= width) {
      lines.push(line);
      line = ' '.repeat(indent) + word;
    } else line = line === null ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}

// ── Colours ──────────────────────────────────────────────────────────────────────────────────

/**
 * The Okabe–Ito palette, which most colour-blind people can tell apart, in the order of the ids.
 * A machine has the same colour in the terminal, the report and the notebooks.
 */
export const machine_colours =
  ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9'] as const;

/** The colour of a machine, as #rrggbb; the seventh machine has that of the first again. */
export const colourOf = (id: number): string => machine_colours[id % machine_colours.length]!;

/** The text in the machine's colour, for a terminal. */
export function coloured(id: number, text: string): string {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colourOf(id).slice(at, at + 2), 16));
  return `\x1b[38;2;${r};${g};${b}m${text}\x1b[39m`;
}

/** Whether a stream shows colours: a terminal does, unless NO_COLOR forbids it. */
export const hasColours = (stream: { isTTY?: boolean } = process.stdout): boolean =>
  stream.isTTY === true && !process.env.NO_COLOR;

/** Text in a colour that says how it is meant: green holds, red is wrong, yellow wants a look. */
export const paint = (colour: 'green' | 'red' | 'yellow' | 'dim', text: string): string =>
  (hasColours() ? styleText(colour, text) : text);

// ── Words ────────────────────────────────────────────────────────────────────────────────────

/** '1 tick', '3 ticks'. */
export const plural = (count: number, what: string): string =>
  `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;

/** Other people's text on our terminal: without control characters. */
export const printable = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '·');

/** 'a', 'a and b', 'a, b and c'. */
export const listed = (words: readonly (string | number)[]): string =>
  (words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`);

/** Rates of machines for a line: the first twelve. */
export const rateWords = (rates_hz: readonly (number | null)[]): string =>
  rates_hz.slice(0, MACHINES_SHOWN).map((rate_hz) => rate_hz ?? '?').join(', ')
  + (rates_hz.length > MACHINES_SHOWN ? ', …' : '');

/** The sentence for an event: what a machine did, in the words of the exercise. */
export function eventWords(
  event: string, peers: string | number | readonly number[], message: string | number,
): string {
  const whom = String(peers).replaceAll(/[ ,]+/g, ', ');
  if (event === 'send') return `send ${message} to ${whom}`;
  if (event === 'receive') return `receive ${String(message).replaceAll(' ', ', ')} from ${whom}`;
  return event;
}

// ── The bar ──────────────────────────────────────────────────────────────────────────────────

/** A bar of so many cells, of which a share is done. */
export function bar(share: number, cells = BAR_CELLS): string {
  const done = Math.round(cells * Math.min(Math.max(share, 0), 1));
  return '━'.repeat(done) + paint('dim', '─'.repeat(cells - done));
}

/** Shows a bar with the time that is left, on a terminal only, since a pipe keeps every frame. */
export function progress(what = ''): { show(share: number): void; end(): void } {
  const stream = process.stderr;
  if (!stream.isTTY) return { show: () => {}, end: () => {} };
  // Loaded only where there is something to paint, since it takes as long as the rest of a start.
  const loading = import('log-update').then(({ createLogUpdate }) => createLogUpdate(stream));
  let update: Awaited<typeof loading> | null = null;
  void loading.then((loaded) => { update = ended ? null : loaded; });
  const begin_ms = performance.now();
  let shown_ms = -Infinity;
  let ended = false;
  return {
    show(share) {
      const now_ms = performance.now();
      if (update === null || now_ms < shown_ms + REPAINT_MS) return;
      shown_ms = now_ms;
      const left_s = share > 0 ? Math.ceil(((now_ms - begin_ms) * (1 / share - 1)) / 1000) : null;
      const left = left_s === null ? '' : left_s < 120 ? `, ${left_s} s left`
        : `, ${Math.ceil(left_s / 60)} min left`;
      update(`${bar(share)} ${Math.floor(100 * share)} %${left}${what && `  ${what}`}`);
    },
    end() {
      ended = true;
      update?.clear();
    },
  };
}
