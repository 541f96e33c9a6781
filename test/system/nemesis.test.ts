/** Faults done to real machines by the launcher. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { $ } from 'zx';
import { WIRES } from '../../lab/real/protocol.ts';
import { judge } from '../../lab/real/verdict.ts';
import { configure } from '../../lab/model/run.ts';
import { nemesis } from '../../lab/model/faults.ts';
import type { Fault } from '../../lab/model/faults.ts';
import { beside } from './beside.ts';

const script = fileURLToPath(new URL('../../launch.ts', import.meta.url));

interface Ended {
  exitCode: number | null;
  stdout: string;
  stderr: string;
  run: { ended: string; start_us: number; faults: Fault[] };
  rows: string[][][];
  folder: string;
}

/** Three machines for a model minute in twelve seconds, disturbed. */
async function disturbed(...words: string[]): Promise<Ended> {
  const cwd = mkdtempSync(join(tmpdir(), 'lab-'));
  const common = ['--rates', '5,4,6', '--seed', '3', '--speed', '5', '--name', 'a'];
  const { exitCode, stdout, stderr } = await $({ nothrow: true, quiet: true, cwd })`
    ${process.execPath} --import ${import.meta.resolve('tsx')} ${script} ${common} ${words}`;
  const folder = join(cwd, 'logs', 'a');
  const run = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'));
  const rows = [0, 1, 2].map((id) => readFileSync(join(folder, `machine-${id}.csv`), 'utf8')
    .trim().split('\n').slice(1).map((line) => line.split(',')));
  const wrong = judge(folder).violations.map(({ file, line, rule, text }) =>
    `${file}:${line} ${rule}: ${text}\n`).join('');
  return { exitCode, stdout: stdout + wrong, stderr, run, rows, folder };
}

const time = (row: string[]) => Number(row[0]);
/** Two processes on a busy computer read the time so far apart; the check allows as much. */
const CLOCKS_US = 1000;
const clock = (row: string[]) => Number(row[7]);

const all = suite('faults');
const faults = beside(all);
for (const wire of WIRES) {
  faults(`pause, restart and cut over ${wire}: each is done, dated and survived`, async () => {
    const { exitCode, stdout, stderr, run, rows, folder } = await disturbed('--wire', wire,
      '--fault', 'pause 0 at 5 for 6', '--fault', 'crash 1 at 15 restart 30',
      '--fault', 'cut 0-2 at 40 for 8');
    assert.is(run.ended, 'finished', stdout + stderr);
    assert.equal(judge(folder).violations, []);
    assert.is(exitCode, 0, stdout + stderr);
    const [pause, crash, cut] = run.faults as [Fault, Fault, Fault];
    for (const { from_us, to_us } of [pause, crash, cut]) {
      assert.ok(from_us![0] <= from_us![1] && from_us![1] < to_us![0] && to_us![0] <= to_us![1]);
    }
    const within = ({ from_us, to_us }: Fault) => (row: string[]) =>
      time(row) > from_us![1] + CLOCKS_US && time(row) < to_us![0] - CLOCKS_US;
    assert.equal(rows[0]!.filter(within(pause)), [], 'no row of a paused machine');
    assert.equal(rows[1]!.filter(within(crash)), [], 'no row of a dead machine');

    const back = rows[1]!.findIndex(([, , , event]) => event === 'restart');
    assert.is(clock(rows[1]![back]!), clock(rows[1]![back - 1]!), 'it goes on with its clock');
    assert.ok(rows[1]!.slice(back).some(([, , , event]) => event === 'receive'), 'and hears again');
    for (const [id, peer] of [[0, '2'], [2, '0']] as const) {
      const heard = rows[id]!.filter(([, , , event, from]) => event === 'receive' && from === peer);
      assert.ok(heard.some((row) => time(row) > cut.to_us![1]), 'the link has healed');
    }
    const clocks = rows.map((of) => clock(of.at(-1)!));
    assert.ok(Math.max(...clocks) - Math.min(...clocks) < 40, String(clocks));
  });
}

faults('a crash for good ends in order, exit code 0; its log has no stop', async () => {
  const { exitCode, run, rows, stdout, stderr } =
    await disturbed('--fault', 'crash 2 at 20', '--duration', '40');
  assert.equal([exitCode, run.ended], [0, 'finished'], stdout + stderr);
  assert.equal(rows.map((of) => of.at(-1)![3] === 'stop'), [true, true, false]);
});
faults('one of a machine that is not back yet waits until it is', async () => {
  const { run, rows, folder } = await disturbed('--duration', '40',
    '--fault', 'crash 1 at 15 restart 16', '--fault', 'cut 0-1 at 16.1 for 8');
  const [crash, cut] = run.faults as [Fault, Fault];
  assert.ok(crash.to_us![1] <= cut.from_us![0], JSON.stringify(run.faults));
  // How late the cut then is depends on the computer; that is a matter of pace.
  const broken = judge(folder).violations.filter(({ rule }) => rule !== 'pace');
  assert.equal(broken, [], broken.length > 0 ? JSON.stringify([broken, run, rows]) : '');
});
faults('--nemesis draws what the seed says, does it, and stores it', async () => {
  const kinds = ['pause', 'crash', 'restart', 'cut'] as const;
  const { exitCode, run, stdout, stderr } = await disturbed('--nemesis', kinds.join(','));
  const configuration = configure({ seed: 3, machines: 3, rates_hz: [5, 4, 6], internal: 0.7,
    duration_s: 60, speed: 5 });
  const drawn = nemesis(kinds, configuration);
  assert.equal(run.faults.map(({ from_us: _, to_us: __, ...fault }) => fault), drawn);
  assert.equal([exitCode, run.ended], [0, 'finished'], stdout + stderr);
});
all.run();
