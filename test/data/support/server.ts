import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** What a server was asked, and what it sent. */
export interface Exchange {
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly acceptEncoding: string | undefined;
  status: number;
  /** Bytes of the body that were meant to be sent. */
  sent: number;
}

/** A server on loopback that ends with the test. */
export interface TestServer {
  readonly url: string;
  readonly exchanges: Exchange[];
  /** Takes no more connections and cuts those there are. */
  close(): Promise<void>;
}

/** How a file is served. */
export interface Served {
  readonly content: Buffer;
  readonly etag?: string;
  readonly lastModified?: string;
  /** Whether `Range` is honoured. */
  readonly ranges?: boolean;
  /** Whether `If-Range` is honoured. */
  readonly ifRange?: boolean;
  /** Ends the connection, or falls silent, after so many bytes of the body. */
  readonly stopAfter?: { readonly bytes: number; readonly how: 'cut' | 'silence' };
  /** Answers with this status and nothing else. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Starts a server for one file.
 *
 * @param serve - says for each request, counted from 0, how it is answered
 */
export async function serveFile(serve: (request: number) => Served): Promise<TestServer> {
  const exchanges: Exchange[] = [];
  const server = createServer((request, response) => {
    const exchange: Exchange = {
      range: request.headers.range,
      ifRange: header(request, 'if-range'),
      acceptEncoding: header(request, 'accept-encoding'),
      status: 0,
      sent: 0,
    };
    exchanges.push(exchange);
    answer(exchange, serve(exchanges.length - 1), response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  onTestFinished(close);
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/cifar-10-binary.tar.gz`, exchanges, close };
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function answer(exchange: Exchange, served: Served, response: ServerResponse): void {
  const { content, etag, lastModified, ranges = true, ifRange = true, stopAfter } = served;
  if (etag !== undefined) response.setHeader('ETag', etag);
  if (lastModified !== undefined) response.setHeader('Last-Modified', lastModified);
  for (const [name, value] of Object.entries(served.headers ?? {})) response.setHeader(name, value);
  const first = ranges ? /^bytes=(\d+)-$/.exec(exchange.range ?? '')?.[1] : undefined;
  const outdated =
    ifRange && exchange.ifRange !== undefined && ![etag, lastModified].includes(exchange.ifRange);
  const start = first === undefined || outdated ? 0 : Number(first);
  if (served.status !== undefined) {
    exchange.status = served.status;
    response.writeHead(served.status).end('no');
    return;
  }
  if (start > 0 && start >= content.length) {
    exchange.status = 416;
    response.writeHead(416, { 'Content-Range': `bytes */${content.length}` }).end();
    return;
  }
  const body = content.subarray(start);
  exchange.status = start > 0 ? 206 : 200;
  exchange.sent = Math.min(body.length, stopAfter?.bytes ?? body.length);
  response.writeHead(exchange.status, {
    'Content-Length': body.length,
    ...(start > 0 && { 'Content-Range': `bytes ${start}-${content.length - 1}/${content.length}` }),
  });
  if (stopAfter === undefined) response.end(body);
  else
    response.write(body.subarray(0, stopAfter.bytes), () => {
      // Late enough that the client has read what was sent.
      if (stopAfter.how === 'cut') setTimeout(() => response.destroy(), 50);
    });
}
