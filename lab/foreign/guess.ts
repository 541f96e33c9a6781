/**
 * Guesses, without being told anything, what the lines of other people's logs say: which are events,
 * and where in them the clock, the time, the queue, the peer and the message stand. Words propose,
 * the numbers' behaviour decides.
 */
import { clockOf } from './behaviour.ts';
import type { Line, Shape } from './shapes.ts';
import { classify, fits, isNoEvent, type Field, type TickEvent } from './words.ts';

/** What a shape's slots are; −1 where it has none. */
export interface Meaning {
  shape: Shape;
  slots: Record<Field | 'event', number>;
  /** Columns of which one is true: which event it was. */
  hot: Partial<Record<TickEvent, number>>;
  /** The event of each word or code in the event's slot. */
  codes: Map<string, TickEvent | null>;
  /** The event of all its lines, if no slot says it. */
  event: TickEvent | null;
}

/** A value of an event's slot without its numbers: "SENT to 2" and "SENT to 3" are one word. */
export const codeOf = (text: string): string =>
  /[A-Za-z]/.test(text) ? text.replace(/\d+/g, '#').trim() : text.trim();

export const isTrue = (text: string | undefined): boolean =>
  /^\s*(1|1\.0|true|yes|x|y)\s*$/i.test(text ?? '');

/** Which event a line of a meaning is; null if it is none. */
export function eventAt(meaning: Meaning, line: Line): TickEvent | null {
  const { hot, slots, codes, event } = meaning;
  for (const name of ['receive', 'send', 'internal'] as const) {
    if (hot[name] !== undefined && isTrue(line.values[hot[name]])) return name;
  }
  if (slots.event >= 0) return codes.get(codeOf(line.values[slots.event] ?? '')) ?? null;
  return Object.keys(hot).length > 0 ? null : event;
}

export const label = (shape: Shape, slot: number) => shape.slots[slot]!.label;

/** How well the words around a slot name a field. */
export function named(field: Field, shape: Shape, slot: number): number {
  const { label: before, after } = shape.slots[slot]!;
  const forward = /^(logical|lamport)/.test(after) && !/logical|lamport/.test(before) ? 3 : 0;
  return fits(field, before) + (field === 'clock' ? forward : field === 'message' ? -forward : 0);
}

// ── Which lines are events ───────────────────────────────────────────────────────────────────

/** The column of a table that names the event, and what its words and codes mean. */
export function tableEvents(shape: Shape): Pick<Meaning, 'hot' | 'codes' | 'slots'> | null {
  const slots = { event: -1, time: -1, clock: -1, queue: -1, peer: -1, message: -1, machine: -1 };
  const lines = shape.lines.slice(0, 5000);
  let best = 0;
  let codes = new Map<string, TickEvent | null>();
  const hot: Meaning['hot'] = {};
  for (const [at, { label: name }] of shape.slots.entries()) {
    const values = new Set(lines.map((line) => codeOf(line.values[at] ?? '')));
    const said = classify(name);
    if (
      said &&
      [...values].every((value) => /^(0|1|0\.0|1\.0|true|false|yes|no|)$/i.test(value)) &&
      values.size <= 2 &&
      !/queue|clock|size/.test(name)
    ) {
      hot[said.event] ??= at;
    }
    if (values.size > 60) continue;
    const meanings = new Map([...values].map((value) => [value, classify(value)] as const));
    const worded = lines.filter((line) => meanings.get(codeOf(line.values[at] ?? ''))).length;
    const score =
      worded / lines.length +
      (/event|action|type|^op|operation|kind|command/.test(name) ? 0.5 : 0) -
      (/queue|clock|peer|sender|receiver|\bto\b|\bfrom\b/.test(name) ? 0.5 : 0);
    if (worded > lines.length * 0.5 && score > best) {
      best = score;
      slots.event = at;
      codes = new Map(
        [...meanings].map(([value, said]) => [
          value,
          said && !(said.weight < 2 && isNoEvent(value)) ? said.event : null,
        ]),
      );
    }
  }
  if (slots.event === -1 && Object.keys(hot).length >= 2) {
    // What is neither of two columns is the third event.
    for (const [at, { label: name }] of shape.slots.entries()) {
      if (/roll|die|random/.test(name) && !Object.values(hot).includes(at)) {
        const values = new Set(lines.map((line) => (line.values[at] ?? '').trim()));
        if (values.size <= 2) hot.internal ??= at;
      }
    }
    return { hot, codes, slots };
  }
  return slots.event === -1 ? null : { hot: {}, codes, slots };
}

