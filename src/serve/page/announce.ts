import { element } from './dom.js';

/** Between two announcements, in milliseconds: a screen reader must not be talked to without end. */
const PAUSE = 3000;

const waiting: string[] = [];
let timer: number | undefined;

/**
 * Tells a screen reader what has changed, in its own time. What says the same as what waits already is told once.
 *
 * @param text - a short sentence
 */
export function announce(text: string): void {
  if (waiting.at(-1) === text) return;
  waiting.push(text);
  if (timer === undefined) next();
}

function next(): void {
  const text = waiting.splice(0).join(' ');
  if (text === '') {
    timer = undefined;
    return;
  }
  element('announcements').textContent = text;
  timer = window.setTimeout(next, PAUSE);
}
