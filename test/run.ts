/**
 * Runs test files and guards against the ways in which uvu passes although nothing was tested: a
 * suite that is never run, an empty one, a hook that throws.
 *
 *   node --import tsx test/run.ts              all of test/*.test.ts (this is npm test)
 *   node --import tsx test/run.ts system       all of test/system/ (this is npm run test:system)
 *   node --import tsx test/run.ts check sweep  those whose name has one of the words
 *
 * The quick ones share a process for each core, see worker.ts; those of test/system/ have one each.
 * With those of test/system/ run once more the quick ones that leave something out, see runs.ts.
 * A tool that is missing skips its tests, which is said at the end: `3 skipped: go`. Under
 * LAB_REQUIRE_ALL=1 that is a failure.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Counts, MARK } from './worker.ts';

const here = import.meta.dirname;
const words = process.argv.slice(2);
const named = (names: string[]) => names.map((name) => join(`${name}.test.ts`));
/**
 * Half of the processes take files from the front of the list and half from its back, so that only
 * the front loads tables and pictures. The longest come first, lest one of them run alone at the
 * end: the short ones lie in the middle.
 */
const front = named(['system/notebooks', 'system/sweep', 'system/jupyter', 'notebooks', 'report',
  'frames', 'sweep', 'pictures', 'findings', 'faults']);
const back = named(['system/check', 'system/play', 'system/report', 'foreign', 'check', 'real',
  'swarm', 'theory', 'virtual', 'virtual-knobs', 'play']);
/**
 * Real machines that tick in real time, the longest first. They mostly wait, so two files of them
 * run beside the others; with more, machines would miss their ticks.
 */
const timed = named(['launch', ...['live', 'nemesis', 'machines', 'launch', 'mesh', 'limits',
  'twins', 'stalls'].map((name) => `system/${name}`)]);
// Where no shell stands above it, bash takes its piped input for a remote login and runs ~/.bashrc.
if (!(Number(process.env.SHLVL) > 0)) process.env.SHLVL = '1';
/** Far more than any file needs on a busy computer; a test that hangs must not hang them all. */
const LIMIT_S = 480;
const isSystem = (file: string) => file.startsWith('system');
if (words.includes('system')) process.env.LAB_THOROUGH = '1';
const isThorough = process.env.LAB_THOROUGH === '1';
const sourceOf = (file: string) => readFileSync(join(here, file), 'utf8');
/** Whether it is to run: by its name, or since it has more for npm run test:system. */
const isWanted = (file: string) => (words.length === 0 ? !isSystem(file)
  : words.some((word) => file.includes(word))
    || (words.includes('system') && sourceOf(file).includes('/runs.ts\'')));
const files = readdirSync(here, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .filter(isWanted)
  .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));

function rank(file: string): number {
  return front.includes(file) ? front.indexOf(file) - front.length
    : back.includes(file) ? back.length - back.indexOf(file) : Math.max(0, timed.indexOf(file));
}

/** How many tests a file declares: the calls of each suite that it makes. */
function declared(file: string): number {
  const source = sourceOf(file);
  // A suite goes by another name where its tests need a tool, or time: see need.ts and runs.ts.
  const suites = new Set([...source.matchAll(
    /const (\w+) = (?:suite\(|beside\(|.+ \? \w+ : \w+\.skip;|(thoroughly)\()/g)]
    .filter(([, , isLong]) => !isLong || isThorough).map(([, name]) => name));
  return [...suites].reduce((sum, name) =>
    sum + [...source.matchAll(new RegExp(`^\\s*${name}(\\.only|\\.skip)?\\(`, 'gm'))].length, 0);
}

/** A process that runs one file after the other, until one of them ends it. */
class Worker {
  #process: ChildProcess | null = null;

  /** @returns what uvu found, and what the file printed; no counts if it ended the process */
  run(file: string): Promise<{ counts: Counts | null; ended: string; output: string }> {
    const child = this.#process ??= spawn(process.execPath,
      ['--import', 'tsx', join(here, 'worker.ts')], { stdio: ['pipe', 'pipe', 'pipe'] });
    return new Promise((resolve) => {
      let output = '';
      const finish = (counts: Counts | null, ended = '') => {
        clearTimeout(timer);
        child.stdout!.removeAllListeners('data');
        child.stderr!.removeAllListeners('data');
        child.removeAllListeners('close');
        if (counts === null) this.#process = null;
        resolve({ counts, ended, output });
      };
      const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_S * 1000);
      child.stderr!.setEncoding('utf8').on('data', (text: string) => { output += text; });
      child.stdout!.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const [before, counts] = output.split(`\n${MARK}`);
        if (!counts?.endsWith('\n')) return;
        output = before!;
        finish(JSON.parse(counts));
      });
      child.on('close', (code, signal) => finish(null, signal
        ? `${signal}, which it gets itself or after ${LIMIT_S} s` : `exit code ${code}`));
      child.stdin!.write(`${join(here, file)}\n`);
    });
  }

  /** Lets it end. */
  async end(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (!child) return;
    child.stdin!.end();
    await once(child, 'close');
  }
}

interface Result { passed: number; failed: number; skipped: number; without: string[] }

async function runFile(file: string, worker: Worker): Promise<Result> {
  const started_ms = Date.now();
  const { counts, ended, output } = await worker.run(file);
  if (isSystem(file)) await worker.end();
  const { passed, total, skipped, error } =
    counts ?? { passed: 0, total: 0, skipped: 0, error: ended };
  const without = [...output.matchAll(/^# without: (.+)$/gm)].map(([, tool]) => tool!);
  const least = declared(file);
  const why = error !== null ? error
    : least === 0 ? 'it declares no test'
    : total + skipped < least ? `${least} tests are declared and ${total + skipped} known`
    : passed !== total ? `${total - passed} did not pass`
    : skipped > 0 && without.length === 0 ? `${skipped} skipped, and no tool was missing`
    : null;
  const time_s = ((Date.now() - started_ms) / 1000).toFixed(1).padStart(5);
  console.log(`${why === null ? 'ok  ' : 'FAIL'} ${file.padEnd(28)} ${String(passed).padStart(4)} `
    + `tests ${time_s} s${skipped > 0 ? `   ${skipped} skipped` : ''}`
    + `${why === null ? '' : `   ${why}\n${output}`}`);
  const failed = why === null ? 0 : Math.max(1, total - passed);
  return { passed, failed, skipped, without };
}

let [passed, failed, skipped] = [0, 0, 0];
const missing = new Set<string>();
const inTurn = files.filter((file) => timed.includes(file));
const others = files.filter((file) => !timed.includes(file));
const lanes = Math.min(2, inTurn.length);
await Promise.all(Array.from({ length: availableParallelism() + lanes }, async (_, nth) => {
  const worker = new Worker();
  const other = () => (nth % 2 === 1 ? others.shift() : others.pop());
  // The one launch of the quick tests has a process to itself, since it mostly waits.
  const next = () => (nth >= lanes ? other()
    : inTurn.shift() ?? (words.length > 0 ? other() : undefined));
  for (let file; (file = next()) !== undefined;) {
    const result = await runFile(file, worker);
    passed += result.passed;
    failed += result.failed;
    skipped += result.skipped;
    for (const tool of result.without) missing.add(tool);
  }
  await worker.end();
}));
if (passed + skipped === 0) {
  console.error(words.length > 0 ? `no test ran: no file is named like ${words.join(', ')}`
    : 'no test ran');
  failed++;
}
if (skipped > 0) console.log(`\n${skipped} skipped: ${[...missing].join(', ')}`);
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed === 0 ? 0 : 1);
