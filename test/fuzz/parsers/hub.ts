import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { InputError } from '../../../src/base/errors.js';
import { HubUnreachable } from '../../../src/net/hub-unreachable.js';
import { lookUp } from '../../../src/net/hub-repository.js';
import { damagedJson } from '../generate/json.js';
import { defineParser } from '../parser.js';

const SHA = 'a'.repeat(40);
const tree = [
  { type: 'file', path: 'config.json', size: 10, oid: SHA },
  {
    ...{ type: 'file', path: 'model.safetensors', size: 1e6, oid: SHA },
    lfs: { oid: 'b'.repeat(64), size: 1e6, pointerSize: 130 },
  },
  { type: 'directory', path: 'onnx', size: 0, oid: SHA },
];
const info = { _id: '1', id: 'owner/name', sha: SHA, private: false, downloads: 1, likes: 1 };

const status = fc.oneof(
  { weight: 8, arbitrary: fc.constant(200) },
  fc.constantFrom(204, 206, 301, 302, 307, 400, 401, 403, 404, 429, 500, 503),
);
const answer = (body: fc.Arbitrary<Buffer>): fc.Arbitrary<Answer> =>
  fc.record({
    status,
    body,
    type: fc.constantFrom('application/json', 'text/html', ''),
    location: fc.constantFrom(
      '',
      '/',
      '//evil.example/',
      'http://127.0.0.1:1/',
      'file:///etc/passwd',
      '%',
      'http://[',
    ),
    link: fc.constantFrom(
      '',
      '',
      '</next>; rel="next"',
      '<http://127.0.0.1:1/x>; rel="next"',
      '<>; rel="next"',
      ';;',
    ),
  });

interface Answer {
  readonly status: number;
  readonly body: Buffer;
  readonly type: string;
  readonly location: string;
  readonly link: string;
}

/** What a server says that was named as the Hub: over a real connection. */
export const hub = defineParser({
  name: 'hub-answers',
  documents: (error) => error instanceof InputError || error instanceof HubUnreachable,
  inputs: fc.record({ info: answer(damagedJson(info)), tree: answer(damagedJson(tree)) }),
  prepare: async () => {
    let answers: { info: Answer; tree: Answer } | undefined;
    const server = createServer((request, response) => {
      const said = request.url?.includes('/tree/') ? answers?.tree : answers?.info;
      if (said === undefined) return void response.writeHead(404).end();
      for (const [name, value] of [
        ['content-type', said.type],
        ['location', said.location],
        ['link', said.link],
      ] as const)
        if (value !== '') response.setHeader(name, value);
      response.writeHead(said.status).end(said.body);
    });
    server.listen(0, '127.0.0.1').unref();
    await once(server, 'listening');
    process.env['HF_ENDPOINT'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return async (input) => {
      answers = input;
      await lookUp({ repository: 'owner/name', revision: 'main' }, AbortSignal.timeout(60_000));
    };
  },
});
