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
  const all = configure({ ...setting, seed: first, machines });
  for (let nth = 0; nth < runs; nth++, row += machines) {
    const seed = first + nth;
    const configuration: Configuration = { ...all, seed, phases: phasesOf(seed, machines) };
    const drawn = kinds ? nemesis(kinds, configuration) : [];
    if (faults.length + drawn.length > 0) configuration.faults = [...faults, ...drawn];
    const statistics = engine.run(configuration, setting);
    for (let id = 0; id < machines; id++) {
      rows.configuration[row + id] = place;
      rows.seed[row + id] = seed;
      rows.machine[row + id] = id;
      rows.rate_hz[row + id] = rates_hz[id]!;
    }
    for (const measure of measures) {
      const [from, to] = [statistics[measure], rows[measure]];
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
