import { installedVersion } from '../../base/paths.js';
import { withoutPassword } from '../../base/server-address.js';
import { listFleet } from '../../queue/list.js';
import { listAudit } from '../../store/audit.js';
import {
  listMeasuredDevices,
  listModels,
  type ListedDevice,
  type ListedModel,
} from '../../store/browse/catalogue.js';
import { whichRuns } from '../../store/browse/changes.js';
import type { Db } from '../../store/open.js';
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

/** A list that was made from all runs, and which runs these were. */
interface MadeList<Item> {
  readonly of: string;
  readonly at: number;
  readonly items: Item[];
}

/** So long a list is good, in milliseconds, also for runs that have changed without becoming more. */
const GOOD_FOR = 60_000;

const models = new WeakMap<Db, MadeList<ListedModel>>();
const devices = new WeakMap<Db, MadeList<ListedDevice>>();

/** Lists that all runs are looked through for are made again when there are other runs. */
async function whileSame<Item>(
  db: Db,
  known: WeakMap<Db, MadeList<Item>>,
  make: (db: Db) => Promise<Item[]>,
): Promise<Item[]> {
  const of = await whichRuns(db);
  const last = known.get(db);
  if (last?.of === of && Date.now() - last.at < GOOD_FOR) return last.items;
  const items = await make(db);
  known.set(db, { of, at: Date.now(), items });
  return items;
}

/** `GET /models`. */
export async function answerModels({ db }: Serving): Promise<Answer<'models'>> {
  return { models: await whileSame(db, models, listModels) };
}

/** `GET /devices`. */
export async function answerDevices({ db, queue }: Serving): Promise<Answer<'devices'>> {
  return {
    devices: await whileSame(db, devices, listMeasuredDevices),
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
