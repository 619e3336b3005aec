import { deserialize, serialize } from 'node:v8';
import { deflateRawSync, inflateRawSync } from 'node:zlib';

/**
 * A value as bytes, small: which images were right is a byte an image.
 *
 * @param value - any that structured cloning takes: maps, typed arrays and infinite numbers, too
 */
export function packed(value: unknown): Buffer {
  return deflateRawSync(serialize(value), { level: 1 });
}

/**
 * What `packed` was given.
 *
 * @param body - as it was kept
 */
export function unpacked(body: Buffer): unknown {
  return deserialize(inflateRawSync(body));
}
