import { installedVersion } from '../../base/paths.js';
import { withoutPassword } from '../../base/server-address.js';
import { listFleet } from '../../queue/list.js';
import { listAudit } from '../../store/audit.js';
import { listMeasuredDevices, listModels } from '../../store/browse/catalogue.js';
import { InputError } from '../../base/errors.js';
import type { Caller } from '../access/caller.js';
import type { Answer, Question } from '../api/routes.js';
import type { Serving } from '../serving.js';

/** `GET /session`. */
export function answerSession(
  { place, queue }: Serving,
  _: Question<'session'>,
  { role, name, tokens }: Caller,
): Promise<Answer<'session'>> {
  return Promise.resolve({
    ...{ role, name, tokens, store: queue === undefined ? 'sqlite' : 'postgresql' },
    ...{ place: withoutPassword(place), queue: queue !== undefined, version: installedVersion() },
  });
}

/** `GET /models`. */
export async function answerModels({ db }: Serving): Promise<Answer<'models'>> {
  return { models: await listModels(db) };
}

/** `GET /devices`. */
export async function answerDevices({ db, queue }: Serving): Promise<Answer<'devices'>> {
  return {
    devices: await listMeasuredDevices(db),
    fleet: queue === undefined ? null : [...(await listFleet(queue))],
  };
}

/** `GET /audit`. */
export async function answerAudit({ db }: Serving, { query }: Question<'audit'>): Promise<Answer<'audit'>> {
  const { cursor, limit } = query;
  if (cursor !== undefined && !/^\d{1,15}$/.test(cursor))
    throw new InputError({ source: 'cursor', found: cursor, expected: '"next" of the page before' });
  const entries = await listAudit(db, cursor === undefined ? undefined : Number(cursor), limit + 1);
  const page = entries.slice(0, limit);
  const last = page.at(-1);
  return { entries: page, next: entries.length > limit && last !== undefined ? String(last.id) : null };
}
