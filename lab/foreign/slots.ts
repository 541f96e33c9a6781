/** Which number of a line is what: the clock, the time, the queue, the peer and the message. */
import { behaviour, clockness, clockOf, listOf, numberOf } from './behaviour.ts';
import { label, type Meaning, named } from './guess.ts';
import type { Line, Shape } from './shapes.ts';
import { loneMessage, lonePeer, loneQueue, namedQueue } from './unnamed.ts';
import { type Field, fits } from './words.ts';

/** The slots that may be a shape's clock, the likeliest first. */
export function clocks(shape: Shape, key: (line: Line) => string | number): number[] {
  const found = [...shape.slots.entries()]
    .flatMap(([at, slot]): [number, number, boolean][] => {
      if (slot.kind === 'time' || slot.kind === 'address' || slot.kind === 'name') return [];
      const how = behaviour(shape, at, key);
      const lively = clockness(how, shape.lines.length);
      // A list of another length each time, or in a shape that names receivers, is no vector clock.
      if (slot.kind === 'list') {
        const sizes = new Set(
          shape.lines.slice(0, 200).map((line) => listOf(line.values[at]!).length),
        );
        if (sizes.size !== 1 || how.rising < 0.5) return [];
      }
      const score = lively + named('clock', shape, at);
      // A clock by its name stays one though it falls: a receive may forget what was known.
      const isNamed = how.whole >= 0.98 && named('clock', shape, at) >= 3;
      return (lively > 0 && score > 1) || isNamed
        ? [[at, score, how.index && named('clock', shape, at) < 1.5]]
        : [];
    })
    .sort((a, b) => b[1] - a[1]);
  // The number of a row rises even more evenly than a clock.
  const real = found.filter(([, , index]) => !index);
  return (real.length > 0 ? real : found).map(([at]) => at);
}

