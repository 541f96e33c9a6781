/** Reads lines with regular expressions: those that a person states, and those that are guessed. */
import { runInNewContext } from 'node:vm';
import { isVector, listOf, numberOf } from './behaviour.ts';
import { LINE_MAX, lineAt, type Text } from './files.ts';
import { codeOf, isTrue } from './guess.ts';
import { cut } from './shapes.ts';
import { classify, saysBoth, type TickEvent } from './words.ts';

/** The named groups that a pattern may have. Of the last three one is true, as in a table. */
export const GROUPS = [
  'time',
  'event',
  'machine',
  'run',
  'peer',
  'queue',
  'clock',
  'message',
  'internal',
  'send',
  'receive',
] as const;
type Group = (typeof GROUPS)[number];

/** A pattern may take so long over all lines; the guessed ones take thousandths of it. */
export const PATIENCE_MS = 10_000;

/** A row of theirs, as it stands there. */
export interface Row {
  text: number;
  /** Which of the patterns read it. */
  pattern: number;
  /** In their file, from 1, and how many. */
  line: number;
  lines: number;
  event: TickEvent;
  /** A send that says that it goes to several. */
  both: boolean;
  time: string;
  /** Of a vector clock the sum. */
  clock: number;
  vector: number[] | null;
  queue: number | null;
  peers: string[];
  message: number | null;
  machine: string | null;
  run: string | null;
}

/** What is wrong with a pattern or a list of words, in one sentence. */
export class PatternError extends Error {}

