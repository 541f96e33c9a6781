/**
 * How messages wait at a machine and which of them a tick takes. The exercise's queue is first in,
 * first out without a bound; the knobs change the discipline, never the rule.
 */
import type { Knobs } from './run.ts';

export interface Message {
  from: number;
  /** The value that it carries. */
  clock: number;
}

/** What the knobs say of waiting. */
export type Discipline = Pick<Knobs, 'take' | 'queue_max' | 'drop' | 'news'>;

/**
 * A message comes to a machine.
 * @param inbox what waits, in the order of arrival; is changed
 * @param clock of the machine now
 * @returns the message that was dropped for it: itself, an older one, or null
 */
export function arrive<M extends Message>(
  inbox: M[], message: M, clock: number, { queue_max, drop, news }: Discipline,
): M | null {
  if (news && message.clock <= clock) return message;
  if (queue_max === null || inbox.length < queue_max) {
    inbox.push(message);
    return null;
  }
  if (drop === 'newest') return message;
  inbox.push(message);
  return inbox.shift()!;
}

/** Takes out of an inbox what one tick takes; nothing where nothing waits. */
export function take<M extends Message>(inbox: M[], { take }: Pick<Discipline, 'take'>): M[] {
  if (inbox.length === 0) return [];
  if (take === 'all') return inbox.splice(0);
  return [take === 'oldest' ? inbox.shift()! : inbox.pop()!];
}

/** The largest value of messages, of which there is at least one: what the rule is given. */
export const largest = (messages: readonly Message[]): number =>
  messages.reduce((most, { clock }) => Math.max(most, clock), 0);
