/** Says a guess as regular expressions with named groups, as few as will do. */
import { numberOf } from './behaviour.ts';
import type { Text } from './files.ts';
import { isTrue, type Meaning } from './guess.ts';
import { lastPeer } from './slots.ts';
import { classify, type TickEvent } from './words.ts';

/** A part of a pattern: its source, or words of which one stands there. */
interface Piece {
  /** Null: a slot or a separator, the same in all lines. */
  words: Set<string> | null;
  source: string;
  group: string | null;
}

interface Pattern {
  pieces: Piece[];
  lines: number;
  event: TickEvent | null;
}

export const escape = (text: string): string =>
  text
    .replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t');

const TOKENS = /[A-Za-z]+(?:_[A-Za-z]+)*|\s+|[^A-Za-z]/g;
const MERGED_MAX = 40;
/** A row says its event in one of these; a guess that has none of them says nothing. */
const EVENT_GROUPS = new Set(['event', 'internal', 'send', 'receive']);

/** The patterns of all meanings, the commonest first. */
export function patternsOf(meanings: readonly Meaning[], texts: readonly Text[]): string[] {
  const patterns = meanings
    .filter((meaning) => meaning.shape.lines.length > 0)
    .map((meaning) =>
      meaning.shape.separator !== null ? tablePattern(meaning) : linePattern(meaning, texts),
    )
    .filter(({ pieces }) => pieces.some(({ group }) => EVENT_GROUPS.has(group ?? '')));
  const merged = merge(patterns);
  return [
    ...new Set(
      merged
        .sort((a, b) => b.lines - a.lines)
        .map(({ pieces }) => `^${pieces.map(sourceOf).join('')}$`),
    ),
  ];
}

function sourceOf({ words, source, group }: Piece): string {
  const inner = words ? [...words].map(escape).join('|') : source;
  if (group) return `(?<${group}>${inner})`;
  return words && words.size > 1 ? `(?:${inner})` : inner;
}

/** What codes mean that no word tells, as `--words` has it; empty if none is needed. */
export function wordsOf(meanings: readonly Meaning[]): string {
  const events = new Map<TickEvent | 'none', Set<string>>();
  for (const { codes, shape, slots, event } of meanings) {
    for (const [code, event] of codes) {
      const said = classify(code);
      const isSaid = said !== null && said.weight > 0 && said.event === event;
      if (event === null ? said === null : isSaid) continue;
      const meant = event ?? 'none';
      if (!events.has(meant)) events.set(meant, new Set());
      events.get(meant)!.add(code);
    }
    const word = shape.said?.word;
    if (slots.event === -1 && event && word && classify(word)?.event !== event) {
      if (!events.has(event)) events.set(event, new Set());
      events.get(event)!.add(word);
    }
  }
  return [...events].map(([event, codes]) => `${event}=${[...codes].join(',')}`).join(';');
}

// ── Lines ────────────────────────────────────────────────────────────────────────────────────

function linePattern(meaning: Meaning, texts: readonly Text[]): Pattern {
  const { shape, slots, event } = meaning;
  const raw = shape.lines
    .slice(0, 500)
    .map((line) =>
      texts[line.text]!.records.slice(line.record, line.record + line.span).join('\n'),
    );
  const blank = raw.some((line) => /\S {2,}\S|\t/.test(line)) ? '[ \\t]+' : ' ';
  const pieces: Piece[] = [];
  let place = 0;
  let until = -1;
  for (const [n, part] of shape.parts.entries()) {
    if (n > until) addText(pieces, part, place, meaning, blank);
    place += part.length + 1;
    if (n >= shape.slots.length || n < until) continue;
    const group =
      (Object.keys(slots) as (keyof typeof slots)[]).find((name) => slots[name] === n) ?? null;
    if (group === 'peer') {
      until = lastPeer(meaning, n);
      const between = shape.parts.slice(n + 1, until + 1).map((text) => escape(text));
      const source = Array.from(
        { length: until - n + 1 },
        (_, at) => slotSource(meaning, n + at) + (between[at] ?? ''),
      ).join('');
      pieces.push({ words: null, source, group });
    } else if (n > until || n !== until) {
      pieces.push({ words: null, source: slotSource(meaning, n), group });
    }
  }
  pieces.push({ words: null, source: '\\s*', group: null });
  if (!pieces.some(({ group }) => group === 'event')) nameEvent(pieces, meaning);
  return { pieces, lines: shape.lines.length, event };
}

