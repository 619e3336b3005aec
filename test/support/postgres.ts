import { randomBytes } from 'node:crypto';
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { afterEach, beforeEach, describe, inject } from 'vitest';
import { postgresPrograms } from './postgres/installed.js';
import type { Answer } from './postgres/setup.js';

/** As `describe`; skipped by name where PostgreSQL is not installed. */
export const describePostgres = describe.skipIf(postgresPrograms === undefined);

/** Address of the server that all test files share, as its superuser; the first one to ask starts it. */
let address: Promise<string> | undefined;

async function ask(): Promise<string> {
  const answer = JSON.parse(await text(createConnection(inject('postgres')))) as Answer;
  if (answer.url === undefined) throw new Error(answer.error);
  return answer.url;
}

/** What databases of tests begin with. */
export interface Template {
  readonly name: string;
  /** Fills an empty database; called once for all test files. */
  readonly fill: (url: string) => Promise<void>;
}

/**
 * Makes a database on the server that all test files share.
 *
 * @param template - what is in it; left out, nothing
 * @returns its address, as the superuser
 */
async function freshDatabase(template?: Template): Promise<string> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  if (template !== undefined) await fillOnce(template);
  await onServer(`create database ${name}${template === undefined ? '' : ` template ${template.name}`}`);
  return urlOf(name);
}

async function urlOf(database: string): Promise<string> {
  const url = new URL(await (address ??= ask()));
  url.pathname = `/${database}`;
  return url.href;
}

/** Of several test files that need a template at once, one makes it. It has its name when it is whole. */
async function fillOnce({ name, fill }: Template): Promise<void> {
  const client = new pg.Client({ connectionString: await (address ??= ask()) });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock(hashtext($1))', [name]);
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 1) return;
    await client.query(`create database ${name}_making`);
    await fill(await urlOf(`${name}_making`));
    await client.query(`alter database ${name}_making rename to ${name}`);
  } finally {
    await client.end();
  }
}

/** Drops a database of the server, also one that somebody is connected to. */
async function dropDatabase(url: string): Promise<void> {
  await onServer(`drop database if exists "${new URL(url).pathname.slice(1)}" with (force)`);
}

/** Does something on the server as its superuser, such as making a role. */
export async function onServer(statement: string): Promise<void> {
  await onDatabase(await (address ??= ask()), statement);
}

/** Does something in a database. */
export async function onDatabase(url: string, statement: string): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(statement);
  } finally {
    await client.end();
  }
}

/**
 * Gives every test of a file a database of its own, which is gone after the test.
 *
 * @param template - what is in it; left out, nothing
 * @returns the address of the current test's, as the superuser
 */
export function useDatabase(template?: Template): () => string {
  let url = '';
  beforeEach(async () => {
    url = await freshDatabase(template);
  });
  afterEach(() => dropDatabase(url));
  return () => url;
}
