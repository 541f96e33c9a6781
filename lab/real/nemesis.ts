/**
 * Does faults to real machines at their times: stops and continues processes, kills and restarts
 * them, cuts links and heals them. What was done is noted in the faults themselves.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { checkFaults, endOf, faultWords, machinesOf, type Fault } from '../model/faults.ts';
import { cutDone, healDone } from './protocol.ts';
import type { MachineProcess } from './process.ts';
import { now_us } from './time.ts';

/** What the nemesis needs of the run that it disturbs. */
export interface Victims {
  duration_s: number;
  machines: number;
  /** The faults that there are from the start are the seed's, which nothing may shorten. */
  isDrawn: boolean;
  /** When a model time is, epoch µs. */
  at_us(model_s: number): number;
  machine(id: number): MachineProcess;
  /** Starts a machine that was killed; resolves when it is back among the others, or has ended. */
  restart(id: number): Promise<void>;
  /** Writes run.json with the faults as they now are. */
  record(): void;
  note(text: string): void;
}

/** What the buttons of a live page do. */
const BUTTONS: Record<string, { do: Fault['do']; begins: boolean }> = {
  pause: { do: 'pause', begins: true }, continue: { do: 'pause', begins: false },
  kill: { do: 'crash', begins: true }, restart: { do: 'crash', begins: false },
  cut: { do: 'cut', begins: true }, heal: { do: 'cut', begins: false },
};
/** Seconds in whole milliseconds, not above: a button is no more exact, and people read it. */
const whole_ms = (s: number): number => Math.floor(s * 1000) / 1000;
/** How long before the next fault of its machine one from a button is over: it takes time. */
const OVER_MS = { pause: 200, cut: 500, crash: 3000 };
const SETTLE_MS = 5; // A process on another core stops a moment after its signal was sent.
const ANSWER_MS = 3000; // A machine that does not answer within this is taken to be gone.

/**
 * How long a fault from a button may last, where nobody ends it: for good (null), or until shortly
 * before what is planned for one of its machines, which comes at its time whatever was pressed.
 * @param second_ms real milliseconds of a model second
 * @throws RangeError with one sentence if there is no room for it
 */
export function roomFor(
  fault: Fault, planned: readonly Fault[], second_ms: number,
): number | null {
  const ids = machinesOf(fault);
  const next = planned.filter((other) => other.at_s > fault.at_s
    && machinesOf(other).some((id) => ids.includes(id)))
    .reduce<Fault | null>((first, one) => (first && first.at_s <= one.at_s ? first : one), null);
  if (next === null) return null;
  const room_s = whole_ms(next.at_s - fault.at_s - OVER_MS[fault.do] / second_ms);
  if (room_s <= 0) throw new RangeError(`"${faultWords(next)}" is too near.`);
  return room_s;
}

/**
 * Disturbs a run from its start to its end.
 * @param faults are told when they began and ended; more may be added while it runs
 */
export class Nemesis {
  readonly faults: Fault[];
  #victims: Victims;
  #over = new AbortController();
  #doing = new Set<Promise<void>>();
  /** Machines that are dead and will come back. */
  readonly returning = new Set<number>();
  /** Of machines that are killed and come back: when they are there. */
  #back = new Map<number, Promise<void>>();
  /** Those that nothing may shorten. */
  #drawn: ReadonlySet<Fault>;
  /** Those whose end is under way. */
  #ending = new Set<Fault>();

  constructor(faults: Fault[], victims: Victims) {
    this.faults = faults;
    this.#victims = victims;
    this.#drawn = new Set(victims.isDrawn ? faults : []);
  }

  start(): void {
    for (const fault of this.faults) this.#do(fault);
  }

  /** One more fault, from now on. */
  add(fault: Fault): void {
    this.faults.push(fault);
    this.#victims.record();
    this.#do(fault);
  }

