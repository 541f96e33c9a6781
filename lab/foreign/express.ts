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

/** The patterns of all meanings, the commonest first. */
export function patternsOf(meanings: readonly Meaning[], texts: readonly Text[]): string[] {
  const patterns = meanings
    .filter((meaning) => meaning.shape.lines.length > 0)
    .map((meaning) =>
      meaning.shape.separator !== null ? tablePattern(meaning) : linePattern(meaning, texts),
    );
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
  const events = new Map<TickEvent, Set<string>>();
  for (const { codes, shape, slots, event } of meanings) {
    for (const [code, meant] of codes) {
      const said = classify(code);
      if (meant === null || (said && said.weight > 0 && said.event === meant)) continue;
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
        : { words: null, group: null, source: /^[ \t]+$/.test(text) ? blank : escape(text) },
    );
  }
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
  const clean = example
    .replace(/([:.,]\d\d?:\d\d?:\d\d)[.,]\d+/, '$1')
    .replace(/(\d:\d\d)[.,]\d+/, '$1');
  let source = clean.replace(/\d+|[A-Za-z]+|[^A-Za-z\d]/g, (token) =>
    /^\d{4}$/.test(token)
      ? '\\d{4}'
      : /^\d/.test(token)
        ? '\\d+'
        : /^[A-Za-z]+$/.test(token)
          ? token === 'T' || token === 'Z'
            ? token
            : '[A-Za-z]+'
          : token === ' '
            ? ' '
            : escape(token),
  );
  source = source.replace(/ +/g, ' +');
  if (!fraction) return source;
  const at = source.lastIndexOf(':\\d+');
  return `${source.slice(0, at + 4)}(?:[.,:]\\d+)?${source.slice(at + 4)}`;
}

// ── Tables ───────────────────────────────────────────────────────────────────────────────────

function tablePattern(meaning: Meaning): Pattern {
  const { shape, slots, hot } = meaning;
  const separator = shape.separator!;
  const quoted = shape.lines.some((line) => line.values.some((value) => value.includes(separator)));
  const field = quoted ? `(?:"[^"]*"|[^${escape(separator)}"]*)` : `[^${escape(separator)}]*`;
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
  if (a.group !== 'event' && (one.event !== two.event || one.event === 'internal')) return null;
  const words = new Set([...a.words!, ...two.pieces[differs]!.words!]);
  const hasPeer = one.pieces.some(({ group }) => group === 'peer');
  const isPeer = a.group === null && !hasPeer && one.event !== null && words.size <= 24;
  const pieces = one.pieces.map((piece, n) =>
    n === differs ? { ...piece, words, group: isPeer ? 'peer' : piece.group } : piece,
  );
  return { pieces, lines, event: one.event === two.event ? one.event : null };
}

const isSubset = (some: Set<string>, all: Set<string>) => [...some].every((word) => all.has(word));
