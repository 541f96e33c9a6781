/** import.ts and check.ts on a folder of somebody's logs, as a person has them. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { happen, STYLES, writeStyle } from '../foreign.styles.ts';

const tsx = import.meta.resolve('tsx');
const cwd = mkdtempSync(join(tmpdir(), 'theirs-'));
process.on('exit', () => rmSync(cwd, { recursive: true, force: true }));
const run = (script: string, ...words: string[]) => spawnSync(process.execPath,
  ['--import', tsx, fileURLToPath(new URL(`../../${script}`, import.meta.url)), ...words],
  { cwd, encoding: 'utf8' });
const theirs = join(cwd, 'their-logs');
writeStyle(theirs, STYLES.find(({ name }) => name === 'old and new clock')!, happen('old', 1));

const test = suite('import.ts');

test('writes a run, says the rule and what to do next; check.ts finds what is wrong in it', () => {
  const { status, stdout, stderr } = run('import.ts', theirs);
  assert.is(status, 0, stderr);
  assert.match(stdout, /--pattern '\^\\\[\(\?<event>/);
  assert.match(stdout, /The rule: A receive bears the same clock as its send/);
  assert.match(stdout, /next: npx tsx check\.ts logs\/their-logs/);
  const checked = run('check.ts', 'logs/their-logs', '--page');
  assert.is(checked.status, 1, checked.stderr);
  assert.match(checked.stdout, /machine_\d_log\.txt:\d+ {2}receive from \d/);
  const words = checked.stdout.split('\n').filter((line) => !line.includes('_log.txt:'));
  assert.equal(words.filter((line) => line.length > 80), [], 'words fit the terminal');
  assert.match(readFileSync(join(cwd, 'logs/their-logs/verdict.md'), 'utf8'), /To mend it/);
  assert.is(run('check.ts', 'logs/their-logs', '--rule', 'send-old').status, 0);
  assert.match(run('check.ts', 'logs/their-logs', '--against', 'logs/their-logs').stderr,
    /^error: --against: an imported run has no seed/);
  const { status: analyzed, stderr: why } = run('analyze.ts', 'logs/their-logs');
  assert.is(analyzed, 0, why);
});

test('prints for programs, and writes over nothing', () => {
  const json = JSON.parse(run('import.ts', theirs, '--dry', '--json').stdout) as
    { rule: string; share_read: number; patterns: string[] };
  assert.is(json.rule, 'receive = send clock');
  assert.ok(json.share_read > 0.98 && json.patterns.length > 0);
  const before = readdirSync(join(cwd, 'logs'));
  const again = run('import.ts', theirs, '--name', 'their-logs');
  assert.is(again.status, 2);
  assert.match(again.stderr, /^error: --name their-logs: logs\/their-logs exists\n$/);
  assert.equal(readdirSync(join(cwd, 'logs')), before);
});

test('bad input is one line, and exit code 2', () => {
  writeFileSync(join(cwd, 'errors.log'), 'Failed to receive message!\n'.repeat(60_000));
  for (const [words, what] of [
    [['nowhere'], /^error: nowhere: it is not there\n$/],
    [['errors.log'], /^error: errors\.log: none of 60000 lines .*\n$/],
    [[theirs, '--pattern', '('], /^error: option '--pattern <regexp>' .*Unterminated group.*\n$/],
    [[theirs, '--words', 'x=1'], /^error: option '--words <list>' .*is not internal.*\n$/],
    [[theirs, '--run', 'abc'], /^error: option '--run <regexp>' .*no group.*\n$/],
  ] as const) {
    const { status, stderr } = run('import.ts', ...words);
    assert.match(stderr, what);
    assert.is(status, 2);
  }
  assert.not(existsSync(join(cwd, 'logs', 'errors')));
});

test.run();
