/**
 * Reads the logs of a run, sums them up, and draws a report that any browser opens.
 *
 *   npx tsx analyze.ts logs/by-hand                 a table, and logs/by-hand/report.html
 *   npx tsx analyze.ts logs/quiet logs/overloaded   side by side, with the same axes
 *   npx tsx analyze.ts logs/by-hand --png           each picture as a file, too
 *   npx tsx analyze.ts logs/by-hand --csv --parquet events, messages and summary for other tools
 *   npx tsx analyze.ts logs/by-hand --shiviz        a log that ShiViz opens as it is
 *
 * Files go into the run's own folder; the page of several runs gets a file of its own beside the
 * first one's folder. Logs are only read.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DataFrame } from 'nodejs-polars';
import { exportTables, shiviz } from './lab/frames/export.ts';
import { faults } from './lab/frames/faults.ts';
import { foldersOf, load, LogError } from './lab/frames/load.ts';
import { withTheory } from './lab/frames/summary.ts';
import {
  comparisonTable, faultTable, legend, summaryTable, TERMS, theoryTable,
} from './lab/frames/tables.ts';
import { isMain, outliveReaders, script } from './lab/cli/options.ts';

// What cells of notebooks import.
export { diagram } from './lab/frames/causes.ts';
export { drift, driftSummary, jumpCounts, jumps, mix, timeline } from './lab/frames/events.ts';
export { faults } from './lab/frames/faults.ts';
export { joined, load, loadAll, LogError, type Run } from './lab/frames/load.ts';
export { messages, waits } from './lab/frames/messages.ts';
export { queues } from './lab/frames/queues.ts';
export { pace, type Standing, standing, summary, withTheory } from './lab/frames/summary.ts';

async function main(): Promise<void> {
  outliveReaders();
  const command = script(import.meta.url).usage('<folder...> [options]')
    .argument('<folder...>', "runs' folders")
    .option('--png', 'also each picture as a file')
    .option('--csv', 'also events, messages and summary as CSV')
    .option('--parquet', 'the same as Parquet')
    .option('--shiviz', 'also shiviz.log, for ShiViz')
    .parse();
  const options = command.opts<{ png?: true; csv?: true; parquet?: true; shiviz?: true }>();
  try {
    const folders = await foldersOf(command.args);
    const bad: string[] = [];
    const runs = folders.map((folder) => load(folder, (message) => bad.push(message)));
    const { judgingLarge } = await import('./lab/report/chapters.ts');
    const verdicts = judgingLarge(runs);
    const frames = await Promise.all(runs.map(async (run): Promise<[string, DataFrame]> =>
      [run.name, await withTheory(run)]));
    for (const [nth, [name, frame]] of frames.entries()) {
      console.log(`${name}\n\n${summaryTable(frame)}\n\n${theoryTable(frame)}\n`);
      const costs = faults(runs[nth]!);
      if (costs.height > 0) console.log(`${faultTable(costs)}\n${legend(TERMS.faults)}\n`);
    }
    if (runs.length > 1) console.log(`all\n\n${comparisonTable(new Map(frames))}\n`);
    console.log(`${legend(`${TERMS.summary} ${TERMS.theory}`)}\n`);
    for (const run of runs.filter(({ run }) => run.kind === 'foreign')) {
      const { standingWords } = await import('./lab/report/percentile.ts');
      const words = await standingWords(run);
      if (words) console.log(`${run.name}: ${words}\n`);
    }
    for (const message of bad) console.error(`left out: ${message}`);
    // Drawing needs more than a table does.
    const [{ pngs }, { report }] =
      await Promise.all([import('./lab/report/pictures.ts'), import('./lab/report/page.ts')]);
    const files = [await report(runs, bad, verdicts)];
    for (const run of runs) {
      files.push(...exportTables(run, options));
      if (options.shiviz) files.push(write(join(run.folder, 'shiviz.log'), shiviz(run)));
      for (const [name, png] of options.png ? await pngs(run) : []) {
        files.push(write(join(run.folder, `${name}.png`), png));
      }
    }
    for (const file of files) console.log(`written: ${file}`);
  } catch (error) {
    const { name, message } = error as Error;
    if (!(error instanceof LogError) && name !== 'MissingError') throw error;
    command.error(`error: ${message}`);
  }
}

function write(path: string, content: string | Uint8Array): string {
  writeFileSync(path, content);
  return path;
}

if (isMain(import.meta.url)) await main();
