import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { withoutControls } from '../base/control.js';
import type { Log } from '../operations/log.js';
import { installedVersion, packageRoot } from '../base/paths.js';
import { describeFault } from '../base/schema.js';
import { foreignPlace } from '../base/own-host.js';
import { recordAudit } from '../store/audit.js';
import { problemWords } from '../text/problems.js';
import { callerOf, checkRole, isCaller, type Caller, type Stranger } from './access/caller.js';
import { ownHosts } from './access/hosts.js';
import { Json, Kept } from './answers/kept.js';
import { API, problemSchema, type Contract } from './api/contract.js';
import { routes, type Question, type RouteName } from './api/routes.js';
import { endpoints } from './endpoints.js';
import type { Libraries } from './library.js';
import { addOperations } from './operations.js';
import { ChangeFinder } from './live/changes.js';
import { Streams } from './live/streams.js';
import { BadRequest, problemOf, RequestProblem } from './problem.js';
import type { Serving } from './serving.js';

/** How the dashboard is served. */
export interface ServerOptions {
  /** The address that it listens at. */
  readonly host: string;
  /** Further names that it is reached by. */
  readonly names: readonly string[];
  /** Requests a minute of one token, or of one address without one. */
  readonly requestsPerMinute: number;
  /** Told what the server could not answer, or not find out for those who listen. */
  readonly failed: (error: unknown) => void;
  /** Told of every request that was answered: what changed something or was refused weighs more than what only read. Left out, nobody. */
  readonly log?: Log;
}

/** The longest body, in bytes: a suite, and what JSON makes of it. */
const MOST_BODY = 1 << 19;

/** The page: what `npm run build` makes of `src/serve/page`. */
const PAGE = join('dist', 'dashboard');

/** Nothing but what this server sends is run, shown or asked for. */
const POLICY = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'", 'data:'],
    fontSrc: ["'self'"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
};

/** Who asks, by the request: found out once. */
const callers = new WeakMap<FastifyRequest, Caller | Stranger>();

/**
 * The server of the dashboard, before it listens.
 *
 * @param libraries - as `loadLibraries` gives them
 * @param serving - what answers come from; the caller closes it after the server
 * @param options - how
 */
export async function makeServer(
  libraries: Libraries,
  serving: Serving,
  options: ServerOptions,
): Promise<FastifyInstance> {
  const app = libraries.fastify({
    // Requests are logged as everything else that EdgeFlex logs: below.
    logger: false,
    bodyLimit: MOST_BODY,
    // Requests that never end, and connections that nobody uses.
    ...{ requestTimeout: 30_000, keepAliveTimeout: 10_000, forceCloseConnections: true },
    routerOptions: { maxParamLength: 400 },
  });
  const page = join(packageRoot(), PAGE);
  app.setValidatorCompiler(({ schema, httpPart }) => checker(schema as z.ZodType, httpPart ?? 'request'));
  app.setSerializerCompiler(libraries.zod.serializerCompiler);
  app.setErrorHandler(async (error, request, reply) => {
    const problem = problemOf(error, request.url.split('?', 1)[0] ?? '');
    if (problem.status >= 500) options.failed(error);
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler(async (request, reply) => {
    const [path = ''] = request.url.split('?', 1);
    // Addresses of the page's own: it knows itself what is at them.
    const isPage = request.method === 'GET' && !path.startsWith('/api/') && !/\.[a-z]+$/.test(path);
    if (isPage && existsSync(page)) return reply.sendFile('index.html');
    const noRoute = new RequestProblem('not-found', problemWords.noRoute(request.method, path));
    return sendProblem(reply, problemOf(noRoute, path));
  });
  keepOthersOut(app, options);
  await app.register(libraries.helmet, {
    contentSecurityPolicy: POLICY,
    // What is served without TLS must not promise it; a proxy with TLS says so itself.
    strictTransportSecurity: false,
    crossOriginEmbedderPolicy: true,
    referrerPolicy: { policy: 'no-referrer' },
  });
  if (options.log !== undefined) addLog(app, options.log);
  app.addHook('onRequest', async (request) => {
    callers.set(request, await callerOf(serving.db, request.headers, request.ip));
  });
  await app.register(libraries.rateLimit, {
    max: options.requestsPerMinute,
    timeWindow: '1 minute',
    keyGenerator: (request) => keyOf(callers.get(request), request),
    errorResponseBuilder: (_, { ttl }) =>
      new RequestProblem('too-many', problemWords.tooMany(Math.ceil(ttl / 1000))),
  });
  await app.register(libraries.swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'EdgeFlex',
        version: installedVersion(),
        description:
          'Runs, their figures, the queue and its devices: what the page of "edgeflex serve" uses.',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }, {}],
    },
    transform: libraries.zod.jsonSchemaTransform,
    transformObject: libraries.zod.jsonSchemaTransformObject,
  });
  for (const name of Object.keys(endpoints) as (keyof typeof endpoints)[]) addEndpoint(app, serving, name);
  addEvents(app, serving, options.failed);
  await addOperations(app, serving, admitted);
  app.get(`${API}/openapi.json`, { schema: { hide: true } }, (request) => {
    admitted(request);
    return app.swagger();
  });
  if (existsSync(page))
    await app.register(libraries.files, { root: page, cacheControl: false, setHeaders: pageHeaders });
  return app;
}

