import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf, ResourceError } from '../base/errors.js';
import type { JobQueue } from '../queue/queue.js';
import type { Metrics } from './metrics.js';

/** Whether a process can do its work. */
export interface Readiness {
  readonly ready: boolean;
  /** `ok`, or why the queue cannot be used. */
  readonly queue: string;
  /** `ok`, `empty` where nothing has been stored yet, or why results cannot be. */
  readonly store: string;
}

/**
 * Asks the database whether the queue and the results can be used.
 *
 * @param queue - open
 */
export async function readiness({ connection }: JobQueue): Promise<Readiness> {
  try {
    const { rows } = await connection.query<{ readonly there: boolean; readonly reads: boolean }>(
      `select to_regclass('edgeflex.runs') is not null as there,
         coalesce(has_table_privilege(to_regclass('edgeflex.runs'), 'insert'), true) as reads`,
    );
    const [found] = rows;
    if (found?.reads === false)
      return { ready: false, queue: 'ok', store: 'this user may not write results' };
    return { ready: true, queue: 'ok', store: found?.there === true ? 'ok' : 'empty' };
  } catch (error) {
    const reason = messageOf(error).split('\n', 1)[0] ?? '';
    return { ready: false, queue: reason, store: reason };
  }
}

/** A worker's endpoint for scrapers and supervisors. */
export interface Endpoint {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `/metrics`, `/healthz` (the process answers) and `/readyz` (so does the database). Without any check of who asks: on this machine alone, unless
 * another address is given.
 *
 * @param queue - open
 * @param metrics - of the process
 * @param port - 0 for any that is free
 * @param host - address to listen on
 * @throws ResourceError when the port is taken
 */
export async function serveHealth(
  queue: JobQueue,
  metrics: Metrics,
  port: number,
  host = '127.0.0.1',
): Promise<Endpoint> {
  const server = createServer((request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    void answer(path, request.method ?? '', response).catch((error: unknown) => {
      if (!response.headersSent) send(response, 500, 'text/plain', messageOf(error));
      else response.destroy();
    });
  });
  const answer = async (path: string, method: string, response: ServerResponse): Promise<void> => {
    if (method !== 'GET' && method !== 'HEAD') send(response, 405, 'text/plain', 'only GET');
    else if (path === '/healthz') send(response, 200, 'application/json', '{"alive":true}');
    else if (path === '/readyz') {
      const found = await readiness(queue);
      send(response, found.ready ? 200 : 503, 'application/json', JSON.stringify(found));
    } else if (path === '/metrics') {
      const { contentType, body } = await metrics.text();
      send(response, 200, contentType, body);
    } else send(response, 404, 'text/plain', 'here are /metrics, /healthz and /readyz');
  };
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new ResourceError(`--metrics-port ${port}: ${messageOf(error)}`, { cause: error });
  }
  // It keeps no process alive.
  server.unref();
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close').catch(() => undefined);
    },
  };
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
}
