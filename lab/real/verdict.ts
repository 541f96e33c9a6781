/** The oracle's verdict on a run that has just ended. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
