/** The worker of the page: runs of a setting, in pieces, so that the picture grows. */
import type { Answered, Asked } from './play.ensemble.ts';
import { driftsOf } from './play.run.ts';

const PIECE = 50; // Runs between two answers: twenty pictures on the way to a thousand.

self.addEventListener('message', ({ data }: MessageEvent<Asked>) => {
  let drifts: number[] = [];
  const tell = () => {
    self.postMessage({ drifts } satisfies Answered);
    drifts = [];
  };
  for (const drift of driftsOf(data.setting, data.runs)) {
    if (drifts.push(drift) === PIECE) tell();
  }
  if (drifts.length > 0) tell();
});
