/** Machines in Python, Go and over gRPC take places among ours, and the check holds. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { $, ps } from 'zx';
import { UNEXPLAINED } from '../../lab/check/compare.ts';
import { stream, uniform } from '../../lab/model/chance.ts';
import { need, needPython } from '../need.ts';
import { beside } from './beside.ts';
import { between } from './disturb.ts';
import { besideTwin, launch, logged, verdict } from './launched.ts';

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const quiet = $({ nothrow: true, quiet: true });
const cwd = mkdtempSync(join(tmpdir(), 'machines-'));
process.on('exit', () => rmSync(cwd, { recursive: true, force: true }));

const python = `python3 ${at('machines/python/machine.py')}`;
const go = join(cwd, 'machine-go');

/** Runs machines to their end; the launcher's exit code is the checker's verdict on the run. */
async function passes(name: string, options: string[]): Promise<void> {
  const { exitCode, stdout, stderr } =
    await launch(cwd, ['--rates', '3,4,5', '--seed', '3', '--name', name, ...options]);
  const { violations } = verdict(cwd, name);
  assert.equal(violations, [], stdout + stderr);
  assert.match(stdout, /check: the rule could have made these logs/, stdout + stderr);
  assert.is(exitCode, 0, stderr);
}

const all = suite('machines of other languages');
const test = beside(all);
const withPython = need('python3') ? test : all.skip;
const withGo = need('go') ? test : all.skip;
const withGrpc = needPython('grpc') && needPython('grpc_tools') ? test : all.skip;

withGo('Go passes the vectors', async () => {
  const built = await quiet`go build -o ${go} ${at('machines/go/machine.go')}`;
  assert.is(built.exitCode, 0, built.stderr);
  const { exitCode, stdout } = await quiet`${go} --vectors ${at('machines/vectors.json')}`;
  assert.is(exitCode, 0, stdout);
});

withPython('three in Python pass the check', () =>
  passes('python', ['--replace', `all=${python}`, '--duration', '30', '--speed', '5']));

withPython('one in Python among ours stands a crash, a cut and a pause', () =>
  passes('faults', ['--replace', `1=${python}`, '--duration', '60', '--speed', '4',
    // A Python may take seconds to come back on a busy computer, before it can be cut off.
    '--fault', 'crash 1 at 8 restart 12', '--fault', 'cut 0-1 at 44 for 4',
    '--fault', 'pause 1 at 52 for 3']));

withGo('Go, Python and ours in one run pass, and do in each tick what their virtual twins do, but '
  + 'where a cause is named', async () => {
  await passes('mixed', ['--replace', `0=${go}`, '--replace', `1=${python}`, '--duration', '30',
    '--speed', '5']);
  const { ticks, differences } = besideTwin(cwd, 'mixed');
  // Of some 360; a busy computer keeps machines from many.
  assert.ok(ticks > 100, `${ticks} ticks were compared`);
  assert.equal(differences.filter(({ why }) => why.includes(UNEXPLAINED)), []);
});

withGo('kept from running, they date no row before what they have heard', async () => {
  const launched = launch(cwd, ['--replace', `0=${go}`, '--replace', `1=${python}`, '--rates',
    '6,6,6', '--internal', '0.1', '--duration', '160', '--speed', '20', '--seed', '3', '--name',
    'stopped']);
  await logged(cwd, 'stopped', 1, /\n\d+,1,\d/, launched);
  const pids = (await ps.tree({ pid: launched.pid!, recursive: true }))
    .filter(({ command }) => /machine-go$|python3/.test(command)).map(({ pid }) => Number(pid));
  const over = new AbortController();
  let n = 0;
  const doing = between(pids, () => uniform(stream(3, 0, 2000), n++), over.signal);
  await launched;
  over.abort();
  await doing;
  assert.ok(pids.length >= 2, `${pids.length} processes were stopped`);
  assert.equal(verdict(cwd, 'stopped').violations, []);
});

withGrpc('one over gRPC in Python joins ours', () =>
  passes('grpc', ['--wire', 'grpc', '--replace',
    `1=/usr/bin/python3 ${at('machines/python-grpc/machine.py')}`, '--duration', '30',
    '--speed', '5']));

all.run();
