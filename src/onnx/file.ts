import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, normalize } from 'node:path';
import { InputError, messageOf } from '../base/errors.js';
import { readRange } from '../base/read-range.js';
import type { OnnxModel } from './model.js';
import { decodeModel, encodeModel, encodeWhole, type ExternalLocation } from './proto.js';
import { noModel, readProtobuf } from './protobuf.js';
import { byteLength, type TensorSource } from './tensor.js';

/** Tensors below this size stay inside the protobuf: ONNX Runtime must read shapes and axes before it maps files. */
const EXTERNAL_FROM_BYTES = 1024;

/** Memory-mapped tensors begin on a page, as the ONNX specification recommends. */
const PAGE_BYTES = 4096;

/** The files that make up a written model. */
export interface WrittenModel {
  readonly path: string;
  /** The weights' file beside it; undefined when every tensor was small enough to lie inside. */
  readonly dataPath: string | undefined;
  /** Bytes of both files. */
  readonly bytes: number;
}

/**
 * Writes a model as `path` and its weights as `path` + `.data`, one tensor at a time: the memory taken is
 * that of the largest tensor, and no protobuf comes near its limit of 2 GB. Both files appear under their
 * names only when they are complete; when one cannot be written, nothing is left behind.
 *
 * @param model - the graph; each initializer is read once
 * @param path - where the `.onnx` file goes; its directory must exist
 * @throws the file system's error when a file cannot be written
 */
export async function writeModel(model: OnnxModel, path: string): Promise<WrittenModel> {
  try {
    return await writeBoth(model, path);
  } finally {
    for (const file of [path, `${path}.data`]) await rm(`${file}.partial`, { force: true });
  }
}

async function writeBoth(model: OnnxModel, path: string): Promise<WrittenModel> {
  const dataPath = `${path}.data`;
  const place = new Map<string, Uint8Array | ExternalLocation>();
  let end = 0;
  let data: FileHandle | undefined;
  try {
    for (const [name, tensor] of model.initializers) {
      const bytes = await readChecked(name, tensor);
      if (bytes.byteLength < EXTERNAL_FROM_BYTES) {
        place.set(name, bytes);
        continue;
      }
      data ??= await open(`${dataPath}.partial`, 'w');
      const offset = Math.ceil(end / PAGE_BYTES) * PAGE_BYTES;
      await writeFully(data, bytes, offset);
      end = offset + bytes.byteLength;
      place.set(name, { file: basename(dataPath), offset, length: bytes.byteLength });
    }
  } finally {
    await data?.close();
  }
  const proto = encodeModel(model, place, await attributeBytes(model));
  const file = await open(`${path}.partial`, 'w');
  try {
    await writeFully(file, proto, 0);
  } finally {
    await file.close();
  }
  if (data !== undefined) await rename(`${dataPath}.partial`, dataPath);
  await rename(`${path}.partial`, path);
  // What a model that was here before has left would be counted as a part of this one.
  if (data === undefined) await rm(dataPath, { force: true });
  return { path, dataPath: data && dataPath, bytes: proto.byteLength + end };
}

/**
 * Puts a whole model, weights included, into one protobuf: for small graphs that go straight into a session.
 *
 * @param model - the graph; together its tensors must stay well below 2 GB
 */
export async function serializeModel(model: OnnxModel): Promise<Uint8Array> {
  const place = new Map<string, Uint8Array>();
  for (const [name, tensor] of model.initializers) place.set(name, await readChecked(name, tensor));
  return encodeWhole(model, place, await attributeBytes(model));
}

/**
 * Opens an ONNX file. Only the protobuf is read; tensors in external data are read by range when asked for.
 *
 * @param path - the `.onnx` file
 * @throws InputError when the file is missing, is no ONNX model, or points outside its own directory
 */
export async function readModel(path: string): Promise<OnnxModel> {
  const bytes = await readProtobuf(path);
  try {
    const external = new Set<string>();
    const model = decodeModel(bytes, (info, location) => {
      external.add(location.file);
      return externalTensor(path, info, location);
    });
    return { ...model, externalFiles: [...external].sort() };
  } catch (error) {
    throw error instanceof InputError ? error : noModel(path, messageOf(error));
  }
}

/** Size of a model on disk: the protobuf and the external data beside it. */
export async function modelBytes(path: string): Promise<number> {
  const size = async (file: string): Promise<number> => (await stat(file)).size;
  return (await size(path)) + (await size(`${path}.data`).catch(() => 0));
}

function externalTensor(
  modelPath: string,
  info: Pick<TensorSource, 'dtype' | 'dims'>,
  location: ExternalLocation,
): TensorSource {
  const relative = normalize(location.file);
  if (isAbsolute(relative) || relative.startsWith('..'))
    throw new InputError({
      source: modelPath,
      place: 'external data',
      found: `the location ${location.file}`,
      expected: "a file in the model's own directory",
    });
  const path = join(dirname(modelPath), relative);
  return { ...info, read: () => readRange(path, location.offset, location.length) };
}

/** The bytes of tensors that are attributes of nodes. */
async function attributeBytes({ nodes }: OnnxModel): Promise<Map<TensorSource, Uint8Array>> {
  const bytes = new Map<TensorSource, Uint8Array>();
  for (const { attributes } of nodes)
    for (const attribute of Object.values(attributes))
      if (attribute.type === 'tensor') bytes.set(attribute.value, await attribute.value.read());
  return bytes;
}

async function readChecked(name: string, tensor: TensorSource): Promise<Uint8Array> {
  const bytes = await tensor.read();
  if (bytes.byteLength !== byteLength(tensor))
    throw new RangeError(
      `tensor ${name} gave ${bytes.byteLength} bytes; ${tensor.dtype}[${tensor.dims.join(',')}] has ${byteLength(tensor)}`,
    );
  return bytes;
}

async function writeFully(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  let done = 0;
  while (done < bytes.byteLength) {
    const length = Math.min(bytes.byteLength - done, 1 << 30);
    done += (await file.write(bytes, done, length, offset + done)).bytesWritten;
  }
}
