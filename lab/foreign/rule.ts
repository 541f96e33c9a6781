/**
 * Which rule made these rows. After a jump the receiver's clock minus an offset is a clock that
 * some other machine logged as sent; the true offset explains about all jumps, a wrong one those
 * that it meets by chance. No message's value is needed.
 */
import type { InferredRule, Trial } from './record.ts';
import type { Event, Run } from './rows.ts';

const OFFSETS = [-3, -2, -1, 0, 1, 2, 3, 4];
/** Fewer jumps than this prove nothing. */
const JUMPS_LEAST = 5;
/** The true rule explains at least this share: a send may be missing, a line torn. */
const SURE = 0.95;

/** The clocks that each machine logged as sent. */
const sentBy = (run: Run): Set<number>[] =>
  run.machines.map(
    ({ events }) =>
      new Set(events.filter(({ event }) => event === 'send').map(({ clock }) => clock)),
  );

/** A machine's receives at which its clock rose by more than one, with the clock before. */
export function jumpsOf(events: readonly Event[]): { event: Event; n: number; step: number }[] {
  const found = [];
  for (let n = 0; n < events.length; n++) {
    const event = events[n]!;
    const step = event.clock - (n > 0 ? events[n - 1]!.clock : 0);
    if (event.event === 'receive' && step > 1) found.push({ event, n, step });
  }
  return found;
}

/** How many jumps each offset explains. */
export function trials(runs: readonly Run[]): { jumps: number; trials: Trial[] } {
  const explained = new Map(OFFSETS.map((offset) => [offset, 0]));
  let jumps = 0;
  for (const run of runs) {
    const sent = sentBy(run);
    for (const [id, { events }] of run.machines.entries()) {
      for (const { event } of jumpsOf(events)) {
        jumps++;
        for (const offset of OFFSETS) {
          const value = event.clock - offset;
          if (sent.some((own, other) => other !== id && own.has(value))) {
            explained.set(offset, explained.get(offset)! + 1);
          }
        }
      }
    }
  }
  const all = [...explained].map(([offset, explains]) => ({ offset, explains }));
  return { jumps, trials: all.sort((a, b) => b.explains - a.explains) };
}

