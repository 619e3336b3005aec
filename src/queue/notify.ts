import type { AlertContent } from '../analysis/history/standing.js';
import type { Queries } from './connection.js';
import { SCHEMA } from './schema.js';

/**
 * Stores a message for each channel of a schedule, in the transaction of what it tells. Of one subject there is one.
 *
 * @param client - the transaction
 * @param content - what is told
 * @param subject - what it is about: a run, or a time
 */
export async function notify(client: Queries, content: AlertContent, subject: string): Promise<void> {
  await client.query(
    `insert into ${SCHEMA}.notification (schedule, run, channel, target, content)
     select name, $2, channel, target, $3
     from ${SCHEMA}.schedule cross join lateral (values ('webhook', webhook), ('email', email)) as t(channel, target)
     where name = $1 and target is not null
     on conflict (schedule, run, channel) do nothing`,
    [content.schedule, subject, JSON.stringify(content)],
  );
}