  /**
   * Does what a button says, now: 'pause 0', 'continue 0', 'kill 1', 'restart 1', 'cut 0-2',
   * 'heal 0-2'. Resolves when it is done.
   * @throws RangeError with one sentence if that cannot be
   */
  async disturb(text: string): Promise<void> {
    const { duration_s, machines, at_us } = this.#victims;
    if (this.#over.signal.aborted) throw new RangeError('the run is over.');
    const [, word, one, other] = /^(\w+) (\d+)(?:-(\d+))?$/.exec(text) ?? [];
    const button = word !== undefined && Object.hasOwn(BUTTONS, word) ? BUTTONS[word]! : null;
    if (!button || (other !== undefined) !== (button.do === 'cut')) {
      throw new RangeError(`"${text.slice(0, 40)}" is not like "pause 0" or "cut 0-2".`);
    }
    const aim = button.do === 'cut'
      ? { link: [one, other].map(Number).sort((a, b) => a - b) as [number, number] }
      : { machine: Number(one) };
    const second_us = at_us(1) - at_us(0);
    const now_s = whole_ms((now_us() - at_us(0)) / second_us);
    const open = this.faults.find((fault) => fault.do === button.do && fault.from_us
      && !fault.to_us && fault.machine === aim.machine
      && fault.link?.join() === aim.link?.join());
    if (!button.begins) {
      if (!open || this.#ending.has(open)) {
        throw new RangeError(`nothing to ${word}: ${text.slice(word!.length + 1)}.`);
      }
      if (this.#drawn.has(open)) {
        throw new RangeError(`"${faultWords(open)}" is the seed's, and ends by itself.`);
      }
      this.#victims.note(`${text} at ${now_s}`);
      return this.#finishNow(open, now_s);
    }
    const fault: Fault = { do: button.do, ...aim, at_s: now_s, for_s: null, from_us: null,
      to_us: null };
    checkFaults([fault], { duration_s, machines });
    fault.for_s = roomFor(fault, this.faults, second_us / 1000);
    checkFaults([...this.faults, fault], { duration_s, machines });
    const busy = this.faults.find((before) => before.from_us && !before.to_us
      && machinesOf(before).some((id) => machinesOf(fault).includes(id)));
    if (busy) throw new RangeError(`"${faultWords(busy)}" is not over.`);
    if (machinesOf(fault).some((id) => this.#victims.machine(id).watched.exit)) {
      throw new RangeError('that machine has ended.');
    }
    this.add(fault);
  }

  /** Ends a fault whose end was open. */
  async #finishNow(fault: Fault, now_s: number): Promise<void> {
    fault.for_s = whole_ms(now_s - fault.at_s + 1e-6);
    if (fault.do === 'crash') this.returning.add(fault.machine!);
    await this.#finish(fault);
    this.#victims.record();
  }

  /** No more faults; who is paused goes on, so that it can stop in order. */
  end(): void {
    this.#over.abort();
    this.returning.clear();
    for (const fault of this.faults) {
      if (fault.do === 'pause' && fault.from_us && !fault.to_us) this.#continue(fault);
    }
  }

  /** Resolves when what was begun is done. */
  async settled(): Promise<void> {
    await Promise.all(this.#doing);
  }

  #do(fault: Fault): void {
    const doing = this.#live(fault).finally(() => this.#doing.delete(doing));
    this.#doing.add(doing);
  }

  async #live(fault: Fault): Promise<void> {
    const returns = fault.do === 'crash' && endOf(fault, this.#victims.duration_s)
      < this.#victims.duration_s;
    if (returns) this.returning.add(fault.machine!);
    if (!await this.#wait(fault.at_s)) return;
    const before = machinesOf(fault).map((id) => this.#back.get(id));
    let isBack = () => {};
    if (returns) {
      this.#back.set(fault.machine!, new Promise((resolve) => { isBack = resolve; }));
    }
    // Nothing can be done to a machine that is not back yet: it would hear of it before its peers.
    await Promise.all(before);
    await this.#beginAndFinish(fault, returns);
    isBack();
  }

  async #beginAndFinish(fault: Fault, returns: boolean): Promise<void> {
    const { duration_s, note, record } = this.#victims;
    if (machinesOf(fault).some((id) => this.#victims.machine(id).watched.exit)) {
      this.returning.delete(fault.machine!);
      return note(`no longer possible: ${faultWords(fault)}`);
    }
    record();
    note(faultWords(fault));
    await this.#begin(fault);
    record();
    if (fault.do === 'crash' && !returns) return;
    if (!await this.#wait(endOf(fault, duration_s)) || this.#ending.has(fault)) return;
    await this.#finish(fault);
    record();
  }

  /** False if the run is over before that time. */
  async #wait(model_s: number): Promise<boolean> {
    const { signal } = this.#over;
    const until_us = this.#victims.at_us(model_s);
    // A timer drops what is less than a millisecond, and no fault may be done before its time.
    for (let left_us; !signal.aborted && (left_us = until_us - now_us()) > 0;) {
      await sleep(Math.ceil(left_us / 1000), null, { signal }).catch(() => {});
    }
    return !signal.aborted;
  }

  async #begin(fault: Fault): Promise<void> {
    const before_us = now_us();
    if (fault.do === 'cut') await this.#tellBoth(fault.link!, 'cut');
    else {
      const machine = this.#victims.machine(fault.machine!);
      machine.signal(fault.do === 'pause' ? 'SIGSTOP' : 'SIGKILL');
      await (fault.do === 'pause' ? sleep(SETTLE_MS) : machine.ended);
    }
    fault.from_us = [before_us, now_us()];
  }

  async #finish(fault: Fault): Promise<void> {
    this.#ending.add(fault);
    if (fault.do === 'pause') return this.#continue(fault);
    const before_us = now_us();
    if (fault.do === 'cut') await this.#tellBoth(fault.link!, 'heal');
    else {
      await this.#victims.restart(fault.machine!);
      this.returning.delete(fault.machine!);
    }
    fault.to_us = [before_us, now_us()];
  }

  #continue(fault: Fault): void {
    const before_us = now_us();
    this.#victims.machine(fault.machine!).signal('SIGCONT');
    fault.to_us = [before_us, now_us()];
  }

  async #tellBoth([one, other]: [number, number], what: 'cut' | 'heal'): Promise<void> {
    const done = what === 'cut' ? cutDone : healDone;
    const answers = [[one, other], [other, one]].map(([id, peer]) => {
      const machine = this.#victims.machine(id!);
      const answer = machine.said(done(id!, peer!));
      machine.tell(what === 'cut' ? { cut: peer! } : { heal: peer! });
      return Promise.race([answer, machine.ended]);
    });
    const late = new AbortController();
    const limit = sleep(ANSWER_MS, 'late', { signal: late.signal }).catch(() => {});
    if (await Promise.race([Promise.all(answers), limit]) === 'late') {
      this.#victims.note(`no answer to: ${what} ${one}-${other}`);
    }
    late.abort();
  }
}
