import { request } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PageServer } from '../../src/device/browser/server.js';

let server: PageServer;
let url: URL;

beforeEach(async () => {
  server = await PageServer.start();
  const { url: address } = server.admit({
    ...{ request: { kind: 'identify' }, files: new Map(), outputs: new Map() },
    processes: () => Promise.resolve({ means: null, memory: {} }),
  });
  url = new URL(address);
});

afterEach(() => server.close());

/** Asks for the page with headers of one's own, as no browser lets a page do. */
function statusWith(headers: Record<string, string>, path = url.pathname): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: url.port, path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

it('the page is served under its own address, to itself', async () => {
  expect(await statusWith({})).toBe(200);
  expect(await statusWith({ origin: url.origin })).toBe(200);
});

it.each([
  ['another name that leads here', () => ({ host: `rebound.example:${url.port}` })],
  ['another name of this machine', () => ({ host: `localhost:${url.port}` })],
  ['another port', () => ({ host: '127.0.0.1:1' })],
  ['a page of somebody else', () => ({ origin: 'https://example.com' })],
  ['a page without an origin', () => ({ origin: 'null' })],
])('%s is refused, with or without the token', async (_, headers) => {
  expect(await statusWith(headers())).toBe(403);
  expect(await statusWith(headers(), '/wrong/')).toBe(403);
});

it('nobody is served without the token', async () => {
  expect(await statusWith({}, '/wrong/')).toBe(404);
});
