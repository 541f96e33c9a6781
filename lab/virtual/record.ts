/** The logs of a virtual run, in a folder, as the machines of a real one write theirs. */
import { appendFileSync } from 'node:fs';
import { writeRun } from '../cli/folder.ts';
import { versions } from '../cli/options.ts';
import type { Network } from '../model/network.ts';
import { HEADER, logPath, row, type Configuration } from '../model/run.ts';
import { simulate } from './engine.ts';
import { expectedTicks, type Statistics } from './statistics.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
/** Rows are written when a machine has so many characters of them: 10,000 machines fit in 1 GB. */
const ROWS_KEPT = 2 ** 15;
/** Bytes of a row beside the ids of those whom a send to all names: it was measured. */
const ROW_BYTES = 36;
// ─────────────────────────────────────────────────────────────────────────────────────────────

/** About how large the logs of a run are: more than they are, as a rule. */
export function logBytes(configuration: Configuration): number {
  const { machines, internal, both = 1 / 3 } = configuration;
  const named = both * (1 - internal) * machines * String(machines - 1).length;
  return expectedTicks(configuration) * (ROW_BYTES + named);
}

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
