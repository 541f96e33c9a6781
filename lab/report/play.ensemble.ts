/** A thousand such minutes, run by a worker: how drift is distributed, and this run's place. */
import { clear, surfaceOf, type Look } from './play.look.ts';
import type { Setting } from './play.setting.ts';

// ── Knobs ────────────────────────────────────────────────────────────────────────────────────
export const RUNS = 1000; // A thousand: the share of a bar is then good to a percent or two.
const BARS = 40;
// ─────────────────────────────────────────────────────────────────────────────────────────────

/** What the page asks of the worker, and what it answers, piece by piece. */
export interface Asked {
  setting: Setting;
  runs: number;
}
export interface Answered {
  drifts: number[];
}

/** Starts the worker; `came` gets drifts as they come, and the function returned stops it. */
export function ask(code: string, asked: Asked, came: (answered: Answered) => void): () => void {
  const address = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  const worker = new Worker(address);
  URL.revokeObjectURL(address);
  worker.addEventListener('message', ({ data }) => came(data as Answered));
  worker.postMessage(asked);
  return () => worker.terminate();
}

/** The share of runs that drift less than one, ties by half. */
export function rankOf(drifts: readonly number[], drift: number): number {
  const less = drifts.filter((one) => one < drift).length;
  const same = drifts.filter((one) => one === drift).length;
  return drifts.length === 0 ? NaN : (less + same / 2) / drifts.length;
}

export interface Mark {
  name: string;
  drift: number;
}

/** The distribution as bars, and runs as marks on it. */
export function drawEnsemble(
  canvas: HTMLCanvasElement, look: Look, drifts: readonly number[], marks: readonly Mark[],
): void {
  const surface = surfaceOf(canvas, false);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const context = clear(surface, width, height);
  if (drifts.length === 0) return;
  const all = [...drifts, ...marks.map(({ drift }) => drift)];
  const least = Math.min(...all);
  const bin = Math.max(1, Math.ceil((Math.max(...all) - least + 1) / BARS));
  const counts = new Array<number>(Math.floor((Math.max(...all) - least) / bin) + 1).fill(0);
  for (const drift of drifts) counts[Math.floor((drift - least) / bin)]!++;
  const [left, right, top, bottom] = [12, width - 12, 40, height - 26];
  const x = (drift: number) => left + ((right - left) * (drift - least)) / (bin * counts.length);
  const most = Math.max(...counts);
  context.fillStyle = look.muted;
  context.globalAlpha = 0.45;
  counts.forEach((count, nth) => {
    const tall = ((bottom - top) * count) / most;
    context.fillRect(x(least + nth * bin) + 0.5, bottom - tall,
      Math.max(1, x(least + (nth + 1) * bin) - x(least + nth * bin) - 1), tall);
  });
  context.globalAlpha = 1;
  context.font = `${look.small_px}px ${look.font}`;
  context.textAlign = 'left';
  context.fillText(`${least}`, left, height - 8);
  context.textAlign = 'right';
  context.fillText(`${Math.max(...all)}`, right, height - 8);
  context.textAlign = 'center';
  context.fillText('drift at the end', (left + right) / 2, height - 8);
  marks.forEach(({ name, drift }, nth) => drawMark(context, look, x(drift + 0.5), name, nth,
    { left, right, bottom }));
}

function drawMark(
  context: CanvasRenderingContext2D, look: Look, at: number, name: string, nth: number,
  { left, right, bottom }: { left: number; right: number; bottom: number },
): void {
  context.strokeStyle = look.ink;
  context.lineWidth = 2;
  context.setLineDash(nth === 0 ? [] : [4, 3]);
  context.beginPath();
  context.moveTo(at, 18 + nth * 15);
  context.lineTo(at, bottom);
  context.stroke();
  context.setLineDash([]);
  context.fillStyle = look.ink;
  context.font = `600 ${look.small_px + 1}px ${look.font}`;
  const onLeft = at > (left + right) / 2;
  context.textAlign = onLeft ? 'right' : 'left';
  context.fillText(name, at + (onLeft ? -6 : 6), 14 + nth * 15);
}