/** A slot of few small numbers that says what happened, as 1 to 10 of the exercise's die. */
export function codedEvents(
  shape: Shape,
  clock: number,
  key: (line: Line) => string | number,
): { slot: number; codes: Map<string, TickEvent | null> } | null {
  let best: { slot: number; codes: Map<string, TickEvent | null>; score: number } | null = null;
  for (const at of shape.slots.keys()) {
    if (at === clock) continue;
    const jumps = new Map<string, { rows: number; jumps: number }>();
    const last = new Map<string | number, number>();
    let numbers = 0;
    for (const line of shape.lines.slice(0, 20_000)) {
      const code = (line.values[at] ?? '').trim();
      const now = clockOf(line.values[clock]);
      const count = jumps.get(code) ?? { rows: 0, jumps: 0 };
      jumps.set(code, count);
      count.rows++;
      if (now - (last.get(key(line)) ?? now) > 1) count.jumps++;
      last.set(key(line), now);
      if (/^-?\d{1,2}$/.test(code) || /^[A-Za-z]{1,12}$/.test(code)) numbers++;
    }
    if (jumps.size < 2 || jumps.size > 24 || numbers < shape.lines.length * 0.98) continue;
    const all = [...jumps.values()].reduce((sum, { jumps: n }) => sum + n, 0);
    const [code, most] = [...jumps].sort((a, b) => b[1].jumps - a[1].jumps)[0]!;
    const isOdd = (code: string) => code === '-1' || classify(code)?.event === 'receive';
    // Without jumps, only a code beside the die's can be the receive.
    const odd =
      [...jumps.keys()].find(isOdd) ?? (jumps.has('0') && jumps.has('7') ? '0' : undefined);
    const receive =
      all >= 3 && most.jumps >= all * 0.9 ? code : all < 3 && jumps.size >= 4 ? odd : undefined;
    if (receive === undefined) continue;
    const told = /roll|die|dice|code|command|event|action|\bop|type|kind/.test(label(shape, at))
      ? 1
      : 0;
    const score =
      most.jumps / (all || 1) +
      told +
      (receive === '-1' ? 1 : 0) -
      (/queue|clock|machine|port/.test(label(shape, at)) ? 1 : 0);
    if (!best || score > best.score) best = { slot: at, codes: meaningsOf(jumps, receive), score };
  }
  return best;
}

/** Of codes of which one receives: the commonest other is internal, or all from 4 on. */
function meaningsOf(
  counts: ReadonlyMap<string, { rows: number }>,
  receive: string,
): Map<string, TickEvent | null> {
  const others = [...counts.keys()].filter((code) => code !== receive);
  const numbers = others.map(Number);
  const isDie = numbers.every(Number.isInteger) && Math.max(...numbers) >= 4;
  const common = [...others].sort((a, b) => counts.get(b)!.rows - counts.get(a)!.rows)[0];
  return new Map(
    [...counts.keys()].map((code) => {
      const event =
        code === receive
          ? 'receive'
          : (classify(code)?.event ??
            (isDie
              ? Number(code) >= 1 && Number(code) <= 3
                ? 'send'
                : 'internal'
              : code === common
                ? 'internal'
                : 'send'));
      return [code, event];
    }),
  );
}
