import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { BoardFiles } from '../../../src/device/ssh/board-files.js';
import { Connection } from '../../../src/device/ssh/connection.js';
import { describeOnBoard, TestBoard } from '../../support/board/board.js';

const options = { timeout: 60_000 };
const BYTES = 300_000;

/** The number of the board's user. */
const BOARD_USER = 1500;

describeOnBoard('a file for a board', options, () => {
  let directory: string;
  let board: TestBoard;
  let connection: Connection;
  let path: string;
  let content: Buffer;
  let stored: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
    board = await TestBoard.start('filed', { withoutNode: true });
    const { name, host, config } = await board.profile();
    connection = await Connection.open(name, { host, config });
  }, 180_000);

  afterAll(async () => {
    await connection.close();
    await board.remove();
    await rm(directory, { recursive: true, force: true });
  });

  beforeEach(async () => {
    content = randomBytes(BYTES);
    path = join(directory, "weights; rm -rf $HOME '.bin");
    await writeFile(path, content);
    stored = board.home('files', 'store', createHash('sha256').update(content).digest('hex'));
    await connection.run('mkdir -p "$1/store"', ['/home/bench/files']);
  });

  /** Brings the file, as a harness would that begins now; says how many of its bytes were sent. */
  async function put(): Promise<{ sent: number; there: string }> {
    let sent = 0;
    let from: number | undefined;
    const files = new BoardFiles(
      () => Promise.resolve(connection),
      '/home/bench/files',
      (_, bytes) => {
        if (from === undefined || bytes < from) from = bytes;
        sent = bytes - from;
      },
    );
    const there = await files.put(path);
    expect(await files.put(path)).toBe(there);
    return { sent, there };
  }

  /** Writes a file as the board's user would. */
  const ours = async (file: string, bytes: Buffer): Promise<void> => {
    await writeFile(file, bytes);
    await chown(file, BOARD_USER, BOARD_USER);
  };

  it('is sent once, to a place that its content names', async () => {
    expect(await put()).toEqual({ sent: BYTES, there: stored.replace(board.home(), '/home/bench') });
    expect(await readFile(stored)).toEqual(content);
    expect((await put()).sent).toBe(0);
  });

  it('goes on after a break where it stopped', async () => {
    await ours(`${stored}.partial`, content.subarray(0, 100_000));
    expect((await put()).sent).toBe(BYTES - 100_000);
    expect(await readFile(stored)).toEqual(content);
    expect(existsSync(`${stored}.partial`)).toBe(false);
  });

  it.each([
    ['a part of another file', '.partial', 100_000],
    ['more than there can be', '.partial', BYTES + 1],
    ['another file of its length', '', BYTES],
  ])('is sent from its beginning where %s lies in its place', async (_, suffix, length) => {
    await ours(`${stored}${suffix}`, randomBytes(length));
    await put();
    expect(await readFile(stored)).toEqual(content);
  });

  it('stands under its own name where that is needed, without taking room twice', async () => {
    const files = new BoardFiles(() => Promise.resolve(connection), '/home/bench/files');
    const there = await files.put(path);
    const folder = await files.arrange('models/a b', new Map([["it's.onnx", there]]));
    expect(folder).toBe('/home/bench/files/models/a b');
    const named = board.home('files', 'models', 'a b', "it's.onnx");
    expect(await readFile(named)).toEqual(content);
    expect((await stat(named)).ino).toBe((await stat(stored)).ino);
    await files.arrange('models/a b', new Map([["it's.onnx", there]]));
    expect(await readdir(board.home('files', 'models'))).toEqual(['a b']);
  });
});
