import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { useFolder } from '../support/folder.js';
import { writeMicro } from '../support/micro.js';
import { longPass, timing } from '../support/tasks.js';

const folder = useFolder();

/** A run of so many images takes longer than the lease, which is longer than a busy machine keeps a test from telling that it is there. */
const BATCH = 2048;
const LEASE_SECONDS = 0.2;

it('an agent with a lease lives while it hears something, however long a run keeps it busy, and ends when it hears nothing', async () => {
  const { model } = await writeMicro(folder());
  const inputs = folder('inputs.bin');
  await writeFile(inputs, new Uint8Array(BATCH * 3 * 32 * 32 * 4));
  const agent = join(packageRoot(), 'dist', 'agent', 'agent.mjs');
  const child = spawn(process.execPath, [agent, `--lease=${LEASE_SECONDS}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const beat = setInterval(() => child.stdin.write('\n'), 20);
  child.stdin.on('error', () => undefined);
  child.stdin.write(`${JSON.stringify(timing(model, inputs, BATCH, longPass))}\n`);
  let said = '';
  await new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('"phase":"warmup"')) resolve();
    });
    child.once('exit', () => resolve());
  });
  await sleep(1000);
  expect(child.exitCode).toBeNull();
  const first = /"phase":"first","milliseconds":(\d+)/.exec(said)![1]!;
  expect(Number(first)).toBeGreaterThan(LEASE_SECONDS * 1000);
  clearInterval(beat);
  expect(await exit).toBe(1);
});
