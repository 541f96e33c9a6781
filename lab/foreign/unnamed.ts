/**
 * What a number is that no word beside it names: the queue goes up and down at receives, a peer is
 * one of few and stands where something was sent, a message's value follows the clock.
 */
import { clockOf, numberOf } from './behaviour.ts';
import { eventAt, label, type Meaning, named } from './guess.ts';
import type { Line } from './shapes.ts';
import { classify, isMissing, saysBoth, type TickEvent } from './words.ts';

const SAMPLE = 5000;
/** So many wait at most; a larger number is something else. */
const QUEUE_MAX = 1e6;
/** Machines of a run and their groups, as "1 2". */
const PEERS_MAX = 24;
const QUEUE_AFTER = new RegExp(
  '^(?:(?:more |other |unread )?(?:messages?|msgs?|items?|elements?) )?(?:are |still )*' +
    '(?:(?:left|remain\\w*|waiting|pending|queued)\\b' +
    '(?! (?:queue|messages?|msgs?|length|size|len))' +
    '|in (?:the |its |my )?(?:message )?(?:queue|inbox|buffer|mailbox))',
);

/** The cells of the rows of one event, or of all rows if the shape has no such. */
function cellsOf(meaning: Meaning, at: number, event: TickEvent): { text: number; cell: string }[] {
  const lines = meaning.shape.lines.slice(0, SAMPLE);
  return lines
    .filter((line) => eventAt(meaning, line) === event)
    .map((line) => ({ text: line.text, cell: (line.values[at] ?? '').trim() }));
}

/** Whether a slot holds small whole numbers wherever something was received. */
function countsMessages(meaning: Meaning, at: number): boolean {
  const { shape, event } = meaning;
  const receives = cellsOf(meaning, at, 'receive');
  const cells =
    receives.length > 0
      ? receives
      : event !== null
        ? shape.lines.slice(0, SAMPLE).map(({ values }) => ({ text: 0, cell: values[at] ?? '' }))
        : [];
  const isCount = ({ cell }: { cell: string }) => {
    const value = numberOf(cell);
    return Number.isInteger(value) && value >= -1 && value < QUEUE_MAX;
  };
  return cells.length > 0 && cells.filter(isCount).length >= cells.length * 0.95;
}

/** The slot that a word names as the queue; −1 if none does. */
export function namedQueue(meaning: Meaning, isFree: (at: number) => boolean): number {
  const { shape } = meaning;
  const found = [...shape.slots.keys()]
    .filter((at) => isFree(at) && shape.slots[at]!.kind !== 'time')
    .map((at) => ({
      at,
      score:
        named('queue', shape, at) + (QUEUE_AFTER.test(shape.slots[at]!.after) ? 5 : 0),
    }))
    .filter(({ at, score }) => score >= 1 && countsMessages(meaning, at))
    .sort((a, b) => b.score - a.score);
  return found[0]?.at ?? -1;
}

/** No word stands before the slot but one that tells the event. */
function isUnnamed({ shape }: Meaning, at: number): boolean {
  const words = label(shape, at).split(' ').filter((word) => word.length > 1);
  return words.length === 0 || (words.length <= 2 && classify(words.join(' ')) !== null);
}

