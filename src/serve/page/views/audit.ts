import type { z } from 'zod';
import { html } from '../../../report/html/markup.js';
import { auditPage as words } from '../../../text/dashboard/queue.js';
import type { auditSchema } from '../../api/audit.js';
import { call } from '../api.js';
import { withQuery } from '../links.js';
import type { View } from '../page.js';
import { ago, empty, stateMark } from '../parts.js';
import { list } from '../table.js';

/** What was changed, by whom. */
export const audit: View = async ({ query, signal, show }) => {
  const cursor = query.get('cursor') ?? undefined;
  const { entries, next } = await call<'audit'>('/audit', { query: { cursor }, signal });
  const { columns } = words;
  show(
    words.title,
    html`<p>${words.what}</p>
      ${
        entries.length === 0
          ? empty(words.none)
          : list<z.output<typeof auditSchema>>(
              words.table,
              [
                { key: 'at', title: columns.at, of: ({ at }) => ago(at) },
                { key: 'actor', title: columns.actor, of: ({ actor }) => actor ?? words.nobody },
                { key: 'role', title: columns.role, of: ({ role }) => role ?? '' },
                { key: 'address', title: columns.address, of: ({ address }) => address ?? words.commandLine },
                { key: 'action', title: columns.action, of: ({ action }) => html`<code>${action}</code>` },
                { key: 'target', title: columns.target, wide: true, of: ({ target }) => target },
                { key: 'outcome', title: columns.outcome, of: ({ outcome }) => stateMark(outcome) },
                { key: 'detail', title: columns.detail, wide: true, of: ({ detail }) => detail ?? '' },
              ],
              entries,
            )
      }
      <p class="actions">
        ${cursor === undefined ? undefined : html`<a href="/audit">${words.first}</a>`}
        ${next === null ? undefined : html`<a href="${withQuery('/audit', { cursor: next })}" rel="next">${words.next}</a>`}
      </p>`,
  );
};
