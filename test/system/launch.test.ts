/** The launcher as a user has it: spawned, watched, interrupted, killed. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WIRES } from '../../lab/real/protocol.ts';
import { beside } from './beside.ts';
import { launch, log, logged, processes, somewhere, until, verdict } from './launched.ts';

const MINUTE = ['--duration', '60', '--speed', '20'];

const good = suite('launch.ts');
good('runs to its end, checks and shows a table, beside a series of other runs', async () => {
  const cwd = somewhere();
  const [one, series] = await Promise.all([
    launch(cwd, [...MINUTE, '--rates', '2,4,1', '--seed', '7', '--name', 'minute']),
    launch(cwd, ['--duration', '5', '--speed', '5', '--runs', '2', '--name', 'b']),
  ]);
  assert.equal([one.stderr, series.stderr], ['', '']);
  assert.equal([one.exitCode, series.exitCode], [0, 0], one.stdout + series.stdout);
  for (const word of ['seed 7', 'rate', 'clock', 'queue', 'ticks came', 'could have made',
    'report.html']) {
    assert.match(one.stdout, word);
  }
  const { run, consistent } = verdict(cwd, 'minute');
  assert.ok(consistent);
  assert.equal([run.seed, run.rates_hz, run.duration_s, run.speed, run.ended],
    [7, [2, 4, 1], 60, 20, 'finished']);
  assert.is((await processes('minute')).size, 0);

  const said = [...series.stdout.matchAll(/^seed (\d+)/gm)].map(([, seed]) => Number(seed));
  const drawn = ['b-1', 'b-2'].map((name) => verdict(cwd, name).run.seed);
  assert.equal(drawn, [said[0]!, said[0]! + 1], 'drawn, told and stored; then the next');
  assert.equal(said, drawn);
  assert.equal(readdirSync(join(cwd, 'logs')).sort(),
    ['b-1', 'b-1-beside-b-2.html', 'b-2', 'minute']);

  const before = log(cwd, 'minute', 0);
  const again = await launch(cwd, ['--name', 'minute']);
  assert.equal([again.exitCode, again.stderr], [2, 'error: --name minute: logs/minute exists\n']);
  assert.is(log(cwd, 'minute', 0), before, 'nothing is overwritten');
});
good.run();

const survives = suite('launch.ts survives');
const hard = beside(survives);
for (const wire of WIRES) {
  hard(`SIGKILL of a machine over ${wire}: the others run on, the check says who`, async () => {
    const cwd = somewhere();
    const name = `killed-${wire}`; // Its machines must be told from those of the other wire's run.
    const launched = launch(cwd, ['--duration', '20', '--speed', '5', '--rates', '3,3,3',
      '--seed', '1', '--name', name, '--wire', wire]);
    await logged(cwd, name, 1, /receive/);
    process.kill((await processes(name)).get(1)!, 'SIGKILL');
    const { exitCode, stdout } = await launched;
    assert.is(exitCode, 1);
    assert.match(stdout, 'machine 1 died (SIGKILL)');
    assert.match(log(cwd, name, 0), /,stop,/);
    assert.not.match(log(cwd, name, 1), /,stop,/);
    const { run, violations } = verdict(cwd, name);
    assert.equal(violations, []);
    assert.is(run.ended, 'machine 1 died (SIGKILL)');
    assert.match(log(cwd, name, 0), /,0,59,\w+,.*\n.*,stop,.*\n$/, 'it made its last tick');
  });
}

hard('SIGSTOP and SIGCONT: no burst, skipped ticks are counted, the check holds', async () => {
  const cwd = somewhere();
  const launched = launch(cwd, ['--duration', '24', '--speed', '4', '--rates', '5,2,4',
    '--seed', '1', '--name', 'stalled']);
  await logged(cwd, 'stalled', 0, /receive/);
  const pid = (await processes('stalled')).get(0)!;
  process.kill(pid, 'SIGSTOP');
  await sleep(2000);
  process.kill(pid, 'SIGCONT');
  const { exitCode, stdout } = await launched;
  assert.is(exitCode, 0, stdout);
  const rows = log(cwd, 'stalled', 0).split('\n').map((line) => line.split(','))
    .filter(([, , tick]) => /^\d+$/.test(tick ?? ''));
  const gaps = rows.slice(1).map((row, n) => Number(row[2]) - Number(rows[n]![2]));
  assert.ok(Math.max(...gaps) > 30, 'two seconds at five ticks a second, four times as fast');
  const skipped = gaps.reduce((sum, gap) => sum + gap - 1, 0) + Number(rows[0]![2]);
  assert.is(rows.length + skipped, 120);
  assert.match(stdout, new RegExp(`machine 0 .* ${rows.length} +${skipped} `), 'and counted');
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  hard(`${signal}: each log ends with its stop, the check still runs, nobody is left`, async () => {
    const cwd = somewhere();
    const launched = launch(cwd, ['--name', signal]);
    await logged(cwd, signal, 2, /,2,0,/);
    launched.child!.kill(signal);
    launched.child!.kill(signal);
    const { exitCode, stdout } = await launched;
    assert.is(exitCode, 1);
    assert.match(stdout, `interrupted by ${signal}`);
    assert.match(stdout, 'the rule could have made');
    for (const id of [0, 1, 2]) assert.match(log(cwd, signal, id), /,stop,.*\n$/);
    assert.is((await processes(signal)).size, 0);
  });
}

hard('a signal before the machines are up: nobody is left', async () => {
  const cwd = somewhere();
  const launched = launch(cwd, ['--name', 'early']);
  await until('a folder', () => existsSync(join(cwd, 'logs', 'early', 'run.json')));
  launched.child!.kill('SIGINT');
  const { exitCode, stderr } = await launched;
  assert.is(exitCode, 1, stderr);
  assert.is((await processes('early')).size, 0);
});

hard('its own SIGKILL: the machines stop in order by themselves', async () => {
  const cwd = somewhere();
  const launched = launch(cwd, ['--name', 'orphans']);
  await logged(cwd, 'orphans', 2, /,2,0,/);
  launched.child!.kill('SIGKILL');
  await launched;
  for (const id of [0, 1, 2]) await logged(cwd, 'orphans', id, /,stop,.*\n$/);
  await until('an end of the machines', async () => (await processes('orphans')).size === 0);
  assert.is(verdict(cwd, 'orphans').run.ended, null);
});

hard('a port that is taken: one line that names it, nobody is left', async () => {
  const cwd = somewhere();
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { exitCode, stderr, stdout } =
    await launch(cwd, ['--port', String(port - 1), '--name', 'taken']);
  server.close();
  assert.is(exitCode, 1);
  assert.match(stderr, `--listen 127.0.0.1:${port}: EADDRINUSE`);
  assert.match(stdout, 'machine 1 could not start');
  assert.is((await processes('taken')).size, 0);
});
survives.run();

const bad = suite('launch.ts refuses');
/** Its own; those of the model are every script's, and test/cli.test.ts has what they refuse. */
const refusals: [string, string[]][] = [
  ['--rates', ['--rates', '5']], ['--rates', ['--rates', '1,2,3', '--machines', '2']],
  ['--machines', ['--machines', '1']], ['--internal', ['--internal', '1.5']],
  ['--speed', ['--speed', '-1']], ['--seed', ['--seed', '1.5']], ['--runs', ['--runs', '0']],
  ['--port', ['--port', '70000']], ['--name', ['--name', '../x']], ['--speeed', ['--speeed', '2']],
  ['extra', ['extra']],
];
bad('bad input with one line that names the flag and exit code 2, makes no folder', async () => {
  const cwd = somewhere();
  const ends = await Promise.all(refusals.map(([, options]) => launch(cwd, options)));
  for (const [n, [flag, options]] of refusals.entries()) {
    const { exitCode, stderr } = ends[n]!;
    assert.is(exitCode, 2, options.join(' '));
    assert.match(stderr, flag === 'extra' ? /argument/ : new RegExp(`^error: .*${flag}.*\n$`));
  }
  assert.not.ok(existsSync(join(cwd, 'logs')));
});
bad('a logs folder that cannot be written', async () => {
  const cwd = somewhere();
  writeFileSync(join(cwd, 'logs'), 'a file');
  const { exitCode, stderr } = await launch(cwd, ['--name', 'x']);
  assert.is(exitCode, 2);
  assert.match(stderr, /^error: .*--name x.*\n$/);
});
bad.run();