/** @throws PatternError if it is no regular expression or lacks the groups that a row needs */
export function compile(source: string): RegExp {
  let pattern: RegExp;
  try {
    pattern = new RegExp(source);
  } catch (error) {
    throw new PatternError((error as Error).message.replace(/^Invalid regular expression: /, ''));
  }
  const groups = [...source.matchAll(/\(\?<([A-Za-z_]\w*)>/g)].map((match) => match[1]!);
  const stranger = groups.find((group) => !GROUPS.includes(group as Group));
  if (stranger)
    throw new PatternError(`there is no group "${stranger}": they are ${GROUPS.join(', ')}`);
  if (!groups.includes('clock')) throw new PatternError('it has no group (?<clock>…)');
  if (!['event', 'internal', 'send', 'receive'].some((group) => groups.includes(group))) {
    throw new PatternError('it has no group (?<event>…)');
  }
  return pattern;
}

/** 'receive=-1,R;send=1,2,3' as a map. @throws PatternError */
export function parseWords(text: string): Map<string, TickEvent | null> {
  const words = new Map<string, TickEvent | null>();
  for (const part of text.split(';').filter((part) => part.trim() !== '')) {
    const [event, list] = [
      part.slice(0, part.indexOf('=')).trim(),
      part.slice(part.indexOf('=') + 1),
    ];
    if (!['internal', 'send', 'receive', 'none'].includes(event)) {
      throw new PatternError(`"${event}" is not internal, send, receive or none`);
    }
    for (const word of list.split(',')) {
      words.set(codeOf(word), event === 'none' ? null : (event as TickEvent));
    }
  }
  return words;
}

/** What was read of the texts. */
export interface Read {
  rows: Row[];
  /** Of each text, the records that are rows. */
  taken: Uint8Array[];
}

/**
 * All rows that the patterns find, tried in order, file by file.
 * @param patience_ms how long patterns that a person wrote may take; null: without end
 * @throws PatternError if a pattern does not come to an end
 */
export function readRows(
  texts: readonly Text[],
  patterns: readonly RegExp[],
  words: ReadonlyMap<string, TickEvent | null>,
  patience_ms: number | null = null,
): Read {
  const read: Read = {
    rows: [],
    taken: texts.map(({ records }) => new Uint8Array(records.length)),
  };
  const spans = patterns.map(({ source }) => (source.match(/\\n/g)?.length ?? 0) + 1);
  let at = '';
  const all = () => {
    for (const [n, text] of texts.entries()) {
      for (let record = 0; record < text.records.length;) {
        at = `${text.file}:${lineAt(text, record)}`;
        const span = readRecord(read, n, text, record, patterns, spans, words);
        for (let line = 0; line < span; line++) read.taken[n]![record + line] = 1;
        record += span || 1;
      }
    }
  };
  if (patience_ms === null) {
    all();
    return read;
  }
  try {
    // A pattern of nested repetitions can take years over one line: time is bounded from outside.
    runInNewContext('all()', { all }, { timeout: patience_ms });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new PatternError(`it does not come to an end at ${at}: repetitions within repetitions`);
  }
  return read;
}

/** Reads the row that begins at a record; returns how many records it has, 0 if it is none. */
function readRecord(
  read: Read,
  n: number,
  text: Text,
  record: number,
  patterns: readonly RegExp[],
  spans: readonly number[],
  words: ReadonlyMap<string, TickEvent | null>,
): number {
  for (const [at, pattern] of patterns.entries()) {
    const span = spans[at]!;
    if (record + span > text.records.length) continue;
    const value =
      span === 1 ? text.records[record]! : text.records.slice(record, record + span).join('\n');
    if (value.length > LINE_MAX * span) continue;
    const groups = pattern.exec(value)?.groups;
    if (!groups) continue;
    const place = {
      text: n,
      pattern: at,
      line: lineAt(text, record),
      lines: text.at ? 1 : span,
    };
    const row = rowOf(place, groups, words, value);
    if (!row) continue;
    read.rows.push(row);
    return span;
  }
  return 0;
}

function eventOf(
  groups: Record<string, string | undefined>,
  words: ReadonlyMap<string, TickEvent | null>,
): TickEvent | null {
  for (const name of ['receive', 'send', 'internal'] as const)
    if (isTrue(groups[name])) return name;
  const word = groups.event;
  if (word === undefined) return null;
  const stated = words.get(codeOf(word)) ?? words.get(word.trim());
  if (stated !== undefined) return stated;
  return words.has(codeOf(word)) ? null : (classify(word)?.event ?? null);
}

function rowOf(
  place: Pick<Row, 'text' | 'pattern' | 'line' | 'lines'>,
  groups: Record<string, string | undefined>,
  words: ReadonlyMap<string, TickEvent | null>,
  value: string,
): Row | null {
  const event = eventOf(groups, words);
  if (event === null) return null;
  const clockText = (groups.clock ?? '').trim();
  const number = numberOf(clockText);
  const vector = Number.isNaN(number) && isVector(clockText) ? listOf(clockText) : null;
  const clock = vector ? vector.reduce((sum, part) => sum + part, 0) : number;
  if (!(Number.isInteger(clock) && clock >= -1 && clock < 2 ** 50)) return null;
  const whole = (text: string | undefined) => {
    const found = numberOf(text ?? '');
    return Number.isInteger(found) && found >= 0 && found < 2 ** 50 ? found : null;
  };
  const peers = event === 'internal' ? [] : peersOf(groups.peer ?? peerWithin(groups.event ?? ''));
  const both =
    event === 'send' &&
    peers.length !== 1 &&
    (peers.length > 1 || saysBoth(groups.event ?? '') || saysBoth(cut(value).parts.join(' ')));
  // Name by name, since a spread into other names costs more than all that is above.
  return {
    text: place.text,
    pattern: place.pattern,
    line: place.line,
    lines: place.lines,
    event,
    both: both || (event === 'send' && peers.length === 1 && saysBoth(peers[0]!)),
    time: (groups.time ?? '').trim(),
    clock,
    vector,
    queue: whole(groups.queue),
    peers: peers.filter((peer) => !saysBoth(peer)),
    message: whole(groups.message),
    machine: groups.machine?.trim() || null,
    run: groups.run?.trim() || null,
  };
}

/** "SENT to 3056" and "SEND C" in one column name their peer there. */
const peerWithin = (text: string): string =>
  /^[A-Za-z]{3,}[ :]([A-Z]|\d{1,5})$/.exec(text.trim())?.[1] ??
  /\b(?:to|from)\b[ :_#]*(?:machines?|process(?:es)?|vms?|nodes?|ports?)?[ :_#]*([\w.:, ]+)$/i.exec(
    text,
  )?.[1] ?? '';

/** The names in "2", "1 and 2", "[1, 2]", "AB", "localhost:5003", "process_3". */
function peersOf(text: string): string[] {
  const clean = text.replace(
    /['"]?localhost['"]?,\s*|localhost:|127\.0\.0\.1:|\d+\.\d+\.\d+\.\d+:/g,
    '',
  );
  return clean
    .split(/[^A-Za-z0-9_.#-]+|\band\b/)
    .map((word) => word.trim())
    .filter(
      (word) =>
        /\w/.test(word) &&
        !/^(and|machines?|process|vm|node|port|none|nan|null|peers?)$/i.test(word),
    )
    .flatMap((word) => (/^[A-D]{2,3}$/.test(word) ? [...word] : [word]));
}

/** Takes back what was read of files that turned out to be no machine's log. */
export function withoutTexts(
  texts: readonly Text[],
  patterns: readonly string[],
  read: Read,
  without: ReadonlySet<number>,
): { patterns: string[]; read: Read } {
  const rows = read.rows.filter(({ text }) => !without.has(text));
  const used = new Set(rows.map(({ pattern }) => pattern));
  const taken = read.taken.map((one, n) =>
    without.has(n) ? new Uint8Array(texts[n]!.records.length) : one,
  );
  return { patterns: patterns.filter((_, n) => used.has(n)), read: { rows, taken } };
}

// ── What was left ────────────────────────────────────────────────────────────────────────────

export interface Left {
  shape: string;
  count: number;
  file: string;
  line: number;
  example: string;
}

/** The lines that are no rows, grouped by their shape, the commonest first. */
export function leftLines(
  texts: readonly Text[],
  { taken }: Read,
): { left: Left[]; lines: number } {
  const groups = new Map<string, Left>();
  let lines = 0;
  let last: Left | null = null;
  for (const [n, { file, records, ...text }] of texts.entries()) {
    for (const [record, value] of records.entries()) {
      if (value.trim() === '') continue;
      lines++;
      if (taken[n]![record]) continue;
      if (last?.example === value) {
        last.count++;
        continue;
      }
      const short: string = value.slice(0, 160);
      const shape: string =
        groups.size < 2000 ? cut(short).parts.join('#').replace(/\s+/g, ' ').trim() : 'other lines';
      const found = groups.get(shape);
      if (found) found.count++;
      else
        groups.set(shape, {
          shape,
          count: 1,
          file,
          line: text.at?.[record] ?? record + 1,
          example: short,
        });
      last = groups.get(shape)!;
    }
  }
  return { left: [...groups.values()].sort((a, b) => b.count - a.count), lines };
}
