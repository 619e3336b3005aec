import { html } from '../../report/html/markup.js';
import { shell } from '../../text/dashboard/shell.js';
import type { Answer } from '../api/routes.js';
import { storedToken } from './api.js';
import { element, show } from './dom.js';
import type { Connection } from './live.js';

const pages: readonly (readonly [path: string, name: keyof typeof shell.pages])[] = [
  ['/', 'overview'],
  ['/runs', 'runs'],
  ['/compare', 'compare'],
  ['/history', 'history'],
  ['/procure', 'procure'],
  ['/queue', 'queue'],
  ['/audit', 'audit'],
];

/**
 * Shows the top of the page: where one is, where one can go, what is served, whether it is live.
 *
 * @param session - undefined where nobody is signed in
 * @param path - of the address
 * @param connection - of the stream of events
 */
export function showFrame(
  session: Answer<'session'> | undefined,
  path: string,
  connection: Connection,
): void {
  const shown = pages.filter(([, name]) => {
    if (session === undefined) return false;
    if (name === 'audit') return session.role === 'admin' && session.tokens;
    return name !== 'queue' || session.queue;
  });
  const here = `/${path.split('/')[1] ?? ''}`;
  show(
    element('frame'),
    html`<div class="bar">
        <a class="brand" href="/">${shell.product}</a>
        <nav aria-label="${shell.navigation}">
          ${shown.map(
            ([at, name]) =>
              html`<a href="${at}" ${at === here ? html`aria-current="page"` : ''}>${shell.pages[name]}</a> `,
          )}
        </nav>
        ${
          session === undefined
            ? undefined
            : html`<p class="whereabouts">
                <span class="connection ${connection}"
                  >${connection === 'live' ? shell.live : connection === 'lost' ? '' : shell.connecting}</span
                >
                <span>${shell.store(session.place, session.store)}</span>
                ${
                  storedToken() === null
                    ? undefined
                    : html`<span>${shell.who(session.name, session.role)}</span>
                        <button type="button" id="sign-out">${shell.signOut}</button>`
                }
              </p>`
        }
      </div>
      ${connection === 'lost' && session !== undefined ? html`<p class="lost">⚠ ${shell.lost}</p>` : undefined}`,
  );
}
