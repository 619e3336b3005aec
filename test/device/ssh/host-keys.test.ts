import { execFile, execFileSync } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DeviceError } from '../../../src/base/errors.js';
import { Connection } from '../../../src/device/ssh/connection.js';
import { describeOnBoard, TestBoard } from '../../support/board/board.js';

const shell = promisify(execFile);
const options = { timeout: 60_000 };

describeOnBoard('the host key of a board', options, () => {
  let board: TestBoard;

  beforeAll(async () => {
    board = await TestBoard.start('keyed', { unknown: true });
  }, 180_000);

  afterAll(() => board.remove());

  async function connect(): Promise<void> {
    const { name, host, config } = await board.profile();
    await (await Connection.open(name, { host, config })).close();
  }

  const refusal = (): Promise<string> =>
    connect().then(
      () => 'it connected',
      (error: unknown) => {
        expect(error).toBeInstanceOf(DeviceError);
        return (error as Error).message;
      },
    );

  it('that is not known is refused, with the commands that show, compare and add it; they work', async () => {
    const message = await refusal();
    const scan = `ssh-keyscan -p ${board.port} 127.0.0.1`;
    expect(message).toContain(`device keyed (127.0.0.1 port ${board.port}): its host key is not known`);
    expect(message).toContain(`${scan} | ssh-keygen -lf -`);
    expect(message).toContain('ssh_host_*_key.pub');
    const add = /add the key: +(.+)$/m.exec(message)![1]!;
    expect(add).toBe(`${scan} >> ${board.knownHosts}`);

    const { stdout } = await shell('sh', ['-c', `${scan} 2>/dev/null | ssh-keygen -lf -`]);
    const own = execFileSync('ssh-keygen', ['-lf', join(board.state, 'keys', 'host.pub')]).toString();
    expect(own).toContain(/SHA256:\S+/.exec(stdout)![0]);
    await shell('sh', ['-c', add]);
    await connect();
  });

  it('is verified even where the user’s configuration says that it need not be', async () => {
    const config = join(board.state, 'ssh_config');
    const text = await readFile(config, 'utf8');
    await writeFile(config, `${text}  StrictHostKeyChecking no\n`);
    await writeFile(board.knownHosts, '');
    expect(await refusal()).toContain('its host key is not known');
    await writeFile(config, text);
  });

  it('that has changed is refused loudly, with what it shows now and how to forget the old one', async () => {
    await board.learnKey();
    await connect();
    await board.down();
    for (const file of ['host', 'host.pub']) await rm(join(board.state, 'keys', file));
    await board.up();
    const message = await refusal();
    const fingerprint = execFileSync('ssh-keygen', ['-lf', join(board.state, 'keys', 'host.pub')]).toString();
    expect(message).toContain('ITS HOST KEY HAS CHANGED');
    expect(message).toContain(/SHA256:[\w+/]+/.exec(fingerprint)![0]);
    const forget = /forget the old key: +(.+)$/m.exec(message)![1]!;
    expect(forget).toBe(`ssh-keygen -R '[127.0.0.1]:${board.port}' -f '${board.knownHosts}'`);
    await shell('sh', ['-c', forget]);
    expect(await refusal()).toContain('its host key is not known');
    await board.learnKey();
  });

  it('may be right where the user’s is not: no password is asked for', async () => {
    const config = join(board.state, 'ssh_config');
    const text = await readFile(config, 'utf8');
    const stranger = join(board.state, 'keys', 'stranger');
    await shell('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', stranger]);
    await writeFile(config, text.replace(/IdentityFile .*/, `IdentityFile ${stranger}`));
    const message = await refusal();
    expect(message).toContain('it accepts none of your keys: ');
    expect(message).toContain('ssh-copy-id');
    await writeFile(config, text);
  });

  it('does not matter where nobody answers', async () => {
    await board.down();
    expect(await refusal()).toMatch(
      /^device keyed \(127\.0\.0\.1 port \d+\) cannot be reached: .*Connection refused/,
    );
    await board.up();
  });
});
