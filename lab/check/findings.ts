/** What is found wrong: by which rule, in which file and line, in words. */

/** The rules. Those of the first line are of the files, those of the last of time alone. */
export type Rule = 'schema' | 'start' | 'stop' | 'ended' | 'time' | 'tick'
  | 'clock' | 'receive' | 'message' | 'receivers' | 'roll' | 'rates' | 'phases' | 'mix'
  | 'waiting' | 'queue' | 'matched' | 'once' | 'fifo' | 'oldest first' | 'newest first'
  | 'conservation' | 'network' | 'news'
  | 'pause' | 'crash' | 'restart' | 'cut' | 'nemesis'
  | 'pace';

export interface Violation {
  file: string;
  /** Null if it is of the file as a whole. */
  line: number | null;
  rule: Rule;
  text: string;
}

/** So many violations of a rule are kept, and printed in all; the others are counted. */
export const KEPT = 20;

/** Violations of which there may be millions: all are counted, the first of each rule are kept. */
export class Findings {
  readonly counts: Partial<Record<Rule, number>> = {};
  readonly kept: Violation[] = [];
  readonly #without: readonly Rule[];

  /** @param without rules of which nothing is noted */
  constructor(without: readonly Rule[] = []) {
    this.#without = without;
  }

  /** @param text a function if it takes time to make */
  add(rule: Rule, file: string, line: number | null, text: string | (() => string)): void {
    if (this.#without.includes(rule)) return;
    const count = (this.counts[rule] = (this.counts[rule] ?? 0) + 1);
    if (count > KEPT) return;
    this.kept.push({ file, line, rule, text: typeof text === 'string' ? text : text() });
  }
}
