import { readFile, stat } from 'node:fs/promises';
import { foundBy, InputError, messageOf } from '../base/errors.js';

/** What a protobuf, and so an ONNX file without its external data, may hold. */
const MAX_PROTOBUF_BYTES = 2 ** 31 - 1;

/**
 * The bytes of an ONNX file, without external data.
 *
 * @param path - the `.onnx` file
 * @throws InputError when it cannot be read, or is larger than a protobuf can be
 */
export async function readProtobuf(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > MAX_PROTOBUF_BYTES) throw new Error(`${size} bytes, beyond the 2 GiB of a protobuf`);
    return await readFile(path);
  } catch (error) {
    throw noModel(path, foundBy(error));
  }
}

/**
 * The refusal of what is no ONNX model.
 *
 * @param path - the file
 * @param found - what it is instead
 */
export function noModel(path: string, found: string): InputError {
  return new InputError({ source: path, found, expected: 'an ONNX model' });
}

/**
 * What was found where protobuf cannot read a message, in words.
 *
 * @param error - what reading it has thrown
 */
export function protobufFault(error: unknown): string {
  return `bytes that are no whole protobuf message (${messageOf(error)})`;
}
