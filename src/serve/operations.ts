import type { FastifyInstance, FastifyRequest } from 'fastify';
import { readiness, type Readiness } from '../operations/health.js';
import { openMetrics } from '../operations/metrics.js';
import { hasTokens } from '../store/tokens.js';
import { problemWords } from '../text/problems.js';
import { RequestProblem } from './problem.js';
import type { Serving } from './serving.js';

/**
 * Adds what supervisors and scrapers ask, beside the API: `/healthz` (the process answers) and `/readyz` (so does the store) to everybody,
 * `/metrics` of the queue to who may read.
 *
 * @param app - the server
 * @param serving - what is served
 * @param mayRead - lets in who may read, and throws for everybody else
 */
export async function addOperations(
  app: FastifyInstance,
  serving: Serving,
  mayRead: (request: FastifyRequest) => unknown,
): Promise<void> {
  const { queue } = serving;
  app.get('/healthz', { schema: { hide: true } }, () => ({ alive: true }));
  app.get('/readyz', { schema: { hide: true } }, async (_, reply) => {
    const found = queue === undefined ? await readinessOfFolder(serving) : await readiness(queue);
    return reply.status(found.ready ? 200 : 503).send(found);
  });
  if (queue === undefined) {
    // Without a route, the address would be one of the page's own.
    app.get('/metrics', { schema: { hide: true } }, ({ method, url }) => {
      throw new RequestProblem('not-found', problemWords.noRoute(method, url));
    });
    return;
  }
  const metrics = await openMetrics(queue);
  app.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
    mayRead(request);
    const { contentType, body } = await metrics.text();
    return reply.type(contentType).send(body);
  });
}

/** A store that cannot be read throws, which is answered as any fault is. */
async function readinessOfFolder({ db }: Serving): Promise<Readiness> {
  await hasTokens(db);
  return { ready: true, queue: 'none', store: 'ok' };
}
