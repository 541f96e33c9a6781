/** The oracle's verdict on a run that has just ended. */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseLog } from '../check/read.ts';
import { parseRun } from '../check/record.ts';
import { checkRun, type Report } from '../check/verdict.ts';
import { startThread } from '../cli/thread.ts';

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
  const thread = startThread(import.meta.url,
    'parentPort.postMessage(loaded.judge(workerData));', { workerData: folder });
  const [report] = await once(thread, 'message') as [Report];
  return report;
}
