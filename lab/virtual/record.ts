/** The logs of a virtual run, in a folder, as the machines of a real one write theirs. */
import { appendFileSync } from 'node:fs';
import { HEADER, logPath, row, versions, writeRun, type Configuration } from '../../machine.ts';
import { simulate } from './engine.ts';
import type { Network } from './network.ts';
import type { Statistics } from './statistics.ts';

/** Rows are written when a machine has so many characters of them: 10,000 machines fit in 1 GB. */
const ROWS_KEPT = 2 ** 15;

/** One run, with its logs written to `folder`, which must be there and empty. */
export function record(configuration: Configuration & Network, folder: string): Statistics {
  const run = { ...configuration, kind: 'virtual' as const, start_us: 0, versions: versions() };
  writeRun(folder, { ...run, ended: null });
  const rows = configuration.rates_hz.map(() => HEADER);
  const write = (id: number) => {
    appendFileSync(logPath(folder, id), rows[id]!);
    rows[id] = '';
  };
  const statistics = simulate(configuration, (...cells) => {
    const id = cells[1];
    rows[id] += row(...cells);
    if (rows[id]!.length > ROWS_KEPT) write(id);
  });
  for (const id of rows.keys()) write(id);
  writeRun(folder, { ...run, ended: 'finished' });
  return statistics;
}
