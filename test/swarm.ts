/**
 * Random configurations with random knobs, networks and faults, each run in virtual time and judged
 * by every rule of check.ts. A seed that fails is shrunk to the smallest configuration that still
 * does, and printed as a command.
 *
 *   npm run swarm                                     20 million ticks in a minute
 *   npm run swarm -- --ticks 1e9 --longest 30000      a billion of them, in longer runs
 *   node --import tsx test/swarm.ts --seed 4711       this one: what it is, and what is wrong
 */
import { availableParallelism } from 'node:os';
import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { atLeast, isMain, script, whole } from '../lab/cli/options.ts';
import { startThread } from '../lab/cli/thread.ts';
import { type Case, drawn, TICKS_MOST } from './swarm/draw.ts';
import { type Source, verdict } from './swarm/judge.ts';
import { commandOf, shrink } from './swarm/shrink.ts';
import type { Block, Shared } from './swarm/worker.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
const KNOBS = {
  ticks: 20e6, // Some 15,000 runs.
  longest: TICKS_MOST, // Ticks in a run.
  first: 1,
  threads: availableParallelism(),
  told_every_s: 60,
  failures_max: 10, // Of a bug that breaks everything ten are as good as all.
};
// ─────────────────────────────────────────────────────────────────────────────────────────────

interface Options { ticks: number; longest: number; first: number; threads: number; seed?: number }

const startWorker = (shared: Shared): Worker =>
  startThread(new URL('swarm/worker.ts', import.meta.url), '',
    { workerData: shared, resourceLimits: { maxYoungGenerationSizeMb: 128 } });

/** What is wrong with a run that failed, and how to see it again with as little as possible. */
export function failureText(run: Case, source?: Source): string {
  const violations = verdict(run, source).violations.slice(0, VIOLATIONS_TOLD)
    .map(({ file, line, rule, text }) => `seed ${run.seed}: ${file}:${line}: ${rule}: ${text}`);
  const smallest = shrink(run, (smaller) => !verdict(smaller, source).consistent);
  const command = commandOf(smallest)
    ?? `only the swarm puts machines in step: ${JSON.stringify(smallest)}`;
  return [...violations, `  ${command}`].join('\n');
}
const VIOLATIONS_TOLD = 3;

async function swarm({ ticks: enough, longest, first, threads }: Options): Promise<number> {
  const started_ms = Date.now();
  const counters = new Int32Array(new SharedArrayBuffer(8));
  const sum: Block = { runs: 0, ticks: {}, failed: [] };
  const line = () => {
    const { user, system } = process.cpuUsage();
    return `${sum.runs.toLocaleString('en')} configurations, ${
      (sum.ticks.all ?? 0).toLocaleString('en')} ticks, ${sum.failed.length} violated; ${
      Math.round((Date.now() - started_ms) / 1000)} s, ${
      Math.round((user + system) / 1e6)} s of CPU time in ${threads} threads`;
  };
  const timer = setInterval(() => console.log(line()), KNOBS.told_every_s * 1000);
  const stop = () => Atomics.store(counters, 1, 1);
  process.once('SIGINT', stop).once('SIGTERM', stop);
  await Promise.all(Array.from({ length: threads }, () => {
    const worker = startWorker({ first, ticks_most: longest, counters });
    worker.on('message', (block: Block) => {
      sum.runs += block.runs;
      for (const [name, count] of Object.entries(block.ticks)) {
        sum.ticks[name] = (sum.ticks[name] ?? 0) + count;
      }
      for (const seed of block.failed) {
        if (sum.failed.push(seed) <= KNOBS.failures_max) {
          console.log(failureText(drawn(seed, longest)));
        }
      }
      if (sum.ticks.all! >= enough || sum.failed.length >= KNOBS.failures_max) stop();
    });
    return once(worker, 'exit');
  }));
  clearInterval(timer);
  const { all: _, ...parts } = sum.ticks;
  for (const [name, count] of Object.entries(parts)) {
    console.log(`${count.toLocaleString('en').padStart(16)} ticks with ${name}`);
  }
  console.log(line());
  return sum.failed.length;
}

async function main(): Promise<void> {
  const options = script(import.meta.url)
    .option('--ticks <n>', 'how many ticks in all', atLeast(1), KNOBS.ticks)
    .option('--longest <n>', 'about so many ticks a run at most', atLeast(1), KNOBS.longest)
    .option('--first <n>', 'the seed of the first one', whole, KNOBS.first)
    .option('--threads <n>', 'how many at a time', atLeast(1, 256), KNOBS.threads)
    .option('--seed <n>', 'only this one', whole)
    .parse().opts<Options>();
  if (options.seed === undefined) process.exit(await swarm(options) > 0 ? 1 : 0);
  const run = drawn(options.seed, options.longest);
  const { consistent } = verdict(run);
  console.log(run);
  if (!consistent) console.log(failureText(run));
  else console.log(`the rule could have made it: ${commandOf(run) ?? 'machines in step'}`);
  process.exit(consistent ? 0 : 1);
}

if (isMain(import.meta.url)) await main();
