import { filesInZip } from '../../../src/data/arrays/zip.js';
import { readNpy, type NpyArray } from '../../../src/data/arrays/npy.js';

/** The arrays of an archive that NumPy wrote, by their names. */
export async function arraysIn(path: string): Promise<Map<string, NpyArray>> {
  const files = await filesInZip(path);
  return new Map([...files].map(([name, bytes]) => [name.replace(/\.npy$/, ''), readNpy(bytes)]));
}

/**
 * An archive of arrays of bytes, as `numpy.savez` writes it but for its sums, which nobody looks at.
 *
 * @param arrays - by their names
 */
export function npzOf(
  arrays: Readonly<Record<string, { readonly dims: readonly number[]; readonly values: Uint8Array }>>,
): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  for (const [array, { dims, values }] of Object.entries(arrays)) {
    const name = `${array}.npy`;
    const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${dims.join(', ')},), }`;
    const begin = Buffer.from([...Buffer.from('\x93NUMPY', 'latin1'), 1, 0, header.length, 0]);
    const content = Buffer.concat([begin, Buffer.from(header), values]);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt32LE(content.length, 14);
    fields.writeUInt32LE(content.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), content]);
    const place = Buffer.from(Uint32Array.of(at).buffer);
    const version = Buffer.from('PK\x01\x02\x14\x00', 'latin1');
    central.push(Buffer.concat([version, fields, Buffer.alloc(10), place, Buffer.from(name)]));
    parts.push(local);
    at += local.length;
  }
  const list = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(central.length, 8);
  end.writeUInt16LE(central.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, list, end]);
}
