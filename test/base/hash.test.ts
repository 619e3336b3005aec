import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { hashFile, hashJson } from '../../src/base/hash.js';
import { useFolder } from '../support/folder.js';

const inFolder = useFolder();

describe('hashJson', () => {
  test('is the SHA-256 of the JSON with sorted keys', () => {
    const sorted = createHash('sha256').update('{"a":[1,{"x":null,"y":"é"}],"b":true}').digest('hex');
    expect(hashJson({ b: true, a: [1, { y: 'é', x: null }] })).toBe(sorted);
  });

  test('does not care about the order of keys, however deep', () => {
    const one = { seed: 1, performance: { batches: [1, 8], tier: 'rapid' }, models: [{ a: 1, b: 2 }] };
    const other = { models: [{ b: 2, a: 1 }], performance: { tier: 'rapid', batches: [1, 8] }, seed: 1 };
    expect(hashJson(other)).toBe(hashJson(one));
  });

  test('cares about the order of arrays', () => {
    expect(hashJson([1, 2])).not.toBe(hashJson([2, 1]));
    expect(hashJson({ stages: ['prune', 'quantize'] })).not.toBe(hashJson({ stages: ['quantize', 'prune'] }));
  });

  test('tells apart what JSON tells apart', () => {
    const values = [
      null,
      0,
      '0',
      '',
      false,
      [],
      {},
      [null],
      { a: null },
      { a: [] },
      [[]],
      'null',
      1,
      '1',
      true,
    ];
    expect(new Set(values.map(hashJson)).size).toBe(values.length);
  });

  test('takes a key without a value for no key, as JSON does', () => {
    expect(hashJson({ a: 1, b: undefined })).toBe(hashJson({ a: 1 }));
  });
});

describe('hashFile', () => {
  test('is the published digest of "abc"', async () => {
    const path = inFolder('abc');
    await writeFile(path, 'abc');
    // FIPS 180-2, appendix B.1; RFC 1321, appendix A.5.
    expect(await hashFile(path)).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(await hashFile(path, 'md5')).toBe('900150983cd24fb0d6963f7d28e17f72');
  });

  test('reads a file of several chunks whole', async () => {
    const path = inFolder('long');
    // FIPS 180-2, appendix B.3.
    await writeFile(path, 'a'.repeat(1_000_000));
    expect(await hashFile(path)).toBe('cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0');
    const bytes = Buffer.alloc(3 << 20, 'edgeflex');
    await writeFile(path, bytes);
    expect(await hashFile(path)).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  test('fails for a file that is not there', async () => {
    await expect(hashFile(inFolder('missing'))).rejects.toThrow('ENOENT');
  });
});
