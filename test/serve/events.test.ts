import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { API } from '../../src/serve/api/contract.js';
import { eventSchemas, type EventName } from '../../src/serve/api/events.js';
import { endCell } from '../../src/store/write.js';
import { removeToken } from '../../src/store/tokens.js';
import { submission } from '../queue/support.js';
import { storeCell } from '../support/rows.js';
import { describeServers } from './support.js';

/** An event of a stream. */
interface Received {
  readonly id: string;
  readonly name: EventName;
  readonly data: unknown;
}

/** Reads a stream's events, one by one. */
async function* eventsOf(answer: IncomingMessage): AsyncGenerator<Received> {
  let fields = new Map<string, string>();
  for await (const line of createInterface(answer)) {
    const [, field = '', value = ''] = /^(\w+): (.*)$/.exec(line) ?? [];
    if (field !== '') fields.set(field, value);
    else if (line === '' && fields.has('event')) {
      const data: unknown = JSON.parse(fields.get('data') ?? '');
      yield {
        id: fields.get('id') ?? '',
        name: fields.get('event') as EventName,
        data,
      };
      fields = new Map();
    }
  }
}

describeServers((serve) => {
  it('tells of runs, cells and jobs as they change, goes on where a stream broke off, and ends with the server', async () => {
    const { app, tokens, db, queue } = await serve();
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const listen = async (last?: string): Promise<IncomingMessage> => {
      const headers = {
        authorization: `Bearer ${tokens.read}`,
        ...(last !== undefined && { 'last-event-id': last }),
      };
      const [answer] = (await once(
        get(`http://127.0.0.1:${port}${API}/events`, { headers }),
        'response',
      )) as [IncomingMessage];
      expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'text/event-stream']);
      return answer;
    };
    const stream = eventsOf(await listen());
    const next = async (wanted: (event: Received) => boolean): Promise<Received> => {
      for (;;) {
        const result = await stream.next();
        if (result.done === true) throw new Error('the stream has ended');
        const { value } = result;
        // Each is as the contract has it.
        eventSchemas[value.name].parse(value.data);
        if (wanted(value)) return value;
      }
    };
    const first = await next(() => true);
    expect(first.name).toBe('reset');

    const cell = await storeCell(db, 'live');
    const begun = await next(
      ({ name, data }) => name === 'run' && (data as { name: string }).name === 'live',
    );
    await endCell(db, cell.id, 'done', null);
    const measured = await next(
      ({ name, data }) => name === 'cell' && (data as { cell: { state: string } }).cell.state === 'done',
    );
    expect(measured.data).toMatchObject({
      run: (begun.data as { id: string }).id,
    });
    if (queue !== undefined) {
      await queue.submit(submission([{ device: 'pi5' }]));
      const job = await next(({ name }) => name === 'job');
      expect(job.data).toMatchObject({ state: 'waiting', device: 'pi5' });
      await queue.cancel((job.data as { run: string }).run);
      const ended = await next(
        ({ name, data }) => name === 'job' && (data as { state: string }).state !== 'waiting',
      );
      expect(ended.data).toMatchObject({ state: 'cancelled' });
    }

    // Whoever missed something is told that, and nothing twice; a stream of another server begins anew.
    const again = eventsOf(await listen(begun.id));
    const missed = [(await again.next()).value as Received];
    while (missed.at(-1)?.id !== measured.id) missed.push((await again.next()).value as Received);
    expect(missed.map(({ id }) => id)).not.toContain(begun.id);
    expect(new Set(missed.map(({ id }) => id)).size).toBe(missed.length);
    const other = eventsOf(await listen('0123456789ab-3'));
    expect(((await other.next()).value as Received).name).toBe('reset');

    await removeToken(db, 'reader');
    const refused = get(`http://127.0.0.1:${port}${API}/events`, {
      headers: { authorization: `Bearer ${tokens.read}` },
    });
    const [answer] = (await once(refused, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(401);
    answer.resume();

    await app.close();
    for (const each of [stream, again, other])
      for await (const { name, data } of each) eventSchemas[name].parse(data);
  });
});
