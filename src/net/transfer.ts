import { open, type FileHandle } from 'node:fs/promises';
import type { ReadableStream } from 'node:stream/web';
import { InputError, messageOf } from '../base/errors.js';
import { discardPartial, notePartial, readPartial, type PartialFile, type RemoteVersion } from './partial.js';
import { codeOf, writeFailure } from '../base/write-failure.js';

/** A connection that failed in a way that may be over the next time. */
export class ConnectionFailure extends Error {
  override readonly name = 'ConnectionFailure';
}

/** The server sends more than the file can have. */
export class TooLarge extends InputError {}

/** A connection that goes on, but so slowly that it would never end. */
export class SlowConnection extends ConnectionFailure {}

/** Slower than that, over the time after which a connection counts as dead, is of no use to anybody. */
const LEAST_BYTES_PER_SECOND = 100;

/** What one connection needs to know. */
export interface TransferOptions {
  readonly signal: AbortSignal;
  /** After so many milliseconds without a byte the connection counts as dead. */
  readonly stallMilliseconds: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The file has no more bytes than that; what is longer is refused. */
  readonly maxBytes: number;
  /** Hears how many bytes lie on the disk, of how many, if the server said. */
  readonly onReceived: (received: number, total: number | undefined) => void;
}

/**
 * Downloads a file over one connection, behind what an earlier one left of the same version of the file.
 *
 * @param url - its address
 * @param target - where the whole file is to lie; what was received lies beside it (`partialPath`)
 * @param options - signal, patience, progress
 * @throws ConnectionFailure when another try may succeed; InputError when the server refuses or the place cannot be
 *   written; ResourceError when the disk is full; the signal's reason when it fires
 */
export async function transfer(url: string, target: string, options: TransferOptions): Promise<void> {
  const partial = await readPartial(target, url);
  const { received, version } = partial;
  options.onReceived(received, version?.total);
  if (received > 0 && received === version?.total) return;

  const stall = new AbortController();
  const seconds = options.stallMilliseconds / 1000;
  const patience = setTimeout(() => {
    stall.abort(new ConnectionFailure(`nothing came for ${seconds} s`));
  }, options.stallMilliseconds);
  // A server that sends a byte a second would never stall, and never end.
  let bytesAtTick = 0;
  let bytesNow = 0;
  const pace = setInterval(() => {
    if (bytesNow - bytesAtTick < LEAST_BYTES_PER_SECOND * seconds)
      stall.abort(new SlowConnection(`no more than ${bytesNow - bytesAtTick} bytes came in ${seconds} s`));
    bytesAtTick = bytesNow;
  }, options.stallMilliseconds);
  try {
    const signal = AbortSignal.any([options.signal, stall.signal]);
    const response = await request(url, partial, options.headers, signal);
    const appending = received > 0 && response.status === 206 && continues(response, partial);
    if (received > 0 && !appending && (response.status === 206 || response.status === 416)) {
      // The server has another file now than the one we have a part of.
      await response.body?.cancel();
      await discardPartial(target);
      await transfer(url, target, options);
      return;
    }
    refuseUnusable(url, response, appending);
    const told = appending && version !== undefined ? version : versionOf(url, response);
    refuseLarger(url, told.total ?? 0, options.maxBytes);
    const file = await openPartial(target, partial.path, appending, told);
    try {
      const from = appending ? received : 0;
      bytesNow = bytesAtTick = from;
      const check = (bytes: number): void => {
        refuseLarger(url, bytes, options.maxBytes);
      };
      const end = await append(file, partial.path, response, from, check, (bytes) => {
        patience.refresh();
        bytesNow = bytes;
        options.onReceived(bytes, told.total);
      });
      if (end < (told.total ?? 0))
        throw new ConnectionFailure(`it ended after ${end} of ${told.total} bytes`);
    } finally {
      await file.close();
    }
  } catch (error) {
    options.signal.throwIfAborted();
    throw connectionFailureOf(url, error);
  } finally {
    clearTimeout(patience);
    clearInterval(pace);
  }
}

