/** Writes an imported run: run.json, the machines' logs, and from where each row comes. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HEADER, logPath } from '../model/run.ts';
import type { Link } from './messages.ts';
import type { Text } from './files.ts';
import type { Run } from './rows.ts';

/** Their rows without times get these: a tick every so often. */
const TICK_US = 1e6;

/** The least time of a run's rows, and how to give each row its own. */
export function clockOfRun(
  run: Run,
  rates_hz: readonly (number | null)[],
): {
  start_us: number;
  time_us: (machine: number, n: number) => number;
  end_us: number;
  known: boolean;
} {
  const known = run.machines.every(({ events }) =>
    events.every(({ time_us }) => !Number.isNaN(time_us)),
  );
  const absolute = run.machines.every((machine) => machine.absolute);
  // Times that count from nowhere begin together, as the machines did.
  const first = run.machines.map(({ events }) => (known && !absolute ? events[0]!.time_us : 0));
  const alike = Math.max(...first) - Math.min(...first) < 30e6;
  let last = 0;
  const time_us = (machine: number, n: number) => {
    const { events } = run.machines[machine]!;
    if (!known) return Math.round((n * TICK_US) / (rates_hz[machine] ?? 1));
    return Math.max(0, Math.floor(events[n]!.time_us - (absolute || alike ? 0 : first[machine]!)));
  };
  let start = Infinity;
  for (const [id, { events }] of run.machines.entries()) {
    for (const n of events.keys()) {
      start = Math.min(start, time_us(id, n));
      last = Math.max(last, time_us(id, n));
    }
  }
  return { start_us: start, time_us, end_us: last, known };
}

/** The rows of a machine in the lab's columns, and those of its source. */
export function logOf(
  run: Run,
  id: number,
  links: readonly Link[],
  time_us: (n: number) => number,
  texts: readonly Text[],
): { log: string; source: string } {
  let log = HEADER;
  let source = 'file,line,lines,peer,message\n';
  let last = 0;
  const file = quoted(texts[run.machines[id]!.text]!.file);
  for (const [n, { event, queue, clock, row, lines }] of run.machines[id]!.events.entries()) {
    const { peers, peer, message, from } = links[n]!;
    // A wall clock may be set back; our rows do not go back in time.
    last = Math.max(last, time_us(n));
    const isMessage = event !== 'internal';
    log +=
      `${last},${id},${n},${event},${isMessage ? peers.join(' ') : ''},` +
      `${isMessage ? (message ?? '') : ''},${queue ?? ''},${Math.max(0, clock)}\n`;
    source += `${file},${row.line},${lines},${isMessage ? peer : ''},${isMessage ? from : ''}\n`;
  }
  return { log, source };
}

const quoted = (text: string) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

export function writeLogs(
  folder: string,
  id: number,
  { log, source }: { log: string; source: string },
): void {
  writeFileSync(logPath(folder, id), log, { flag: 'wx' });
  writeFileSync(join(folder, `source-${id}.csv`), source, { flag: 'wx' });
}