/** The page may change with the next version: it is asked for again, and not sent again where it has not. */
function pageHeaders(response: { setHeader(name: string, value: string): unknown }): void {
  response.setHeader('Cache-Control', 'no-cache');
}

/** Addresses are logged without what comes after `?`: that is what somebody looks for. */
function addLog(app: FastifyInstance, log: Log): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method, ip: address } = request;
    const [path = ''] = request.url.split('?', 1);
    const status = reply.statusCode;
    const who = callers.get(request);
    const caller = who !== undefined && isCaller(who) ? who.name : null;
    const milliseconds = Math.round(reply.elapsedTime);
    const isRefused = [401, 403, 429].includes(status) || status >= 500;
    log(
      isRefused ? 'warn' : method === 'GET' || method === 'HEAD' ? 'debug' : 'info',
      `${method} ${withoutControls(path)}: ${status} in ${milliseconds} ms, for ${caller ?? address}`,
      { event: 'request', method, path, status, milliseconds, caller, address },
    );
    return Promise.resolve();
  });
}

function keepOthersOut(app: FastifyInstance, { host, names }: ServerOptions): void {
  const isOwn = ownHosts(host, names);
  app.addHook('onRequest', async (request) => {
    const { host: header, origin, 'sec-fetch-site': site } = request.headers;
    const port = request.socket.localPort ?? 80;
    const foreign = foreignPlace(
      { host: header, origin, site: typeof site === 'string' ? site : undefined },
      (name) => isOwn(name, port),
    );
    if (foreign === undefined) return Promise.resolve();
    throw new RequestProblem(
      'wrong-site',
      foreign === 'host' ? problemWords.host(header ?? '') : problemWords.site,
    );
  });
}

/** Checks a part of a request, and says what is wrong with it. */
function checker(schema: z.ZodType, part: string): (data: unknown) => { value: unknown } | { error: Error } {
  return (data) => {
    // What has no body is asked for with null.
    const parsed = schema.safeParse(data ?? {});
    if (parsed.success) return { value: parsed.data };
    const { path, found, expected } = describeFault(parsed.error, data, schema);
    const place = path.map(String).join('.');
    const source = part === 'querystring' ? 'the query' : part === 'body' ? 'the body' : 'the address';
    return { error: new BadRequest({ source, ...(place !== '' && { place }), found, expected }) };
  };
}

function nobody({ ip: address }: FastifyRequest): Stranger {
  return { address, because: 'no token' };
}

/** One token, or one address without one, has one rate: also whoever tries tokens. */
function keyOf(who: Caller | Stranger | undefined, { ip }: FastifyRequest): string {
  return who !== undefined && isCaller(who) && who.name !== null ? `token ${who.name}` : `address ${ip}`;
}

/** Lets somebody ask; what is refused of a token or a role is written down. */
async function admit(request: FastifyRequest, { role, writes }: Contract, { db }: Serving): Promise<void> {
  const who = callers.get(request) ?? nobody(request);
  try {
    checkRole(who, role);
  } catch (error) {
    const isUnknown = !isCaller(who) && who.because === 'unknown token';
    if (isUnknown || writes !== undefined)
      await recordAudit(db, {
        ...(isCaller(who) && { actor: who.name, role: who.role }),
        ...{ address: who.address, action: isUnknown ? 'token.refused' : (writes ?? ''), outcome: 'refused' },
        target: `${request.method} ${request.url.split('?', 1)[0] ?? ''}`,
        detail: error instanceof Error ? error.message : null,
      });
    throw error;
  }
}

