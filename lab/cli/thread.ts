/** Threads that run TypeScript. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/** What threads run, by the address of its module: notebooks start threads again and again. */
const texts = new Map<string, string>();

/**
 * Starts a thread that works. It gets its module and all that this imports as one script, which is
 * ready in a tenth of the time that loading tsx once more would take.
 * @param address of the module that the thread has
 * @param work what it then does, in JavaScript: the module is `loaded`, and `parentPort` and
 *   `workerData` are there. What it throws is the thread's 'error'.
 */
export function startThread(address: URL | string, work: string, options?: WorkerOptions): Worker {
  const href = String(address);
  let text = texts.get(href);
  if (text === undefined) texts.set(href, text = bundle(href));
  return new Worker(`const { parentPort, workerData } = require('node:worker_threads');
${text}
${work}`, { ...options, eval: true });
}

/** At once, for whoever starts a thread may have no time for others afterwards. */
function bundle(href: string): string {
  // Loaded by the first call, since most who import this start no thread.
  const { buildSync } = createRequire(import.meta.url)('esbuild') as typeof import('esbuild');
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(href)], bundle: true, write: false, format: 'iife',
    globalName: 'loaded', platform: 'node', target: 'node20', logLevel: 'silent',
    // Packages with files of their own are found from the project, wherever a script was started.
    define: { 'import.meta.url': JSON.stringify(href) },
  });
  return outputFiles![0]!.text;
}
