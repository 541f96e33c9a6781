/** A thread of the swarm: it takes seeds in blocks until enough ticks were judged. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Case, drawn } from './draw.ts';
import { checked, logsOf, verdict } from './judge.ts';

/** What all threads share: the next seed that nobody has, and whether it is enough. */
export interface Shared {
  first: number;
  ticks_most: number;
  /** [seeds taken, 1 to stop] */
  counters: Int32Array;
}

/** What became of a block of seeds. */
export interface Block {
  runs: number;
  /** All of them, and those of runs with each condition. */
  ticks: Record<string, number>;
  failed: number[];
}

const BLOCK = 20;
/** One run of so many goes through the text of its logs, as a reader of files has it. */
const AS_TEXT = 50;

const CONDITIONS: Record<string, (run: Case) => boolean> = {
  all: () => true,
  crash: ({ faults = [] }) => faults.some(({ do: what }) => what === 'crash'),
  pause: ({ faults = [] }) => faults.some(({ do: what }) => what === 'pause'),
  cut: ({ faults = [] }) => faults.some(({ do: what }) => what === 'cut'),
  delay: ({ latency }) => latency !== 'constant:0',
  loss: ({ loss }) => loss > 0,
  reorder: ({ reorder, latency }) => reorder && /^[eu]/.test(latency),
  'take oldest': ({ take = 'oldest' }) => take === 'oldest',
  'take newest': ({ take }) => take === 'newest',
  'take all': ({ take }) => take === 'all',
  queue_max: ({ queue_max = null }) => queue_max !== null,
  news: ({ news = false }) => news,
  'irregular ticks': ({ ticks = 'regular' }) => ticks !== 'regular',
};

/** Judges the runs of a block. */
export function judgeBlock(first: number, runs: number, ticks_most: number): Block {
  const block: Block = { runs, ticks: {}, failed: [] };
  for (let seed = first; seed < first + runs; seed++) {
    const run = drawn(seed, ticks_most);
    const { consistent, machines } = seed % AS_TEXT === 0 ? checked(run, logsOf(run))
      : verdict(run);
    const ticks = machines.reduce((sum, machine) => sum + machine.ticks, 0);
    for (const [name, holds] of Object.entries(CONDITIONS)) {
      if (holds(run)) block.ticks[name] = (block.ticks[name] ?? 0) + ticks;
    }
    if (!consistent) block.failed.push(seed);
  }
  return block;
}

if (parentPort) {
  const { first, ticks_most, counters } = workerData as Shared;
  while (Atomics.load(counters, 1) === 0) {
    const seed = first + Atomics.add(counters, 0, BLOCK);
    parentPort.postMessage(judgeBlock(seed, BLOCK, ticks_most));
  }
  process.exit();
}
