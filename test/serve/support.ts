import type { FastifyInstance } from 'fastify';
import { afterEach, beforeAll, describe } from 'vitest';
import { z } from 'zod';
import { databaseIn } from '../../src/base/paths.js';
import { isServerAddress } from '../../src/base/server-address.js';
import { JobQueue } from '../../src/queue/queue.js';
import { Analyst } from '../../src/serve/analyst/analyst.js';
import { API } from '../../src/serve/api/contract.js';
import { loadLibraries, type Libraries } from '../../src/serve/library.js';
import { makeServer, type ServerOptions } from '../../src/serve/server.js';
import type { Serving } from '../../src/serve/serving.js';
import { openStore } from '../../src/store/open.js';
import { addToken } from '../../src/store/tokens.js';
import { runsOf, storeHistory } from '../analysis/support/history.js';
import { useFolder } from '../support/folder.js';
import { describePostgres, useDatabase } from '../support/postgres.js';
import { emptyStore } from '../support/stores.js';

export const RUNS = 6;

/** A server that does not listen, and what is behind it. */
export interface Bench extends Serving {
  readonly app: FastifyInstance;
  /** Asks something under the API. */
  readonly ask: (
    path: string,
    wishes?: {
      readonly method?: 'GET' | 'POST' | 'DELETE';
      readonly token?: string | undefined;
      readonly body?: object;
      readonly headers?: Readonly<Record<string, string>>;
    },
  ) => Promise<Answered>;
  /** A token of each role. */
  readonly tokens: Readonly<Record<'read' | 'submit' | 'admin', string>>;
}

/** What was answered. */
export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The body, as a test knows it. */
  readonly json: () => unknown;
}

/** Makes tests of the server over a folder and over a database, with some runs and a token of each role. */
export function describeServers(
  tests: (serve: (options?: Partial<ServerOptions>) => Promise<Bench>) => void,
): void {
  const each = (place: () => string): void => {
    let libraries: Libraries;
    beforeAll(async () => {
      libraries = await loadLibraries();
    });
    const opened: (() => Promise<unknown>)[] = [];
    afterEach(async () => {
      for (const close of opened.splice(0).reverse()) await close();
    });
    tests((options) => makeBench(libraries, place(), opened, options));
  };
  describe('over a folder', () => {
    const folder = useFolder();
    each(() => folder('results'));
  });
  describePostgres('over a database', () => {
    each(useDatabase(emptyStore));
  });
}

async function makeBench(
  libraries: Libraries,
  place: string,
  opened: (() => Promise<unknown>)[],
  options: Partial<ServerOptions> = {},
): Promise<Bench> {
  const db = await openStore(databaseIn(place));
  opened.push(() => db.destroy());
  await storeHistory(
    db,
    3,
    0.01,
    runsOf(RUNS, (index) => ({ milliseconds: index < 3 ? 10 : 12 })),
  );
  const tokens = {
    read: (await addToken(db, 'reader', 'read')).token,
    submit: (await addToken(db, 'ci', 'submit')).token,
    admin: (await addToken(db, 'boss', 'admin')).token,
  };
  const queue = isServerAddress(place) ? await JobQueue.open(place) : undefined;
  if (queue !== undefined) opened.push(() => queue.close());
  const analyst = await Analyst.start(place, 1);
  opened.push(() => analyst.close());
  const serving = { db, place, queue, analyst };
  const app = await makeServer(libraries, serving, {
    ...{ host: '127.0.0.1', names: [], requestsPerMinute: 10_000 },
    failed: (error) => {
      console.error(error);
    },
    ...options,
  });
  opened.push(() => app.close());
  const ask: Bench['ask'] = async (path, { method = 'GET', token, body, headers = {} } = {}) => {
    const answer = await app.inject({
      ...{ method, url: API + path },
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
      ...(body !== undefined && { payload: body }),
    });
    return {
      ...{ status: answer.statusCode, headers: answer.headers, text: answer.body },
      json: () => JSON.parse(answer.body) as unknown,
    };
  };
  return { ...serving, app, ask, tokens };
}

type Schema = Readonly<Record<string, unknown>>;

/** An OpenAPI document, as far as the tests look at it. */
export interface OpenApi {
  readonly openapi: string;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly operationId: string;
            readonly responses: Readonly<
              Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
            >;
          }
        >
      >
    >
  >;
}

/** Schemas that the document names, as definitions of one schema. */
function standing(document: OpenApi, schema: Schema): Schema {
  const text = JSON.stringify({ ...schema, $defs: document.components.schemas });
  return JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')) as Schema;
}

/**
 * What is wrong with an answer by the OpenAPI document; undefined when nothing is.
 *
 * @param document - of the server
 * @param operation - id of the endpoint
 * @param answered - what it said
 */
export function faultByDocument(
  document: OpenApi,
  operation: string,
  { status, headers, json }: Answered,
): string | undefined {
  const found = Object.values(document.paths)
    .flatMap((path) => Object.values(path))
    .find(({ operationId }) => operationId === operation);
  if (found === undefined) return `no operation ${operation}`;
  const response = found.responses[String(status)] ?? found.responses['default'];
  const type = String(headers['content-type']).split(';')[0] ?? '';
  const schema = response?.content?.[type]?.schema;
  if (schema === undefined) return `${operation}: nothing of ${status} ${type}`;
  const parsed = z.fromJSONSchema(standing(document, schema)).safeParse(json());
  return parsed.success ? undefined : `${operation} ${status}: ${z.prettifyError(parsed.error)}`;
}
