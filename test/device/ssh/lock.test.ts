import { hostname } from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Connection } from '../../../src/device/ssh/connection.js';
import { BoardLock } from '../../../src/device/ssh/lock.js';
import { edgeflexProcess } from '../../cli/support.js';
import { describeOnBoard, TestBoard } from '../../support/board/board.js';
import { until } from '../../support/processes.js';

const options = { timeout: 60_000 };
const path = '/tmp/edgeflex-board.lock';

describeOnBoard('a board that a harness uses', options, () => {
  let board: TestBoard;
  let mine: Connection;
  let theirs: Connection;

  beforeAll(async () => {
    board = await TestBoard.start('shared', { withoutNode: true });
  }, 180_000);

  afterAll(() => board.remove());

  beforeEach(async () => {
    const { name, host, config } = await board.profile();
    [mine, theirs] = [
      await Connection.open(name, { host, config }),
      await Connection.open(name, { host, config }),
    ];
  });

  afterEach(async () => {
    await mine.close();
    await theirs.close();
  });

  const isLocked = async (): Promise<boolean> => (await theirs.run('[ -e "$1" ]', [path])).code === 0;
  const take = (as: string, over = theirs): Promise<BoardLock> => BoardLock.take(over, 'shared', as);

  it('is not used by another one, which is told by whom; and can be once it is given back', async () => {
    const lock = await take('first', mine);
    const who = `\\S+@${hostname()}, process ${process.pid}, since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC`;
    await expect(take('second')).rejects.toThrow(
      new RegExp(`^device shared: the board is in use by ${who}\nWait until that run is over`),
    );
    await lock.release();
    expect(lock.held).toBe(false);
    expect(await isLocked()).toBe(false);
    await (await take('second')).release();
  });

  it('is not cleaned by another one', async () => {
    const lock = await take('first', mine);
    const { code, err } = await edgeflexProcess(['devices', 'clean', board.profilePath], {});
    expect(code).toBe(3);
    expect(err).toContain('device shared: the board is in use by ');
    await lock.release();
    expect((await edgeflexProcess(['devices', 'clean', board.profilePath], {})).out).toContain(
      'nothing to remove',
    );
  });

  it('is used by one under several profiles, until the last of them ends', async () => {
    const [one, two] = [await take('first', mine), await take('first', theirs)];
    await one.release();
    await expect(take('second')).rejects.toThrow('in use by');
    await two.release();
    expect(await isLocked()).toBe(false);
  });

  it('is free when its link breaks', async () => {
    await take('first', mine);
    board.signalLinks('SIGKILL');
    await until('the link is lost', () => !theirs.alive && !mine.alive);
    await until('nothing holds the lock', () => board.processes('alive').length === 0);
    await theirs.close();
    const { name, host, config } = await board.profile();
    theirs = await Connection.open(name, { host, config });
    expect(await isLocked()).toBe(false);
  });

  it.each([
    ['its owner has not been heard for a minute', '-2 minutes'],
    ['the clock was set back since', '1 hour'],
  ])('is free when %s', async (_, when) => {
    const lock = await take('gone', mine);
    await theirs.run('touch -d "$2" "$1/alive"', [path, when]);
    const taken = await take('second');
    expect((await theirs.run('cat "$1/owner"', [path])).stdout).toMatch(/^second\n/);
    // The one that slept does not take away what is not its own any more.
    await lock.release();
    expect(await isLocked()).toBe(true);
    await taken.release();
  });

  it('says who uses it in a name that is not to be trusted', async () => {
    await mine.run('mkdir "$1" && printf "x\\nanna\\033[31m%02000d" 0 >"$1/owner"', [path]);
    const error: unknown = await take('second').catch((reason: unknown) => reason);
    expect((error as Error).message).toMatch(
      /^device shared: the board is in use by anna \[31m0{200,300}\nWait/,
    );
    await mine.run('rm -r "$1"', [path]);
  });

  it('is free where something else has lain in the place of the lock for long', async () => {
    await mine.run(': >"$1"; chmod 0 "$1"; touch -d "-1 hour" "$1"', [path]);
    await (await take('second')).release();
    expect(await isLocked()).toBe(false);
  });
});