function addText(
  pieces: Piece[],
  part: string,
  place: number,
  { shape, slots, event }: Meaning,
  blank: string,
): void {
  for (const token of part.matchAll(TOKENS)) {
    const [text] = token;
    const isWord = /^[A-Za-z]/.test(text);
    const isEvent =
      slots.event === -1 &&
      event !== null &&
      shape.said !== null &&
      shape.said.event === event &&
      isWord &&
      place + token.index === shape.said.place;
    pieces.push(
      isWord
        ? { words: new Set([text]), source: '', group: isEvent ? 'event' : null }
        : { words: null, group: null, source: blankSource(text, blank) ?? escape(text) },
    );
  }
}

/** Blanks may be more or fewer, also where a record's next line is set in; null: no blanks. */
function blankSource(text: string, blank: string): string | null {
  if (/^[ \t]+$/.test(text)) return blank;
  if (!/^\s*\n\s*$/.test(text)) return null;
  return `${'\\s*?\\n'.repeat(text.split('\n').length - 1)}[ \\t]*`;
}

/** A shape whose event no word says needs one all the same: its first word, or nothing. */
function nameEvent(pieces: Piece[], { slots, shape, event }: Meaning): void {
  if (slots.event >= 0 || event === null) return;
  const first = pieces.find(({ words, group }) => words && group === null);
  if (!first) return;
  first.group = 'event';
  const word = [...first.words!][0]!;
  shape.said = { event, weight: 1, place: -1, word };
}

function slotSource({ shape }: Meaning, slot: number): string {
  const { kind, example } = shape.slots[slot]!;
  const values = shape.lines.map((line) => line.values[slot]!);
  const any = (test: RegExp) => values.some((value) => test.test(value));
  switch (kind) {
    case 'time':
      return timeSource(example, any(/:\d\d[.,]\d+/));
    case 'list':
      return /^\d/.test(example)
        ? '\\d+(?:,\\d+)+'
        : `${escape(example[0]!)}.*?${escape(example.at(-1)!)}`;
    case 'address':
      return '[\\w.]+(?::\\d+)?';
    case 'name':
      return '[\\w-]+';
    default:
      return any(/e/i)
        ? '[-+\\d.e]+'
        : `${any(/^-/) ? '-?' : ''}\\d+${any(/\./) ? '(?:\\.\\d+)?' : ''}`;
  }
}

/** A time's form: digits for digits, letters for letters; its fraction may be missing. */
function timeSource(example: string, fraction: boolean): string {
  if (example.startsWith('datetime')) return 'datetime\\.datetime\\([\\d, ]+\\)';
  const found = /^(.*?\d\d?:\d\d:\d\d)([.,:]\d+)?(.*)$/.exec(example);
  if (!found) return timeForm(example);
  const [, until, , behind] = found;
  const zone = /^ ?[-+]\d/.test(behind!) ? ' ?[-+]\\d+:?\\d*' : timeForm(behind!);
  return `${timeForm(until!)}${fraction ? '(?:[.,:]\\d+)?' : ''}${zone}`;
}

const timeForm = (text: string): string =>
  text
    .replace(/\d+|[A-Za-z]+|[^A-Za-z\d]/g, (token) =>
      /^\d{4}$/.test(token)
        ? '\\d{4}'
        : /^\d/.test(token)
          ? '\\d+'
          : /^[TZ]$/.test(token) || token === ' '
            ? token
            : /^[A-Za-z]/.test(token)
              ? '[A-Za-z]+'
              : escape(token),
    )
    .replace(/ +/g, ' +');

// ── Tables ───────────────────────────────────────────────────────────────────────────────────

