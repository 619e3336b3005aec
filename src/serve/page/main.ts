import { html } from '../../report/html/markup.js';
import { watchScrolling } from '../../report/behaviour/scroll.js';
import { shell } from '../../text/dashboard/shell.js';
import { agoText } from '../../text/dashboard/time.js';
import type { Answer } from '../api/routes.js';
import { announce } from './announce.js';
import { call, CallError, storeToken } from './api.js';
import { element, show } from './dom.js';
import { showFrame } from './frame.js';
import { LiveEvents } from './live.js';
import { loading, problemMarkup } from './parts.js';
import { pageAt } from './router.js';
import { signIn } from './views/sign-in.js';

const content = element('content');
const live = new LiveEvents();
let session: Answer<'session'> | undefined;
let current = new AbortController();
/** The address that is shown, so that a change of its end alone, a heading, is left to the browser. */
let shownAddress = '';

/** So often is told how long ago something was, in milliseconds. */
const TICK = 20_000;

function frame(): void {
  showFrame(session, location.pathname, live.connection);
}

/** Shows what the address names. `moved`: somebody went there, and the focus goes with them. */
async function open(moved: boolean): Promise<void> {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  shownAddress = location.pathname + location.search;
  live.turn();
  const focus = { wanted: moved };
  const put = (title: string, below: ReturnType<typeof html>): void => {
    if (signal.aborted) return;
    document.title = `${title} · ${shell.product}`;
    show(
      content,
      html`<h1 id="title" tabindex="-1">${title}</h1>
        ${below}`,
    );
    // Once: what comes later must not take the focus from where a reader has gone meanwhile.
    if (focus.wanted) element('title').focus({ preventScroll: true });
    focus.wanted = false;
  };
  try {
    session ??= await begin(signal);
    frame();
    const found = pageAt(location.pathname);
    if (found === undefined) {
      put(shell.notFound, html`<p>${shell.notFoundHint}</p>`);
      return;
    }
    if (moved) {
      scrollTo(0, 0);
      show(content, loading());
    }
    await found.view({
      ...{ params: found.params, query: new URLSearchParams(location.search), session, live, signal },
      ...{ show: put, go },
    });
    // Lists of views without charts scroll, too.
    if (!signal.aborted) watchScrolling(signal);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof CallError && error.needsToken) {
      session = undefined;
      live.stop();
      frame();
      signIn(put, () => void open(true), signal);
      return;
    }
    put(
      shell.failed,
      html`${problemMarkup(error)}
        <p><button type="button" id="retry">${shell.retry}</button></p>`,
    );
    element('retry').addEventListener('click', () => void open(true));
  }
}

async function begin(signal: AbortSignal): Promise<Answer<'session'>> {
  const found = await call<'session'>('/session', { signal });
  live.start();
  return found;
}

function go(address: string, how: 'push' | 'replace' | 'quietly' = 'push'): void {
  if (how === 'push') history.pushState(null, '', address);
  else history.replaceState(null, '', address);
  shownAddress = location.pathname + location.search;
  if (how !== 'quietly') void open(how === 'push');
}

document.addEventListener('click', (event) => {
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (!(event.target instanceof Element)) return;
  if (event.target.closest('#sign-out') !== null) {
    storeToken(null);
    session = undefined;
    live.stop();
    void open(true);
    return;
  }
  const link = event.target.closest('a');
  if (link === null || link.origin !== location.origin || link.target !== '' || link.hasAttribute('download'))
    return;
  if (link.getAttribute('href')?.startsWith('#') === true || link.pathname.startsWith('/api/')) return;
  event.preventDefault();
  go(link.pathname + link.search + link.hash);
});

addEventListener('popstate', () => {
  if (location.pathname + location.search !== shownAddress) void open(true);
});

live.watch((connection) => {
  frame();
  if (connection === 'lost') announce(shell.lost);
});
// After the first event that says that everything is there again; the first connection of all is no news.
let before = live.connection;
live.watch((connection) => {
  if (connection === 'live' && before === 'lost') announce(shell.resumed);
  before = connection;
});

setInterval(() => {
  for (const time of document.querySelectorAll('time')) time.textContent = agoText(time.dateTime, Date.now());
}, TICK);

void open(false);
