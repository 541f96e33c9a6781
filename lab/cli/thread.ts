/** Threads that run TypeScript. */
import { Worker, type WorkerOptions } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';

/** What a thread runs, by the address of its module: notebooks start threads again and again. */
const texts = new Map<string, Promise<string>>();

/**
 * Starts a thread that works. It gets its module and all that this imports as one script, which it
 * starts in a tenth of the time that it would take to load tsx once more.
 * @param address of the module that the thread has
 * @param work what it then does, in JavaScript: the module is `loaded`, and `parentPort` and
 *   `workerData` are there. What it throws is the thread's 'error'.
 */
export async function startThread(
  address: URL | string, work: string, options?: WorkerOptions,
): Promise<Worker> {
  const href = String(address);
  let text = texts.get(href);
  if (text === undefined) texts.set(href, text = bundle(href));
  return new Worker(`const { parentPort, workerData } = require('node:worker_threads');
    ${await text}
    ${work}`, { ...options, eval: true });
}

async function bundle(href: string): Promise<string> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(href)], bundle: true, write: false, format: 'iife',
    globalName: 'loaded', platform: 'node', target: 'node20', logLevel: 'silent',
    // Packages with files of their own are found from the project, wherever a script was started.
    define: { 'import.meta.url': JSON.stringify(href) }, external: ['esbuild'],
  });
  return outputFiles[0]!.text;
}
