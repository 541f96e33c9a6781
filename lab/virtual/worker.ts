/**
 * A sweep's work: runs, and their sums. It is done in threads, which load this file; so it imports
 * the engine and nothing that would keep a thread from being ready at once.
 */
import { parentPort } from 'node:worker_threads';
import { nemesis } from '../model/faults.ts';
import { type Configuration, configure, phasesOf } from '../model/run.ts';
import { measures } from './columns.ts';
import { Engine } from './engine.ts';
import { sumUp } from './summary.ts';
import type { Share, Task } from './task.ts';

export function perform(task: Task): void {
  if (task.summary) sumUp(task, task.summary);
  else runAll(task);
}

/** An engine is used again for the next configuration of as many machines. */
let engine: Engine | undefined;

function runAll({ rows, row, setting, configuration: place, seed: first, runs }: Task): void {
  const { rates_hz, faults = [], nemesis: kinds } = setting;
  const machines = rates_hz.length;
  if (engine?.machines !== machines) engine = new Engine(machines);
  // One object for all runs, and each measure's columns found once: a short run takes microseconds.
  const configuration: Configuration = configure({ ...setting, seed: first, machines });
  const columns = measures.map((measure) => ({ measure, to: rows[measure] }));
  for (let nth = 0; nth < runs; nth++, row += machines) {
    const seed = configuration.seed = first + nth;
    configuration.phases = phasesOf(seed, machines);
    configuration.faults = kinds ? [...faults, ...nemesis(kinds, configuration)] : faults;
    const statistics = engine.run(configuration, setting);
    for (let id = 0; id < machines; id++) {
      rows.configuration[row + id] = place;
      rows.seed[row + id] = seed;
      rows.machine[row + id] = id;
      rows.rate_hz[row + id] = rates_hz[id]!;
    }
    for (const { measure, to } of columns) {
      const from = statistics[measure];
      for (let id = 0; id < machines; id++) to[row + id] = from[id]!;
    }
  }
}

/** A worker's life: it tells the number of each task that it has done, and null at their end. */
export function work(): void {
  parentPort!.on('message', ({ tasks, next }: Share) => {
    for (let nth; (nth = Atomics.add(next, 0, 1)) < tasks.length;) {
      perform(tasks[nth]!);
      parentPort!.postMessage(nth);
    }
    parentPort!.postMessage(null);
  });
}
