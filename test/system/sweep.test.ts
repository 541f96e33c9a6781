/** Sweeps at length: in threads, in blocks, in parts, and as a command. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pl, { type DataFrame } from 'nodejs-polars';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Checkpoint } from '../../lab/virtual/checkpoint.ts';
import { sweep, type SweepOptions } from '../../sweep.ts';
import { GRID, same } from '../grid.ts';

// ── sweep ────────────────────────────────────────────────────────────────────────────────────

const sweeps = suite('sweep');

sweeps('does not depend on the number of workers', async () => {
  const here = await sweep({ ...GRID, workers: 0 });
  for (const workers of [1, 3]) same(await sweep({ ...GRID, workers }), here, `${workers}`);
});

sweeps('does not depend on workers where one configuration is cut in tasks', async () => {
  const options = { rates_hz: [1, 4, 6], runs: 7000 };
  same(await sweep({ ...options, workers: 2 }), await sweep({ ...options, workers: 0 }), 'rows');
});

sweeps('keeps the order of its rows over several blocks', async () => {
  const [runs, machines] = [100_000, 3];
  const options = { rates_hz: [1, 2, 3], duration_s: 0.5, runs, workers: 0 };
  const frame = await sweep({ ...options, block_rows: 2 ** 16 });
  assert.is(frame.height, runs * machines);
  same(frame, await sweep(options), 'in one block');
  const [seeds, ids] = ['seed', 'machine'].map((name) => frame.getColumn(name).toArray());
  assert.ok(seeds!.every((seed, row) => Number(seed) === 1 + Math.floor(row / machines)));
  assert.ok(ids!.every((id, row) => id === row % machines));
});

sweeps('in parts is the whole, row for row, however many parts there are', async () => {
  const options: SweepOptions = {
    rates_hz: [[1, 4, 6], [2, 4], [3, 5, 1, 2]], duration_s: [2, 5], runs: 4,
  };
  for (const summary of [false, true]) {
    const whole = await sweep({ ...options, summary });
    for (const of of [2, 5, 30]) {
      const parts = [];
      for (let part = 1; part <= of; part++) {
        parts.push(await sweep({ ...options, summary, shard: { part, of } }));
      }
      same(pl.concat(parts, { how: 'vertical' }), whole, `${of} parts, summary ${summary}`);
      assert.is(parts.some(({ height }) => height === 0), of > (summary ? 6 : 24));
    }
  }
});

sweeps('refuses a run with too many ticks', async () => {
  await sweep({ rates_hz: [1e6, 1e6], duration_s: 1e6, runs: 1, workers: 1 }).then(
    () => assert.unreachable(), ({ message }) => assert.match(message, /2147483647 ticks/));
});

sweeps('that is stopped and taken up again is the same, byte for byte', async () => {
  const options: SweepOptions = { rates_hz: [[1, 2, 3], [2, 4]], duration_s: 0.5,
    runs: 80_000, block_rows: 2 ** 17 };
  const here = mkdtempSync(join(tmpdir(), 'resume-'));
  for (const summary of [false, true]) {
    const file = join(here, `${summary}.parquet`);
    const stop = new AbortController();
    const first = new Checkpoint(file, 'one', false);
    const progress = (share: number) => { if (share > 0.6) stop.abort(new Error('enough')); };
    const stopped = { ...options, summary, workers: 0, stop: stop.signal, progress };
    await sweep({ ...stopped, checkpoint: first })
      .then(() => assert.unreachable(), ({ message }) => assert.is(message, 'enough'));
    first.leave();
    assert.ok(first.blocks > 0);
    const second = new Checkpoint(file, 'one', true);
    assert.is(second.blocks, first.blocks);
    second.finish(await sweep({ ...options, summary, workers: 0, checkpoint: second }));
    assert.equal(readdirSync(here).filter((name) => name.includes('part')), []);
    const whole = join(here, 'whole.parquet');
    (await sweep({ ...options, summary, workers: 0 }))
      .writeParquet(whole, { compression: 'snappy' });
    assert.ok(readFileSync(file).equals(readFileSync(whole)), `summary ${summary}`);
  }
  rmSync(here, { recursive: true });
});

sweeps('that was killed while it described itself is begun anew, even by its process id', () => {
  const here = mkdtempSync(join(tmpdir(), 'resume-'));
  const file = join(here, 'x.parquet');
  mkdirSync(`${file}.part`);
  // A description is written beside its place: there is a whole one or none.
  writeFileSync(join(`${file}.part`, `sweep.json.${process.pid}.tmp`), 'sweep.ts --ra');
  const checkpoint = new Checkpoint(file, 'sweep.ts --rates 1,2\n', true);
  assert.is(checkpoint.blocks, 0);
  assert.equal(readdirSync(`${file}.part`).sort(), ['owner', 'sweep.json']);
  checkpoint.leave();
  assert.equal(readdirSync(here), []);
  rmSync(here, { recursive: true });
});

sweeps.run();

// ── summary ──────────────────────────────────────────────────────────────────────────────────

const summaries = suite('summary');

summaries('of many runs is of all, but for quantiles: of the first 100,000', async () => {
  const options: SweepOptions = { rates_hz: [1, 2], runs: 100_200, duration_s: 1.5, internal: 0.1 };
  const [rows, found] = [await sweep(options), await sweep({ ...options, summary: true })];
  same(await sweep({ ...options, summary: true, workers: 2 }), found, 'two workers');
  const ofSlow = rows.filter(pl.col('machine').eq(0));
  for (const measure of ['mean_lag', 'mean_jump']) {
    const record = found.toRecords().find((row) => row.machine === 0 && row.measure === measure)!;
    const values = Float64Array.from(ofSlow.getColumn(measure).toArray(), (value) =>
      Number(value ?? NaN));
    const defined = values.filter((value) => !Number.isNaN(value));
    const mean = defined.reduce((sum, value) => sum + value, 0) / defined.length;
    const deviation = Math.sqrt(defined.reduce((sum, value) => sum + (value - mean) ** 2, 0)
      / (defined.length - 1));
    const first = values.slice(0, 100_000).filter((value) => !Number.isNaN(value)).sort();
    const rank = 0.75 * (first.length - 1);
    const [low, high] = [first[Math.floor(rank)]!, first[Math.ceil(rank)]!];
    assert.is(record.runs, defined.length);
    for (const [name, expected] of Object.entries({ mean, standard_deviation: deviation,
      quantile_75: low + (rank % 1) * (high - low) })) {
      assert.ok(Math.abs(Number(record[name]) - expected) < 1e-9, `${name} of ${measure}`);
    }
  }
});

summaries.run();

// ── The command ──────────────────────────────────────────────────────────────────────────────

const command = suite('sweep.ts');

const folder = mkdtempSync(join(tmpdir(), 'sweep-'));
command.after(() => rmSync(folder, { recursive: true }));
const script = fileURLToPath(new URL('../../sweep.ts', import.meta.url));
const words = (text: string) =>
  ['--import', import.meta.resolve('tsx'), script, ...text.split(' ')];
const sweepTs = (text: string) =>
  spawnSync(process.execPath, words(text), { cwd: folder, encoding: 'utf8' });
const read = (path: string) => pl.readParquet(join(folder, path));
const withoutOrigin = (frame: DataFrame) => frame.drop('command', 'version');

command('writes what sweep() returns, and how it was made', async () => {
  const text = '--rates 1,4,6 --rates all:1-2:2 --internal 0.1:0.3:0.1 --loss 0,0.5 --runs 3 '
    + '--latency constant:0 --latency uniform:1,9 --duration 2,3 --out grid.parquet';
  const { status, stdout } = sweepTs(text);
  assert.is(status, 0);
  assert.match(stdout, /\d rows in grid.parquet/);
  const frame = read('grid.parquet');
  same(withoutOrigin(frame), await sweep({
    rates_hz: [[1, 4, 6], [1, 1], [1, 2], [2, 1], [2, 2]], internal: [0.1, 0.2, 0.3],
    latency: ['constant:0', 'uniform:1,9'], loss: [0, 0.5], duration_s: [2, 3], runs: 3,
  }), 'the file');
  const file = new URL('../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8'));
  assert.equal(frame.getColumn('command').unique().toArray(), [`sweep.ts ${text}`]);
  assert.equal(frame.getColumn('version').unique().toArray(), [version]);
  assert.equal(readdirSync(folder), ['grid.parquet']);
});

command('--shard: the parts, read as one folder, are the whole', async () => {
  for (const part of [1, 2]) {
    assert.is(sweepTs(`--rates all:1-3:3 --runs 4 --duration 5 --shard ${part}/2 `
      + `--out parts/${part}.parquet`).status, 0);
  }
  const parts = pl.scanParquet(join(folder, 'parts', '*.parquet')).collectSync();
  const faces = [1, 2, 3];
  const rates_hz = faces.flatMap((a) => faces.flatMap((b) => faces.map((c) => [a, b, c])));
  same(withoutOrigin(parts), await sweep({ rates_hz, runs: 4, duration_s: 5 }), 'the folder');
});

command('never writes over a file', () => {
  const before = readFileSync(join(folder, 'grid.parquet'));
  const { status, stderr } = sweepTs('--rates 1,2 --out grid.parquet');
  assert.is(status, 2);
  assert.match(stderr, /^error: --out grid.parquet: it exists\n$/);
  assert.ok(before.equals(readFileSync(join(folder, 'grid.parquet'))));
});

command('leaves no file when it is interrupted before there is anything to keep', async () => {
  const child = spawn(process.execPath,
    words('--rates 1,4,6 --runs 100000000 --out interrupted/x.parquet'), { cwd: folder });
  let told = '';
  child.stderr.on('data', (text) => { told += text; });
  while (!existsSync(join(folder, 'interrupted/x.parquet.part/sweep.json'))) await sleep(20);
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  assert.equal([code, told], [130, 'interrupted; nothing was written\n']);
  assert.equal(readdirSync(join(folder, 'interrupted')), []);
});

command('--resume goes on with what a killed sweep left, and not with another one', async () => {
  const text = '--rates 1,4,6 --runs 3000 --duration 3 --workers 1 --out killed.parquet';
  const child = spawn(process.execPath, words(text.replace('3000 ', '30000000 ')),
    { cwd: folder });
  while (!existsSync(join(folder, 'killed.parquet.part/sweep.json'))) await sleep(20);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const again = sweepTs(text);
  assert.is(again.status, 2);
  assert.match(again.stderr, /^error: --out killed.parquet: .*--resume goes on with it\n$/);
  const other = sweepTs(`${text} --resume`);
  assert.is(other.status, 2);
  assert.match(other.stderr, /is of another sweep: sweep.ts --rates 1,4,6 --runs 30000000 /);
  rmSync(join(folder, 'killed.parquet.part'), { recursive: true });
  // Where nothing was left, --resume is a sweep like any other.
  assert.is(sweepTs(`${text} --resume`).status, 0);
  assert.is(sweepTs(text.replace('killed', 'whole')).status, 0);
  same(read('killed.parquet').drop('command'), read('whole.parquet').drop('command'), 'resumed');
});

command('a full disk is one line, and leaves nothing', () => {
  // A limit of 8 KB for each file stands for the disk.
  const { status, stderr } = spawnSync('bash', ['-c', 'ulimit -f 8; exec "$0" "$@"',
    process.execPath, ...words('--rates 1,4,6 --runs 3000 --duration 3 --out full.parquet')],
  { cwd: folder, encoding: 'utf8' });
  assert.is(status, 2);
  assert.match(stderr, /^error: --out full.parquet: .*; nothing was written\n$/);
  assert.equal(readdirSync(folder).filter((name) => name.startsWith('full')), []);
});

command('--summary tells what it found in a table', () => {
  const { stdout } = sweepTs('--rates 1,4,6 --runs 50 --duration 9 --summary --out table.parquet');
  assert.match(stdout, /rates +machine +runs/);
  assert.match(stdout, /\n1-4-6 +2 +50 /);
});

command('ends with 2 and one line that names the flag when it cannot do what is asked', () => {
  for (const [flag, value] of [['--internal', '0.1:0.9'], ['--duration', '1e12'],
    ['--shard', '0/4'], ['--internal', '0:1:1e-300'], ['--rates', 'all:1-1000:4'],
    ['--workers', '1000'], ['--seed', '9007199254740991'], ['--fault', 'pause'],
    ['--runs', '1e9']] as const) {
    const { status, stderr } = sweepTs(`--rates 1,2 --out never.parquet ${flag} ${value}`);
    assert.is(status, 2, flag);
    assert.match(stderr, new RegExp(`^error: .*${flag}.*\n$`), flag);
  }
  assert.not.ok(existsSync(join(folder, 'never.parquet')));
});

command.run();
