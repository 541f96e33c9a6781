/**
 * Runs test files, one after the other, in one process: what many of them import is loaded once.
 * test/run.ts starts it, writes a line with a file's path for each, and reads what the file prints
 * and then a line with its counts. Every file also runs alone.
 */
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

/** Before the line with the counts; no test prints it. */
export const MARK = '\u0001counts ';

/** What uvu found in a file. */
export interface Counts {
  passed: number;
  total: number;
  skipped: number;
  /** What was thrown outside of the tests, as by an import. */
  error: string | null;
}

/** A suite that was told to run: what failed in words or true, how many passed, skipped, are. */
type Suite = () => Promise<[string | true, number, number, number]>;

/** uvu collects suites here instead of running them, when it is told to before it is imported. */
const collected = globalThis as unknown as { UVU_DEFER: 1; UVU_QUEUE: Suite[][] };

async function runFile(path: string): Promise<Counts> {
  const suites: Suite[] = [];
  collected.UVU_QUEUE.splice(0, Infinity, suites);
  let [passed, total, skipped] = [0, 0, 0];
  try {
    await import(pathToFileURL(path).href);
    for (const run of suites) {
      const [errors, good, left, all] = await run();
      if (errors !== true) process.stdout.write(`\n${errors}\n`);
      passed += good;
      skipped += left;
      total += all;
    }
    return { passed, total, skipped, error: null };
  } catch (error) {
    return { passed, total, skipped, error: (error as Error)?.stack ?? String(error) };
  }
}

async function main(): Promise<void> {
  collected.UVU_DEFER = 1;
  collected.UVU_QUEUE = [];
  const { stdin } = process as unknown as { stdin: Socket };
  for await (const path of createInterface({ input: stdin })) {
    // A test that waits for nothing ends the process, as it does where a file runs alone.
    stdin.unref();
    const counts = await runFile(path);
    stdin.ref();
    process.stdout.write(`\n${MARK}${JSON.stringify(counts)}\n`);
  }
  process.exit(); // What a test has left open is no reason to stay.
}

if (process.argv[1] === import.meta.filename) await main();
