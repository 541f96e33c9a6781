/** What chance may do: tails of the binomial distribution, and the mix of events. */
import { createRequire } from 'node:module';
import { has, type Context } from './machines.ts';
import { INTERNAL, NONE, SEND, type Log } from './read.ts';

/** Tails of the binomial distribution; the package's "exports" hide its types. */
const cephes = createRequire(import.meta.url)('cephes') as {
  compiled: Promise<void>;
  bdtr(k: number, n: number, p: number): number;
  bdtrc(k: number, n: number, p: number): number;
};
await cephes.compiled;

/** Chance alone departs as far as this from what was to be expected once in a billion runs. */
export const ABSURD = 1e-9;

/**
 * The p-value of a count that lies from `fewest` to `most`, of n chances p: twice the binomial's
 * smaller tail. It is exact, so that it holds for small counts, where a chi-square test fails.
 */
export function chance(fewest: number, most: number, n: number, p: number): number {
  if (p <= 0) return fewest <= 0 ? 1 : 0;
  if (p >= 1) return most >= n ? 1 : 0;
  const above = fewest <= 0 ? 1 : cephes.bdtrc(fewest - 1, n, p);
  return Math.min(1, 2 * above, most >= n ? 1 : 2 * cephes.bdtr(most, n, p));
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
  /** The smallest p-value of all tests, of each machine and of all together, times their number. */
  p_value: number;
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
  const chosen = new Int32Array(machines);
  for (let r = 0; r < log.rows; r++) {
    if (has(log, r, INTERNAL)) count.internal++;
    if (!has(log, r, SEND)) continue;
    count.sends++;
    if (log.firstPeer[r + 1]! - log.firstPeer[r]! > 1) count.to_all++;
    else chosen[log.peer[log.firstPeer[r]!]!]!++;
  }
  count.rolls = count.internal + count.sends;
  let [most, least] = [0, Infinity];
  for (let id = 0; id < machines; id++) {
    if (id === log.id) continue;
    most = Math.max(most, chosen[id]!);
    least = Math.min(least, chosen[id]!);
  }
  return { count, most, least };
}

/** Events that do not wait for a message are chosen by chance: does it look like that? */
export function mix({ run: { machines, internal }, logs, found }: Context): Mix {
  const tests: MixTest[] = [];
  const test = (log: Log | null, what: string, count: number, n: number, p: number, times = 1) =>
    tests.push({ log, p: Math.min(1, times * chance(count, count, n, p)),
      what: `${count} of ${n} ${what}, and the chance of each is ${p}` });
  const shares = (log: Log | null, { rolls, internal: count, sends, to_all }: Counts) => {
    test(log, 'ticks without a message are internal', count, rolls, internal);
    if (machines > 2) test(log, 'sends go to all', to_all, sends, 1 / 3);
  };
  const total = { rolls: 0, internal: 0, sends: 0, to_all: 0 };
  for (const log of logs) {
    const { count, most, least } = choices(log, machines);
    for (const key of ['rolls', 'internal', 'sends', 'to_all'] as const) total[key] += count[key];
    shares(log, count);
    if (machines === 2) continue;
    const [single, peers] = [count.sends - count.to_all, machines - 1];
    test(log, 'sends to one go to the same machine', most, single, 1 / peers, peers);
    test(log, 'sends to one go to the same machine', least, single, 1 / peers, peers);
  }
  const pooled = tests.length;
  shares(null, total);
  for (const { log, what, p } of tests) {
    if (p * tests.length >= ABSURD) continue;
    const impossible = internal === 0 ? INTERNAL : internal === 1 ? SEND : NONE;
    const r = log === null ? NONE : log.event.subarray(0, log.rows).indexOf(impossible);
    found.add('mix', log?.file ?? 'run.json', r === NONE ? null : r + 2, `${what} (p = ${p})`);
  }
  return {
    ...total, internal_p: tests[pooled]!.p, to_all_p: tests[pooled + 1]?.p ?? 1,
    p_value: Math.min(1, tests.length * tests.reduce((least, { p }) => Math.min(least, p), 1)),
  };
}
