import fc from 'fast-check';

/** A change of some bytes. */
type Edit =
  | { readonly kind: 'set'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'remove' | 'repeat'; readonly at: number; readonly length: number }
  | { readonly kind: 'cut'; readonly at: number };

const at = fc.nat(0xffffff);

/** Bytes that lengths, counts and varints go wrong at. */
const awkward = fc.constantFrom(
  ...[[0], [1], [0x7f], [0x80], [0xff], [0xff, 0xff, 0xff, 0xff, 0x0f], [0x80, 0x80, 0x80, 0x80, 0x08]],
  ...[Array<number>(8).fill(0xff), Array<number>(10).fill(0xff), [0, 0, 0, 0, 0, 0, 0, 0x80], [0xc3, 0x28]],
);
const piece = fc.oneof(
  awkward.map((bytes) => Uint8Array.from(bytes)),
  fc.uint8Array({ minLength: 1, maxLength: 8 }),
);

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant('set'), at, bytes: piece }),
  fc.record({ kind: fc.constant('insert'), at, bytes: piece }),
  fc.record({ kind: fc.constantFrom('remove', 'repeat'), at, length: fc.integer({ min: 1, max: 64 }) }),
  fc.record({ kind: fc.constant('cut'), at }),
);

function edited(bytes: Buffer, change: Edit): Buffer {
  const place = change.at % (bytes.length + 1);
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  switch (change.kind) {
    case 'set':
      return Buffer.concat([before, change.bytes, after.subarray(change.bytes.length)]);
    case 'insert':
      return Buffer.concat([before, change.bytes, after]);
    case 'remove':
      return Buffer.concat([before, after.subarray(change.length)]);
    case 'repeat':
      return Buffer.concat([before, after.subarray(0, change.length), after]);
    case 'cut':
      return before;
  }
}

/**
 * Valid bytes with one to six faults.
 *
 * @param seeds - what is valid
 */
export function damagedBytes(...seeds: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.constantFrom(...seeds), fc.array(edit, { minLength: 1, maxLength: 6 }))
    .map(([seed, edits]) => edits.reduce(edited, Buffer.from(seed)));
}
