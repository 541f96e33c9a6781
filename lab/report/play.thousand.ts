/** The panel of a thousand such runs: asks the worker, draws what comes, says this run's place. */
import {
  type Answered, ask, drawEnsemble, type Mark, rankOf, RUNS,
} from './play.ensemble.ts';
import { byId, type Look, say } from './play.look.ts';
import type { Setting } from './play.setting.ts';

export interface Thousand {
  /** Runs a setting with other seeds, and marks on the distribution what is compared with it. */
  begin(setting: Setting, marks: readonly Mark[]): void;
  stop(): void;
}

/** @param worker its code, as text */
export function thousand(worker: string, look: () => Look): Thousand {
  let end = () => {};
  const show = (shown: boolean) => {
    byId('ensemble').hidden = !shown;
    document.body.classList.toggle('asked', shown);
  };
  const stop = () => {
    end();
    end = () => {};
    show(false);
  };
  return {
    stop,
    begin(setting, marks) {
      stop();
      show(true);
      const drifts: number[] = [];
      const draw = () => {
        drawEnsemble(byId<HTMLCanvasElement>('distribution'), look(), drifts, marks);
        say(byId('ensemble-words'), drifts.length < RUNS ? `${drifts.length} of ${RUNS} runs …`
          : sentence(drifts, marks));
      };
      end = ask(worker, { setting, runs: RUNS }, ({ drifts: more }: Answered) => {
        drifts.push(...more);
        requestAnimationFrame(draw);
      });
      draw();
      byId('ensemble').scrollIntoView({ block: 'nearest' });
    },
  };
}

function sentence(drifts: readonly number[], marks: readonly Mark[]): string {
  const places = marks.map(({ name, drift }) => `${name} ${drift}, more than `
    + `${Math.round(100 * rankOf(drifts, drift))} % of them`);
  return `${RUNS.toLocaleString('en')} such runs, each with other dice. Drift at the end: `
    + `${places.join('; ')}.`;
}
