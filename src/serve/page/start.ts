import { shell } from '../../text/dashboard/shell.js';

/*
 * Runs before anything else of the page. A network that comes or goes takes the page's code or its style with it, once, and browsers do not
 * ask again by themselves: without this the page would stay empty.
 */

/** The page is loaded so many times more, after one second, two, four, eight and sixteen. */
const MOST_ATTEMPTS = 5;
const KEY = 'edgeflex-attempts';

let hasFailed = false;

// Such events do not rise to the window: it sees them on their way down.
addEventListener(
  'error',
  ({ target }) => {
    noticed(target);
  },
  true,
);

addEventListener('load', () => {
  if (!hasFailed) sessionStorage.removeItem(KEY);
});

function noticed(target: EventTarget | null): void {
  const isPart = target instanceof HTMLScriptElement || target instanceof HTMLLinkElement;
  if (!isPart || hasFailed) return;
  hasFailed = true;
  const attempts = Number(sessionStorage.getItem(KEY) ?? 0);
  sessionStorage.setItem(KEY, String(attempts + 1));
  if (attempts < MOST_ATTEMPTS) setTimeout(() => location.reload(), 1000 * 2 ** attempts);
  else addEventListener('load', tell);
}

function tell(): void {
  const place = document.getElementById('content');
  if (place === null) return;
  place.textContent = shell.noCode;
  place.setAttribute('role', 'alert');
}
