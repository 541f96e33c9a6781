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

/** An array lets go of its first places when at least so many, and half of it, are taken. */
const GONE_MOST = 1024;

/**
 * What waits, in the order of arrival. Not an array: to take the first of a hundred thousand would
 * move all others, and the queue of an overloaded machine is as long.
 */
export class Inbox<M extends Message = Message> {
  private messages: M[];
  private first = 0;

  constructor(messages: readonly M[] = []) {
    this.messages = [...messages];
  }

  get length(): number {
    return this.messages.length - this.first;
  }

  push(message: M): void {
    this.messages.push(message);
  }

  /** Takes out the oldest. */
  shift(): M | undefined {
    if (this.length === 0) return undefined;
    const oldest = this.messages[this.first++];
    if (this.first >= GONE_MOST && 2 * this.first >= this.messages.length) {
      this.messages = this.messages.slice(this.first);
      this.first = 0;
    }
    return oldest;
  }

  /** Takes out the newest. */
  pop(): M | undefined {
    return this.length === 0 ? undefined : this.messages.pop();
  }

  /** Takes out everything. */
  empty(): M[] {
    const all = this.toArray();
    [this.messages, this.first] = [[], 0];
    return all;
  }

  toArray(): M[] {
    return this.messages.slice(this.first);
  }
}

/** What the knobs say of waiting. */
export type Discipline = Pick<Knobs, 'take' | 'queue_max' | 'drop' | 'news'>;

/**
 * A message comes to a machine.
 * @param inbox is changed
 * @param clock of the machine now
 * @returns the message that was dropped for it: itself, an older one, or null
 */
export function arrive<M extends Message>(
  inbox: Inbox<M>, message: M, clock: number, { queue_max, drop, news }: Discipline,
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
export function take<M extends Message>(inbox: Inbox<M>, { take }: Pick<Discipline, 'take'>): M[] {
  if (inbox.length === 0) return [];
  if (take === 'all') return inbox.empty();
  return [take === 'oldest' ? inbox.shift()! : inbox.pop()!];
}

/** The largest value of messages, of which there is at least one: what the rule is given. */
export const largest = (messages: readonly Message[]): number =>
  messages.reduce((most, { clock }) => Math.max(most, clock), 0);
