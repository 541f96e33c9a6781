/** The oracle's verdict on a run that has just ended. */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { parseLog } from '../check/read.ts';
import { parseRun } from '../check/record.ts';
import { checkRun, type Report } from '../check/verdict.ts';

/** Reads a run's folder and judges it. @throws Unreadable, with one line */
export function judge(folder: string): Report {
  const path = join(folder, 'run.json');
  const run = parseRun(JSON.parse(readFileSync(path, 'utf8')), path);
  const logs = Array.from({ length: run.machines }, (_, id) => {
    const file = `machine-${id}.csv`;
    const log = join(folder, file);
    return parseLog(existsSync(log) ? readFileSync(log) : new Uint8Array(), file);
  });
  return checkRun(run, logs);
}

/** What a thread says: a report, or why there is none. */
type Answer = { report: Report } | { wrong: string };

let before: Promise<unknown> = Promise.resolve();

/**
 * The same in a thread of its own, so that whoever asks can go on with large logs. One run is
 * judged after the other, since each holds its logs meanwhile. @throws as judge does
 */
export function judgeAside(folder: string): Promise<Report> {
  const report = before.then(() => inThread(folder));
  before = report.catch(() => null);
  return report;
}

async function inThread(folder: string): Promise<Report> {
  const worker = new Worker(`
    const { parentPort, workerData } = require('node:worker_threads');
    import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(async ({ register }) => {
      register();
      const { judge } = await import(${JSON.stringify(import.meta.url)});
      try {
        parentPort.postMessage({ report: judge(workerData) });
      } catch (error) {
        parentPort.postMessage({ wrong: error.message });
      }
    });`, { eval: true, workerData: folder });
  const [answer] = await once(worker, 'message') as [Answer];
  if ('wrong' in answer) throw new Error(answer.wrong);
  return answer.report;
}
