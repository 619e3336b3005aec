/**
 * What scrolls sideways can be reached by the keyboard, and what does not is no stop on the way. Markup lets everything be reached that
 * may scroll, so that nothing is out of reach before this has run; this takes away the stops that nobody needs.
 *
 * @param signal - ends it
 */
export function watchScrolling(signal?: AbortSignal): void {
  const reachable = (): void => {
    for (const box of document.querySelectorAll('.scroll, .picture')) {
      const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
      if (scrolls) box.setAttribute('tabindex', '0');
      else box.removeAttribute('tabindex');
    }
  };
  addEventListener('resize', reachable, { signal });
  document.addEventListener('toggle', reachable, { capture: true, signal });
  const observer = new ResizeObserver(reachable);
  observer.observe(document.body);
  signal?.addEventListener('abort', () => observer.disconnect());
}
