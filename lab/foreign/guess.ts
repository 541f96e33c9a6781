/**
 * Guesses, without being told anything, what the lines of other people's logs say: which are
 * events, and where in them the clock, the time, the queue, the peer and the message stand. Words
 * propose, the numbers' behaviour decides.
 */
import type { Line, Shape } from './shapes.ts';
import { fits, type Field, type TickEvent } from './words.ts';

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
