import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foreignPlace } from '../../src/base/own-host.js';
import { InputError } from '../../src/base/errors.js';
import { isLoopback, ownHosts } from '../../src/serve/access/hosts.js';
import { thinned } from '../../src/serve/answers/thin.js';
import { openStore } from '../../src/store/open.js';
import { addToken, holderOf, listTokens, removeToken } from '../../src/store/tokens.js';
import { describeEachStore } from '../support/stores.js';

describe('samples that are thinned out', () => {
  it('keep the smallest and the largest, their order, and no more than asked for', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), {
          minLength: 1,
          maxLength: 300,
        }),
        fc.integer({ min: 2, max: 100 }),
        (values, most) => {
          const places = thinned(values, most);
          expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
          expect(places.length).toBeLessThanOrEqual(Math.max(most, Math.min(most, values.length)));
          const kept = places.map((place) => values[place] ?? NaN);
          expect([Math.min(...kept), Math.max(...kept)]).toEqual([Math.min(...values), Math.max(...values)]);
        },
      ),
    );
  });
});

describe('where a request goes', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1:8322', true],
    ['127.0.0.1', 'localhost:8322', true],
    ['127.0.0.1', '[::1]:8322', true],
    ['127.0.0.1', 'LAB.example', true],
    ['127.0.0.1', 'lab.example:443', true],
    ['127.0.0.1', '127.0.0.1:80', false],
    ['127.0.0.1', '127.0.0.1', false],
    ['127.0.0.1', '127.0.0.1.evil.example:8322', false],
    ['127.0.0.1', 'evil.example:8322', false],
    ['127.0.0.1', '', false],
    ['10.0.0.5', '10.0.0.5:8322', true],
    ['10.0.0.5', 'localhost:8322', false],
    ['0.0.0.0', '127.0.0.1:8322', true],
  ])('at %s, %s is the server: %s', (host, header, expected) => {
    const isOwn = ownHosts(host, ['lab.example']);
    expect(isOwn(header, 8322)).toBe(expected);
    const foreign = foreignPlace({ host: header, origin: 'http://evil.example' }, (name) =>
      isOwn(name, 8322),
    );
    expect(foreign).toBe(expected ? 'origin' : 'host');
  });

  it('is this machine alone for its loopback addresses', () => {
    expect(['127.0.0.1', '::1', 'localhost', '0.0.0.0', '10.0.0.5', '::'].map(isLoopback)).toEqual([
      ...[true, true, true, false, false, false],
    ]);
  });
});

describeEachStore((place) => {
  it('knows holders of tokens by them, keeps none, and forgets those that are removed', async () => {
    const db = await openStore(place());
    try {
      const { token } = await addToken(db, 'ci', 'submit');
      await addToken(db, 'boss', 'admin');
      expect(token).toMatch(/^edgeflex_[\w-]{43}$/);
      expect(await holderOf(db, token)).toMatchObject({
        name: 'ci',
        role: 'submit',
      });
      expect(await holderOf(db, `${token}x`)).toBeUndefined();
      expect(await holderOf(db, '')).toBeUndefined();
      expect(JSON.stringify(await db.selectFrom('tokens').selectAll().execute())).not.toContain(token);
      expect((await listTokens(db)).map(({ name }) => name)).toEqual(['boss', 'ci']);
      await expect(addToken(db, 'ci', 'read')).rejects.toThrow(InputError);
      await expect(addToken(db, 'two words', 'read')).rejects.toThrow(InputError);
      await removeToken(db, 'ci');
      expect(await holderOf(db, token)).toBeUndefined();
      await expect(removeToken(db, 'ci')).rejects.toThrow(InputError);
    } finally {
      await db.destroy();
    }
  });
});
