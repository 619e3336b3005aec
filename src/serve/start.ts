import { availableParallelism } from 'node:os';
import type { FastifyInstance } from 'fastify';
import { DeviceError, InputError, messageOf } from '../base/errors.js';
import { databaseIn } from '../base/paths.js';
import { isServerAddress } from '../base/server-address.js';
import { JobQueue } from '../queue/queue.js';
import { openExisting } from '../store/open.js';
import { hasTokens } from '../store/tokens.js';
import { isLoopback } from './access/hosts.js';
import { Analyst } from './analyst/analyst.js';
import { loadLibraries } from './library.js';
import { Preparation } from './preparation.js';
import { makeServer, type ServerOptions } from './server.js';
import type { Serving } from './serving.js';

/** A dashboard that is served. */
export interface Served {
  /** Where a browser of this machine finds it. */
  readonly url: string;
  /** Whether callers need tokens. */
  readonly tokens: boolean;
  /** Ends streams and requests, and closes the store. */
  close(): Promise<void>;
}

/**
 * Serves the dashboard of a place of results.
 *
 * @param place - the folder, or the address of a database on a server
 * @param options - where and how; port 0 takes any that is free
 * @throws InputError when there are no results, a library is not installed, or the address is not this machine's alone and there is no token
 */
export async function serve(
  place: string,
  options: ServerOptions & { readonly port: number },
): Promise<Served> {
  const { host, port } = options;
  const libraries = await loadLibraries();
  /** What must be closed, the last opened first. */
  const opened: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const each of opened.splice(0).reverse()) await each();
  };
  try {
    const db = await openExisting(databaseIn(place));
    opened.push(() => db.destroy());
    const tokens = await hasTokens(db);
    if (!isLoopback(host) && !tokens) throw withoutToken(host);
    const queue = isServerAddress(place) ? await JobQueue.open(place) : undefined;
    if (queue !== undefined) opened.push(() => queue.close());
    const analyst = await Analyst.start(place, Math.max(1, availableParallelism() - 1));
    opened.push(() => analyst.close());
    const serving: Serving = { db, place, queue, analyst };
    const app = await makeServer(libraries, serving, options);
    opened.push(() => app.close());
    const url = await listened(app, host, port);
    const preparation = Preparation.start(serving, options.failed);
    opened.push(() => preparation.close());
    return { url, tokens, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function withoutToken(host: string): InputError {
  return new InputError({
    source: '--host',
    found: `${host}, which others can reach, and no token`,
    expected: 'at least one token, which callers must know',
    hint: 'Make one with "edgeflex serve token add --name <name> --role read".',
  });
}

/** @returns the address for a browser of this machine */
async function listened(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw new DeviceError(`the dashboard cannot be served at ${host}, port ${port}: ${messageOf(error)}`);
  }
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('a server without a port');
  const near = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${near.includes(':') ? `[${near}]` : near}:${address.port}/`;
}
