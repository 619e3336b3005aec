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

/**
 * Makes an empty database on the server that all test files share. It goes with the server, or by `dropDatabase`.
 *
 * @returns its address, as the superuser
 */
async function freshDatabase(): Promise<string> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await onServer(`create database ${name}`);
  const url = new URL(await (address ??= ask()));
  url.pathname = `/${name}`;
  return url.href;
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
 * Gives every test of a file an empty database of its own, which is gone after the test.
 *
 * @returns the address of the current test's, as the superuser
 */
export function useDatabase(): () => string {
  let url = '';
  beforeEach(async () => {
    url = await freshDatabase();
  });
  afterEach(() => dropDatabase(url));
  return () => url;
}