function tablePattern(meaning: Meaning): Pattern {
  const { shape, slots, hot } = meaning;
  const separator = shape.separator!;
  const quoted = shape.lines.some((line) => line.values.some((value) => value.includes(separator)));
  const field = quoted ? `(?: *"[^"]*" *|[^${escape(separator)}"]*)` : `[^${escape(separator)}]*`;
  const pieces = shape.slots.flatMap((_, n): Piece[] => {
    const group =
      (Object.keys(slots) as (keyof typeof slots)[]).find((name) => slots[name] === n) ??
      (Object.keys(hot) as TickEvent[]).find((name) => hot[name] === n) ??
      null;
    const between: Piece[] =
      n === 0 ? [] : [{ words: null, source: escape(separator), group: null }];
    const values = shape.lines.map((line) => line.values[n] ?? '');
    const isNumber = group === 'clock' && values.every((value) => !Number.isNaN(numberOf(value)));
    const isHot =
      group !== null &&
      hot[group as TickEvent] === n &&
      values.every((value) => isTrue(value) || /^\s*(0|0\.0|false|no|)\s*$/i.test(value));
    // Numbers are asked for where only numbers stood, so that a heading is no row.
    const source = isNumber ? '\\s*"?\\d+(?:\\.\\d+)?"?\\s*' : isHot ? '\\s*\\w*\\s*' : field;
    return [...between, { words: null, source, group }];
  });
  return { pieces, lines: shape.lines.length, event: null };
}

// ── Fewer patterns ───────────────────────────────────────────────────────────────────────────

/** Joins patterns that differ in one word: in the event's, or in that of a peer. */
function merge(patterns: Pattern[]): Pattern[] {
  const found = [...patterns];
  for (let again = true; again && found.length > 1;) {
    again = false;
    search: for (let a = 0; a < Math.min(found.length, MERGED_MAX * 5); a++) {
      for (let b = a + 1; b < Math.min(found.length, MERGED_MAX * 5); b++) {
        const joined = join(found[a]!, found[b]!);
        if (!joined) continue;
        found.splice(b, 1);
        found[a] = joined;
        again = true;
        break search;
      }
    }
  }
  return found;
}

function join(one: Pattern, two: Pattern): Pattern | null {
  if (one.pieces.length !== two.pieces.length) return null;
  let differs = -1;
  for (const [n, a] of one.pieces.entries()) {
    const b = two.pieces[n]!;
    const isSame =
      a.group === b.group || (a.words && b.words && a.group !== 'event' && b.group !== 'event');
    if (!isSame || Boolean(a.words) !== Boolean(b.words)) return null;
    if (a.words ? isSubset(b.words!, a.words) : a.source === b.source) continue;
    if (!a.words || differs !== -1) return null;
    differs = n;
  }
  const lines = one.lines + two.lines;
  if (differs === -1) return { ...one, lines };
  const a = one.pieces[differs]!;
  const isOwn = a.group === 'machine' || namesMachine(one.pieces, differs);
  if (a.group !== 'event' && (one.event !== two.event || (one.event === 'internal' && !isOwn)))
    return null;
  const words = new Set([...a.words!, ...two.pieces[differs]!.words!]);
  const name = isOwn ? 'machine' : 'peer';
  const isFree = a.group === null && !one.pieces.some(({ group }) => group === name);
  const isName = isFree && one.event !== null && words.size <= 24;
  const pieces = one.pieces.map((piece, n) =>
    n === differs ? { ...piece, words, group: isName ? name : piece.group } : piece,
  );
  return { pieces, lines, event: one.event === two.event ? one.event : null };
}

/** Whether the words before a word say that it names the machine whose row this is. */
function namesMachine(pieces: readonly Piece[], at: number): boolean {
  const before = pieces
    .slice(0, at)
    .flatMap(({ words, source }) => {
      if (words) return [...words].slice(0, 1);
      return /\d|\|/.test(source) ? [';'] : [];
    })
    .slice(-2)
    .join(' ');
  return (
    /(?:machine|process|vm|node|pid|\bid)$/i.test(before) &&
    !/\b(?:to|from|dest\w*|with)\b/i.test(before)
  );
}

const isSubset = (some: Set<string>, all: Set<string>) => [...some].every((word) => all.has(word));
