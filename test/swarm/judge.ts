/** Runs a configuration in virtual time and judges its rows by all rules of check.ts. */
import { Findings } from '../../lab/check/findings.ts';
import { EVENTS, NONE, parseLog, type Log } from '../../lab/check/read.ts';
import { parseRun } from '../../lab/check/record.ts';
import { checkRun, type Report } from '../../lab/check/verdict.ts';
import { HEADER, row } from '../../lab/model/run.ts';
import { simulate, type Observe } from '../../lab/virtual/engine.ts';
import type { Case } from './draw.ts';

/** Whatever makes the rows of a run: the engine, or one with a bug. */
export type Source = (run: Case, observe: Observe) => unknown;

type Cells = Parameters<Observe>;

/** Runs a configuration; its logs, as they would stand in its folder. */
export function logsOf(run: Case, source: Source = simulate): string[] {
  const texts = run.rates_hz.map(() => HEADER);
  source(run, (...cells) => { texts[cells[1]] += row(...cells); });
  return texts;
}

/** Checks logs as if they had been read from the folder of that configuration. */
export const checked = (run: Case, texts: string[]): Report =>
  judged(run, texts.map((text, id) => parseLog(Buffer.from(text), `machine-${id}.csv`)));

/** The verdict on rows that never were a text. The columns are used again for the next run. */
export function verdict(run: Case, source: Source = simulate): Report {
  for (const id of run.rates_hz.keys()) (columns[id] ??= new Columns(id)).clear();
  source(run, (...cells) => columns[cells[1]]!.add(cells));
  return judged(run, columns.slice(0, run.machines).map(({ log }) => log));
}
const columns: Columns[] = [];

function judged(run: Case, logs: Log[]): Report {
  const record = { ...run, kind: 'virtual', start_us: 0, ended: 'finished' };
  // The swarm puts some machines in step, which no seed does.
  return checkRun(parseRun(record, 'run.json'), logs, { without: ['phases'] });
}

/** A log that grows in memory, in the columns that the oracle reads. */
class Columns {
  readonly log: Log;
  #entries = 0;

  constructor(id: number) {
    this.log = { file: `machine-${id}.csv`, id, rows: 0, ...allocate(1024), torn: false,
      missing: false, malformed: new Findings() };
  }

  clear(): void {
    this.log.rows = this.#entries = 0;
  }

  add([time_us, , tick, event, peers, messages, queue, clock]: Cells): void {
    const { log } = this;
    const r = log.rows++;
    const most = typeof peers === 'number' ? 1 : peers.length;
    while (r === log.time_us.length || this.#entries + most > log.peer.length) this.#grow();
    log.time_us[r] = time_us;
    log.tick[r] = tick === '' ? NONE : tick;
    log.event[r] = EVENTS.indexOf(event);
    log.queue[r] = queue;
    log.clock[r] = clock;
    const from = this.#entries;
    if (peers !== '') {
      this.#entries = list(peers, log.peer, from);
      // A send has one value for all its receivers.
      if (list(messages, log.value, from) === from + 1) {
        log.value.fill(log.value[from]!, from + 1, this.#entries);
      }
    }
    log.first[r + 1] = this.#entries;
  }

  #grow(): void {
    const larger = allocate(4 * this.log.time_us.length);
    for (const [name, values] of Object.entries(larger)) {
      values.set(this.log[name as keyof typeof larger] as Float64Array);
    }
    Object.assign(this.log, larger);
  }
}

function allocate(rows: number) {
  return {
    time_us: new Float64Array(rows), tick: new Int32Array(rows), event: new Uint8Array(rows),
    queue: new Int32Array(rows), clock: new Float64Array(rows), first: new Int32Array(rows + 1),
    peer: new Int32Array(4 * rows), value: new Float64Array(4 * rows),
  };
}

/** Writes the numbers of '3 14 15' into a column; where the next one would stand. */
function list(text: Cells[4] | Cells[5], into: Int32Array | Float64Array, place: number): number {
  if (typeof text === 'number') {
    into[place] = text;
    return place + 1;
  }
  let value = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit >= 0) value = 10 * value + digit;
    else {
      into[place++] = value;
      value = 0;
    }
  }
  into[place++] = value;
  return place;
}
