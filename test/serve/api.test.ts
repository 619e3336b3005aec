import { expect, it, vi } from 'vitest';
import type { RunPage } from '../../src/store/browse/runs.js';
import { listAudit } from '../../src/store/audit.js';
import { Analyst } from '../../src/serve/analyst/analyst.js';
import { API } from '../../src/serve/api/contract.js';
import { routes } from '../../src/serve/api/routes.js';
import { loadLibraries } from '../../src/serve/library.js';
import { makeServer } from '../../src/serve/server.js';
import { prepare } from '../../src/serve/preparation.js';
import { RunLease } from '../../src/store/lease.js';
import { describeServers, faultByDocument, RUNS, type Answered, type OpenApi } from './support.js';

const SUITE = `
name: tiny
data: shapes10
models: [{ name: micro, path: vit-micro-shapes10 }]
devices: [local-cpu]
accuracy: { batch: 16, images: 40 }
performance: { batches: [2], tier: smoke, rounds: 2 }
`;

describeServers((serve) => {
  it('answers every question as its OpenAPI document says', async () => {
    const { ask, tokens, queue } = await serve();
    const { admin: token } = tokens;
    const document = (await ask('/openapi.json', { token })).json() as OpenApi;
    expect(document.openapi).toBe('3.1.0');
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
    expect(references.length).toBeGreaterThan(5);
    for (const [, name = ''] of references) expect(Object.keys(document.components.schemas)).toContain(name);

    const page = (await ask('/runs?limit=2', { token })).json() as RunPage;
    const [run, other] = page.runs;
    const details = (await ask(`/runs/${run!.id}`, { token })).json() as {
      cells: { id: string; kind: string }[];
    };
    const timed = details.cells.find(({ kind }) => kind === 'performance')!;
    const asked: Record<keyof typeof routes, () => Promise<Answered> | undefined> = {
      session: () => ask('/session', { token }),
      runs: () => ask('/runs', { token }),
      run: () => ask(`/runs/${run!.name}`, { token }),
      analysis: () => ask(`/runs/${run!.id}/analysis`, { token }),
      report: () => ask(`/runs/${run!.id}/report`, { token }),
      environment: () => ask(`/runs/${run!.id}/environment`, { token }),
      samples: () => ask(`/runs/${run!.id}/cells/${timed.id}/samples?points=10`, { token }),
      compare: () => ask(`/compare?runs=${run!.id},${other!.id}`, { token }),
      history: () => ask('/history?metric=latency', { token }),
      models: () => ask('/models', { token }),
      devices: () => ask('/devices', { token }),
      queue: () => ask('/queue?all=true', { token }),
      submit: () => ask('/queue', { token, method: 'POST', body: { suite: SUITE } }),
      cancel: () => ask('/queue/nothing', { token, method: 'DELETE' }),
      drain: () => ask('/queue/devices/nothing/drain', { token, method: 'POST' }),
      procure: () => ask('/procure', { token, method: 'POST', body: { batch: 8, emulated: true } }),
      audit: () => ask('/audit', { token }),
      // A stream, which has a test of its own.
      events: () => undefined,
    };
    const withQueue = { queue: 200, submit: 201, cancel: 404, drain: 404 };
    const withoutQueue = { queue: 409, submit: 409, cancel: 409, drain: 409 };
    const expected: Readonly<Record<string, number>> = queue === undefined ? withoutQueue : withQueue;
    for (const [name, question] of Object.entries(asked)) {
      const answered = await question();
      if (answered === undefined) continue;
      expect([name, answered.status, answered.status === 200 ? '' : answered.text]).toEqual([
        ...[name, expected[name] ?? 200],
        (expected[name] ?? 200) === 200 ? '' : (expect.any(String) as string),
      ]);
      expect(faultByDocument(document, name, answered)).toBeUndefined();
    }
  });

  it('lets nobody do what their role does not allow, and writes down who tried', async () => {
    const { ask, tokens, db } = await serve();
    const order = ['none', 'bogus', 'read', 'submit', 'admin'] as const;
    for (const [name, { method, path, role }] of Object.entries(routes))
      for (const who of order) {
        const token = who === 'none' ? undefined : who === 'bogus' ? 'edgeflex_bogus' : tokens[who];
        const mayAsk = order.indexOf(who) >= order.indexOf(role);
        if (mayAsk && name === 'events') continue;
        const answered = await ask(path.replaceAll(/:\w+/g, 'nothing'), {
          ...{ method, token },
          ...(method === 'POST' && { body: { suite: 'name: x' } }),
        });
        const { status } = answered;
        if (who === 'none' || who === 'bogus') expect([name, who, status]).toEqual([name, who, 401]);
        else expect([name, who, status === 403]).toEqual([name, who, !mayAsk]);
        if (status === 401) expect(answered.headers['www-authenticate']).toBe('Bearer');
      }
    const entries = await listAudit(db, undefined, 200);
    const refused = entries.filter(({ outcome }) => outcome === 'refused');
    const count = Object.keys(routes).length;
    expect(refused.filter(({ action }) => action === 'token.refused')).toHaveLength(count);
    expect(
      refused.filter(({ action, actor }) => action === 'queue.submit' && actor === 'reader'),
    ).toHaveLength(1);
    // Tokens are nowhere in it.
    for (const token of Object.values(tokens)) expect(JSON.stringify(entries)).not.toContain(token);
  });

  it('lists runs page by page, each once, and finds those that are asked for', async () => {
    const { ask, tokens } = await serve();
    const { read: token } = tokens;
    const all = (await ask('/runs', { token })).json() as RunPage;
    expect([all.runs.length, all.next]).toEqual([RUNS, null]);
    for (const sort of ['newest', 'oldest', 'suite']) {
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const page = (
          await ask(`/runs?limit=2&sort=${sort}${cursor === '' ? '' : `&cursor=${cursor}`}`, { token })
        ).json() as RunPage;
        seen.push(...page.runs.map(({ id }) => id));
        cursor = page.next;
      }
      expect([sort, new Set(seen).size, seen.length]).toEqual([sort, RUNS, RUNS]);
      const newest = all.runs.map(({ id }) => id);
      if (sort !== 'suite') expect(seen).toEqual(sort === 'newest' ? newest : [...newest].reverse());
    }
    const [first] = all.runs;
    const found = async (query: string): Promise<number> =>
      ((await ask(`/runs?${query}`, { token })).json() as RunPage).runs.length;
    expect(await found(`search=${first!.name.toUpperCase()}`)).toBe(1);
    expect(await found('search=%25')).toBe(0);
    expect(await found(`model=${first!.models[0]!}&device=${first!.devices[0]!}&status=complete`)).toBe(RUNS);
    expect(await found('model=nothing')).toBe(0);
    expect(await found('status=running')).toBe(0);
    expect(await found('status=failed')).toBe(0);
    expect(await found('label=main')).toBe(0);
    expect(await found(`since=${first!.startedAt}`)).toBe(1);
    expect(await found(`until=${first!.startedAt}`)).toBe(RUNS - 1);
    expect((await ask('/runs?limit=0', { token })).status).toBe(400);
    expect((await ask('/runs?cursor=what', { token })).status).toBe(422);
  });

  it('tells supervisors that it is well, and scrapers of the queue if they may read', async () => {
    const { app, tokens, queue } = await serve();
    const status = async (url: string, token?: string): Promise<number> =>
      (await app.inject({ url, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } }))
        .statusCode;
    expect([await status('/healthz'), await status('/readyz')]).toEqual([200, 200]);
    expect(await status('/metrics', tokens.read)).toBe(queue === undefined ? 404 : 200);
    expect(await status('/metrics')).toBe(queue === undefined ? 404 : 401);
  });

  it('sends what does not change once', async () => {
    const { ask, tokens } = await serve();
    const { read: token } = tokens;
    const [run] = ((await ask('/runs?limit=1', { token })).json() as RunPage).runs;
    const first = await ask(`/runs/${run!.id}/analysis`, { token });
    const etag = String(first.headers['etag']);
    const again = await ask(`/runs/${run!.id}/analysis`, { token, headers: { 'if-none-match': etag } });
    expect([first.status, again.status, again.text]).toEqual([200, 304, '']);
    expect(first.headers['cache-control']).toBe('private, no-cache');
    // The mark is no way past the token.
    const without = await ask(`/runs/${run!.id}/analysis`, { headers: { 'if-none-match': etag } });
    expect(without.status).toBe(401);
  });

  it('keeps others out: foreign names, foreign pages, too many questions, long bodies', async () => {
    const { ask, tokens, app } = await serve({ requestsPerMinute: 4, names: ['lab.example'] });
    const { read: token } = tokens;
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await ask('/session', { token, headers })).status;
    expect(await status({ host: 'evil.example' })).toBe(403);
    expect(await status({ host: 'localhost:81' })).toBe(403);
    expect(await status({ origin: 'http://evil.example' })).toBe(403);
    expect(await status({ 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await status({ host: 'lab.example', origin: 'https://lab.example' })).toBe(200);
    const answered = await ask('/session', { token });
    expect(String(answered.headers['content-security-policy'])).not.toMatch(/unsafe|\*/);
    expect(answered.headers).not.toHaveProperty('access-control-allow-origin');
    const body = { suite: 'x'.repeat(600_000) };
    expect((await ask('/queue', { token: tokens.submit, method: 'POST', body })).status).toBe(413);
    for (let i = 0; i < 3; i++) await ask('/session', { token });
    const limited = await ask('/session', { token });
    expect([limited.status, String(limited.headers['content-type'])]).toEqual([
      429,
      'application/problem+json',
    ]);
    // Another token has a rate of its own.
    expect((await ask('/session', { token: tokens.admin })).status).toBe(200);
    expect(app.hasRoute({ method: 'OPTIONS', url: '/api/v1/session' })).toBe(false);
  });

  it('takes suites by names alone: no file of the server and no plug-in', async () => {
    const { ask, tokens, queue } = await serve();
    const submit = async (suite: string): Promise<Answered> =>
      ask('/queue', { token: tokens.submit, method: 'POST', body: { suite } });
    if (queue === undefined) {
      expect((await submit(SUITE)).status).toBe(409);
      return;
    }
    for (const [from, to] of [
      ['path: vit-micro-shapes10', 'path: /etc/passwd'],
      ['path: vit-micro-shapes10', 'raw: secret.onnx'],
      ['path: vit-micro-shapes10', 'path: ..'],
      ['data: shapes10', 'data: ../secret.yaml'],
      ['data: shapes10', 'data: { name: x, path: /etc }'],
      ['[local-cpu]', '[./own.yaml]'],
      ['devices:', 'recipes: [/etc/passwd]\ndevices:'],
      ['devices:', 'plugins: [evil.mjs]\ndevices:'],
    ] as const) {
      const answered = await submit(SUITE.replace(from, to));
      expect([to, answered.status]).toEqual([to, 422]);
      expect(answered.text).not.toContain('root:');
    }
    const done = (await submit(SUITE)).json() as { run: string; jobs: number };
    expect(done.jobs).toBe(1);
    const { jobs } = (await ask('/queue', { token: tokens.read })).json() as {
      jobs: { run: string; person: string }[];
    };
    expect(jobs).toMatchObject([{ run: done.run, person: 'ci', state: 'waiting', ahead: 0 }]);
    const cancelled = await ask(`/queue/${done.run}`, { token: tokens.submit, method: 'DELETE' });
    expect(cancelled.json()).toEqual({ cancelled: 1 });
    // The beginning of a name is nobody's.
    const part = await ask(`/queue/${done.run.slice(0, 8)}`, { token: tokens.submit, method: 'DELETE' });
    expect(part.status).toBe(404);
    const { entries } = (await ask('/audit', { token: tokens.admin })).json() as { entries: object[] };
    expect(entries).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ action: 'queue.submit', actor: 'ci', target: done.run, outcome: 'done' }),
        expect.objectContaining({ action: 'queue.cancel', actor: 'ci', target: done.run, outcome: 'done' }),
      ]),
    );
  });

  it('tells what is wrong in the words of a request, not in options of the command line', async () => {
    const { ask, tokens } = await serve();
    const { read: token } = tokens;
    for (const [body, source] of [
      [{ batch: 7 }, 'batch'],
      [{ batch: 8, limits: { latency: 'soon' } }, 'limits.latency'],
    ] as const) {
      const answered = await ask('/procure', { token, method: 'POST', body });
      expect([answered.status, answered.text.includes('--')]).toEqual([422, false]);
      expect((answered.json() as { fault: { source: string } }).fault.source).toBe(source);
    }
  });

  it('keeps in the store what ended runs say, answers from there after a restart, and not from what is damaged', async () => {
    const { ask, tokens, db, place } = await serve();
    const { read: token } = tokens;
    const { runs } = (await ask('/runs', { token })).json() as RunPage;
    const questions: readonly (readonly [path: string, body?: object])[] = [
      [`/runs/${runs[0]!.id}/analysis`],
      [`/runs/${runs[0]!.id}/report`],
      ['/history?metric=latency'],
      ['/procure', { batch: 8, emulated: true }],
    ];
    const first: string[] = [];
    for (const [path, body] of questions)
      first.push((await ask(path, { token, ...(body && { method: 'POST' as const, body }) })).text);
    const kept = await db.selectFrom('kept').select(['kind', 'run_id', 'digest']).execute();
    const count = (kind: string): number => kept.filter((row) => row.kind === kind).length;
    expect(['analysis', 'report', 'points', 'observed', 'changes'].map(count)).toEqual([1, 1, RUNS, RUNS, 1]);

    const again = async (): Promise<void> => {
      const analyst = await Analyst.start(place, 1);
      try {
        const app = await makeServer(
          await loadLibraries(),
          { db, place, queue: undefined, analyst },
          {
            ...{ host: '127.0.0.1', names: [], requestsPerMinute: 1000, failed: () => undefined },
          },
        );
        for (const [index, [path, body]] of questions.entries()) {
          const answered = await app.inject({
            ...{ method: body === undefined ? 'GET' : 'POST', url: API + path },
            headers: { authorization: `Bearer ${token}` },
            ...(body && { payload: body }),
          });
          expect([path, answered.body]).toEqual([path, first[index]]);
        }
        await app.close();
      } finally {
        await analyst.close();
      }
    };
    const before = await db.selectFrom('kept').selectAll().execute();
    await again();
    // Nothing was computed, hence nothing kept anew.
    expect(await db.selectFrom('kept').selectAll().execute()).toEqual(before);
    await db
      .updateTable('kept')
      .set({ body: Buffer.from('nonsense') })
      .execute();
    await again();
    expect(await db.selectFrom('kept').select(['kind', 'run_id', 'digest']).execute()).toHaveLength(
      kept.length,
    );
    // What is kept goes with its run.
    await db.deleteFrom('runs').where('id', '=', runs[0]!.name).execute();
    expect(await db.selectFrom('kept').select('kind').where('run_id', '=', runs[0]!.name).execute()).toEqual(
      [],
    );
  });

  it('computes what pages ask of runs before anybody asks, but while none is measured on this machine', async () => {
    const bench = await serve();
    const { ask, tokens, db } = bench;
    const kept = (): Promise<object[]> =>
      db.selectFrom('kept').select(['kind', 'run_id', 'question', 'made_at']).orderBy('kind').execute();
    const [run] = await db.selectFrom('runs').select('id').execute();
    const lease = await RunLease.take(db, run!.id, () => undefined);
    const waited: number[] = [];
    await prepare(bench, (milliseconds) => {
      waited.push(milliseconds);
      return Promise.resolve(waited.length < 3);
    });
    expect(waited).toHaveLength(3);
    expect(Math.min(...waited)).toBeGreaterThan(0);
    expect(await kept()).toEqual([]);
    await lease.release();

    await prepare(bench, () => Promise.resolve(true));
    const before = await kept();
    const count = (kind: string): number => before.filter((row) => 'kind' in row && row.kind === kind).length;
    // Procurement offers four quantiles.
    expect(['points', 'observed', 'changes'].map(count)).toEqual([RUNS, 4 * RUNS, 1]);
    for (const path of ['/history', '/history?metric=latency&device=here'])
      expect((await ask(path, { token: tokens.read })).status).toBe(200);
    for (const [batch, latency] of [
      [8, '30ms'],
      [8, '30ms@p99'],
      [1, '1s@p90'],
    ] as const) {
      const body = { batch, limits: { latency }, emulated: true };
      await ask('/procure', { token: tokens.read, method: 'POST', body });
    }
    expect(await kept()).toEqual(before);
  });

  it('logs what was asked without what was looked for, and what changed something louder', async () => {
    const lines: { level: string; text: string }[] = [];
    const { ask, tokens } = await serve({
      log: (level, text) => {
        lines.push({ level, text });
      },
    });
    await ask('/runs?search=private', { token: tokens.read });
    await ask('/runs', { token: 'edgeflex_bogus' });
    await ask('/queue', { token: tokens.submit, method: 'POST', body: { suite: SUITE } });
    await vi.waitFor(() => expect(lines.map(({ level }) => level)).toEqual(['debug', 'warn', 'info']));
    expect(lines[0]?.text).toMatch(/^GET \/api\/v1\/runs: 200 .*reader$/);
    const all = JSON.stringify(lines);
    for (const secret of ['private', 'bogus', ...Object.values(tokens)]) expect(all).not.toContain(secret);
  });
});