/** Fills the slots beside the clock and the event. */
export function fill(meaning: Meaning, key: (line: Line) => string | number): void {
  const { shape, slots } = meaning;
  const taken = () => Object.values(slots);
  const isFree = (at: number) => !taken().includes(at) && !Object.values(meaning.hot).includes(at);
  slots.time = timeSlot(meaning);
  const best = (field: Field, least: number, may: (at: number) => boolean) => {
    const found = [...shape.slots.keys()]
      .filter((at) => isFree(at) && may(at))
      .map((at) => [at, named(field, shape, at)] as const)
      .filter(([, score]) => score >= least)
      .sort((a, b) => b[1] - a[1])[0];
    return found ? found[0] : -1;
  };
  slots.queue = namedQueue(meaning, isFree);
  const isEvent =
    meaning.event === 'send' || meaning.event === 'receive' || shape.separator !== null;
  if (isEvent) {
    const away =
      meaning.event === 'send' ? /\bfrom\b[^t]*$|\bsender|\bsource/ : /\bto\b[^f]*$|\bdest/;
    const isTowards = (at: number) => shape.separator !== null || !away.test(label(shape, at));
    slots.peer = best('peer', 1, (at) => shape.slots[at]!.kind !== 'time' && isTowards(at));
    slots.message = messageSlot(meaning, isFree, best);
    if (slots.queue === -1) slots.queue = loneQueue(meaning, key, isFree);
    if (slots.peer === -1) slots.peer = lonePeer(meaning, isFree);
    if (slots.message === -1) slots.message = loneMessage(meaning, isFree);
  }
  const until = slots.peer === -1 ? -1 : lastPeer(meaning, slots.peer);
  slots.machine = best(
    'machine',
    2,
    (at) => isConstant(meaning, at) && !(at > slots.peer && at <= until),
  );
  if (slots.queue === -1) slots.queue = loneQueue(meaning, key, isFree);
  if (slots.peer === -1 && meaning.event === 'send') {
    // "S1", "Sent to all of [1, 2]": a list, or one of few small numbers, in a send names a peer.
    const free = [...shape.slots.keys()].filter((at) => isFree(at) && !isLong(label(shape, at)));
    slots.peer =
      free.find((at) => shape.slots[at]!.kind === 'list') ??
      free.find(
        (at) =>
          shape.slots[at]!.kind === 'number' &&
          isFew(shape, at) &&
          /[A-Za-z][ _#-]?$/.test(shape.parts[at]!),
      ) ??
      -1;
  }
}

const isLong = (words: string) => words.split(' ').pop()!.length > 4;

function isFew(shape: Shape, at: number): boolean {
  const values = new Set(shape.lines.map((line) => line.values[at]!));
  return (
    values.size >= 2 &&
    values.size <= 12 &&
    values.size < shape.lines.length / 2 &&
    [...values].every((value) => /^\d+$/.test(value))
  );
}

/** The value that a message carries, beside the clock of the machine itself. */
function messageSlot(
  meaning: Meaning,
  isFree: (at: number) => boolean,
  best: (field: Field, least: number, may: (at: number) => boolean) => number,
): number {
  const { shape, slots } = meaning;
  const isNumber = (at: number) => {
    if (shape.slots[at]!.kind === 'time' || /\bold|\bprev|\bbefore/.test(label(shape, at)))
      return false;
    const values = shape.lines.slice(0, 300).map((line) => line.values[at] ?? '');
    return (
      values.filter((value) => Number.isInteger(numberOf(value))).length > values.length * 0.2 &&
      values.every((value) => value === '' || !(numberOf(value) > 2e8))
    );
  };
  const isNear = (at: number) =>
    meaning.event !== 'send' ||
    shape.lines
      .slice(0, 300)
      .filter((line) => Math.abs(clockOf(line.values[at]) - clockOf(line.values[slots.clock])) > 2)
      .length === 0;
  const named = best('message', 2, (at) => isNumber(at) && isNear(at));
  if (named !== -1) return named;
  // "Received: 5", and a second logical clock in a row.
  return (
    [...shape.slots.keys()].find(
      (at) =>
        isFree(at) &&
        isNumber(at) &&
        isNear(at) &&
        shape.separator === null &&
        (/(^| )(received?|sent|sending|receiving)$/.test(label(shape, at)) ||
          fits('clock', label(shape, at)) >= 3) &&
        !isFew(shape, at),
    ) ?? -1
  );
}

/** The last of the peers that a send names in a row: "2 and 3", "2, machine 3". */
export function lastPeer({ shape, event, slots }: Meaning, from: number): number {
  let at = from;
  const others = Object.values(slots);
  while (
    event === 'send' &&
    at + 1 < shape.slots.length &&
    !others.includes(at + 1) &&
    shape.slots[at + 1]!.kind === shape.slots[at]!.kind &&
    /^[\s,&+/|]*(?:and\s*|AND\s*)?(?:[A-Za-z]+[ _#]?)?$/.test(shape.parts[at + 1]!) &&
    // Two numbers with a mere blank between are two columns, unless a word names receivers.
    (/\S/.test(shape.parts[at + 1]!) || named('peer', shape, from) >= 1) &&
    shape.parts[at + 1]!.length < 20
  )
    at++;
  return at;
}

/** Whether a slot has one value in each file, or at most twelve in all. */
function isConstant({ shape }: Meaning, at: number): boolean {
  const all = new Set<string>();
  const files = new Map<number, Set<string>>();
  for (const line of shape.lines.slice(0, 20_000)) {
    const value = (line.values[at] ?? '').trim();
    all.add(value);
    if (!files.has(line.text)) files.set(line.text, new Set());
    files.get(line.text)!.add(value);
    if (all.size > 200) return false;
  }
  if ([...files.values()].every((values) => values.size === 1)) return !/\d\.\d/.test([...all][0]!);
  return all.size <= 12 && ![...all].some((value) => value === '' || /\d\.\d/.test(value));
}

/** Of several times the finest that changes from line to line. */
function timeSlot({ shape, slots }: Meaning): number {
  let best = -1;
  let most = 0;
  for (const [at, slot] of shape.slots.entries()) {
    if (at === slots.clock || at === slots.event) continue;
    const sample = shape.lines.slice(0, 200);
    const values = sample.map((line) => line.values[at] ?? '');
    const isWritten =
      slot.kind === 'time' || values.every((value) => /\d\d?:\d\d:\d\d/.test(value));
    const numbers = values.map(numberOf);
    const isNumber = numbers.every((value) => !Number.isNaN(value));
    if (!isWritten && !isNumber) continue;
    const pairs = values.filter((_, n) => n > 0 && sample[n]!.text === sample[n - 1]!.text);
    const moves = values.filter(
      (value, n) => n > 0 && sample[n]!.text === sample[n - 1]!.text && value !== values[n - 1],
    ).length;
    if (pairs.length > 3 && moves < pairs.length * 0.08) continue;
    const epoch = isNumber && numbers[0]! > 9e8;
    let falls = 0;
    for (let n = 1; n < numbers.length; n++) {
      if (sample[n]!.text === sample[n - 1]!.text && numbers[n]! < numbers[n - 1]!) falls++;
    }
    const rises = isNumber && falls <= values.length * 0.05;
    const fine = Math.max(
      ...values.map((value) => (/[.,]\d+/.exec(value)?.[0].length ?? 1) - 1),
      0,
    );
    const digits = epoch ? Math.max(0, Math.floor(Math.log10(numbers[0]!)) - 9) : 0;
    const score =
      (isWritten || epoch
        ? 3
        : rises
          ? fits('time', slot.label) > 0
            ? 2
            : fine > 2 || shape.separator === null || numbers.at(-1)! > 2000
              ? 0.5
              : 0
          : 0) +
      (isWritten || epoch ? Math.min(6, fine + digits) / 10 : 0) +
      (!isWritten && !epoch && rises
        ? Math.log10(1 + Math.abs(numbers.at(-1)!)) / 30 + fine / 20
        : 0) -
      (fits('clock', slot.label) > 2 && !epoch ? 3 : 0) -
      (fits('queue', slot.label) > 2 && !isWritten ? 3 : 0);
    if (score > most) [best, most] = [at, score];
  }
  return best;
}
