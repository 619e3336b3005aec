import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A request that a server saw. */
export interface Seen {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** How a Hub on loopback behaves. */
export interface HubOptions {
  /** Files of the one model, by name. */
  readonly files: Readonly<Record<string, Buffer>>;
  /** The token without which everything is refused. */
  readonly token?: string;
  /** Bytes after which each answer with this file is cut, once. */
  readonly cut?: Readonly<Record<string, number>>;
  /** Bytes that are sent in place of a file's. */
  readonly damaged?: Readonly<Record<string, Buffer>>;
}

/** A Hub that ends with the test: its API, and the other host that it sends large files from. */
export interface TestHub {
  readonly url: string;
  readonly commit: string;
  readonly seen: Seen[];
  /** What the other host saw. */
  readonly seenByStore: Seen[];
  close(): Promise<void>;
}

/** Id of the model that the Hub has. */
export const ID = 'someone/vit-micro';

/** Files from here on lie in large-file storage. */
const LARGE = 100_000;

/**
 * Starts a server that speaks the parts of the Hub's HTTP API that downloads need: a revision's commit, its tree, and
 * `resolve`, which sends small files itself and leads to another host for large ones, with ranges.
 */
export async function startHub(options: HubOptions): Promise<TestHub> {
  const { files, token } = options;
  const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
  const commit = createHash('sha1').update(Object.values(files).map(sha256).join()).digest('hex');
  const cut = new Map(Object.entries(options.cut ?? {}));
  const seen: Seen[] = [];
  const seenByStore: Seen[] = [];

  const send = (request: IncomingMessage, response: ServerResponse, name: string): void => {
    const content = options.damaged?.[name] ?? files[name]!;
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const body = content.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      ...{ 'Content-Length': body.length, ETag: `"${sha256(content)}"` },
      ...(start > 0 && { 'Content-Range': `bytes ${start}-${content.length - 1}/${content.length}` }),
    });
    const limit = cut.get(name);
    cut.delete(name);
    if (limit === undefined) response.end(body);
    else response.write(body.subarray(0, limit), () => setTimeout(() => response.destroy(), 50));
  };

  const store = await listen((request, response) => {
    note(seenByStore, request);
    send(request, response, decodeURIComponent(request.url!.split('?')[0]!.slice(1)));
  });

  const json = (response: ServerResponse, status: number, value: unknown): void => {
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
  };
  const tree = (): unknown[] =>
    Object.entries(files).map(([name, content]) => ({
      ...{ type: 'file', path: name, size: content.length },
      oid: createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex'),
      ...(content.length >= LARGE && {
        lfs: { oid: sha256(content), size: content.length, pointerSize: 130 },
      }),
    }));
  const hub = await listen((request, response) => {
    note(seen, request);
    const path = request.url!.split('?')[0]!;
    const { authorization } = request.headers;
    const known = token === undefined ? authorization === undefined : authorization === `Bearer ${token}`;
    const asked = new RegExp(`^/api/models/${ID}/(revision|tree)/(main|v1|${commit})$`).exec(path)?.[1];
    const name = new RegExp(`^/${ID}/resolve/${commit}/(.+)$`).exec(path)?.[1];
    // As the Hub does: a wrong token is refused, and without one an unknown id looks like a private model.
    if (!known) json(response, 401, { error: 'Invalid credentials in Authorization header' });
    else if (asked === 'revision') json(response, 200, { _id: '1', id: ID, sha: commit });
    else if (asked === 'tree') json(response, 200, tree());
    else if (name === undefined || files[name] === undefined)
      json(response, 404, { error: 'Repository not found' });
    else if (files[name].length < LARGE) send(request, response, name);
    else response.writeHead(302, { Location: `${store.url}/${name}?signature=${seen.length}` }).end();
  });
  const close = async (): Promise<void> => {
    await hub.close();
    await store.close();
  };
  onTestFinished(close);
  return { url: hub.url, commit, seen, seenByStore, close };
}

function note(seen: Seen[], { url, headers }: IncomingMessage): void {
  seen.push({ path: url!.split('?')[0]!, authorization: headers.authorization, range: headers.range });
}

async function listen(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const server: Server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
