/** The card at an event: what it is, and what might have gone otherwise. */
import type { Override } from '../model/faults.ts';
import type { Film } from './play.film.ts';
import { element } from './play.look.ts';
import { configurationOf, type Setting } from './play.setting.ts';
import { after_s, choicesAt } from './play.whatif.ts';
import { eventSentence } from './play.words.ts';

const PAUSE_S = 5;

export interface CardView {
  /** Opens at a place of the window; without a setting nothing can be changed, `why` says so. */
  open(film: Film, event: number, at: readonly [number, number],
    setting: Setting | null, why: string): void;
  close(): void;
  readonly isOpen: boolean;
}

/** The card in an element; `fork` is given what is chosen. */
export function cardView(root: HTMLElement, fork: (override: Override) => void): CardView {
  const close = () => { root.hidden = true; };
  const choice = (words: string, press: () => void) => {
    const made = element('button', 'choice', words);
    made.type = 'button';
    made.addEventListener('click', () => {
      close();
      press();
    });
    return made;
  };
  /** A choice with a number in its middle. */
  const withNumber = (
    before: string, value: number, unit: string, press: (value: number) => void,
  ) => {
    const input = element('input');
    Object.assign(input, { type: 'number', min: '0.1', step: 'any', value: String(value) });
    input.setAttribute('aria-label', `${before} … ${unit}`);
    const go = () => {
      const x = Number(input.value);
      if (!(x > 0 && x <= 1000)) return void input.focus();
      close();
      press(x);
    };
    input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') go();
      else if (event.key === 'Escape') close();
    });
    const button = element('button', '', 'try');
    button.type = 'button';
    button.addEventListener('click', go);
    return element('div', 'choice number', element('span', '', before), input,
      element('span', '', unit), button);
  };
  return {
    get isOpen() { return !root.hidden; },
    close,
    open(film, event, [x, y], setting, why) {
      root.replaceChildren(element('p', 'event', eventSentence(film, event)),
        element('p', 'state', `clock ${film.clock[event]} · ${film.queue[event]} waiting`));
      if (setting) {
        const machine = film.machine[event]!;
        const at_s = after_s(film.time_s[event]!);
        root.append(element('h3', '', 'What if …'),
          ...choicesAt(film, setting, event).map(({ words, override }) =>
            choice(words, () => fork(override))));
        if (at_s < setting.duration_s) {
          root.append(
            withNumber('it paused for', PAUSE_S, 's', (for_s) =>
              fork({ do: 'pause', machine, at_s, for_s })),
            withNumber('it ran at', configurationOf(setting).rates_hz[machine]!,
              'Hz from here on', (rate_hz) => fork({ do: 'rate', machine, at_s, rate_hz })));
        }
      } else root.append(element('p', 'why', why));
      root.hidden = false;
      const { width, height } = root.getBoundingClientRect();
      const left = Math.min(Math.max(8, x - width / 2), innerWidth - width - 8);
      const above = y - height - 16;
      root.style.left = `${left}px`;
      root.style.top = `${above > 8 ? above : Math.min(y + 16, innerHeight - height - 8)}px`;
      root.querySelector('button')?.focus({ preventScroll: true });
    },
  };
}
