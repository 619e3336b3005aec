import { readdirSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DeviceError } from '../../../src/base/errors.js';
import type { Device } from '../../../src/device/device.js';
import { Connection } from '../../../src/device/ssh/connection.js';
import { openSsh } from '../../../src/device/ssh/device.js';
import type { Task } from '../../../src/protocol/task.js';
import { describeOnBoard, TestBoard } from '../../support/board/board.js';
import { writeMicro } from '../../support/micro.js';
import { perform, shortPass, timing } from '../../support/tasks.js';

const options = { timeout: 120_000 };

const started = JSON.stringify({
  event: 'started',
  runtime: { name: 'onnxruntime-node', version: '1.30.0', provider: 'CPUExecutionProvider' },
  platform: 'linux-arm64 node 20.20.2',
  session: { threads: 1, memoryPattern: false, arena: true, spinning: true },
  memoryMeans: 'vmhwm-of-phase',
});

const logits = (first: number, classes: number, values: string): string =>
  JSON.stringify({ event: 'logits', first, classes, values });

/** What a board's "Node" says when it is asked to run the agent. */
const lies: Readonly<Record<string, string>> = {
  'a line without end': `tr '\\000' x </dev/zero`,
  'lines without end': `yes '{"event":"latencies","milliseconds":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}'`,
  'no messages': 'echo root:x:0:0:root:/root:/bin/bash',
  'a message of its own': `echo '{"event":"write","path":"/tmp/edgeflex-hacked","text":"x"}'`,
  'a message with more in it': `echo '{"event":"finished","path":"../../../tmp/edgeflex-hacked"}'`,
  'numbers that are none': `echo '{"event":"latencies","milliseconds":[-1]}'`,
  'logits that are none': `echo '${started}'; echo '${logits(0, 10, '****')}'`,
  'a warning in colour': `printf '\\033[31mwarning\\033[0m\\n'`,
};

describeOnBoard('a board that is not to be trusted', options, () => {
  let directory: string;
  let board: TestBoard;
  let device: Device;
  let task: Task;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
    const { model } = await writeMicro(directory);
    const inputs = join(directory, 'inputs.bin');
    await writeFile(inputs, new Uint8Array(3 * 32 * 32 * 4));
    task = timing(model, inputs, 1, shortPass);
    // It greets, as some login files do, and its Node is a program of its own that says what stands in the file "say".
    board = await TestBoard.start('hostile', {
      withoutNode: true,
      bin: { node: '#!/bin/sh\n[ "$1" = --version ] && echo v20.20.2 && exit\n. /home/bench/say\n' },
    });
    await writeFile(board.home('.bashrc'), 'echo "Welcome to your new board!"\n');
    device = await openSsh(await board.profile());
  }, 180_000);

  afterAll(async () => {
    await device.close();
    await board.remove();
    await rm(directory, { recursive: true, force: true });
  });

  const reasonFor = async (script: string): Promise<Error> => {
    await writeFile(board.home('say'), script);
    return perform(device, task).then(
      () => new Error('the task was done'),
      (error: unknown) => error as Error,
    );
  };

  it.each(Object.entries(lies))(
    'that says %s breaks the protocol, and takes no memory',
    async (_, script) => {
      const before = process.memoryUsage().rss;
      const error = await reasonFor(script);
      expect(error).toBeInstanceOf(DeviceError);
      expect(error.message).toMatch(/^the agent broke the protocol: /);
      expect(error.message.length).toBeLessThan(300);
      expect(process.memoryUsage().rss - before).toBeLessThan(700 * 1024 ** 2);
    },
  );

  it('that ends at once, or with an error, says so', async () => {
    expect((await reasonFor('exit 0')).message).toContain('ended with code 0 before its task was done');
    expect((await reasonFor('echo "cannot execute" >&2; exit 126')).message).toContain('cannot execute');
  });

  it('that fills its standard error does not fill ours', async () => {
    const error = await reasonFor("head -c 50000000 /dev/zero | tr '\\000' e >&2; exit 1");
    expect(error.message.length).toBeLessThan(3000);
  });

  it('that answers a command without end is given up', async () => {
    const { name, host, config } = await board.profile();
    const connection = await Connection.open(name, { host, config });
    try {
      const endless = connection.run("tr '\\000' x </dev/zero", []);
      await expect(endless).rejects.toThrow(/answered with more than \d+ bytes$/);
    } finally {
      await connection.close();
    }
  });

  it('leaves no file on this machine', async () => {
    expect(readdirSync('/tmp').filter((name) => name.startsWith('edgeflex-hacked'))).toEqual([]);
    expect(await readdir(directory)).toEqual([
      'inputs.bin',
      'model.onnx',
      'model.onnx.data',
      'preprocess.onnx',
    ]);
  });
});
