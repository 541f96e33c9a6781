/** analyze.ts as a command, in processes of its own: npm run test:system. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pl from 'nodejs-polars';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { $ } from 'zx';
import { load } from '../../lab/frames/load.ts';
import { configure, logPath } from '../../lab/model/run.ts';
import { PERFECT } from '../../lab/model/network.ts';
import { clocksPicture } from '../../lab/report/runs.ts';
import { toPNG } from '../../lab/report/stage.ts';
import { record } from '../../lab/virtual/record.ts';

const root = mkdtempSync(join(tmpdir(), 'analyze-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));
const newFolder = (name: string) => {
  mkdirSync(join(root, name));
  return join(root, name);
};
const folder = newFolder('run');
record({ ...PERFECT, ...configure({ seed: 7, machines: 3, rates_hz: [1, 4, 6], internal: 0.7,
  duration_s: 20 }) }, folder);

// ── The command ──────────────────────────────────────────────────────────────────────────────

const analyze = (...args: string[]) =>
  $({ nothrow: true, quiet: true })`${process.execPath} --import tsx analyze.ts ${args}`;

const command = suite('analyze.ts');
command('writes what it is asked for into the folder, and leaves the logs alone', async () => {
  const hash = () => createHash('sha256')
    .update(readFileSync(logPath(folder, 0))).update(readFileSync(logPath(folder, 1)))
    .update(readFileSync(join(folder, 'run.json'))).digest('hex');
  const before = hash();
  const { exitCode, stdout, stderr } =
    await analyze(folder, '--csv', '--parquet', '--shiviz', '--png');
  assert.is(exitCode, 0, stderr);
  assert.match(stdout, /machine 1 .*\n/);
  assert.match(stdout, /written: .*report\.html/);
  assert.is(hash(), before);
  assert.equal(readdirSync(folder).filter((file) => !/^(run\.json|machine-)/.test(file)).sort(), [
    'clocks.png', 'events.csv', 'events.parquet', 'events.png', 'jumps.png', 'lag.png',
    'messages.csv', 'messages.parquet', 'queues.png', 'report.html', 'shiviz.log',
    'space-time.png', 'summary.csv', 'summary.parquet']);
  const back = pl.readParquet(join(folder, 'events.parquet'));
  const clocks = (frame: pl.DataFrame) => frame.getColumn('clock').toArray();
  assert.equal(clocks(back), clocks(load(folder).events));
  assert.ok(pl.readCSV(join(folder, 'messages.csv')).height > 20);
  for (const name of ['clocks', 'lag', 'queues', 'jumps', 'events', 'space-time']) {
    assert.ok(readFileSync(join(folder, `${name}.png`)).length > 5000, name);
  }
});
command('ends with 2 and one line for what it cannot read', async () => {
  const empty = newFolder('empty');
  await Promise.all(([[[join(root, 'nowhere')], /nowhere: there is no such folder/],
    [[empty], /run\.json: it is not there/], [[empty, '--pgn'], /unknown option '--pgn'/],
  ] as const).map(async ([args, line]) => {
    const { exitCode, stdout, stderr } = await analyze(...args);
    assert.is(exitCode, 2);
    assert.is(stdout, '');
    assert.match(stderr, line);
    assert.is(stderr.trim().split('\n').length, 1, stderr);
  }));
  assert.not.ok(existsSync(join(empty, 'report.html')));
});
command('goes on to its end and leaves no trace where nobody reads what it prints', async () => {
  const script = `${process.execPath} --import tsx analyze.ts ${folder} | head -1`;
  const { exitCode, stdout, stderr } = await $({ nothrow: true, quiet: true })`bash -c ${
    `set -o pipefail; ${script}`}`;
  assert.equal([exitCode, stdout.trim(), stderr], [0, 'run', '']);
});
command('fits 80 and 60 columns, and explains its words', async () => {
  for (const COLUMNS of ['80', '60']) {
    const { stdout } = await $({ nothrow: true, quiet: true, env: { ...process.env, COLUMNS } })`${
      process.execPath} --import tsx analyze.ts ${folder}`;
    const lines = stdout.split('\n').filter((line) => !line.startsWith('written'));
    const widest = Math.max(...lines.map((line) => line.length));
    assert.ok(widest <= Number(COLUMNS), `${widest} of ${COLUMNS}`);
    for (const term of ['Pace:', 'Lag:', 'Jump:', 'Queue:', 'Load:']) {
      assert.ok(stdout.includes(term), term);
    }
  }
});
command('a PNG is a picture of twice its size', async () => {
  const states = pl.readRecords([{ time_s: 0, machine: 0, clock: 0 },
    { time_s: 10, machine: 0, clock: 9 }]);
  const png = await toPNG(await clocksPicture(states));
  assert.is(png.subarray(1, 4).toString(), 'PNG');
  assert.equal([png.readUInt32BE(16), png.readUInt32BE(20)], [1120, 600]);
  assert.ok(png.length > 10_000);
});
command.run();