function request(
  url: string,
  { received, version }: PartialFile,
  own: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Response> {
  // Packed once more on the way, the file's bytes could not be counted.
  const headers: Record<string, string> = { ...own, 'accept-encoding': 'identity' };
  if (received > 0) {
    headers['range'] = `bytes=${received}-`;
    // A weak tag does not vouch for bytes, and servers must not accept it here.
    const validator = version?.etag?.startsWith('W/') === false ? version.etag : version?.lastModified;
    if (validator !== undefined) headers['if-range'] = validator;
  }
  return fetch(url, { headers, signal });
}

/** Whether an answer of status 206 goes on exactly where our part of the same file ends. */
function continues(response: Response, { received, version }: PartialFile): boolean {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
  if (range === null || Number(range[1]) !== received) return false;
  const same = (before: string | undefined, now: string | null): boolean =>
    before === undefined || now === null || before === now;
  return (
    same(version?.etag, response.headers.get('etag')) &&
    same(version?.lastModified, response.headers.get('last-modified')) &&
    same(version?.total?.toString(), range[2] === '*' ? null : (range[2] ?? null))
  );
}

function refuseUnusable(url: string, response: Response, appending: boolean): void {
  const { status, statusText, headers } = response;
  const said = `HTTP ${status} ${statusText}`.trim();
  if (status === 408 || status === 429 || status >= 500) throw new ConnectionFailure(said);
  if (status !== 200 && !appending)
    throw new InputError({
      source: url,
      found: said,
      expected: 'the file',
      hint: 'It may have moved: check the address, or use a mirror.',
    });
  const coding = headers.get('content-encoding') ?? 'identity';
  if (coding !== 'identity')
    throw new InputError({
      source: url,
      place: 'Content-Encoding',
      found: coding,
      expected: 'the bytes of the file as they are',
      hint: 'This server modifies the file in transit: use a mirror.',
    });
}

/** Refused before what is too much is written. */
function refuseLarger(url: string, bytes: number, maxBytes: number): void {
  if (bytes > maxBytes)
    throw new TooLarge({
      source: url,
      found: `${bytes} bytes or more`,
      expected: `${maxBytes} bytes at most`,
      hint: 'What was received was deleted.',
    });
}

function versionOf(url: string, { headers }: Response): RemoteVersion {
  const length = headers.get('content-length');
  return {
    url,
    etag: headers.get('etag') ?? undefined,
    lastModified: headers.get('last-modified') ?? undefined,
    total: length !== null && /^\d+$/.test(length) ? Number(length) : undefined,
  };
}

async function openPartial(
  target: string,
  path: string,
  appending: boolean,
  version: RemoteVersion,
): Promise<FileHandle> {
  try {
    const file = await open(path, appending ? 'a' : 'w');
    if (!appending) await notePartial(target, version);
    return file;
  } catch (error) {
    throw writeFailure(path, error);
  }
}

async function append(
  file: FileHandle,
  path: string,
  { body }: Response,
  start: number,
  onChunk: (bytes: number) => void,
  onReceived: (bytes: number) => void,
): Promise<number> {
  let received = start;
  if (body === null) return received;
  for await (const chunk of body as ReadableStream<Uint8Array>) {
    received += chunk.byteLength;
    onChunk(received);
    await file.writeFile(chunk).catch((error: unknown) => {
      throw writeFailure(path, error);
    });
    onReceived(received);
  }
  return received;
}

/** What `fetch` throws says little; its cause, or the cause's cause, says what happened and whether it may pass. */
function connectionFailureOf(url: string, error: unknown): unknown {
  if (!(error instanceof TypeError)) return error;
  let cause: unknown = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  const code = codeOf(cause);
  const reason = messageOf(cause) === '' ? (code ?? error.message) : messageOf(cause);
  if (code !== undefined) return new ConnectionFailure(reason, { cause: error });
  return new InputError({ source: url, found: reason, expected: 'an address that can be fetched' });
}