/** Of unnamed numbers the one that goes up and down as messages come and are taken. */
export function loneQueue(
  meaning: Meaning,
  key: (line: Line) => string | number,
  isFree: (at: number) => boolean,
): number {
  const { shape, slots } = meaning;
  const lines = shape.lines.slice(0, SAMPLE).filter((line) => eventAt(meaning, line) === 'receive');
  if (lines.length === 0) return -1;
  const found = [...shape.slots.keys()].filter((at) => {
    if (!isFree(at) || at === slots.peer || at === slots.message) return false;
    const isNumber = ['number', 'column'].includes(shape.slots[at]!.kind);
    if (!isNumber || !isUnnamed(meaning, at)) return false;
    const values = lines.map((line) => numberOf(line.values[at]));
    if (!values.every((value) => Number.isInteger(value) && value >= 0 && value < QUEUE_MAX))
      return false;
    if (Math.min(...values) > 1) return false;
    const last = new Map<string | number, number>();
    let rising = 0;
    for (const [n, line] of lines.entries()) {
      if (values[n]! > (last.get(key(line)) ?? Infinity)) rising++;
      last.set(key(line), values[n]!);
    }
    return rising < 0.7 * lines.length && !isPeer(meaning, at, lines);
  });
  // A number that never changes in a file is the machine's.
  const lively = found.length > 1 ? found.filter((at) => !isOwn(lines, at)) : found;
  return lively.length === 1 ? lively[0]! : -1;
}

function isOwn(lines: readonly Line[], at: number): boolean {
  const files = new Map<number, Set<string>>();
  for (const { text, values } of lines)
    files.set(text, (files.get(text) ?? new Set()).add(values[at]!));
  return [...files.values()].every(({ size }) => size === 1);
}

/** Whether numbers at receives name senders: few in each file, and sends have the same ones. */
function isPeer(meaning: Meaning, at: number, receives: readonly Line[]): boolean {
  const files = new Map<number, Set<string>>();
  for (const { text, values } of receives)
    files.set(text, (files.get(text) ?? new Set()).add(values[at]!));
  if ([...files.values()].some(({ size }) => size > 3)) return false;
  const sent = new Set(cellsOf(meaning, at, 'send').map(({ cell }) => cell));
  const own = new Set(cellsOf(meaning, at, 'internal').map(({ cell }) => cell));
  for (const cell of own) sent.delete(cell);
  return [...sent].filter((cell) => /\d/.test(cell)).length >= 2;
}

/** A column that names receivers: filled in sends by few names, and empty at internal events. */
export function lonePeer(meaning: Meaning, isFree: (at: number) => boolean): number {
  const { shape } = meaning;
  if (shape.separator === null) return -1;
  const found = [...shape.slots.keys()].filter((at) => {
    if (!isFree(at) || label(shape, at) !== '') return false;
    const sends = cellsOf(meaning, at, 'send').map(({ cell }) => cell);
    const own = new Set(cellsOf(meaning, at, 'internal').map(({ cell }) => cell));
    const names = new Set(sends);
    const isEmpty = [...own].every((cell) => isMissing(cell) || cell === '0' || cell === '-1');
    return (
      sends.length > 0 && own.size === 1 && isEmpty &&
      names.size >= 2 && names.size <= PEERS_MAX &&
      sends.filter((cell) => !isMissing(cell) && !own.has(cell)).length >= sends.length * 0.6 &&
      [...names].every((cell) => /^[\w ,&+.:-]{1,40}$/.test(cell) || saysBoth(cell))
    );
  });
  return found.length === 1 ? found[0]! : -1;
}

/** A column that holds the value that was taken: filled at receives, below the clock there. */
export function loneMessage(meaning: Meaning, isFree: (at: number) => boolean): number {
  const { shape, slots } = meaning;
  if (shape.separator === null) return -1;
  const lines = shape.lines.slice(0, SAMPLE).filter((line) => eventAt(meaning, line) === 'receive');
  if (lines.length < 5) return -1;
  const found = [...shape.slots.keys()].filter((at) => {
    if (!isFree(at) || label(shape, at) !== '') return false;
    const values = lines.map((line) => numberOf(line.values[at]));
    const clocks = lines.map((line) => clockOf(line.values[slots.clock]));
    const isBelow = (value: number, n: number) =>
      Number.isInteger(value) && value <= clocks[n]! + 1;
    if (!values.every(isBelow)) return false;
    const near = values.filter((value, n) => clocks[n]! - value <= 2).length;
    return near >= values.length * 0.2 && new Set(values).size > values.length * 0.3;
  });
  return found.length === 1 ? found[0]! : -1;
}
