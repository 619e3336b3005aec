import { createHash } from 'node:crypto';
import type { Queries } from './connection.js';
import { LeaseLost, type JobQueue } from './queue.js';
import { SCHEMA } from './schema.js';

/** Bytes of a part of a spool that is sent when anything in it has changed. SQLite's pages are smaller, and most are only ever added. */
const BLOCK = 1 << 16;

/** Blocks of a statement at most. */
const PER_STATEMENT = 64;

/**
 * Keeps blocks and says how much there is, in one statement: one way to the server and back, and nothing stays locked there when this
 * machine is cut off meanwhile. The server has written it before it answers. What has fewer rounds than the queue has was sent before them, and
 * came after: the worker has given it up, and nothing of it is kept.
 *
 * Parameters: lease, blocks in all, rounds, bytes; positions, digests and contents of what has changed.
 */
const SAVE = `
  with written as materialized (
    select set_config('synchronous_commit', 'on', true) as how
  ), lease as (
    select t.job, j.rounds <= $3 as fresh from ${SCHEMA}.take t join ${SCHEMA}.job j on j.id = t.job
    where t.token = $1 and t.ended_at is null for update
  ), newer as (
    select job from lease where fresh
  ), kept as (
    insert into ${SCHEMA}.block (job, position, digest, content)
    select newer.job, changed.* from newer cross join unnest($5::integer[], $6::text[], $7::bytea[]) as changed
    on conflict (job, position) do update set digest = excluded.digest, content = excluded.content
  ), cut as (
    delete from ${SCHEMA}.block b using newer where b.job = newer.job and b.position >= $2
  ), told as (
    update ${SCHEMA}.job j set rounds = $3, spool_bytes = $4 from newer where j.id = newer.job
  )
  select lease.job, written.how from lease cross join written`;

/** Digests of a job's blocks as the queue has them, by position. */
export type KnownBlocks = Map<number, string>;

/**
 * Keeps a job's spool in the queue, from where any worker may go on with it. Only blocks that have changed are sent.
 *
 * @param queue - open
 * @param token - of the lease
 * @param content - the spool's whole file
 * @param rounds - that are stored in it
 * @param known - what the queue has; brought up to date
 * @throws LeaseLost when the job is no longer the worker's: nothing is kept then
 */
export async function saveCheckpoint(
  { connection }: JobQueue,
  token: string,
  content: Buffer,
  rounds: number,
  known: KnownBlocks,
): Promise<void> {
  const now: KnownBlocks = new Map();
  const changed: { readonly position: number; readonly digest: string; readonly bytes: Buffer }[] = [];
  for (let position = 0; position * BLOCK < content.length; position++) {
    const bytes = content.subarray(position * BLOCK, (position + 1) * BLOCK);
    const digest = createHash('sha256').update(bytes).digest('hex');
    now.set(position, digest);
    if (known.get(position) !== digest) changed.push({ position, digest, bytes });
  }
  const send = async (client: Queries, some: typeof changed): Promise<void> => {
    const { rowCount } = await client.query(SAVE, [
      ...[token, now.size, rounds, content.length],
      some.map(({ position }) => position),
      some.map(({ digest }) => digest),
      some.map(({ bytes }) => bytes),
    ]);
    if (rowCount !== 1) throw new LeaseLost('the job is no longer this worker’s');
  };
  if (changed.length <= PER_STATEMENT) await send(connection, changed);
  else
    await connection.transaction(async (client) => {
      for (let first = 0; first < changed.length; first += PER_STATEMENT)
        await send(client, changed.slice(first, first + PER_STATEMENT));
    });
  known.clear();
  for (const [position, digest] of now) known.set(position, digest);
}

/**
 * Which blocks of a job's spool the queue has.
 *
 * @param queue - open
 * @param job - its id
 */
export async function knownBlocks({ connection }: JobQueue, job: string): Promise<KnownBlocks> {
  const { rows } = await connection.query<{ readonly position: number; readonly digest: string }>(
    `select position, digest from ${SCHEMA}.block where job = $1`,
    [job],
  );
  return new Map(rows.map(({ position, digest }) => [position, digest]));
}

/**
 * A job's spool as another worker left it in the queue.
 *
 * @param queue - open
 * @param job - its id
 * @returns undefined when there is none
 * @throws Error when what is there is not what was kept
 */
export async function loadCheckpoint({ connection }: JobQueue, job: string): Promise<Buffer | undefined> {
  return connection.transaction(async (client) => {
    const { rows } = await client.query<{ readonly bytes: number }>(
      `select spool_bytes::float8 as bytes from ${SCHEMA}.job where id = $1`,
      [job],
    );
    const blocks = await client.query<{
      readonly position: number;
      readonly digest: string;
      readonly content: Buffer;
    }>(`select position, digest, content from ${SCHEMA}.block where job = $1 order by position`, [job]);
    if (blocks.rows.length === 0) return undefined;
    for (const [index, { position, digest, content }] of blocks.rows.entries())
      if (position !== index || createHash('sha256').update(content).digest('hex') !== digest)
        throw new Error(`block ${position} of job ${job} is not what was kept`);
    const content = Buffer.concat(blocks.rows.map(({ content: bytes }) => bytes));
    if (content.length !== rows[0]?.bytes)
      throw new Error(
        `the spool of job ${job} has ${content.length} bytes and had ${String(rows[0]?.bytes)}`,
      );
    return content;
  });
}
