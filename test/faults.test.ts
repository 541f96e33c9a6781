/** What faults cost, by a run whose every row is known. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { faults } from '../lab/frames/faults.ts';
import { load } from '../lab/frames/load.ts';
import { faultTable } from '../lab/frames/tables.ts';
import type { Fault } from '../lab/model/faults.ts';
import { configure, HEADER, row } from '../lab/model/run.ts';
import { simulate } from '../lab/virtual/engine.ts';

const folder = mkdtempSync(join(tmpdir(), 'faults-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

type Row = { fault: string; do: string } & Record<'machine' | 'messages_lost' | 'ticks_skipped'
  | 'lag_before' | 'lag_after' | 'caught_up_s', number>;

/** A virtual run with faults in a folder; its logs, and what the faults cost. */
function costs(name: string, schedule: Fault[]) {
  const configuration = { ...configure({ seed: 7, machines: 3, rates_hz: [4, 5, 6], internal: 0.4,
    duration_s: 40 }), faults: schedule };
  const network = { latency: 'constant:0', loss: 0, reorder: false };
  const texts = [HEADER, HEADER, HEADER];
  const fates = { lost: 0 };
  simulate({ ...configuration, ...network }, (...cells) => { texts[cells[1]] += row(...cells); },
    (what) => { if (what === 'lost') fates.lost++; });
  mkdirSync(join(folder, name));
  texts.forEach((text, id) => writeFileSync(join(folder, name, `machine-${id}.csv`), text));
  writeFileSync(join(folder, name, 'run.json'), JSON.stringify({ ...configuration, ...network,
    kind: 'virtual', start_us: 0, ended: 'finished', versions: { lab: '0.2.0', node: 'v20' } }));
  const frame = faults(load(join(folder, name)));
  const ticks = texts.map((text) => text.split('\n').map((line) => line.split(','))
    .filter(([, , tick]) => /^\d+$/.test(tick ?? ''))
    .map(([time, , tick]) => ({ at_s: Number(time) / 1e6, tick: Number(tick) })));
  return { frame, rows: frame.toRecords() as unknown as Row[], fates, ticks };
}
/** How many numbers are left out between the last tick before a time and the first after it. */
function skipped(ticks: { at_s: number; tick: number }[], from_s: number, to_s: number): number {
  const before = ticks.filter(({ at_s }) => at_s <= from_s).at(-1)!.tick;
  return ticks.find(({ at_s }) => at_s >= to_s)!.tick - before - 1;
}

const cost = suite('what a fault costs');
cost('a crash loses each message that waited or came, the ticks, and time to catch up', () => {
  const { rows, fates, ticks } = costs('crash', [{ do: 'crash', machine: 1, at_s: 10, for_s: 5 }]);
  assert.is(rows.length, 1);
  const { fault, messages_lost, ticks_skipped, lag_before, lag_after, caught_up_s } = rows[0]!;
  assert.is(fault, 'crash 1 at 10 restart 15');
  assert.ok(fates.lost > 5);
  assert.is(messages_lost, fates.lost, 'what the engine lost');
  assert.is(ticks_skipped, skipped(ticks[1]!, 10, 15));
  assert.ok(lag_after > lag_before + 10, `${lag_before}, then ${lag_after}`);
  assert.ok(caught_up_s > 0 && caught_up_s < 20, `${caught_up_s}`);
});
cost('a cut loses what is sent into it, both ways, and no tick', () => {
  const { rows, fates } = costs('cut', [{ do: 'cut', link: [0, 2], at_s: 10, for_s: 10 }]);
  assert.equal(rows.map(({ machine, ticks_skipped }) => [machine, ticks_skipped]),
    [[0, 0], [2, 0]]);
  assert.ok(rows.every(({ messages_lost }) => messages_lost > 0), 'in each direction');
  assert.is(rows[0]!.messages_lost + rows[1]!.messages_lost, fates.lost);
});
cost('a pause loses no message, and all ticks but the last that came due', () => {
  const { rows, fates, ticks } = costs('pause', [{ do: 'pause', machine: 2, at_s: 10, for_s: 4 }]);
  assert.is(fates.lost, 0);
  assert.equal([rows[0]!.messages_lost, rows[0]!.ticks_skipped], [0, skipped(ticks[2]!, 10, 14)]);
  assert.ok(rows[0]!.ticks_skipped >= 22, 'four seconds at six a second');
});
cost('of several faults each has its own, and a crash for good never catches up', () => {
  const { rows, frame, fates } = costs('all', [{ do: 'pause', machine: 0, at_s: 5, for_s: 3 },
    { do: 'cut', link: [0, 1], at_s: 12, for_s: 4 },
    { do: 'crash', machine: 2, at_s: 30, for_s: null }]);
  assert.equal(rows.map(({ do: what, machine }) => [what, machine]),
    [['pause', 0], ['cut', 0], ['cut', 1], ['crash', 2]]);
  assert.is(rows.reduce((sum, { messages_lost }) => sum + messages_lost, 0), fates.lost);
  const { lag_after, caught_up_s, ticks_skipped } = rows[3]!;
  assert.equal([lag_after, caught_up_s], [null, null]);
  assert.ok(Math.abs(ticks_skipped - 60) <= 1, 'ten seconds at six a second');
  const table = faultTable(frame, { width: 120, colour: false });
  for (const word of ['lost', 'skipped', 'before', 'after', 'caught up', 'crash 2 at 30']) {
    assert.match(table, word);
  }
});
cost.run();
