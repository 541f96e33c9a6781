/** Threads that run TypeScript. */
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a thread that works. tsx does not reach into threads by itself: it is loaded there.
 * @param address of the module that the thread loads
 * @param work what it then does, in JavaScript: the module is `loaded`, and `parentPort` and
 *   `workerData` are there. What it throws is the thread's 'error'.
 */
export const startThread = (address: URL | string, work: string, options?: WorkerOptions): Worker =>
  new Worker(`
    const { parentPort, workerData } = require('node:worker_threads');
    import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(async ({ register }) => {
      register();
      const loaded = await import(${JSON.stringify(address)});
      ${work}
    });`, { ...options, eval: true });
