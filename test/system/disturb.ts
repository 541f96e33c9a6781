/** What stops processes of a run and lets them go on, as a busy computer does. */
import { setTimeout as sleep } from 'node:timers/promises';

const OFF_MS = 80;
const ON_MS = [3, 10] as const;

export type Chance = () => number;
export type Disturb = (pids: number[], chance: Chance, over: AbortSignal) => Promise<void>;

export function signal(pids: readonly number[], what: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of pids) {
    try {
      process.kill(pid, what);
    } catch {
      // It has stopped by itself.
    }
  }
}

/** So short a time to run that a machine is often stopped between two of its lines. */
export const between: Disturb = async (pids, chance, over) => {
  while (!over.aborted) {
    signal(pids, 'SIGSTOP');
    await sleep(30);
    signal(pids, 'SIGCONT');
    for (const end_ms = performance.now() + chance(); performance.now() < end_ms;);
  }
};

/** All machines together have a few milliseconds, then none for 80. */
export const quota: Disturb = async (pids, chance, over) => {
  while (!over.aborted) {
    signal(pids, 'SIGSTOP');
    await sleep(OFF_MS);
    signal(pids, 'SIGCONT');
    await sleep(ON_MS[0] + (ON_MS[1] - ON_MS[0]) * chance());
  }
};
