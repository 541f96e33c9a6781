/** Runs in virtual time in a place of their own, which goes with the process. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PERFECT } from '../lab/model/network.ts';
import { configure } from '../lab/model/run.ts';
import { record } from '../lab/virtual/record.ts';

/** A new place for runs, and what makes one there and says where it is. */
export function folders(name: string) {
  const root = mkdtempSync(join(tmpdir(), `${name}-`));
  process.on('exit', () => rmSync(root, { recursive: true, force: true }));
  const virtual = (
    run: string, rates_hz: number[], duration_s = 60, extra: object = {},
  ): string => {
    const folder = join(root, run);
    mkdirSync(folder);
    record({ ...PERFECT, ...configure({ seed: 7, machines: rates_hz.length, rates_hz,
      internal: 0.7, duration_s }), ...extra }, folder);
    return folder;
  };
  return { root, virtual };
}