/** Who asks, once they were let in. */
function admitted(request: FastifyRequest): Caller {
  return checkRole(callers.get(request) ?? nobody(request), 'read');
}

function addEndpoint(app: FastifyInstance, serving: Serving, name: keyof typeof endpoints): void {
  const contract: Contract = routes[name];
  const { method, path, summary, params, query, body, response, status = 200, writes } = contract;
  // The compiler cannot see that an endpoint's question is the one of its own name.
  const answer = endpoints[name] as (
    serving: Serving,
    question: Question<RouteName>,
    caller: Caller,
  ) => Promise<unknown>;
  app.route({
    method,
    url: API + path,
    schema: {
      ...{ summary, operationId: name },
      ...(params && { params }),
      ...(query && { querystring: query }),
      ...(body && { body }),
      response: { [status]: response, default: problemContent },
    },
    // Before a body is read, and before anything is said about what was asked.
    preParsing: async (request) => {
      await admit(request, contract, serving);
    },
    handler: async (request, reply) => {
      const caller = admitted(request);
      const question = {
        ...{ params: request.params, query: request.query, body: request.body },
      } as Question<RouteName>;
      if (writes === undefined) return send(request, reply, await answer(serving, question, caller));
      const entry = { actor: caller.name, role: caller.role, address: caller.address, action: writes };
      const asked = Object.values(request.params as Readonly<Record<string, string>>).join(' ');
      try {
        const done = await answer(serving, question, caller);
        const made = typeof done === 'object' && done !== null && 'run' in done ? String(done.run) : asked;
        await recordAudit(serving.db, { ...entry, target: made, outcome: 'done' });
        return await reply.status(status).header('Cache-Control', 'no-store').send(done);
      } catch (error) {
        const { detail } = problemOf(error, request.url);
        await recordAudit(serving.db, { ...entry, target: asked, outcome: 'failed', detail });
        throw error;
      }
    },
  });
}

const problemContent = {
  description: 'What went wrong',
  content: { 'application/problem+json': { schema: problemSchema } },
};

async function send(request: FastifyRequest, reply: FastifyReply, answer: unknown): Promise<FastifyReply> {
  if (answer instanceof Json)
    return reply
      .header('Cache-Control', 'no-store')
      .type('application/json; charset=utf-8')
      .send(answer.text);
  if (!(answer instanceof Kept)) return reply.header('Cache-Control', 'no-store').send(answer);
  const mark = `"${Buffer.from(answer.mark).toString('base64url')}"`;
  // Callers keep it, and ask whether it still holds: a run may be deleted, gone on with, or its token be taken away.
  reply.header('ETag', mark).header('Cache-Control', 'private, no-cache').header('Vary', 'Authorization');
  const known = request.headers['if-none-match']?.split(',').map((each) => each.trim().replace(/^W\//, ''));
  if (known?.includes(mark)) return reply.status(304).send();
  return reply.type('application/json; charset=utf-8').send(await answer.json());
}

function sendProblem(reply: FastifyReply, problem: z.output<typeof problemSchema>): FastifyReply {
  if (problem.status === 401) reply.header('WWW-Authenticate', 'Bearer');
  return reply
    .status(problem.status)
    .header('Cache-Control', 'no-store')
    .type('application/problem+json')
    .serializer(JSON.stringify)
    .send(problem);
}

function addEvents(app: FastifyInstance, serving: Serving, failed: ServerOptions['failed']): void {
  const finder = new ChangeFinder(serving);
  const streams = new Streams({
    look: () => finder.look(),
    failed,
  });
  app.addHook('preClose', () => {
    streams.close();
    return Promise.resolve();
  });
  const contract: Contract = routes.events;
  app.get(
    API + contract.path,
    {
      schema: { summary: contract.summary, operationId: 'events', produces: ['text/event-stream'] },
      preParsing: async (request) => {
        await admit(request, contract, serving);
      },
    },
    (request, reply) => {
      const caller = admitted(request);
      const name = keyOf(caller, request);
      streams.checkRoom(name);
      const { headers } = request;
      reply.hijack();
      const { raw: response } = reply;
      response.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        ...{ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' },
      });
      const last = headers['last-event-id'];
      streams.add(
        {
          ...{ caller: name, response },
          isAllowed: async () => isCaller(await callerOf(serving.db, headers, caller.address)),
        },
        typeof last === 'string' ? last : undefined,
      );
    },
  );
}
