import type { Markup } from '../../report/html/markup.js';

/**
 * The element that a page must have.
 *
 * @param id - of the element
 * @throws Error when it is not there: the page and its code are of different versions
 */
export function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

/** What each element shows, so that nothing is replaced by the same. */
const shown = new WeakMap<Element, string>();

/**
 * Shows something in an element. Where it is the same as before nothing happens; what has the focus keeps it if it is still there, by its
 * `id` or its `data-key`; what is unfolded stays so.
 *
 * @param target - its content is replaced
 * @param content - texts in it are escaped
 */
export function show(target: Element, content: Markup): void {
  if (shown.get(target) === content.text) return;
  const focused = document.activeElement;
  const key = focused !== null && target.contains(focused) ? keyOf(focused) : undefined;
  const open = new Set(
    [...target.querySelectorAll('details[data-key]')]
      .filter((each) => each.hasAttribute('open'))
      .map((each) => each.getAttribute('data-key')),
  );
  target.innerHTML = content.text;
  shown.set(target, content.text);
  for (const each of target.querySelectorAll('details[data-key]'))
    if (open.has(each.getAttribute('data-key'))) each.setAttribute('open', '');
  if (key !== undefined) target.querySelector<HTMLElement>(key)?.focus({ preventScroll: true });
}

function keyOf(focused: Element): string | undefined {
  if (focused.id !== '') return `#${CSS.escape(focused.id)}`;
  const key = focused.getAttribute('data-key');
  if (key !== null) return `[data-key="${CSS.escape(key)}"]`;
  const link = focused.getAttribute('href');
  return link === null ? undefined : `a[href="${CSS.escape(link)}"]`;
}

/**
 * Calls something once, a moment after the last time that it was asked for.
 *
 * @param work - what to do
 * @param milliseconds - how long nothing more is to come
 * @param signal - ends it
 */
export function settled(work: () => void, milliseconds: number, signal: AbortSignal): () => void {
  let timer: number | undefined;
  signal.addEventListener('abort', () => window.clearTimeout(timer));
  return () => {
    window.clearTimeout(timer);
    if (!signal.aborted) timer = window.setTimeout(work, milliseconds);
  };
}

/**
 * Calls something at most once in a while: at once, and after the while where it was asked for again.
 *
 * @param work - what to do
 * @param milliseconds - how long a while is
 * @param signal - ends it
 */
export function paced(work: () => void, milliseconds: number, signal: AbortSignal): () => void {
  let timer: number | undefined;
  let again = false;
  signal.addEventListener('abort', () => window.clearTimeout(timer));
  const run = (): void => {
    again = false;
    timer = window.setTimeout(() => {
      timer = undefined;
      if (again && !signal.aborted) run();
    }, milliseconds);
    work();
  };
  return () => {
    if (signal.aborted) return;
    if (timer === undefined) run();
    else again = true;
  };
}