/** Steps and how often each was made, the commonest first. */
function tally(steps: readonly number[]): [number, number][] {
  const counts = new Map<number, number>();
  for (const step of steps) counts.set(step, (counts.get(step) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, 6);
}

interface Steps {
  own: [number, number][];
  floor: [number, number][];
  stated: [number, number][];
  /** Clock of a send − the value that its row says it carries. */
  carried: [number, number][];
  /** Own events that went up by more than one, of all. */
  ownJumps: number;
  receives: number;
}

function steps(runs: readonly Run[]): Steps {
  const own: number[] = [];
  const floor: number[] = [];
  const stated: number[] = [];
  const carried: number[] = [];
  let receives = 0;
  for (const { events } of runs.flatMap(({ machines }) => machines)) {
    for (let n = 1; n < events.length; n++) {
      const [before, { event, clock, message }] = [events[n - 1]!, events[n]!];
      const step = clock - before.clock;
      if (event === 'receive') {
        receives++;
        if (step <= 1) floor.push(step);
        if (message !== null) stated.push(clock - Math.max(before.clock, message));
      } else own.push(step);
      if (event === 'send' && message !== null) carried.push(clock - message);
    }
  }
  return {
    own: tally(own),
    floor: tally(floor),
    stated: tally(stated),
    carried: tally(carried),
    ownJumps: own.filter((step) => step > 1).length,
    receives,
  };
}

const share = (counts: readonly [number, number][], step: number): number => {
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  return all === 0 ? 0 : (counts.find(([value]) => value === step)?.[1] ?? 0) / all;
};

/** What may be known of a whole folder beside its rows. */
export interface Known {
  clock: 'after' | 'before';
  vector: boolean;
  /** Their rates are ticks a minute. */
  minutes: boolean;
}

/** What is known of a rule before it has a name and words. */
type Base = Omit<InferredRule, 'rule' | 'words'>;

/** The rule of some runs of one make. */
export function inferRule(runs: readonly Run[], known: Known): InferredRule {
  const { jumps, trials: tried } = trials(runs);
  const found = steps(runs);
  const [best, next] = [tried[0]!, tried[1]!];
  const doubts: string[] = [];
  const base: Base = {
    doubts,
    jumps,
    best: jumps > 0 ? best : null,
    next: jumps > 0 ? next : null,
    floor: found.floor,
    stated: found.stated,
    own: found.own,
    send: null,
    receive: null,
  };
  if (known.vector) {
    return {
      ...base,
      rule: 'other',
      receive: 'vector',
      words:
        'Their clocks are vectors: a receive takes the larger of each part. Our column has the ' +
        'sum, the number of events that a row has heard of.',
    };
  }
  if (jumps < JUMPS_LEAST) return fewJumps(base, found, jumps, runs);
  const evidence =
    `${best.explains} of ${jumps} jumps; the next best rule explains ${next.explains}`;
  doubts.push(...doubtsOf(found, jumps, best, next));
  const none = noRule(base, found, best, evidence, runs);
  if (none) return none;
  const told = byOffset(best.offset, found);
  doubts.push(...told.doubts, ...oddities(known));
  const shown = best.offset === 1 ? 'clean' : best.offset === 0 ? 'receive = send clock' : 'other';
  return {
    ...base,
    rule: known.clock === 'before' || known.minutes ? 'other' : shown,
    send: told.send,
    receive: told.receive,
    words: `${told.words} (${evidence}).`,
  };
}

/** Why no one rule made these rows; null if one did. */
function noRule(
  base: Base,
  found: Steps,
  best: Trial,
  evidence: string,
  runs: readonly Run[],
): InferredRule | null {
  const isSure = best.explains >= SURE * base.jumps;
  const programs = programsOf(runs, best.offset);
  if (!isSure && programs.length < 2) {
    return {
      ...base,
      rule: 'other',
      words:
        'No rule explains the jumps of the receives: the best, ' +
        `a receive ${offsetWords(best.offset)}, fits ${evidence}.`,
    };
  }
  const fallen = falls(found.floor);
  if (fallen > 0.05 * found.receives) {
    return {
      ...base,
      rule: 'other',
      receive: isSure ? `message + ${best.offset}` : null,
      words:
        `At ${fallen} of ${found.receives} receives the clock falls: it is set by the message, ` +
        `even where the machine was ahead. Take the larger of the two (${evidence}).`,
    };
  }
  if (programs.length < 2) return null;
  const each = programs.map(
    ({ offset, names }) =>
      `in ${names.length} (as ${names[0]}) a receive is ${offsetWords(offset)}`,
  );
  return {
    ...base,
    rule: 'other',
    words: `The runs were not made by one program: ${each.join(', ')}.`,
  };
}

/** How many of some steps go down. */
const falls = (counts: readonly [step: number, count: number][]): number =>
  counts.filter(([step]) => step < 0).reduce((sum, [, count]) => sum + count, 0);

/** What is odd about a folder whatever its rule is. */
function oddities({ clock, minutes }: Known): string[] {
  const odd = [];
  if (clock === 'before') {
    odd.push(
      'The rows bear the clock before their event: here each was given the clock of the row ' +
        'behind it.',
    );
  }
  if (minutes) odd.push('Their rates are ticks a minute, not a second.');
  return odd;
}

/** The offsets that single runs prove, where that of all is refuted in some. */
function programsOf(runs: readonly Run[], common: number): { offset: number; names: string[] }[] {
  const found = new Map<number, string[]>();
  for (const run of runs) {
    const { jumps, trials: tried } = trials([run]);
    const best = tried[0]!;
    const usual = tried.find(({ offset }) => offset === common)!;
    if (jumps < JUMPS_LEAST) continue;
    const offset =
      usual.explains >= SURE * jumps
        ? common
        : best.explains >= SURE * jumps && usual.explains < 0.8 * jumps
          ? best.offset
          : null;
    if (offset !== null) found.set(offset, [...(found.get(offset) ?? []), run.name]);
  }
  return [...found].map(([offset, names]) => ({ offset, names }));
}

const offsetWords = (offset: number) =>
  offset === 0
    ? 'with the same clock as its send'
    : `${Math.abs(offset)} ${offset > 0 ? 'above' : 'below'} its send`;

function fewJumps(
  base: Base,
  found: Steps,
  jumps: number,
  runs: readonly Run[],
): InferredRule {
  const sent = runs
    .flatMap((run) => run.machines)
    .flatMap(({ events }) => events)
    .filter(({ event }) => event === 'send').length;
  const ahead = falls(found.stated);
  if (found.receives >= 20 && sent >= 5 && runs.some(isUneven)) {
    const late =
      ahead > 0 ? `, and ${ahead} take a message that is ahead of the clock that they write` : '';
    return {
      ...base,
      rule: 'other',
      receive: share(found.floor, 1) > 0.9 ? 'own + 1' : null,
      words:
        `Receives do not use the message: ${found.receives - jumps} of ${found.receives} add one ` +
        `or nothing, though the machines' clocks go apart${late}.`,
    };
  }
  return {
    ...base,
    rule: 'too few rows',
    words: `There are ${jumps} receives at which a clock jumps: too few to tell the rule.`,
  };
}

/** Whether machines of one run end with clocks far apart, as they do if nobody listens. */
function isUneven({ machines }: Run): boolean {
  const ends = machines.map(({ events }) => events.at(-1)?.clock ?? 0);
  return Math.max(...ends) > 1.2 * Math.min(...ends) + 10;
}

/** What an offset means, as far as the other rows tell. */
function byOffset(
  offset: number,
  found: Steps,
): {
  send: InferredRule['send'];
  receive: string | null;
  words: string;
  doubts: string[];
} {
  const stays = share(found.floor, 0);
  const [stated] = found.stated[0] ?? [];
  const known = stated !== undefined && share(found.stated, stated) >= SURE;
  const old = share(found.carried, 1) >= SURE;
  const isNew = share(found.carried, 0) >= SURE;
  if (offset === 1) {
    return {
      send: 'new',
      receive: 'max + 1',
      doubts: [],
      words: "A send carries its new clock, a receive is max + 1: Lamport's rule",
    };
  }
  if (offset === 0) return sameClock(stays, known ? stated : null, old, isNew);
  return {
    send: null,
    receive: `max + ${offset}`,
    doubts: [],
    words:
      offset > 1
        ? `A receive stands ${offset} above its send: ${offset} increments where there is one event`
        : `A receive stands ${-offset} below its send: it carries a clock that was never shown`,
  };
}

/** The receive bears the clock of its send: of the two ways there the other rows may tell one. */
function sameClock(stays: number, stated: number | null, old: boolean, isNew: boolean) {
  const words = 'A receive bears the same clock as its send';
  if (old || stated === 1) {
    return {
      send: 'old' as const,
      receive: 'max + 1',
      doubts: [],
      words:
        `${words}: the send carries the clock from before its increment, and the receive is ` +
        'max + 1',
    };
  }
  if (stays > 0.1) {
    return {
      send: null,
      receive: 'max',
      words:
        `${words}, and receives of old messages add nothing: the receive is max without + 1`,
      doubts: ['max(clock, message + 1) of an old clock would look the same.'],
    };
  }
  if (isNew || stated === 0) {
    return {
      send: 'new' as const,
      receive: 'max(own + 1, message)',
      doubts: [],
      words:
        `${words}: the receive is the larger of own + 1 and the message, without + 1 for the ` +
        'message',
    };
  }
  return {
    send: null,
    receive: null,
    words,
    doubts: [
      'Either the send carries the clock from before its increment, or the receive has no + 1: ' +
        'these rows cannot tell which.',
    ],
  };
}

function doubtsOf(found: Steps, jumps: number, best: Trial, next: Trial): string[] {
  const doubts: string[] = [];
  if (next.explains >= best.explains * 0.9 && best.explains > 0) {
    doubts.push(
      `A receive ${offsetWords(next.offset)} explains nearly as many: the clocks that were sent ` +
        'lie too close to each other.',
    );
  }
  const own = found.own.reduce((sum, [, count]) => sum + count, 0);
  if (found.ownJumps > 0.1 * own && found.ownJumps > jumps * 0.3) {
    doubts.push(
      `${found.ownJumps} of ${own} own events jump too: the clock may move when a message ` +
        'arrives, not when it is taken.',
    );
  }
  if (share(found.own, 0) > 0.1) {
    doubts.push(
      `${Math.round(100 * share(found.own, 0))} % of the own events add nothing: one tick may ` +
        'write two rows.',
    );
  }
  return doubts;
}
