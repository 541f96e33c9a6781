/** Machines of other languages compute what the model computes: machines/vectors.json. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { vectors } from '../machines/vectors.ts';
import { need } from './need.ts';

const machines = fileURLToPath(new URL('../machines', import.meta.url));
const file = join(machines, 'vectors.json');

const test = suite('machines');

test('the vectors in the repository are those of the model', () => {
  assert.is(readFileSync(file, 'utf8'), vectors());
});

const withPython = need('python3') ? test : test.skip;
withPython('the machine in Python passes the vectors', () => {
  const { status, stdout } = spawnSync('python3', [join(machines, 'python', 'machine.py'),
    '--vectors', file], { encoding: 'utf8' });
  assert.is(status, 0, stdout);
  assert.match(stdout, /^\d+ vectors passed/);
});

test.run();
