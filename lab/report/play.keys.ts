/** One key, one action; the same table makes the help. */
import { element } from './play.look.ts';

export interface Key {
  /** As KeyboardEvent.key has it; the first is the one that the help names. */
  keys: readonly string[];
  words: string;
  press(): void;
}

const NAMES: Record<string, string> = {
  ' ': 'Space', ArrowRight: '→', ArrowLeft: '←', ArrowUp: '↑', ArrowDown: '↓', PageUp: 'PgUp',
  PageDown: 'PgDn', Escape: 'Esc', '-': '−',
};

/** Keys that a focused control has its own use for. */
const isTaken = (target: EventTarget | null, key: string): boolean => {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) {
    return target.type !== 'range' || key.startsWith('Arrow') || /^(Home|End|Page)/.test(key);
  }
  if (target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement) return true;
  return (target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement
    || target.tagName === 'SUMMARY') && (key === ' ' || key === 'Enter');
};

export function listen(keys: readonly Key[]): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTaken(event.target, event.key)) return;
    const found = keys.find((one) => one.keys.includes(event.key));
    if (!found) return;
    event.preventDefault();
    found.press();
  });
  // Whoever clicks with a mouse does not want the space bar to press the same button again.
  document.addEventListener('click', (event) => {
    if (event.detail > 0 && document.activeElement instanceof HTMLButtonElement) {
      document.activeElement.blur();
    }
  });
}

/** The list of keys, for the help. */
export function keyList(keys: readonly Key[]): HTMLElement {
  const list = element('dl', 'keys');
  for (const { keys: [first], words } of keys) {
    list.append(element('dt', '', element('kbd', '', NAMES[first!] ?? first!)),
      element('dd', '', words));
  }
  return list;
}
