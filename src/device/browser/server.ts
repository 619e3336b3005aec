import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { basename, dirname, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DeviceError, messageOf } from '../../base/errors.js';
import { foreignPlace } from '../../base/own-host.js';
import { packageRoot } from '../../base/paths.js';
import type { BrowserProcesses, PageRequest } from '../../protocol/page.js';

/** Everything that a page may ask for while it answers one request. */
export interface Visit {
  readonly request: PageRequest;
  /** Files it may read, by their path after the token. */
  readonly files: ReadonlyMap<string, string>;
  /** Files it may write. */
  readonly outputs: ReadonlyMap<string, string>;
  /** Memory of the browser's processes, whose peaks begin anew. */
  readonly processes: () => Promise<BrowserProcesses>;
}

/** The page: nothing but the agent. */
const PAGE =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>EdgeFlex agent</title><script type="module" src="agent/main.js"></script></html>';

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/**
 * Sent with everything: the page is isolated, so that it may share memory between threads; it can reach this server and
 * nothing else; nothing is kept for the next page.
 */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' blob:; worker-src 'self' blob:; connect-src 'self'",
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
};

/** Serves the agent's page and the files of its task, on this machine's loopback, to the visit's own page. */
export class PageServer {
  private readonly visits = new Map<string, Visit>();

  private constructor(
    private readonly server: Server,
    private readonly port: number,
  ) {}

  /**
   * @param port - undefined takes any that is free
   * @throws DeviceError when the port is taken
   */
  static async start(port?: number): Promise<PageServer> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port ?? 0, '127.0.0.1', resolve);
    }).catch((error: unknown) => {
      throw new DeviceError(`the page cannot be served: ${messageOf(error)}`);
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a server without a port');
    const served = new PageServer(server, address.port);
    server.on('request', (request, response) => {
      served.answer(request, response).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(500, headers).end(messageOf(error));
        else response.destroy();
      });
    });
    return served;
  }

  /**
   * Makes a visit possible.
   *
   * @returns the page's address, and what ends the visit
   */
  admit(visit: Visit): { readonly url: string; readonly end: () => void } {
    const token = randomBytes(24).toString('hex');
    this.visits.set(token, visit);
    return {
      url: `http://${this.host}/${token}/`,
      end: () => this.visits.delete(token),
    };
  }

  /** The one name that the page is asked for by. */
  private get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '' } = request;
    // Even with the token.
    const { host, origin } = request.headers;
    if (foreignPlace({ host, origin }, (name) => name === this.host) !== undefined)
      return void response.writeHead(403, headers).end();
    const [, token = '', path = ''] = /^\/([^/]+)\/([^?]*)$/.exec(url) ?? [];
    const visit = this.visits.get(token);
    const name = decodeURIComponent(path);
    if (visit === undefined) return void response.writeHead(404, headers).end();
    if (method === 'POST') {
      const output = visit.outputs.get(name);
      if (output === undefined) return void response.writeHead(403, headers).end();
      await pipeline(request, createWriteStream(output));
      return void response.writeHead(204, headers).end();
    }
    switch (name) {
      case '':
        return void response.writeHead(200, { ...headers, 'Content-Type': 'text/html' }).end(PAGE);
      case 'request':
        sendJson(response, visit.request);
        return;
      case 'processes':
        sendJson(response, await visit.processes());
        return;
    }
    const file = visit.files.get(name) ?? programFile(name);
    if (file === undefined || !existsSync(file)) return void response.writeHead(404, headers).end();
    await sendFile(request, response, file);
  }
}

function sendJson(response: ServerResponse, value: object): void {
  response.writeHead(200, { ...headers, 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

/** A file as a stream: whole, or the range of bytes that is asked for. */
async function sendFile(request: IncomingMessage, response: ServerResponse, file: string): Promise<void> {
  const { size } = await stat(file);
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  const start = Number(from ?? 0);
  const end = Math.min(Number(to ?? size - 1), size - 1);
  const type = { 'Content-Type': types[extname(file)] ?? 'application/octet-stream' };
  const length = { 'Content-Length': Math.max(0, end - start + 1) };
  const partial = from === undefined ? {} : { 'Content-Range': `bytes ${start}-${end}/${size}` };
  response.writeHead(from === undefined ? 200 : 206, { ...headers, ...type, ...length, ...partial });
  if (request.method === 'HEAD' || size === 0) return void response.end();
  await pipeline(createReadStream(file, { start, end }), response);
}

/** A file of the agent or of its runtime; undefined for any other name. */
function programFile(name: string): string | undefined {
  const agent = /^agent\/([\w.-]+\.js)$/.exec(name)?.[1];
  if (agent !== undefined) return join(packageRoot(), 'dist', 'agent', 'page', agent);
  const runtime = /^runtime\/(ort-wasm[\w.-]+\.(?:mjs|wasm))$/.exec(name)?.[1];
  if (runtime !== undefined) return join(runtimeDirectory(), runtime);
  return undefined;
}

/** Where npm has put the files of ONNX Runtime for browsers. */
function runtimeDirectory(): string {
  return dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
}

/**
 * Gives the files of a task names that a page can ask for.
 *
 * @returns what to call a file; the names given so far, weights beside a model included
 */
export function nameFiles(): {
  readonly nameOf: (path: string) => string;
  readonly files: ReadonlyMap<string, string>;
} {
  const files = new Map<string, string>();
  let count = 0;
  const nameOf = (path: string): string => {
    const name = `files/${count++}/${basename(path)}`;
    files.set(name, path).set(`${name}.data`, `${path}.data`);
    return name;
  };
  return { nameOf, files };
}
