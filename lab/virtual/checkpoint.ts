/**
 * What a sweep leaves on the disk while it runs, so that it can be taken up again: beside
 * `x.parquet` a folder `x.parquet.part`. It also keeps a second sweep from the same file.
 */
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync,
  writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import pl, { type DataFrame } from 'nodejs-polars';
import { writeWhole } from '../cli/folder.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
/** Work of so many seconds may be lost to a kill; less would be more writing than running. */
export const SAVE_EVERY_S = 10;
// ─────────────────────────────────────────────────────────────────────────────────────────────

/** Why a sweep cannot begin, go on or end, in one sentence. */
export class SweepError extends Error {}

/** A file's name says the blocks that were done when it was written. */
const nameOf = (kind: 'rows' | 'sums', blocks: number) =>
  `${kind}-${String(blocks).padStart(6, '0')}${kind === 'rows' ? '.parquet' : ''}`;

export class Checkpoint {
  readonly folder: string;
  private readonly out: string;
  /** How many blocks were done, in the order of the grid. */
  blocks = 0;

  /**
   * Takes possession of an output file.
   * @param description what makes this sweep another one: only the same can be resumed
   * @throws SweepError if it is there, if somebody works on it, or if it is another sweep's
   */
  constructor(out: string, description: string, resume: boolean) {
    this.out = out;
    this.folder = `${out}.part`;
    if (existsSync(out)) throw new SweepError('it exists');
    mkdirSync(dirname(out), { recursive: true });
    const describing = join(this.folder, 'sweep.json');
    try {
      mkdirSync(this.folder);
      this.own();
      writeWhole(describing, description);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        rmSync(this.folder, { recursive: true, force: true });
        throw error;
      }
      if (!resume) {
        throw new SweepError(`${this.folder} is of a sweep that runs or was cut short: --resume `
          + 'goes on with it');
      }
      this.own();
      const found = existsSync(describing) ? readFileSync(describing, 'utf8') : description;
      if (found !== description) {
        throw new SweepError(`${this.folder} is of another sweep: ${found.split('\n')[0]}`);
      }
      for (const name of readdirSync(this.folder)) {
        if (name.endsWith('.tmp')) rmSync(join(this.folder, name));
      }
      writeWhole(describing, description);
      this.blocks = Math.max(0, ...this.files('rows').concat(this.files('sums')).map(blocksOf));
    }
  }

  /** One process works on a folder. Whoever has gone, or was on another computer, is gone. */
  private own(): void {
    const path = join(this.folder, 'owner');
    const [host, pid] = existsSync(path) ? readFileSync(path, 'utf8').split(' ') : [];
    if (host === hostname() && isAlive(Number(pid))) {
      throw new SweepError(`process ${pid} works on ${this.folder}`);
    }
    writeFileSync(path, `${hostname()} ${process.pid}`);
  }

  private files(kind: 'rows' | 'sums'): string[] {
    return readdirSync(this.folder)
      .filter((name) => name.startsWith(`${kind}-`) && !name.endsWith('.tmp')).sort();
  }

  /** The rows of the blocks that were done, in order. */
  rows(): DataFrame[] {
    return this.files('rows').map((name) => pl.readParquet(join(this.folder, name)));
  }

  /** A summary as it stood after them. */
  sums<T>(): T | null {
    const last = this.files('sums').at(-1);
    return last === undefined ? null : deserialize(readFileSync(join(this.folder, last))) as T;
  }

  /** Keeps what so many blocks have brought: rows are added, sums replace those before. */
  save(blocks: number, { rows, sums }: { rows?: DataFrame; sums?: object }): void {
    const name = join(this.folder, nameOf(rows ? 'rows' : 'sums', blocks));
    try {
      if (rows) rows.writeParquet(`${name}.tmp`, { compression: 'lz4' });
      else writeFileSync(`${name}.tmp`, serialize(sums));
      renameSync(`${name}.tmp`, name);
    } catch (error) {
      rmSync(`${name}.tmp`, { force: true });
      throw error;
    }
    this.blocks = blocks;
    for (const old of sums ? this.files('sums').slice(0, -1) : []) rmSync(join(this.folder, old));
  }

  /** Writes the whole, never over another file, and takes the folder away. */
  finish(frame: DataFrame): void {
    const draft = join(this.folder, 'whole.tmp');
    try {
      // Half a second sooner than zstd with three million rows, a third larger.
      frame.writeParquet(draft, { compression: 'snappy' });
      linkSync(draft, this.out); // Unlike a renaming this fails if somebody was quicker.
    } catch (error) {
      rmSync(draft, { force: true });
      const { code } = error as NodeJS.ErrnoException;
      throw code === 'EEXIST' ? new SweepError('it exists by now') : error;
    }
    this.remove();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Nobody works on it any more; without a block that was done there is nothing to keep. */
  leave(): void {
    if (this.blocks === 0) this.remove();
    else rmSync(join(this.folder, 'owner'), { force: true });
  }
}

const blocksOf = (name: string): number => Number(/\d+/.exec(name)![0]);

function isAlive(pid: number): boolean {
  try {
    return pid !== process.pid && process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
