/** What a computer may run out of, and what a person may take away while machines run. */
import { spawnSync } from 'node:child_process';
import {
  existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { $ } from 'zx';
import { need } from '../need.ts';
import { LAUNCH, launch, log, logged, processes, somewhere, TSX, verdict } from './launched.ts';

const NODE = [process.execPath, '--import', TSX];
const SHORT = ['--duration', '30', '--speed', '10', '--rates', '5,5,5', '--seed', '1'];
const BUSY = ['--duration', '60', '--speed', '20', '--rates', '20,20,20', '--seed', '1'];
/** A launch whose words a shell has first: it may set limits and turn output elsewhere. */
const shell = (cwd: string, script: string, words: string[]) =>
  $({ nothrow: true, quiet: true, cwd })`bash -c ${script} ${[...NODE, LAUNCH, ...words]}`;

const trace = /\n\s+at |node:internal|triggerUncaught/;
/** That whoever could not write a row said so in one line, and that no row is half. */
function endedWhole(cwd: string, name: string, code: string, said: string): void {
  for (const id of [0, 1, 2]) {
    assert.match(said,
      new RegExp(`machine ${id}: logs/${name}/machine-${id}.csv: ${code}: [^\n]*\n`));
    assert.match(log(cwd, name, id), /\n\d+,\d,\d+,\w+,[^\n]*,\d+,\d+\n$/,
      'it ends with a whole row');
  }
  assert.not.match(said, trace);
  assert.equal(readdirSync(join(cwd, 'logs', name)).filter((file) => file.includes('.tmp')), []);
  assert.is(verdict(cwd, name).rule, 'holds');
}

const limits = suite('launch.ts with too little');
limits('room in a file: one line a machine, exit code 1, whole rows, how it ended', async () => {
  const cwd = somewhere();
  const { exitCode, stdout, stderr } = await shell(cwd, 'ulimit -f 12; exec "$0" "$@"',
    [...BUSY, '--name', 'small']);
  assert.is(exitCode, 1, stdout + stderr);
  endedWhole(cwd, 'small', 'EFBIG', stdout + stderr);
  assert.match(stderr, /^error: logs\/small cannot be summed up: EFBIG[^\n]*\n$/m);
  assert.match(verdict(cwd, 'small').run.ended!, /^machine 0 died \(1\), machine 1 died \(1\)/);
  assert.is((await processes('small')).size, 0);
});

const withMounts = need('unshare') && spawnSync('unshare', ['-m', 'true']).status === 0
  ? limits : limits.skip;
if (withMounts !== limits) console.log('# without: unshare, which mounts a small disk');
withMounts('room on the disk: the same, and run.json is the one before or whole', async () => {
  const cwd = somewhere();
  mkdirSync(join(cwd, 'logs'));
  const inFolder = $({ nothrow: true, quiet: true, cwd });
  const { exitCode, stdout, stderr } = await inFolder`unshare -m sh -c ${
    'mount -t tmpfs -o size=24k tmpfs logs; "$@"; code=$?; cp -r logs kept; exit $code'} sh ${
    [...NODE, LAUNCH, ...BUSY, '--name', 'full']}`;
  assert.is(exitCode, 1, stdout + stderr);
  rmSync(join(cwd, 'logs'), { recursive: true });
  symlinkSync('kept', join(cwd, 'logs'));
  endedWhole(cwd, 'full', 'ENOSPC', stdout + stderr);
  // There may be room for run.json, which is not longer than the one before.
  const stays = (stdout + stderr).includes('logs/full/run.json stays as it was: ENOSPC');
  const { ended } = verdict(cwd, 'full').run;
  assert.ok(stays ? ended === null : ended!.startsWith('machine 0 died (1)'), `${ended}`);
});

limits('files that may be open: one line, no folder, nobody is left', async () => {
  const cwd = somewhere();
  const { exitCode, stdout, stderr } = await shell(cwd, 'ulimit -n 60; exec "$0" "$@"',
    ['--machines', '12', '--name', 'few']);
  assert.equal([exitCode, stderr], [1, ''], stdout);
  assert.match(stdout, /\nmachine \d+ could not start: no process or open file is left for it/);
  assert.not.ok(existsSync(join(cwd, 'logs', 'few')));
  assert.is((await processes('few')).size, 0);
});

limits('a folder taken away: the machines run on, one line says so, exit code 1', async () => {
  const cwd = somewhere();
  const launched = launch(cwd, [...SHORT, '--name', 'gone']);
  await logged(cwd, 'gone', 1, /\n\d+,1,\d/, launched);
  rmSync(join(cwd, 'logs', 'gone'), { recursive: true });
  const { exitCode, stdout, stderr } = await launched;
  assert.is(exitCode, 1, stdout);
  assert.match(stdout + stderr, 'logs/gone/run.json stays as it was: ENOENT');
  assert.match(stderr, /^error: logs\/gone cannot be summed up: logs\/gone: [^\n]*\n$/m);
  assert.not.match(stdout + stderr, trace);
  assert.is((await processes('gone')).size, 0);
});
limits.run();

const readers = suite('launch.ts runs on to its end and writes its report');
/** The report is there, the logs have their stops, and nothing was said of a broken pipe. */
function isWhole(cwd: string, name: string, stderr: string): void {
  assert.is(stderr, '');
  assert.ok(existsSync(join(cwd, 'logs', name, 'report.html')), name);
  const { run, consistent } = verdict(cwd, name);
  assert.equal([run.ended, consistent], ['finished', true], name);
}
readers('where nobody reads it: | head -1, /dev/full, a terminal that is closed', async () => {
  const cwd = somewhere();
  const words = (name: string) => [...SHORT, '--name', name];
  const hungUp = launch(cwd, words('hup'));
  const [head, full] = [
    shell(cwd, '"$0" "$@" | head -1; exit ${PIPESTATUS[0]}', words('head')),
    shell(cwd, '"$0" "$@" > /dev/full', words('full')),
  ];
  await logged(cwd, 'hup', 1, /\n\d+,1,\d/, hungUp);
  hungUp.child!.stdout!.destroy();
  hungUp.child!.kill('SIGHUP');
  const ends = await Promise.all([hungUp, head, full]);
  assert.equal(ends.map(({ exitCode }) => exitCode), [0, 0, 0]);
  for (const [nth, name] of ['hup', 'head', 'full'].entries()) {
    isWhole(cwd, name, ends[nth]!.stderr);
  }
});

readers('not into what a symbolic link in the place of report.html points to', async () => {
  const cwd = somewhere();
  writeFileSync(join(cwd, 'victim'), 'mine');
  const launched = launch(cwd, [...SHORT, '--name', 'link']);
  await logged(cwd, 'link', 1, /\n\d+,1,\d/, launched);
  symlinkSync(join(cwd, 'victim'), join(cwd, 'logs', 'link', 'report.html'));
  const { exitCode, stderr } = await launched;
  assert.equal([exitCode, stderr], [0, '']);
  assert.is(readFileSync(join(cwd, 'victim'), 'utf8'), 'mine');
  assert.match(readFileSync(join(cwd, 'logs', 'link', 'report.html'), 'utf8'), '<!doctype html>');
});
readers.run();
