/** A live page for a run over sockets: what is watched goes to it, and its buttons come back. */
import { basename } from 'node:path';
import type { Configuration } from '../model/run.ts';
import type { Watch } from '../real/supervise.ts';
import { now_us } from '../real/time.ts';
import { serveLive } from './live.ts';
import { livePage } from './live.page.ts';

export interface LiveWatch {
  /** Where the page is. */
  address: string;
  /** The launcher's watch, with the page beside it. */
  watch: Watch;
  /** Sends every viewer on to the report, as HTML; null: there is none. */
  end(report: string | null): Promise<void>;
}

/**
 * Opens a live page for one run.
 * @param beside what watches the run anyway
 */
export async function liveWatch(
  configuration: Configuration, folder: string, host: string, beside: Watch,
): Promise<LiveWatch> {
  let disturb = async (_text: string): Promise<void> => {
    throw new RangeError('the machines have not begun.');
  };
  const live = await serveLive({ host, page: await livePage(), now_us,
    fault: (text) => disturb(text) });
  /** Rows that come before the start is known. */
  let early: string[] | null = [];
  const watch: Watch = {
    note(text) {
      beside.note(text);
      live.tell({ note: text });
    },
    up: (count) => beside.up(count),
    begun(machines, start_us, disturbIt) {
      beside.begun(machines, start_us, disturbIt);
      disturb = disturbIt;
      live.tell({ begun: { name: basename(folder), configuration, start_us } });
      for (const line of early ?? []) live.tell(line);
      early = null;
    },
    row(line) {
      beside.row?.(line);
      if (early) early.push(line);
      else live.tell(line);
    },
    faults(faults) {
      beside.faults?.(faults);
      live.tell({ faults: structuredClone([...faults]) });
    },
  };
  return { address: live.address, watch, end: (report) => live.end(report) };
}
