/**
 * The mix of events: how far chance goes, by the exact tails of the binomial distribution. It
 * judges machines that roll dice of their own; of the seed's dice every single roll is known.
 */
import { createRequire } from 'node:module';
import { has, type Context } from './context.ts';
import { INTERNAL, NONE, SEND, type Log } from './read.ts';

/** What is used of the package, whose "exports" hide its types. */
interface Cephes {
  bdtr(k: number, n: number, p: number): number;
  bdtrc(k: number, n: number, p: number): number;
}
let loaded: Cephes | undefined;
/** It compiles its WebAssembly, 25 ms, for whoever needs it: where dice are the machines' own. */
const cephes = (): Cephes =>
  (loaded ??= createRequire(import.meta.url)('cephes') as Cephes);

/** Chance alone departs as far as this from what was to be expected once in a billion runs. */
export const ABSURD = 1e-9;

/**
 * The p-value of a count that lies from `fewest` to `most`, of n chances p: twice the binomial's
 * smaller tail. It is exact, so that it holds for small counts, where a chi-square test fails.
 */
export function chance(fewest: number, most: number, n: number, p: number): number {
  if (p <= 0) return fewest <= 0 ? 1 : 0;
  if (p >= 1) return most >= n ? 1 : 0;
  const above = fewest <= 0 ? 1 : cephes().bdtrc(fewest - 1, n, p);
  return Math.min(1, 2 * above, most >= n ? 1 : 2 * cephes().bdtr(most, n, p));
}

interface Counts {
  /** Ticks that did not receive. */
  rolls: number;
  internal: number;
  sends: number;
  /** Sends to more than one; none with two machines, where all is one. */
  to_all: number;
}

/** The mix of events in all machines, and p-values: how likely chance is to differ as much. */
export interface Mix extends Counts {
  internal_p: number;
  to_all_p: number;
}

interface MixTest {
  /** Null: of all machines together. */
  log: Log | null;
  what: string;
  p: number;
}

/** What the ticks of one machine that did not receive have chosen. */
function choices(log: Log, machines: number): { count: Counts; most: number; least: number } {
  const count = { rolls: 0, internal: 0, sends: 0, to_all: 0 };
  const chosen = new Map<number, number>();
  for (let r = 0; r < log.rows; r++) {
    if (has(log, r, INTERNAL)) count.internal++;
    if (!has(log, r, SEND)) continue;
    count.sends++;
    const peer = log.peer[log.first[r]!]!;
    if (log.first[r + 1]! - log.first[r]! > 1) count.to_all++;
    else chosen.set(peer, (chosen.get(peer) ?? 0) + 1);
  }
  count.rolls = count.internal + count.sends;
  const counts = [...chosen.values()];
  return { count, most: Math.max(0, ...counts),
    least: counts.length < machines - 1 ? 0 : Math.min(...counts) };
}

/**
 * Events that do not wait for a message are chosen by chance: does it look like that? Counts are of
 * all machines, but for those that may not send; violations are those of dice of one's own.
 */
export function mix({ run, logs, found }: Context): Mix {
  const { machines, internal, both, senders, dice } = run;
  const tests: MixTest[] = [];
  const test = (log: Log | null, what: string, count: number, n: number, p: number, times = 1) =>
    tests.push({ log, p: Math.min(1, times * chance(count, count, n, p)),
      what: `${count} of ${n} ${what}, and the chance of each is ${p}` });
  const shares = (log: Log | null, { rolls, internal: count, sends, to_all }: Counts) => {
    test(log, 'ticks without a message are internal', count, rolls, internal);
    if (machines > 2) test(log, 'sends go to all', to_all, sends, both);
  };
  const total = { rolls: 0, internal: 0, sends: 0, to_all: 0 };
  for (const log of logs) {
    const own = dice[log.id] === 'own';
    const { count, most, least } = choices(log, machines);
    if (senders !== null && !senders.includes(log.id)) {
      if (own) test(log, 'ticks without a message are internal', count.internal, count.rolls, 1);
      continue;
    }
    for (const key of ['rolls', 'internal', 'sends', 'to_all'] as const) total[key] += count[key];
    if (!own) continue;
    shares(log, count);
    if (machines === 2) continue;
    const [single, peers] = [count.sends - count.to_all, machines - 1];
    test(log, 'sends to one go to the same machine', most, single, 1 / peers, peers);
    test(log, 'sends to one go to the same machine', least, single, 1 / peers, peers);
  }
  for (const { log, what, p } of tests) {
    if (p * tests.length >= ABSURD) continue;
    const impossible = internal === 0 ? INTERNAL : internal === 1 ? SEND : NONE;
    const r = log === null ? NONE : log.event.subarray(0, log.rows).indexOf(impossible);
    found.add('mix', log?.file ?? 'run.json', r === NONE ? null : r + 2, what);
  }
  return {
    ...total,
    internal_p: chance(total.internal, total.internal, total.rolls, internal),
    to_all_p: machines > 2 ? chance(total.to_all, total.to_all, total.sends, both) : 1,
  };
}

/** A p-value in words: how often chance alone goes as far. */
export function frequency(p: number): string {
  if (p >= 0.995) return 'what chance does most often';
  if (p >= 0.05) return `within what chance does: ${Math.round(100 * p)} runs of 100 go as far`;
  if (p < 1e-12) return 'not what chance does';
  const one = Number((1 / p).toPrecision(1)).toLocaleString('en');
  return `${p >= 0.001 ? 'within what chance does' : 'far off'}: one run in ${one} goes as far`;
}
